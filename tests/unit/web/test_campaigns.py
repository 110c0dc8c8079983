"""A campaign and its form are the same thing; pasted lines are a list."""

from __future__ import annotations

import pytest

from campaigns.model import CampaignSettings
from gateway.web.messages.campaigns.numbers import as_list
from gateway.web.messages.campaigns.shown import commands_of
from gateway.web.messages.campaigns.typed import field_of_settings, form_of, settings_asked
from tests.unit.gateway.health.test_campaign_checks import standing

PLACE = {"pipeline_id": "1", "stage_id": "2"}
FULL = {
    "engine": "pbx",
    "connection": "office",
    "engine_ref": "7",
    "lines": ["+74951230000", "+74951230001"],
    "target": {"kind": "template", "name": "sales"},
    "hours": {"opens": "10:00", "closes": "24:00", "days": [1, 7], "is_strict": True},
    "retries": {"client_busy": {"minutes": 9, "most": 2}},
    "endless": True,
    "leaves_traces": False,
    "topics": {"is_on": True, "deal_there": PLACE, "no_deal": PLACE},
    "contact_fields": {"campaign": "1", "campaign_id": "2", "client_id": "3"},
    "unreached": {"task": True, "stage": PLACE},
    "priority": 5,
}


@pytest.mark.parametrize(
    "told", [FULL, {"connection": "office", "target": {"kind": "employee", "employee_id": "a"}}]
)
def test_what_is_shown_is_what_is_read_back(told: object) -> None:
    settings = CampaignSettings.model_validate(told)
    form = form_of("spring", 1, settings)
    assert CampaignSettings.model_validate(settings_asked(form, settings)) == settings


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("connection", "connection"),
        ("target.employee_id", "target"),
        ("topics", "topics_on"),
        ("topics.no_deal", "no_deal"),
        ("unreached.stage", "unreached_stage"),
        ("contact_fields.client_id", "contact_client_id"),
        ("hours.opens", "opens"),
        ("hours", "opens"),
    ],
)
def test_what_is_refused_stands_at_its_field(path: str, field: str) -> None:
    assert field_of_settings(path.split(".")) == field


@pytest.mark.parametrize(
    ("text", "first", "columns"),
    [
        ("+79160000001", "+79160000001", {"number": "1"}),
        ("8 916 000 00 01\n8 916 000 00 02; Anna; 7", "8 916 000 00 01;;", {"number": "1", "name": "2", "client_id": "3"}),
        ("8 916 000 00 01\tAnna", "8 916 000 00 01\tAnna", {"number": "1", "name": "2"}),
        ("Name;Phone\nAnna;+79160000001", "Name;Phone", {}),
    ],
)  # fmt: skip
def test_pasted_lines_are_a_list(text: str, first: str, columns: dict[str, str]) -> None:
    listed, found = as_list(text)
    assert (listed.splitlines()[0], found) == (first, columns)


def test_only_what_changes_something_can_be_told() -> None:
    running = standing({}).row
    assert list(commands_of(running)) == ["pause", "stop", "finish"]
    there = standing({"engine": "pbx", "connection": "mango", "engine_ref": "1"}).row
    assert list(commands_of(there)) == ["finish"]
