"""Why nothing is dialled is always one reason, with what was looked at before it, and when it is looked at next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.outbound.client_zones import ClientZone
from routing.outbound.dialling import DIAL_REASONS, DialFacts, why_not
from routing.outbound.windows import CallingHours

MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 3, 4, 9, tzinfo=UTC)
ZONE = ClientZone(MOSCOW, "field", (MOSCOW,))
FACTS = DialFacts(
    now=NOON,
    number="+79161234567",
    since=NOON - timedelta(minutes=1),
    zone=ZONE,
    hours=CallingHours(),
    people=("anna", "boris"),
    free=("boris", "anna"),
)
MINUTE = timedelta(minutes=1)
WAYS: list[tuple[str, dict[str, Any], str | None, datetime | None]] = [
    ("account_off", {"is_account_on": False}, None, None),
    ("trigger_off", {"is_trigger_on": False}, "dropped", None),
    ("campaign_gone", {"campaign_says": "campaign_gone"}, "dropped", None),
    ("campaign_paused", {"campaign_says": "campaign_paused"}, None, None),
    ("deal_unread", {"is_deal_read": False}, None, NOON + timedelta(seconds=5)),
    ("deal_gone", {"is_deal_there": False}, "dropped", None),
    ("deal_closed", {"is_deal_open": False}, "dropped", None),
    ("left_stage", {"is_in_stage": False}, "dropped", None),
    ("no_number", {"number": None}, "dropped", None),
    ("own_number", {"is_own_number": True}, "dropped", None),
    ("do_not_call", {"is_on_do_not_call": True}, "dropped", None),
    ("spoken_meanwhile", {"spoken_at": NOON}, "dropped", None),
    ("spoken_meanwhile", {"spoken_at": NOON - 30 * MINUTE}, "dropped", None),
    ("expired", {"expires_at": NOON}, "failed", None),
    ("employee_gone", {"people": (), "free": ()}, "failed", None),
    ("not_yet", {"not_before": NOON + MINUTE}, None, NOON + MINUTE),
    ("paused", {"rate": 0}, None, None),
    ("connection_unfit", {"is_connection_fit": False}, None, None),
    ("connection_away", {"away_until": NOON + MINUTE}, None, NOON + MINUTE),
    ("not_its_turn", {"turn_at": NOON + MINUTE}, None, NOON + MINUTE),
    ("connection_stopped", {"is_connection_stopped": True}, None, None),
    ("window_closed", {"now": NOON + timedelta(hours=10)}, None, datetime(2026, 3, 5, 6, tzinfo=UTC)),
    ("window_never_opens", {"takes": timedelta(hours=13)}, "dropped", None),
    ("client_being_called", {"is_client_being_called": True}, None, None),
    ("client_in_call", {"is_client_in_call": True}, None, NOON + 2 * MINUTE),
    ("nobody_free", {"free": ()}, None, NOON + timedelta(seconds=10)),
]


def test_what_nothing_speaks_against_is_dialled_by_who_is_free_first() -> None:
    found = why_not(FACTS)
    assert (found.is_go, found.employee, found.end) == (True, "boris", None)
    assert [step.verdict for step in found.steps[:-1]] == ["passed"] * (len(found.steps) - 1)
    assert found.steps[-1].verdict == "decided"


@pytest.mark.parametrize(("reason", "facts", "end", "look_at"), WAYS)
def test_each_reason_ends_the_item_or_says_when_it_is_looked_at_next(
    reason: str, facts: dict[str, Any], end: str | None, look_at: datetime | None
) -> None:
    found = why_not(replace(FACTS, **facts))
    assert (found.reason, found.end, found.look_at, found.is_go) == (reason, end, look_at, False)
    assert found.steps[-1].because == reason


def test_every_reason_has_its_case() -> None:
    assert {reason for reason, *_ in WAYS} | {"dial"} == set(DIAL_REASONS)


@given(st.lists(st.sampled_from(WAYS), min_size=1, max_size=6, unique_by=lambda way: way[0]))
def test_whatever_comes_together_there_is_one_reason_and_nobody_is_called(ways: list[Any]) -> None:
    facts = FACTS
    for _, more, _, _ in ways:
        facts = replace(facts, **more)
    found = why_not(facts)
    assert found.reason in {reason for reason, *_ in ways} | {
        "window_never_opens",
        "window_closed",
        "expired",
    }
    assert not found.is_go
    assert sum(step.verdict == "decided" for step in found.steps) == 1


def test_case_20_whoever_came_onto_the_do_not_call_list_is_dropped_even_while_all_is_paused() -> None:
    assert why_not(replace(FACTS, is_on_do_not_call=True, rate=0)).reason == "do_not_call"


def test_a_talk_long_before_the_item_came_is_no_reason() -> None:
    assert why_not(replace(FACTS, spoken_at=FACTS.since - timedelta(minutes=61))).is_go
