"""Triggers and facts to change one thing of."""

from __future__ import annotations

from typing import Any

from routing.triggers.facts import TriggerFacts
from routing.triggers.model import CallBack, Trigger, TypedCondition

AMOUNT = "deal.cf_512"
COLOURS = "deal.cf_513"


def trigger(**changes: Any) -> Trigger:
    values: dict[str, Any] = {
        "name": "call back",
        "pipeline_id": "10",
        "stage_id": "11",
        "events": [{"on": "entered"}],
        "action": CallBack(connection="main"),
        "is_on": True,
    }
    return Trigger.model_validate(values | changes)


def condition(of: str, test: str, *values: str) -> TypedCondition:
    return TypedCondition.model_validate({"of": of, "test": test, "values": values})


def facts(**changes: Any) -> TriggerFacts:
    values: dict[str, Any] = {
        "deal_id": "7",
        "name": "Kitchen for Olga",
        "price": 60_000,
        "pipeline_id": "10",
        "stage_id": "11",
        "responsible": "5",
        "employee_id": "vasily",
        "tags": ("VIP", "repeat order"),
        "deal_fields": {"512": "50 000,50", "513": "Red\nBlue"},
        "contact_id": "70",
        "contact_name": "Olga",
        "contact_fields": {},
        "field_names": frozenset((AMOUNT, COLOURS, "deal.cf_514", "contact.cf_9")),
    }
    return TriggerFacts(**(values | changes))
