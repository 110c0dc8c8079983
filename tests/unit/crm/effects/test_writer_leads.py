"""What is put on a lead of Unsorted stands on the deal inside it, before and after somebody accepts the lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crm.effects.model import StoredEffect
from crm.effects.outcomes import dead
from crm.effects.refs import lead_of, opened
from crm.lane import Lane
from crm.port import Refused
from routing.client import Ref
from routing.effects import AddNote

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ON_LEAD = AddNote(target=Ref(kind="lead", id="f00d"), text="разговор")
REFUSED = Refused(key="c1:call", code="NotSupportedChoice", field="0.entity_id", detail="")


def a_note(*, in_lead: bool = True, attempt: int = 1, age: timedelta = timedelta()) -> StoredEffect:
    return StoredEffect(
        key="c1:call",
        seq=1,
        lane=Lane.EVENTS,
        client="+79161234567",
        order=opened(ON_LEAD, {"f00d": "77"}),
        attempt=attempt,
        unknown_attempts=0,
        created_at=NOW - age,
        sent_at=NOW,
        in_lead=in_lead,
    )


def test_what_is_put_on_a_lead_goes_to_the_deal_inside_it() -> None:
    assert lead_of(ON_LEAD) == "f00d"
    inside = opened(ON_LEAD, {"f00d": "77"})
    assert isinstance(inside, AddNote)
    assert inside.target == Ref(kind="deal", id="77")
    assert opened(ON_LEAD, {}) == ON_LEAD, "where nobody knows that deal the CRM is asked"


def test_a_crm_that_takes_nothing_before_acceptance_is_asked_again_ever_later() -> None:
    waits = [dead(a_note(attempt=n), REFUSED) for n in (1, 2, 3)]
    assert [w.state for w in waits] == ["waiting"] * 3
    assert [(w.next_try_at - NOW).total_seconds() for w in waits if w.next_try_at] == [5, 10, 20]


def test_other_refusals_and_leads_that_nobody_accepts_for_two_weeks_are_for_a_person() -> None:
    assert dead(a_note(in_lead=False), REFUSED).state == "dead"
    assert (
        dead(a_note(), Refused(key="c1:call", code="NotBlank", field="params.text", detail="")).state
        == "dead"
    )
    assert dead(a_note(age=timedelta(days=15)), REFUSED).state == "dead"
