"""How many triggers a second are looked at, with all their conditions."""

from __future__ import annotations

import time
from collections.abc import Sequence

from routing.triggers.causes import Cause
from routing.triggers.decide import FiredLately, decide
from routing.triggers.facts import TriggerFacts
from routing.triggers.model import CallBack, Trigger, TriggerEvent, TypedCondition
from tests.bench.report import Figure, at_least

_CAUSE = Cause(on="entered", key="stage:10/11@1", event_id=1, pipeline_id="10", stage_id="11")
_LATELY = FiredLately()
_FACTS = TriggerFacts(
    deal_id="7",
    name="Кухня для Ольги",
    price=60_000,
    pipeline_id="10",
    stage_id="11",
    responsible="5",
    employee_id="vasily",
    tags=("VIP", "повторный заказ", "кухни"),
    deal_fields={str(id): f"{id} 000,50" for id in range(500, 530)},
    contact_id="70",
    contact_name="Ольга",
    contact_fields={"9": "Санкт-Петербург"},
)


def bench_triggers(count: int) -> list[Figure]:
    """Each trigger is another one, with five conditions of different kinds that all hold: every one is looked at."""
    per_second = _per_second([_trigger(number) for number in range(count)])
    note = f"{count:,} triggers, five conditions each; the best of five runs"
    return [at_least("triggers looked at in a second", per_second, 10_000, "/s", note)]


def _per_second(triggers: Sequence[Trigger]) -> float:
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        outcomes = {decide(trigger, _CAUSE, _FACTS, _LATELY).reason for trigger in triggers}
        best = min(best, time.process_time() - began)
        if outcomes != {"fires"}:
            raise AssertionError(f"conditions that were to hold do not: {outcomes}")
    return len(triggers) / best


def _trigger(number: int) -> Trigger:
    return Trigger(
        name=f"перезвонить {number}",
        pipeline_id="10",
        stage_id="11",
        events=(TriggerEvent(on="entered"), TriggerEvent(on="price_crossed", amount=50_000)),
        conditions=(
            TypedCondition(of="price", test="above", values=(f"{10_000 + number % 40_000}",)),
            TypedCondition(of="tags", test="has_any", values=("vip", f"tag {number}")),
            TypedCondition(of="responsible", test="one_of", values=("employee:vasily", f"{number + 6}")),
            TypedCondition(of=f"deal.cf_{500 + number % 30}", test="at_least", values=("499 000,5",)),
            TypedCondition(of="contact.cf_9", test="contains", values=("петербург",)),
        ),
        action=CallBack(connection="office"),
        is_on=True,
    )
