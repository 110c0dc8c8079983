"""Calls of campaigns: no trace where their switch is off, and contacts that say by which campaign they came."""

from __future__ import annotations

from routing.calls.campaign import CampaignOfCall
from routing.effects import CreateContact
from routing.matrix.decide import decide
from routing.matrix.presets import recommended
from tests.unit.routing.matrix.situations import a_situation, orders_of

SPRING = CampaignOfCall(
    id="c1", name="spring", client_id="77", contact_fields={"501": "spring", "502": "c1", "503": "77"}
)


def test_58_a_call_of_a_campaign_whose_switch_is_off_leaves_no_trace() -> None:
    quiet = SPRING.model_copy(update={"leaves_traces": False})
    found = decide(recommended(), a_situation(campaign=quiet))
    assert (found.reason, found.effects, found.turns) == ("campaign_without_traces", (), ())
    assert decide(recommended(), a_situation(campaign=SPRING)).reason == "ordered"


def test_s3_03_a_contact_that_a_campaigns_call_makes_says_by_which_campaign_it_came() -> None:
    orders = orders_of(decide(recommended(), a_situation(campaign=SPRING))).values()
    (made,) = [order for order in orders if isinstance(order, CreateContact)]
    assert made.fields == {"501": "spring", "502": "c1", "503": "77"}
