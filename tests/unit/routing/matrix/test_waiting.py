"""Waiting for the entities of another integration, at the end of a call."""

from __future__ import annotations

from datetime import timedelta

from routing.matrix.decide import MatrixDecision, decide
from routing.matrix.presets import update_only
from tests.unit.routing.matrix.situations import NOW, a_call, a_situation, an_entity

ENDED = NOW + timedelta(seconds=90)
MADE = NOW + timedelta(seconds=88)
CONTACT = an_entity("contact", "501", owner_id="11", created_at=MADE)
DEAL = an_entity("deal", "601", owner_id="11", created_at=MADE)


def at_end(*entities: object, seconds: float = 0, client_kind: str = "new") -> MatrixDecision:
    situation = a_situation(
        a_call(answered_by="101"),
        entities=entities,  # type: ignore[arg-type]
        client_kind=client_kind,
        now=ENDED + timedelta(seconds=seconds),
    )
    return decide(update_only(), situation)


def test_nobody_is_waited_for_until_the_setting_is_over() -> None:
    waits = at_end()
    assert (waits.reason, waits.wait_until, waits.effects) == (
        "waiting_for_entities",
        ENDED + timedelta(seconds=60),
        (),
    )
    assert at_end(seconds=60).reason == "nothing_to_update"


def test_a_contact_made_during_the_call_is_given_a_moment_for_its_deal() -> None:
    waits = at_end(CONTACT)
    assert (waits.reason, waits.wait_until) == ("waiting_for_entities", MADE + timedelta(seconds=10))
    done = at_end(CONTACT, seconds=8)
    assert [e.order.target for e in done.effects] == [CONTACT.ref]  # type: ignore[union-attr]


def test_with_the_deal_there_is_nothing_to_wait_for() -> None:
    done = at_end(CONTACT, DEAL)
    assert [e.order.target for e in done.effects] == [DEAL.ref]  # type: ignore[union-attr]


def test_a_client_who_had_a_contact_before_the_call_is_not_waited_for() -> None:
    assert at_end(CONTACT, client_kind="known_without_deal").reason == "ordered"
