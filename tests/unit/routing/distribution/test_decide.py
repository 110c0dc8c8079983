"""A deal goes to one of these people, and the walk says why: day after day, as they come and go."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.distribution.decide import distribute, ladder
from routing.distribution.item import Standing
from routing.distribution.ledger import LedgerEntry, TurnLedger, replay, undo
from routing.distribution.outcome import Distribution
from routing.distribution.reasons import DISTRIBUTION_REASONS, DISTRIBUTION_STEPS
from routing.distribution.roster import roster_of
from routing.distribution.template import TemplateGroup, TemplateMember
from routing.presence import PresenceState
from routing.staff import Employee
from tests.unit.routing.distribution.people import (
    MOSCOW,
    NOON,
    Office,
    a_deal,
    a_person,
    a_staff,
    a_template,
    members,
    weighted,
)

OFF = Standing(off="off_shift", back_at=NOON + timedelta(hours=1))
INDIVIDUAL = {"mode": "individual", "schedule": "shifts"}
ONLINE = {"mode": "online"}


def told(found: Distribution) -> dict[str, str]:
    """What the walk says of each person."""
    return {str(s.facts["employee"]): s.because for s in found.steps if s.rule == "person"}


def test_three_people_who_are_all_there_are_served_in_turn() -> None:
    office = Office(a_template("A", "B", "C"), a_staff("A", "B", "C"))
    assert office.give_many(1000) == ("ABC" * 334)[:1000]


def test_who_was_away_for_one_deal_is_next_and_the_others_keep_their_turns() -> None:
    office = Office(a_template("A", "B", "C", working_time=INDIVIDUAL), a_staff("A", "B", "C"))
    assert office.give_many(1) == "A"
    assert office.give_many(1, b=OFF) == "C"
    assert office.give_many(6) == "BACBAC"


def test_weights_in_a_row_give_one_two_then_two_in_a_row_and_five_over_a_restart_too() -> None:
    template = a_template(balance="in_a_row", employees=weighted(A=1, B=1, C=2, D=1))
    office = Office(template, a_staff("A", "B", "C", "D"))
    first = office.give_many(3)
    office.ledgers = {scope: TurnLedger.of_json(kept.as_json()) for scope, kept in office.ledgers.items()}
    assert first + office.give_many(7) == "ABCCDABCCD"


def test_the_same_weights_spread_come_as_far_apart_as_they_can() -> None:
    template = a_template(balance="spread", employees=weighted(A=1, B=1, C=2, D=1))
    assert Office(template, a_staff("A", "B", "C", "D")).give_many(10) == "CABDCCABDC"


def test_one_person_gets_everything_and_nobody_nothing() -> None:
    assert Office(a_template("A"), a_staff("A")).give_many(5) == "AAAAA"
    found = Office(a_template(nobody={"do": "leave"}), a_staff("A")).give()
    assert (found.outcome, found.reason) == ("nobody", "nobody_in_template")


def test_a_hundred_people_get_one_each_before_anybody_gets_a_second() -> None:
    names = [f"P{i:03d}" for i in range(100)]
    office = Office(a_template(*names), a_staff(*names))
    assert [office.give().employee_id for _ in range(200)] == [n.lower() for n in names] * 2


def test_zero_percent_never_gets_anything_and_the_walk_says_so() -> None:
    template = a_template(kind="load", balance="percent", employees=members(A=10_000, B=0))
    office = Office(template, a_staff("A", "B"))
    assert office.give_many(50) == "A" * 50
    assert told(office.give())["b"] == "zero_weight"


def test_percents_come_out_exactly_with_three_deals_a_day_for_three_hundred_days() -> None:
    template = a_template(kind="load", balance="percent", employees=members(A=7000, B=2000, C=1000))
    office = Office(template, a_staff("A", "B", "C"))
    assert Counter(office.give_many(900)) == {"A": 630, "B": 180, "C": 90}


def test_thirds_of_a_percent_are_exact_over_a_hundred_deals() -> None:
    template = a_template(kind="load", balance="percent", employees=members(A=3333, B=3333, C=3334))
    got = Counter(Office(template, a_staff("A", "B", "C")).give_many(10_000))
    assert got == {"A": 3333, "B": 3333, "C": 3334}


TWO_GROUPS = a_template(
    kind="load",
    balance="percent",
    working_time=INDIVIDUAL,
    groups=[
        TemplateGroup(name="sales", percent=5000, members=members(A=5000, B=5000)),
        TemplateGroup(name="service", percent=5000, members=members(C=9000, D=1000)),
    ],
)
FOUR = a_staff(
    a_person("A", "sales"), a_person("B", "sales"), a_person("C", "service"), a_person("D", "service")
)


def test_a_group_keeps_its_share_while_one_of_it_is_there() -> None:
    office = Office(TWO_GROUPS, FOUR)
    assert Counter(office.give_many(200, b=OFF)) == {"A": 100, "C": 90, "D": 10}


def test_a_group_of_which_nobody_is_there_earns_and_owes_nothing() -> None:
    office = Office(TWO_GROUPS, FOUR)
    assert Counter(office.give_many(50, a=OFF, b=OFF)) == {"C": 45, "D": 5}
    assert office.ledgers["groups"].credits == {}
    assert Counter(office.give_many(100)) == {"A": 25, "B": 25, "C": 45, "D": 5}


def test_a_walk_over_groups_names_the_group_and_books_in_both_ledgers() -> None:
    office = Office(TWO_GROUPS, FOUR)
    found = office.give(None, a=OFF, b=OFF)
    assert [(s.because, s.facts["group"]) for s in found.steps if s.rule == "group"] == [
        ("group_away", "group:sales"),
        ("group_chosen", "group:service"),
    ]
    assert [e.scope for e in found.entries] == ["groups", "group:service"]
    assert office.roster.scopes == ("groups", "group:sales", "group:service")


def test_a_walk_over_groups_names_everybody_of_the_groups_whose_turn_it_is_not() -> None:
    office = Office(TWO_GROUPS, FOUR)
    found = office.give(None)
    others = {s.facts["employee"] for s in found.steps if s.because == "other_group"}
    assert {s.facts["employee"] for s in found.steps if s.rule == "person"} == {"a", "b", "c", "d"}
    assert others == ({"c", "d"} if found.employee_id in ("a", "b") else {"a", "b"})


def test_a_person_beside_groups_has_their_own_share() -> None:
    template = a_template(
        kind="load",
        balance="percent",
        groups=[TemplateGroup(name="sales", percent=8000)],
        employees=members(C=2000),
    )
    assert Counter(Office(template, FOUR).give_many(100)) == {"A": 40, "B": 40, "C": 20}


def test_who_stands_in_a_group_and_beside_it_counts_once_with_their_own_share() -> None:
    groups = [TemplateGroup(name="sales", percent=8000)]
    template = a_template(kind="load", balance="percent", groups=groups, employees=members(A=2000))
    assert Counter(Office(template, FOUR).give_many(100)) == {"A": 20, "B": 80}
    alone = (TemplateMember(employee_id="b", weight=3),)
    in_a_row = a_template(balance="in_a_row", groups=[TemplateGroup(name="sales")], employees=alone)
    assert Office(in_a_row, FOUR).give_many(4) == "ABBB"


def test_a_group_is_followed_as_it_changes_and_named_people_are_not() -> None:
    before = a_staff(a_person("A", "sales"), a_person("B", "sales"), a_person("C"))
    after = a_staff(a_person("A"), a_person("B", "sales"), a_person("C", "sales"))
    whole = a_template(groups=[TemplateGroup(name="sales")])
    assert (roster_of(whole, before).people, roster_of(whole, after).people) == (("a", "b"), ("b", "c"))
    named = a_template("A", "B")
    assert roster_of(named, before).people == roster_of(named, after).people == ("a", "b")


def test_a_person_of_a_group_may_have_another_weight_or_none() -> None:
    differing = (TemplateMember(employee_id="a", weight=2), TemplateMember(employee_id="b", weight=0))
    template = a_template(balance="in_a_row", groups=[TemplateGroup(name="sales", members=differing)])
    staff = a_staff(*(a_person(name, "sales") for name in "ABC"))
    assert Office(template, staff).give_many(6) == "AACAAC"


def test_who_flickers_at_every_second_deal_takes_nobody_elses_turn() -> None:
    """A pointer would give the neighbour of the absent one twice as much: here all get what they were there for."""
    office = Office(a_template("A", "B", "C", working_time=INDIVIDUAL), a_staff("A", "B", "C"))
    got = Counter("".join(office.give_many(1, **({"b": OFF} if i % 2 else {})) for i in range(600)))
    assert got["A"] == pytest.approx(250, abs=1)
    assert got["B"] == pytest.approx(100, abs=1)
    assert got["C"] == pytest.approx(250, abs=1)


def test_who_joins_people_with_a_thousand_deals_is_not_flooded() -> None:
    office = Office(a_template("A", "B"), a_staff("A", "B", "C"))
    office.give_many(1000)
    office.roster = roster_of(a_template("A", "B", "C"), a_staff("A", "B", "C"))
    assert office.give_many(9).count("C") == 3


def test_who_returns_after_three_thousand_deals_is_neither_flooded_nor_passed_over() -> None:
    office = Office(a_template("A", "B", "C", working_time=INDIVIDUAL), a_staff("A", "B", "C"))
    office.give_many(30)
    office.give_many(3000, c=OFF)
    back = office.give_many(30)
    assert back.count("C") == 10
    assert "CC" not in back


def test_who_works_in_both_shifts_is_not_favoured() -> None:
    office = Office(a_template("A", "B", "C", working_time=INDIVIDUAL), a_staff("A", "B", "C"))
    got = Counter("".join(office.give_many(9, a=OFF) + office.give_many(9, c=OFF) for _ in range(50)))
    assert got == {"A": 225, "B": 450, "C": 225}


def test_a_full_desk_is_left_out_until_a_deal_is_closed_inside_a_batch_too() -> None:
    office = Office(a_template("A", "B", open_deals_limit=2), a_staff("A", "B"))
    office.standings = {"a": Standing(open_deals=1), "b": Standing(open_deals=2)}
    got = ""
    for _ in range(3):
        found = office.give()
        if found.employee_id:
            kept = office.standings[found.employee_id]
            office.standings[found.employee_id] = kept._replace(open_deals=kept.open_deals + 1)
        got += found.employee_id or "-"
    assert got == "a--"
    assert (found.outcome, found.reason) == ("waits", "waits_for_somebody")
    assert told(found) == {"a": "at_capacity", "b": "at_capacity"}
    assert office.give(None, b=Standing(open_deals=1)).employee_id == "b"


def test_a_person_may_have_a_limit_of_their_own() -> None:
    own = (TemplateMember(employee_id="a", open_deals_limit=5), TemplateMember(employee_id="b"))
    office = Office(a_template(employees=own, open_deals_limit=2), a_staff("A", "B"))
    assert office.give_many(3, a=Standing(open_deals=4), b=Standing(open_deals=4)) == "AAA"


def test_a_window_that_is_full_lets_others_go_first() -> None:
    office = Office(a_template("A", "B", window={"deals": 3, "minutes": 60}), a_staff("A", "B"))
    found = office.give(None, a=Standing(given_in_window=3))
    assert (found.employee_id, told(found)["a"]) == ("b", "window_full")


def test_people_of_a_higher_priority_go_first_and_the_others_owe_nothing_for_it() -> None:
    own = (TemplateMember(employee_id="a"), TemplateMember(employee_id="b", priority=5))
    office = Office(a_template(employees=own, working_time=INDIVIDUAL), a_staff("A", "B"))
    assert office.give_many(3) == "BBB"
    assert told(office.give())["a"] == "lower_priority"
    assert office.give_many(1, b=OFF) == "A"
    assert office.ledgers[""].credits == {}


def test_by_open_deals_whoever_has_fewest_now_gets_it() -> None:
    office = Office(a_template("A", "B", "C", kind="load", balance="open_deals"), a_staff("A", "B", "C"))
    found = office.give(None, a=Standing(open_deals=4), b=Standing(open_deals=2), c=Standing(open_deals=3))
    assert (found.employee_id, found.reason) == ("b", "fewest_open_deals")
    assert {s.facts["employee"]: s.facts["open_deals"] for s in found.steps if s.rule == "person"} == {
        "a": 4, "b": 2, "c": 3
    }  # fmt: skip
    assert (
        Office(a_template("A", "B", kind="load", balance="open_deals"), a_staff("A", "B")).give_many(4)
        == "ABAB"
    )


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Moscow", "2026-03-02T20:59:59", "2026-03-02T21:00:00"),
        ("Africa/Cairo", "2026-04-23T21:59:59", "2026-04-23T22:00:00"),
        ("Asia/Beirut", "2026-03-28T21:59:59", "2026-03-28T22:00:00"),
        ("Europe/Kyiv", "2026-10-24T20:59:59", "2026-10-24T21:00:00"),
        ("Europe/Kyiv", "2026-10-25T21:59:59", "2026-10-25T22:00:00"),
    ],
    ids=["Moscow", "Cairo, no midnight", "Beirut, no midnight", "Kyiv, day of 25 hours begins", "and ends"],
)
def test_credits_start_from_zero_at_the_first_instant_of_the_accounts_day(
    zone: str, before: str, after: str
) -> None:
    template = a_template("A", "B", "C", daily_reset=True)
    office = Office(template, a_staff("A", "B", "C"), ZoneInfo(zone))
    office.now = datetime.fromisoformat(before).replace(tzinfo=UTC) - timedelta(hours=1)
    office.give()
    office.now = datetime.fromisoformat(before).replace(tzinfo=UTC)
    (same_day,) = office.give().entries
    office.now = datetime.fromisoformat(after).replace(tzinfo=UTC)
    (next_day,) = office.give().entries
    assert (same_day.is_reset, next_day.is_reset) == (False, True)
    assert "".join(e.winner for e in (same_day, next_day)) == "bc"


def test_who_is_in_the_template_and_not_in_the_schedule_is_never_chosen() -> None:
    office = Office(a_template("A", "B", working_time=INDIVIDUAL), a_staff("A", "B"))
    outside = Standing(off="not_in_schedule")
    assert office.give_many(20, b=outside) == "A" * 20
    assert told(office.give(None, b=outside))["b"] == "not_in_schedule"


def test_at_night_it_waits_for_the_first_who_comes_on() -> None:
    office = Office(a_template("A", "B", working_time=INDIVIDUAL), a_staff("A", "B"))
    early, late = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    found = office.give(None, a=OFF._replace(back_at=late), b=OFF._replace(off="holiday", back_at=early))
    assert (found.outcome, found.reason, found.waits_until) == ("waits", "waits_for_working_time", early)
    assert told(found) == {"a": "off_shift", "b": "holiday"}
    assert not found.entries


def test_a_template_that_does_not_wait_leaves_it_outside_working_time() -> None:
    template = a_template("A", working_time={**INDIVIDUAL, "wait": False})
    found = Office(template, a_staff("A")).give(None, a=OFF)
    assert (found.outcome, found.reason) == ("nobody", "outside_working_time")


def test_schedules_do_not_count_where_the_template_works_always_but_leave_does() -> None:
    office = Office(a_template("A", "B"), a_staff("A", "B"))
    assert office.give_many(2, a=OFF) == "AB"
    assert office.give_many(2, a=Standing(off="on_leave")) == "BB"


@pytest.mark.parametrize(
    ("state", "deal", "ring"),
    [
        (PresenceState.AVAILABLE, True, True),
        (PresenceState.UNKNOWN, True, True),
        (PresenceState.BUSY, True, False),
        (PresenceState.DND, False, False),
        (PresenceState.OFFLINE, False, False),
        (PresenceState.OFF_SHIFT, False, False),
    ],
)
def test_among_those_online_who_talks_gets_deals_and_no_ringing_phone(
    state: PresenceState, deal: bool, ring: bool
) -> None:
    office = Office(a_template("A", working_time=ONLINE), a_staff("A"))
    assert (office.give(None, a=Standing(presence=state)).outcome == "given") == deal
    a_ring = a_deal(2)._replace(kind="ring")
    found = office.give(a_ring, a=Standing(presence=state))
    assert found.outcome == ("given" if ring else "nobody")


def test_presence_counts_for_deals_only_where_the_template_says_online() -> None:
    offline = Standing(presence=PresenceState.OFFLINE)
    assert Office(a_template("A"), a_staff("A")).give(None, a=offline).outcome == "given"
    assert (
        Office(a_template("A"), a_staff("A")).give(a_deal()._replace(kind="ring"), a=offline).outcome
        == "nobody"
    )


def on_leave(substitute: str | None = None) -> Standing:
    return Standing(off="on_leave", substitute_id=substitute)


def test_who_works_instead_of_somebody_on_leave_gets_their_share_in_their_own_name() -> None:
    office = Office(a_template("A", "B"), a_staff("A", "B", "S"))
    assert office.give_many(4, b=on_leave("s")) == "ASAS"
    assert told(office.give(None, b=on_leave("s"))) == {
        "b": "on_leave",
        "a": "could_get_it",
        "s": "could_get_it",
    }
    assert office.ledgers[""].credits.get("b", 0) == 0


def test_a_substitute_who_takes_part_anyway_gets_no_second_share() -> None:
    office = Office(a_template("A", "B", "C"), a_staff("A", "B", "C"))
    assert office.give_many(4, b=on_leave("a")) == "ACAC"


def test_a_substitute_on_leave_passes_it_on_and_a_circle_ends() -> None:
    office = Office(a_template("A", "B"), a_staff("A", "B", "S", "T"))
    assert office.give_many(2, b=on_leave("s"), s=on_leave("t")) == "AT"
    assert office.give_many(2, b=on_leave("s"), s=on_leave("b")) == "AA"


def test_a_substitute_who_cannot_get_it_is_named_with_the_reason() -> None:
    office = Office(a_template("A", "B", open_deals_limit=3), a_staff("A", "B", "S"))
    found = office.give(None, b=on_leave("s"), s=Standing(open_deals=3))
    assert told(found)["s"] == "at_capacity"


def test_whoever_had_it_and_did_not_take_it_never_gets_it_again() -> None:
    template = a_template("A", "B", "C", taken={"minutes": 30, "rounds": 3})
    office = Office(template, a_staff("A", "B", "C", a_person("Boss", is_senior=True)))
    tried: tuple[str, ...] = ()
    for _ in range(3):
        found = office.give(a_deal(tried=tried))
        assert found.employee_id is not None
        assert found.employee_id not in tried
        tried = (*tried, found.employee_id)
    last = office.give(a_deal(tried=tried))
    assert (last.outcome, last.reason, last.employee_id) == ("given", "rounds_over", "boss")
    assert last.entries == ()


def test_after_as_many_rounds_as_are_allowed_it_goes_to_the_senior_manager_though_others_are_left() -> None:
    template = a_template("A", "B", "C", taken={"minutes": 30, "rounds": 2})
    staff = a_staff("A", "B", "C", a_person("Boss", is_senior=True, is_active=False, deputy_id="c"))
    found = Office(template, staff).give(a_deal(tried=("a", "b")))
    assert (found.reason, found.employee_id) == ("rounds_over", "c")
    nobody = Office(template, a_staff("A", "B", "C")).give(a_deal(tried=("a", "b")))
    assert (nobody.outcome, nobody.reason) == ("nobody", "rounds_over")
    assert nobody.steps[-2].because == "no_senior"


def test_when_everybody_had_it_the_rounds_are_over_however_many_are_allowed() -> None:
    template = a_template("A", "B", taken={"minutes": 30, "rounds": 5}, working_time=INDIVIDUAL)
    staff = a_staff("A", "B", a_person("Boss", is_senior=True))
    last = Office(template, staff).give(a_deal(tried=("a", "b")))
    assert (last.outcome, last.reason, last.employee_id) == ("given", "rounds_over", "boss")
    waits = Office(template, staff).give(a_deal(tried=("a",)), b=OFF)
    assert waits.outcome == "waits"


def test_taken_back_and_given_to_another_leaves_the_ledger_as_if_the_first_had_never_had_it() -> None:
    office = Office(a_template("A", "B", "C"), a_staff("A", "B", "C"))
    office.give_many(4)
    before = office.ledgers[""]
    (wrong,) = office.give(a_deal(9)).entries
    office.ledgers[""] = undo(office.ledgers[""], wrong)
    assert office.ledgers[""]._replace(number=before.number) == before
    assert office.give(a_deal(9, tried=(wrong.winner,))).employee_id == "c"


@pytest.mark.parametrize(
    ("do", "outcome", "reason", "who"),
    [
        ("wait", "waits", "waits_for_somebody", None),
        ("fallback", "given", "fallback", "f"),
        ("senior", "given", "senior", "boss"),
        ("leave", "nobody", "nobody_available", None),
    ],
)
def test_when_nobody_can_get_it_the_template_says_what_becomes_of_it(
    do: str, outcome: str, reason: str, who: str | None
) -> None:
    template = a_template("A", open_deals_limit=1, nobody={"do": do, "employee_id": "f"})
    office = Office(template, a_staff("A", "F", a_person("Boss", is_senior=True)))
    found = office.give(None, a=Standing(open_deals=1))
    assert (found.outcome, found.reason, found.employee_id, found.entries) == (outcome, reason, who, ())


def test_a_fallback_who_left_is_replaced_by_the_senior_manager() -> None:
    template = a_template(nobody={"do": "fallback", "employee_id": "f"})
    staff = a_staff(a_person("F", is_active=False), a_person("Boss", is_senior=True))
    found = Office(template, staff).give()
    assert [s.because for s in found.steps] == ["fallback_cannot", "senior"]
    assert found.employee_id == "boss"


def test_a_ringing_phone_never_waits() -> None:
    found = Office(a_template("A", working_time=INDIVIDUAL), a_staff("A")).give(
        a_deal()._replace(kind="ring"), a=OFF
    )
    assert (found.outcome, found.reason) == ("nobody", "nobody_available")


@pytest.mark.parametrize(
    ("kind", "waits"), [("task", True), ("missed_call", True), ("deal", False), ("ring", False)]
)
def test_quiet_hours_hold_tasks_and_missed_calls_until_they_are_over(kind: str, waits: bool) -> None:
    office = Office(a_template("A", quiet_hours=[("22:00", "08:00")]), a_staff("A"))
    office.now = datetime(2026, 3, 2, 20, tzinfo=UTC)  # 23:00 in Moscow
    found = office.give(a_deal()._replace(kind=kind))  # type: ignore[arg-type]
    assert (found.outcome == "waits") == waits
    assert found.waits_until == (datetime(2026, 3, 3, 5, tzinfo=UTC) if waits else None)
    office.now = datetime(2026, 3, 3, 5, tzinfo=UTC)
    assert office.give(a_deal()._replace(kind=kind)).outcome == "given"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "owner", "goes_to"),
    [("missed_call", None, "b"), ("missed_call", "77", "a"), ("deal", None, "a"), ("ring", None, "a")],
)
def test_missed_calls_of_new_callers_pass_by_who_gets_none(
    kind: str, owner: str | None, goes_to: str
) -> None:
    office = Office(a_template("A", "B"), a_staff(a_person("A", gets_missed_calls=False), "B"))
    found = office.give(a_deal()._replace(kind=kind, owner=owner))  # type: ignore[arg-type]
    assert found.employee_id == goes_to


def test_a_client_of_one_person_only_stays_with_them_whatever_the_turn() -> None:
    office = Office(a_template("A", "B", working_time=INDIVIDUAL), a_staff("A", "B", "V"))
    found = office.give(a_deal(only="v"), v=OFF)
    assert (found.outcome, found.reason, found.employee_id, found.entries) == (
        "kept",
        "only_this_person",
        "v",
        (),
    )


def test_a_phone_of_a_client_of_one_person_only_rings_with_nobody_else() -> None:
    office = Office(a_template("A", "B"), a_staff("A", "B", "V"))
    ring = a_deal(only="v")._replace(kind="ring")
    assert office.give(ring).outcome == "kept"
    busy = office.give(ring, v=Standing(presence=PresenceState.BUSY))
    assert (busy.outcome, busy.reason, busy.employee_id) == ("nobody", "only_this_person", None)


def test_who_works_instead_of_the_one_person_on_leave_gets_their_clients() -> None:
    office = Office(a_template("A", "B"), a_staff("A", "B", "V"))
    found = office.give(a_deal(only="v"), v=Standing(off="on_leave", substitute_id="b"))
    assert (found.outcome, found.reason, found.employee_id) == ("kept", "only_person_substitute", "b")
    assert found.steps[-1].facts["owner"] == "v"
    alone = office.give(a_deal(only="v"), v=Standing(off="on_leave"))
    assert (alone.reason, alone.employee_id) == ("only_this_person", "v")


def test_a_client_whose_one_person_left_is_given_out() -> None:
    office = Office(a_template("A"), a_staff("A", a_person("V", is_active=False)))
    found = office.give(a_deal(only="v"))
    assert [s.because for s in found.steps] == ["only_person_cannot", "could_get_it", "turn"]


@pytest.mark.parametrize(
    ("person", "because"),
    [
        (None, "not_member"),
        (a_person("B", crm_user_id=None), "unmapped"),
        (a_person("B", is_active=False), "inactive"),
    ],
)
def test_who_can_never_be_given_anything_is_named_and_earns_nothing(
    person: Employee | None, because: str
) -> None:
    staff = a_staff("A", *([person] if person else []))
    office = Office(a_template("A", "B"), staff)
    assert office.give_many(3) == "AAA"
    assert told(office.give())["b"] == because
    assert office.ledgers[""].credits == {}


def test_a_user_who_is_gone_from_the_crm_gets_nothing() -> None:
    office = Office(a_template("A", "B"), a_staff("A", "B", gone_users=["u-b"]))
    assert told(office.give())["b"] == "inactive"


def test_who_must_not_get_this_one_is_passed_over_for_this_one_only() -> None:
    office = Office(a_template("A", "B"), a_staff("A", "B"))
    assert told(office.give(a_deal(excluded=frozenset({"a"}))))["a"] == "excluded"
    assert office.give_many(1) == "A"


STANDINGS = st.builds(
    Standing,
    off=st.sampled_from(["", "", "", "not_in_schedule", "off_shift", "holiday", "on_leave"]),
    back_at=st.none() | st.just(NOON + timedelta(hours=3)),
    substitute_id=st.sampled_from([None, "a", "s", "t"]),
    presence=st.sampled_from(PresenceState),
    open_deals=st.integers(0, 3),
    given_in_window=st.integers(0, 3),
)
TEMPLATES = st.sampled_from(
    [
        a_template("A", "B", "C", working_time=INDIVIDUAL, open_deals_limit=2),
        a_template("A", "B", "C", kind="load", balance="open_deals", working_time=ONLINE),
        a_template(balance="in_a_row", employees=weighted(A=1, B=3, C=2), window={"deals": 2, "minutes": 5}),
        a_template("A", "B", "C", nobody={"do": "senior"}, taken={"minutes": 5, "rounds": 2}, catch_up=1,
                   working_time=INDIVIDUAL),
        TWO_GROUPS,
        TWO_GROUPS.model_copy(update={"daily_reset": True, "catch_up": 1}),
    ]
)  # fmt: skip
MANY = a_staff(*FOUR.employees, "S", "T", a_person("Boss", is_senior=True))


@settings(max_examples=60)
@given(
    TEMPLATES,
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abcdst"), STANDINGS),
            st.lists(st.sampled_from("abcd"), max_size=2, unique=True),
            st.sampled_from(["deal", "ring", "task", "missed_call"]),
        ),
        max_size=8,
    ),
)
def test_whatever_the_day_brings_every_walk_is_whole_and_the_books_balance(template, days) -> None:  # type: ignore[no-untyped-def]
    """One decision, last; a code of the closed sets in each step; a reason for each who was left out; nobody gets what they
    cannot; ledgers sum to zero and are what the journal says."""
    office = Office(template, MANY)
    journal: list[LedgerEntry] = []
    for at, (standings, tried, kind) in enumerate(days):
        office.now = NOON + timedelta(hours=5 * at)
        item = a_deal(at, tried=tuple(tried))._replace(kind=kind)
        asked = ladder(office.roster, item, office.ledgers, standings, office.now, MOSCOW)
        found = office.give(item, **standings)
        assert [s.verdict for s in found.steps].count("decided") == 1
        assert found.steps[-1].verdict == "decided"
        assert found.steps[-1].because == found.reason
        assert found.reason in DISTRIBUTION_REASONS
        assert {s.because for s in found.steps[:-1]} <= set(DISTRIBUTION_STEPS)
        assert (found.employee_id is None) == (found.outcome in ("waits", "nobody"))
        if found.entries:
            assert asked[0] == found.employee_id == found.entries[-1].winner
            assert found.employee_id not in tried
        if not found.entries and found.reason != "rounds_over":
            assert asked == ()
        if found.reason not in ("rounds_over", "quiet_hours"):
            considered = {s.facts["employee"] for s in found.steps if s.rule == "person"}
            chosen = {s.facts["group"] for s in found.steps if s.because == "group_chosen"}
            pools = [p for p in office.roster.pools if not chosen or p.key in chosen]
            assert considered >= {seat.employee_id for pool in pools for seat in pool.seats}
        journal += found.entries
    for scope, ledger in office.ledgers.items():
        assert sum(ledger.credits.values()) == 0
        assert replay(e for e in journal if e.scope == scope) == ledger


@settings(max_examples=40)
@given(TEMPLATES, st.dictionaries(st.sampled_from("abcdst"), STANDINGS))
def test_the_same_question_has_the_same_answer_and_asking_changes_nothing(template, standings) -> None:  # type: ignore[no-untyped-def]
    roster = roster_of(template, MANY)
    first = distribute(roster, a_deal(), {}, standings, NOON, MOSCOW)
    ladder(roster, a_deal(), {}, standings, NOON, MOSCOW)
    assert distribute(roster, a_deal(), {}, standings, NOON, MOSCOW) == first
