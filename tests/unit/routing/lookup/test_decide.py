"""Who is rung: golden cases, and what holds for every input."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.client import Candidate
from routing.lookup.available import AwayReason, Ladder, Reachability, away_by
from routing.lookup.decide import (
    REASONS,
    STEP_REASONS,
    LookupDecision,
    LookupReason,
    Target,
    decide,
    fall_back,
)
from routing.numbers.normalise import InternalNumber, NoNumber, Number, PublicNumber
from routing.presence import PresenceState
from routing.settings import LookupPolicy
from routing.staff import Employee, Staff
from routing.texts.sentences import TEXTS
from tests.paths import CASES as ALL_CASES

CASES = ALL_CASES / "lookup"


def an_employee(user: str, **more: Any) -> Employee:
    fields = {"id": f"e{user}", "name": user, "crm_user_id": user, "extensions": (user,), **more}
    return Employee.model_validate(fields)


STAFF = Staff.of(
    [
        *(an_employee(f"u{n}", id=f"e{n}", extensions=(str(n), f"9{n}")) for n in range(100, 111)),
        an_employee("gone", is_active=False),
        an_employee("gone-with-deputy", is_active=False, deputy_id="e103"),
        an_employee("deputy-gone", is_active=False, deputy_id="egone"),
        an_employee("deputy-lost", is_active=False, deputy_id="nobody"),
        an_employee("circle-a", is_active=False, deputy_id="ecircle-b"),
        an_employee("circle-b", is_active=False, deputy_id="ecircle-a"),
        an_employee("no-address", extensions=()),
        an_employee("sip-only", extensions=(), sip=("ivan", "ivan2")),
        an_employee("phone-only", extensions=(), numbers=("+79167654321",)),
    ]
)


def _caller(spelled: str | dict[str, str]) -> Number:
    match spelled:
        case {"own": e164}:
            return PublicNumber(e164, None, True)
        case {"internal": digits}:
            return InternalNumber(digits)
        case {"none": reason}:
            return NoNumber(reason, "")  # type: ignore[arg-type]
        case str():
            return PublicNumber(spelled)
    raise AssertionError(spelled)


def _decide(case: dict[str, Any]) -> LookupDecision:
    candidates = [Candidate(name="", **each) for each in case["candidates"]]
    policy = LookupPolicy.model_validate(case.get("policy", {}))
    return decide(_caller(case["caller"]), candidates, STAFF, policy, _available(case))


def _available(case: dict[str, Any]) -> Reachability:
    """presence: employee id -> why they are away. template: the people of one, in their order."""
    told = case.get("presence", {})
    ladder = Ladder("sales", tuple(case["template"])) if "template" in case else None
    return Reachability(
        away={who: why for who, state in told.items() if (why := _why_away(state))},
        substitutes=case.get("substitutes", {}),
        only=case.get("only", {}),
        ladder=ladder,
    )


def _why_away(state: str) -> AwayReason | None:
    """state: of a schedule or of presence."""
    return state if state in ("holiday", "on_leave") else away_by(PresenceState(state))  # type: ignore[return-value]


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['why']}")
        for path in sorted(CASES.glob("*.json"))
        for case in json.loads(path.read_text())
    ]


@pytest.mark.parametrize("case", _cases())
def test_lookup_decides_as_the_case_says(case: dict[str, Any]) -> None:
    decision = _decide(case)
    got = {
        "outcome": decision.outcome,
        "reason": decision.reason,
        "addresses": [target.address for target in decision.targets],
        "entity": decision.entity.id if decision.entity else None,
    }
    assert got == case["expect"]


def test_trace_shows_the_rule_that_chose_among_several_contacts() -> None:
    older = Candidate("contact", "1", "u106", 100, "А", False)
    newer = Candidate("contact", "2", "u107", 200, "Б", True)
    decision = decide(PublicNumber("+79010000004"), [older, newer], STAFF, LookupPolicy())
    assert [(step.rule, step.verdict, step.because) for step in decision.steps] == [
        ("lead", "passed", "no_lead"),
        ("contact", "decided", "contact_owner"),
    ]
    assert decision.steps[-1].facts == {
        "kind": "contact",
        "id": "2",
        "owner": "u107",
        "employee": "e107",
        "of": 2,
        "order": "open_deal_first_then_newest",
        "has_open_deal": True,
        "updated_at": 200,
    }


def test_trace_names_a_company_that_counted_as_contact() -> None:
    decision = decide(
        PublicNumber("+79010000003"),
        [Candidate("company", "9", "u105", 1, "ООО", False)],
        STAFF,
        LookupPolicy(),
    )
    assert decision.reason == "contact_owner"
    assert decision.steps[-1].facts["kind"] == "company"


def test_trace_says_why_each_owner_and_deputy_was_passed_over() -> None:
    candidates = [
        Candidate("lead", "1", "", 1, "", False),
        Candidate("contact", "2", "gone-with-deputy", 1, "", False),
    ]
    away = Reachability({"e103": "dnd"})
    decision = decide(PublicNumber("+79010000001"), candidates, STAFF, LookupPolicy(group=("201",)), away)
    assert [(step.rule, step.verdict, step.because) for step in decision.steps] == [
        ("lead", "excluded", "owner_unmapped"),
        ("contact", "excluded", "owner_inactive"),
        ("deal", "passed", "no_deal"),
        ("deputy", "passed", "deputy_missing"),
        ("deputy", "excluded", "deputy_unavailable"),
        ("group", "decided", "group_rings"),
    ]


def test_targets_ring_as_long_as_the_setting_says() -> None:
    found = [Candidate("contact", "1", "u101", 1, "", False)]
    decision = decide(PublicNumber("+79000000010"), found, STAFF, LookupPolicy(ring_seconds=35))
    assert decision.targets == (Target("extension", "101", 35),)
    assert decision.responsible == STAFF.by_id["e101"]


@pytest.mark.parametrize("reason", list(LookupReason))
def test_every_reason_can_be_told_and_is_described(reason: LookupReason) -> None:
    assert fall_back(reason).outcome == "scheme"
    assert fall_back(reason).steps[-1].because == reason
    assert reason in REASONS
    assert all(texts.say(f"lookup.reason.{reason}").endswith(".") for texts in TEXTS.values())


OWNERS = [
    "",
    "unmapped",
    "gone",
    "gone-with-deputy",
    "deputy-gone",
    "deputy-lost",
    "no-address",
    "sip-only",
    "u101",
    "u102",
]
candidates_ = st.lists(
    st.builds(
        Candidate,
        kind=st.sampled_from(["lead", "contact", "company", "deal"]),
        id=st.sampled_from(["1", "2", "10"]),
        owner=st.sampled_from(OWNERS),
        updated_at=st.integers(0, 3),
        name=st.sampled_from(["", "А"]),
        has_open_deal=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda candidate: (candidate.kind, candidate.id),  # the directory holds an entity once
)
callers = st.one_of(
    st.builds(PublicNumber, st.just("+79161234567"), st.none(), st.booleans()),
    st.just(InternalNumber("101")),
    st.builds(NoNumber, st.sampled_from(["no_number", "anonymous", "invalid_number"]), st.just("")),
)
policies = st.builds(
    LookupPolicy,
    priority=st.permutations(["lead", "contact", "deal"]).flatmap(
        lambda kinds: st.integers(1, 3).map(lambda n: tuple(kinds[:n]))
    ),
    use_deputies=st.booleans(),
    group=st.sampled_from([(), ("201", "202")]),
    availability=st.sampled_from(["off", "skip", "ring_first"]),
    template=st.sampled_from([None, "sales", "night"]),
)
people_ = st.sampled_from(["e101", "e102", "e103"])
availabilities = st.builds(
    Reachability,
    back_at=st.just({}),
    away=st.dictionaries(people_, st.sampled_from(get_args(AwayReason))),
    substitutes=st.dictionaries(people_, st.sampled_from(["e103", "e104", "nobody"])),
    only=st.dictionaries(
        st.sampled_from(["+79161234567", "contact:1", "deal:2"]), st.sampled_from(["", "e101", "egone"])
    ),
    ladder=st.one_of(
        st.none(), st.builds(Ladder, st.just("sales"), st.lists(people_, max_size=3).map(tuple), st.just(()))
    ),
)


@settings(max_examples=400, deadline=None)
@given(callers, candidates_, policies, availabilities, st.randoms(use_true_random=False))
def test_decision_is_whole_and_the_same_in_any_order_of_candidates(
    caller: Number, candidates: list[Candidate], policy: LookupPolicy, available: Reachability, random: Any
) -> None:
    decision = decide(caller, candidates, STAFF, policy, available)
    assert [step.verdict for step in decision.steps].count("decided") == 1
    assert decision.steps[-1].verdict == "decided"
    assert {step.because for step in decision.steps} <= set(REASONS) | set(STEP_REASONS)
    assert bool(decision.targets) == (decision.outcome != "scheme")
    assert (decision.responsible is not None) == (decision.outcome in ("manager", "deputy"))
    seen = json.loads(json.dumps(available.seen_by("+79161234567", candidates, decision.steps)))
    assert decide(caller, candidates, STAFF, policy, Reachability.of_json(seen)) == decision
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert decide(caller, shuffled, STAFF, policy, available) == decision


@settings(max_examples=200, deadline=None)
@given(candidates_, policies, availabilities)
def test_nobody_is_rung_who_cannot_be(
    candidates: list[Candidate], policy: LookupPolicy, available: Reachability
) -> None:
    decision = decide(PublicNumber("+79161234567"), candidates, STAFF, policy, available)
    person = decision.responsible
    if person is not None:
        assert person.is_active
        is_rung_all_the_same = decision.reason == "only_this_person" or decision.targets[-1].is_away
        assert person.id not in available.away or is_rung_all_the_same
    elif candidates and decision.outcome == "scheme" and decision.reason != "unknown_caller":
        assert decision.entity in candidates
    away = [target for target in decision.targets if target.is_away]
    assert not away or policy.availability == "ring_first"
    assert list(decision.targets[: len(away)]) == away
