"""Batches against a CRM that refuses items without saying which, or why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import orjson

from crm.amocrm.client import AmoClient
from crm.amocrm.wire import Reply, Request
from crm.amocrm.writes import Line, Outcomes, SentBatch, Writes, created
from crm.errors import CrmRefused
from crm.lane import Lane
from crm.port import LEFT_OUT, Refused, Written


class SilentCrm:
    """Refuses a whole request for one bad item and names nothing. made: items that exist now."""

    def __init__(self, is_bad: Callable[[dict[str, Any]], bool]) -> None:
        self._is_bad = is_bad
        self.made: list[dict[str, Any]] = []
        self.requests = 0

    async def reply_to(self, request: Request, lane: Lane) -> Reply:
        self.requests += 1
        if any(self._is_bad(item) for item in request.body):
            raise CrmRefused("400: no reason given")
        self.made += request.body
        rows = [
            {"id": len(self.made) + n, "request_id": item["request_id"]}
            for n, item in enumerate(request.body)
        ]
        return Reply(status=200, body=orjson.dumps({"_embedded": {"leads": rows}}))


async def sent(crm: SilentCrm, items: list[dict[str, Any]]) -> list[Any]:
    keys = [str(n) for n in range(len(items))]
    outcomes = Outcomes(keys)
    lines = [Line(key, item) for key, item in zip(keys, items, strict=True)]
    batch = SentBatch("POST", "/leads", lines, created("leads"))
    await Writes(cast(AmoClient, crm)).send(batch, outcomes, Lane.EVENTS)
    return outcomes.all()


def deal(name: str, *values: str) -> dict[str, Any]:
    fields = [{"field_id": n + 1, "values": [{"value": value}]} for n, value in enumerate(values)]
    return {"name": name, "custom_fields_values": fields}


def has_long_text(item: dict[str, Any]) -> bool:
    return any(len(f["values"][0]["value"]) > 256 for f in item.get("custom_fields_values", ()))


async def test_only_the_guilty_value_of_the_guilty_item_is_left_out() -> None:
    crm = SilentCrm(has_long_text)
    items = [deal(f"d{n}", "a", "x" * 300 if n == 5 else "b", "c") for n in range(20)]
    outcomes = await sent(crm, items)
    assert all(isinstance(outcome, Written) for outcome in outcomes)
    assert [o.key for o in outcomes if o.extra.get(LEFT_OUT)] == ["5"]
    assert outcomes[5].extra[LEFT_OUT] == "2: refused"
    assert sorted(item["name"] for item in crm.made) == sorted(item["name"] for item in items), "each once"
    [mended] = [item for item in crm.made if item["name"] == "d5"]
    assert [f["field_id"] for f in mended["custom_fields_values"]] == [1, 3]


async def test_many_values_are_left_out_together_and_two_bad_ones_as_well() -> None:
    crm = SilentCrm(has_long_text)
    [many, two] = await sent(crm, [deal("m", *["x" * 300] * 9), deal("t", "x" * 300, "y" * 300, "z")])
    assert many.extra[LEFT_OUT].count(";") == 8
    assert two.extra[LEFT_OUT] == "1: refused; 2: refused; 3: refused"
    assert len(crm.made) == 2


async def test_an_item_that_is_refused_whatever_is_left_out_is_refused() -> None:
    crm = SilentCrm(lambda item: item["name"] == "bad")
    good, bad = await sent(crm, [deal("good", "a"), deal("bad", "a", "b")])
    assert isinstance(good, Written)
    assert isinstance(bad, Refused)
    assert [item["name"] for item in crm.made] == ["good"]
