"""The list of what was given holds calls beside deals, and is filtered by what people ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.store.distribution.items import NewItem, add_item
from gateway.store.distribution.templates import save_template
from gateway.store.distribution.turns import GivenCall, give_call
from routing.distribution.template import DistributionTemplate, TemplateKind, TemplateMember
from tests.integration.api.client import ACCOUNT, Api

_NOW = datetime.now(UTC)


async def _given(api: Api) -> None:
    async with api.pool.acquire() as conn:
        for name, kind in (("line", "turn"), ("shares", "load")):
            member = TemplateMember(employee_id="anna")
            template = DistributionTemplate(name=name, kind=_kind(kind), employees=(member,))
            await save_template(conn, ACCOUNT, template, "test")
        call = GivenCall(
            call_id="office:1",
            template="line",
            version=1,
            state="given",
            reason="turn",
            employee_id="anna",
            decision_id="d1",
            entered_at=_NOW,
            at=_NOW,
        )
        assert await give_call(conn, ACCOUNT, call)
        new = NewItem(template="shares", entity_id="77", source="api", entered_at=_NOW)
        assert await add_item(conn, ACCOUNT, new)


def _kind(text: str) -> TemplateKind:
    return "load" if text == "load" else "turn"


async def test_a_call_that_was_given_stands_in_the_list_as_a_call(api: Api) -> None:
    await _given(api)
    items = (await api.ask("GET", "{a}/distributions"))["items"]
    assert {(i["kind"], i["deal"], i["call"], i["source"]) for i in items} == {
        ("call", None, "office:1", "call"),
        ("deal", "77", None, "api"),
    }
    [call] = [i for i in items if i["kind"] == "call"]
    assert (call["url"], call["employee"], call["is_distributed"]) == (None, "anna", True)
    shown = await api.ask("GET", f"{{a}}/distributions/{call['id']}")
    assert shown["decisions"] == []  # cleaned away, or never written: the item is shown all the same


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"kind": "call"}, ["office:1"]),
        ({"kind": "deal"}, ["77"]),
        ({"type": "turn"}, ["office:1"]),
        ({"type": "load"}, ["77"]),
        ({"source": "call"}, ["office:1"]),
        ({"type": "load", "source": "call"}, []),
    ],
)
async def test_the_list_is_filtered_by_kind_type_and_source(
    api: Api, query: dict[str, Any], wanted: list[str]
) -> None:
    await _given(api)
    items = (await api.ask("GET", "{a}/distributions", **query))["items"]
    assert [i["deal"] or i["call"] for i in items] == wanted


async def test_what_nobody_ever_gives_is_no_filter(api: Api) -> None:
    for name in ("kind", "type", "source", "state"):
        query: dict[str, Any] = {name: "rumour"}
        await api.ask("GET", "{a}/distributions", status=400, **query)
