"""Decisions are found by kind, client and call, also by several of these at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from gateway.store.decisions.decisions import DecisionRow, add_decisions
from tests.integration.api.client import ACCOUNT, Api

CLIENT, OTHER = "+79161234567", "+79167654321"
_STORED = (
    ("d1", "lookup", CLIENT, "c1"),
    ("d2", "matrix", CLIENT, "c1"),
    ("d3", "lookup", OTHER, "c2"),
    ("d4", "matrix", OTHER, "c2"),
    ("d5", "lookup", CLIENT, "c3"),
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "d5 d4 d3 d2 d1"),
        ({"kind": "lookup"}, "d5 d3 d1"),
        ({"client": CLIENT}, "d5 d2 d1"),
        ({"client": CLIENT, "kind": "lookup"}, "d5 d1"),
        ({"call": "c1"}, "d1 d2"),
        ({"call": "c1", "kind": "matrix"}, "d2"),
        ({"call": "c1", "client": OTHER}, ""),
        ({"call": "c1", "client": CLIENT, "kind": "lookup"}, "d1"),
    ],
)
async def test_every_filter_counts(api: Api, pool: asyncpg.Pool, asked: dict[str, Any], found: str) -> None:
    begin = datetime.now(UTC)
    rows = [
        DecisionRow(
            account_id=ACCOUNT,
            decision_id=id,
            kind=kind,
            at=begin + timedelta(seconds=place),
            call_id=call,
            client=client,
            reason="unknown_caller",
            outcome={},
            steps=[],
            inputs={},
        )
        for place, (id, kind, client, call) in enumerate(_STORED)
    ]
    async with pool.acquire() as conn:
        await add_decisions(conn, rows)
    listed = await api.ask("GET", "/decisions", account=ACCOUNT, **asked)
    assert [item["decision_id"] for item in listed["items"]] == found.split()
