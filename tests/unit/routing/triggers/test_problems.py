"""What is wrong with a trigger is said before it is saved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.triggers.texts import text_problem
from routing.staff import Employee, Staff
from routing.texts.catalogue import LANGUAGES
from routing.triggers.conditions import holds
from routing.triggers.model import CONDITION_TESTS, Trigger, TypedCondition
from routing.triggers.never import never_together
from routing.triggers.problems import TRIGGER_PROBLEMS, KnownToTriggers, can_be_saved, problems
from sms.templates import SmsMacros
from tests.unit.routing.triggers.values import AMOUNT, condition, facts, trigger

STAFF = Staff.of(
    [Employee(id="vasily", name="Vasily", extensions=("100",)), Employee(id="anna", name="Anna")]
)
KNOWN = KnownToTriggers(
    staff=STAFF,
    stages=[("10", "11"), ("10", "12"), ("20", "21")],
    fields=[AMOUNT],
    users=["5"],
    templates=["sales"],
    connections=["main"],
    providers=["main"],
    campaigns=["c", "old"],
    finished=["old"],
    text_problem=lambda action: text_problem(action, SmsMacros(), 4),
)


def codes(**changes: Any) -> list[str]:
    return [one.code for one in problems(trigger(**changes), KNOWN)]


def sms(**changes: Any) -> dict[str, Any]:
    return {"action": {"do": "sms", "template": "Hello", "provider": "main", **changes}}


def calls(**changes: Any) -> dict[str, Any]:
    return {"action": {"do": "callback", "connection": "main", **changes}}


def asks(*conditions: TypedCondition) -> dict[str, Any]:
    return {"conditions": list(conditions)}


BACK = {"pipeline_id": "10", "stage_id": "11"}
GONE = {"pipeline_id": "10", "stage_id": "99"}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("pipeline-gone", {"pipeline_id": "99"}),
    ("stage-gone", {"stage_id": "21"}),
    ("amount-missing", {"events": [{"on": "price_crossed"}]}),
    ("event-not-told", {"events": [{"on": "invoice_paid"}]}),
    ("event-twice", {"events": [{"on": "entered"}, {"on": "entered"}]}),
    ("field-gone", {"events": [{"on": "field_changed", "field": "deal.cf_1"}]}),
    ("field-gone", asks(condition("deal.cf_1", "is_empty"))),
    ("user-gone", asks(condition("responsible", "equals", "6"))),
    ("employee-gone", asks(condition("responsible", "equals", "employee:x"))),
    ("values-missing", asks(condition("name", "equals"))),
    ("values-ignored", asks(condition("name", "is_filled", "x"))),
    ("one-number-needed", asks(condition("price", "above", "1", "2"))),
    ("number-unreadable", asks(condition("price", "equals", "50,000"))),
    ("number-unreadable", asks(condition(AMOUNT, "above", "a lot"))),
    ("never-holds", asks(condition("price", "above", "5"), condition("price", "below", "5"))),
    ("never-holds", asks(condition("price", "above", "5"), condition("price", "at_most", "5"))),
    ("never-holds", asks(condition("price", "equals", "5"), condition("price", "equals", "6"))),
    ("never-holds", asks(condition(AMOUNT, "is_empty"), condition(AMOUNT, "above", "5"))),
    ("never-holds", asks(condition("stage", "equals", "12"))),
    ("receiver-missing", sms(to={})),
    ("employee-gone", sms(to={"employees": ["x"]})),
    ("receiver-without-extension", sms(to={"employees": ["anna"]})),
    ("text-refused", sms(template="{{nothing}}")),
    ("text-blank", sms(template=" \n ")),
    ("text-too-long", sms(template="Ы" * 269)),
    ("text-too-long", sms(template="a" * 613 + "{{deal.id}}", max_parts=9)),
    ("text-too-long", sms(template="a" * 161, max_parts=1)),
    ("receiver-without-extension", calls(target={"kind": "employee", "employee_id": "anna"})),
    ("template-gone", calls(target={"kind": "template", "name": "gone"})),
    ("connection-gone", calls(connection="other")),
    ("provider-gone", sms(provider="other")),
    ("campaign-gone", {"action": {"do": "campaign", "campaign": "other"}}),
    ("campaign-finished", {"action": {"do": "campaign", "campaign": "old"}}),
    ("action-stage-gone", calls(failed_stage=GONE)),
    ("action-moves-back", calls(failed_stage=BACK)),
    ("action-stage-gone", {"action": {"do": "campaign", "campaign": "c", "unreached": {"stage": GONE}}}),
]


@pytest.mark.parametrize(("code", "changes"), CASES)
def test_what_is_wrong_is_found_and_nothing_else(code: str, changes: dict[str, Any]) -> None:
    assert codes(**changes) == [code]
    assert can_be_saved(problems(trigger(**changes), KNOWN)) is (TRIGGER_PROBLEMS[code] == "warning")


def test_every_problem_has_a_case() -> None:
    assert {code for code, _ in CASES} == set(TRIGGER_PROBLEMS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("code", "changes"), CASES)
def test_every_problem_is_said_with_what_to_do(code: str, changes: dict[str, Any], language: Any) -> None:
    said, remedy = problems(trigger(**changes), KNOWN)[0].in_words(language)
    assert said != remedy
    assert not code.endswith(said)


def test_a_trigger_that_is_right_has_no_problem() -> None:
    conditions = asks(condition("price", "at_least", "5"), condition("price", "at_most", "5"))
    assert codes(**conditions) == []
    assert codes(**calls(target={"kind": "template", "name": "sales"})) == []


@pytest.mark.parametrize(
    "template", ["Ы" * 268, "a" * 612, "{{deal.name}}", f" {'a' * 612} ", "a" * 612 + "{{deal.name}}"]
)
def test_a_text_that_some_deal_lets_go_out_has_no_problem(template: str) -> None:
    assert codes(**sms(template=template)) == []


def test_why_a_text_is_refused_is_said_in_the_language_of_the_rest() -> None:
    [one] = problems(trigger(**sms(template="{{maincontact.name")), KNOWN)
    assert one.in_words("en")[0] == (
        "The text cannot be used: position 19: “|” or “}}” is expected: only variables and filters are allowed."
    )
    assert "позиция 19: ожидается" in one.in_words("ru")[0]


def test_nothing_is_said_of_what_was_not_read_yet() -> None:
    one = trigger(pipeline_id="99", conditions=[condition("deal.cf_1", "is_empty")])
    assert problems(one, KnownToTriggers(staff=STAFF)) == []


SMALL = st.integers(0, 3).map(str)


@given(
    of=st.sampled_from(["price", AMOUNT, "pipeline"]),
    tests=st.tuples(st.sampled_from(CONDITION_TESTS), st.sampled_from(CONDITION_TESTS)),
    values=st.tuples(st.lists(SMALL, min_size=1, max_size=2), st.lists(SMALL, min_size=1, max_size=2)),
    is_at=st.integers(0, 3),
)
def test_what_is_said_to_hold_never_is_met_by_no_deal(
    of: str, tests: tuple[str, str], values: tuple[list[str], list[str]], is_at: int
) -> None:
    one, other = (condition(of, test, *some) for test, some in zip(tests, values, strict=True))
    for told in ({"512": str(is_at)}, {}):
        known = facts(price=is_at, pipeline_id=str(is_at), deal_fields=told)
        assert not (never_together(one, other) and holds(one, known) and holds(other, known))


@pytest.mark.parametrize(
    "changes",
    [
        {"events": []},
        {"events": [{"on": "sneezed"}]},
        {"conditions": [{"of": "shoe_size", "test": "equals"}]},
        {"action": {"do": "dance"}},
        {"colour": "red"},
    ],
)
def test_what_no_trigger_can_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        trigger(**changes)


def test_a_trigger_is_off_until_somebody_says_so() -> None:
    written = trigger().model_dump(mode="json")
    del written["is_on"]
    assert Trigger.model_validate(written).is_on is False
