"""A trigger and its form are the same thing: nothing is lost on the way there and back."""

from __future__ import annotations

import pytest

from gateway.web.messages.known_names import KnownNames
from gateway.web.messages.text_shown import text_length
from gateway.web.messages.trigger_typed import asked, field_named, typed, typed_of
from gateway.web.messages.trigger_words import trigger_line
from gateway.web.texts.sentences import TEXTS
from routing.matrix.catalogue import Catalogue
from routing.texts.catalogue import LANGUAGES
from routing.triggers.model import CAUSE_KINDS, CONDITION_TESTS, Trigger
from sms.segments import segmented

NAMES = KnownNames(
    people={"employee:li": "Ли Чжао", "7": "Мария", "8": "Мария"},
    pipelines={"1": "Sales", "2": "Service"},
    stages={("1", "11"): "New", ("1", "12"): "Done", ("2", "21"): "New"},
    fields={"deal.cf_5": "Source", "contact.cf_6": "City"},
)
STAGE = {"pipeline_id": "1", "stage_id": "12"}
ACTIONS = (
    {"do": "sms", "template": "Hi {{ user.name }}\nBye", "provider": "texts", "sender": "Lad", "any_hour": True,
     "max_parts": 2, "to": {"client": False, "responsible": True, "employees": ["li"]}},
    {"do": "callback", "connection": "office"},
    {"do": "callback", "connection": "office", "target": {"kind": "template", "name": "a: b"}, "line": "+7495",
     "task_when_failed": False, "failed_stage": STAGE, "succeeded_stage": STAGE, "priority": 4},
    {"do": "callback", "connection": "office", "target": {"kind": "group", "group": "500"}},
    {"do": "callback", "connection": "office", "target": {"kind": "employee", "employee_id": "li"}},
    {"do": "campaign", "campaign": "spring", "unreached": {"task": True, "stage": STAGE}},
)  # fmt: skip
CONDITIONS = (
    {"of": "price", "test": "above", "values": ["50 000,50"]},
    {"of": "tags", "test": "has_any", "values": ["vip", "a, b", "c;d"]},
    {"of": "tags", "test": "has_all", "values": ["a, b"]},
    {"of": "responsible", "test": "one_of", "values": ["employee:li", "7", "user:8"]},
    {"of": "stage", "test": "equals", "values": ["11"]},
    {"of": "pipeline", "test": "differs", "values": ["2"]},
    {"of": "deal.cf_5", "test": "contains", "values": ["x; y, z"]},
    {"of": "contact.cf_6", "test": "is_filled", "values": []},
)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("conditions", [(), CONDITIONS])
def test_what_is_shown_is_what_is_read_back(action: object, conditions: object) -> None:
    events = [
        {"on": "entered"},
        {"on": "price_crossed", "amount": 50000},
        {"on": "tag_added", "tag": "vip"},
        {"on": "field_changed", "field": "deal.cf_5"},
    ]
    trigger = Trigger.model_validate(
        {"name": "t", "pipeline_id": "1", "stage_id": "11", "events": events, "conditions": conditions,
         "action": action, "position": 3, "is_on": True}
    )  # fmt: skip
    given = typed_of(trigger, 2, NAMES)
    assert Trigger.model_validate(asked(given, NAMES)) == trigger
    rows = {
        f"e{n}.{name}": value for n, line in enumerate(given.events) for name, value in line._asdict().items()
    }
    rows |= {
        f"c{n}.{name}": value
        for n, line in enumerate(given.conditions)
        for name, value in line._asdict().items()
    }
    sent = given.form.model_copy(update=rows)
    read = typed(type(sent).model_validate(sent.model_dump()))
    assert Trigger.model_validate(asked(read, NAMES)) == trigger


def test_names_stand_for_ids_where_they_stand_for_one() -> None:
    assert NAMES.values_said("responsible", "one_of", ("employee:li", "7"), "1") == "Ли Чжао, 7"
    assert NAMES.values_read("responsible", "one_of", "ли чжао; Мария", "1") == ("employee:li", "Мария")
    assert NAMES.values_read("stage", "equals", "new", "2") == ("21",)
    assert NAMES.values_read("price", "above", "1;2", "1") == ("1;2",)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("name", "name"),
        ("stage_id", "place"),
        ("events.1", "e0-on"),
        ("conditions.2", "c1-of"),
        ("action.to", "to_client"),
        ("action.to.employees", "employees"),
        ("action.template", "template"),
        ("action.failed_stage", "failed_stage"),
        ("action.unreached.stage", "unreached_stage"),
        ("action.campaign", "campaign"),
        ("action.target", "target"),
    ],
)
def test_a_problem_stands_at_its_field(path: str, field: str) -> None:
    assert field_named(path.split("."), from_one=True) == field


def test_a_line_says_all_of_a_trigger_in_both_languages() -> None:
    for language in LANGUAGES:
        for action in ACTIONS:
            values = {
                "name": "t",
                "pipeline_id": "1",
                "events": [{"on": on} for on in CAUSE_KINDS],
                "conditions": [
                    {"of": "name", "test": test, "values": ["Ли Чжао"]} for test in CONDITION_TESTS
                ],
                "action": action,
            }
            line = trigger_line(Trigger.model_validate(values), 1, TEXTS[language], NAMES, Catalogue())
            assert len(line.events) == len(CAUSE_KINDS)
            assert not [said for said in (*line.events, *line.conditions, line.what) if "_" in said]


@pytest.mark.parametrize(
    ("text", "units", "room", "parts", "odd"),
    [
        ("x" * 160, 160, 160, 1, ""),
        ("x" * 161, 161, 306, 2, ""),
        ("ж" * 70, 70, 70, 1, "ж"),
        ("ж" * 71, 71, 134, 2, "ж"),
        ("ok 😀", 5, 70, 1, "😀"),
        ("{}", 4, 160, 1, ""),
    ],
)
def test_length_is_counted_as_it_is_sent(text: str, units: int, room: int, parts: int, odd: str) -> None:
    found = text_length(segmented(text), TEXTS["ru"])
    assert (found.units, found.room, found.parts, found.odd) == (units, room, parts, odd)
    assert found.before + found.odd + found.after == text
