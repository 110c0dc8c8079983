"""A trigger as people write it is read as the same trigger."""

from __future__ import annotations

from typing import Any

import pytest

from routing.triggers.model import Trigger

ACTIONS: list[dict[str, Any]] = [
    {"do": "callback", "connection": "office"},
    {"do": "callback", "connection": "office", "target": {"kind": "employee", "employee_id": "anna"}},
    {"do": "callback", "connection": "office", "target": {"kind": "template", "name": "shop"}},
    {"do": "sms", "template": "Hello", "provider": "main", "to": {"responsible": True}},
    {"do": "campaign", "campaign": "autumn", "unreached": {"task": True}},
]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_written_trigger_is_read_again_as_it_was(action: dict[str, Any]) -> None:
    values = {"name": "t", "pipeline_id": "1", "events": [{"on": "entered"}], "action": action}
    trigger = Trigger.model_validate(values)
    written = trigger.as_written()
    assert Trigger.model_validate(written) == trigger
    assert written == {**values, "is_on": False}, "left out, it would say nothing of it"


@pytest.mark.parametrize("is_on", [True, False])
def test_a_trigger_that_does_not_say_it_is_on_or_off_as_the_one_before_it(is_on: bool) -> None:
    values = {"name": "t", "pipeline_id": "1", "events": [{"on": "entered"}], "action": ACTIONS[0]}
    silent, before = Trigger.model_validate(values), Trigger.model_validate({**values, "is_on": is_on})
    assert silent.switched_as(before).is_on is is_on
    assert silent.switched_as(None).is_on is False
    assert Trigger.model_validate({**values, "is_on": not is_on}).switched_as(before).is_on is not is_on
