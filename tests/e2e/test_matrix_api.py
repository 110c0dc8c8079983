"""The matrix with real processes: versions under way, thousands of calls replayed, every decision computed again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.store.admin.staff import staff_of, write_snapshot
from routing.calls.model import Call, Disposition, Talk
from routing.client import Client, ClientEntity, Ref
from routing.decision import decision_id_of
from routing.matrix.actions import MakeLead, MakeTask
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from routing.settings import AccountSettings
from tests.e2e.stack import ACCOUNT, Stack, running_stack

API = f"/v1/accounts/{ACCOUNT}"
MISSED_NEW = "inbound.missed.new/end"


@pytest.fixture
async def stack(tmp_path: Path, database_url: str) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path, database_url, workers=1) as running:
        yield running


def changed(cell: str, *actions: Any) -> Matrix:
    table = recommended().tables["default"]
    table = table.model_copy(update={"cells": {**table.cells, cell: actions}})
    return recommended().model_copy(update={"tables": {"default": table}})


async def save(stack: Stack, matrix: Matrix) -> int:
    """The draft's revision."""
    draft = await stack.api("GET", f"{API}/matrix/draft")
    body = {"revision": draft["revision"], "matrix": matrix.model_dump(mode="json", exclude={"version"})}
    return int((await stack.api("PUT", f"{API}/matrix/draft", body=body))["revision"])


async def call(stack: Stack, key: str, client: str, *, extension: str | None = None) -> None:
    base = {"callId": key, "from_": client, "to": "74950000001", "direction": "in"}
    await stack.event(event="newCall", **base)
    if extension:
        await stack.event(event="answer", extension=extension, **base)
    await stack.event(event="hangup", cause="normalClearing" if extension else "noAnswer", **base)


async def whats(stack: Stack, client: str) -> list[str]:
    rows = await stack.pool.fetch("SELECT what FROM effect WHERE client = $1 ORDER BY seq", f"+{client}")
    return [r["what"] for r in rows]


async def test_a_call_keeps_the_version_it_began_with_while_another_is_published(stack: Stack) -> None:
    base = {"callId": "v1", "from_": "79035551001", "to": "74950000001", "direction": "in"}
    await stack.event(event="newCall", **base)
    await stack.until_idle()
    revision = await save(stack, changed(MISSED_NEW))
    body = {"revision": revision, "why": "nothing for missed calls"}
    published = await stack.api("POST", f"{API}/matrix/publish", status=201, body=body)
    await stack.event(event="hangup", cause="noAnswer", **base)
    await call(stack, "v2", "79035551002")
    await stack.until_idle()
    assert await whats(stack, "79035551001") == [
        "create_contact",
        "create_deal",
        "attach_call",
        "create_task",
    ]
    assert await whats(stack, "79035551002") == []
    versions = [
        (await stack.api("GET", f"{API}/calls", client=c))["items"][0]["matrix_version"]
        for c in ("+79035551001", "+79035551002")
    ]
    assert versions == [published["version"] - 1, published["version"]]


async def test_every_decision_of_a_run_comes_out_the_same_when_it_is_computed_again(stack: Stack) -> None:
    for number in ("79000000007", "+79010000001", "79035552001", "anonymous", "", "102", "abc"):
        await stack.lookup(number)
    group = stack.settings.lookup.model_copy(
        update={"group": ("100",), "priority": ("deal", "contact", "lead")}
    )
    settings = stack.settings.model_copy(update={"lookup": group})
    await stack.api("PUT", f"{API}/settings", body=settings.model_dump(mode="json"))
    for number in ("79010000001", "79010000009", "79010000002"):
        await stack.lookup(number)
    await call(stack, "r1", "79035552001", extension="104")
    await call(stack, "r2", "79035552002")
    await call(stack, "r3", "79035552003", extension="177")
    await call(stack, "r4", "79000000030")
    await call(stack, "r5", "79000000007", extension="102")
    await call(stack, "r6", "anonymous")
    await call(stack, "r7", "74950000001")
    await stack.until_idle()
    await asyncio.sleep(0.6)  # lookups are written down after a moment
    rows = await stack.pool.fetch(
        "SELECT decision_id, kind, reason FROM decision WHERE kind IN ('lookup', 'matrix')"
    )
    kinds = [r["kind"] for r in rows]
    assert (kinds.count("lookup"), kinds.count("matrix") >= 9) == (10, True), kinds
    for row in rows:
        again = await stack.api("GET", f"/v1/decisions/{row['decision_id']}/recomputed")
        assert again["is_same"], (row, again)
        assert again["reason"] == row["reason"]
    await _a_decision_that_was_tampered_with_is_told(stack, rows)


async def _a_decision_that_was_tampered_with_is_told(stack: Stack, rows: list[asyncpg.Record]) -> None:
    for kind, reason in (("lookup", "deal_owner"), ("matrix", "ordered")):
        found = next(r for r in rows if (r["kind"], r["reason"]) == (kind, reason))
        await stack.pool.execute(
            "UPDATE decision SET outcome = outcome || '{\"changed\": true}' WHERE decision_id = $1",
            found["decision_id"],
        )
        again = await stack.api("GET", f"/v1/decisions/{found['decision_id']}/recomputed")
        assert not again["is_same"]


# What 10,000 calls of a day are made of: (how many, who answered, is the client known with an open deal)
DAY = ((4000, "104", False), (3000, None, False), (2000, None, True), (1000, "103", True))


async def a_day_of_calls(stack: Stack) -> None:
    """10,000 calls with the decisions' inputs, as workers would have stored them."""
    async with stack.pool.acquire() as conn:
        staff = await staff_of(conn, ACCOUNT)
        await write_snapshot(conn, ACCOUNT, staff)
        await stack.api("GET", f"{API}/matrix/versions")
        settings = AccountSettings().model_dump(mode="json")
        manager = staff.by_id["manager105"].crm_user_id
        calls, decisions = [], []
        began = datetime.now(UTC) - timedelta(hours=20)
        place = 0
        for count, answered_by, is_known in DAY:
            for _ in range(count):
                place += 1
                past = _past_call(place, began + timedelta(seconds=place * 7), answered_by)
                number = f"+7905{place:07d}"
                entities = _known_client(place, manager) if is_known else ()
                client = Client(number=number, entities=entities)
                calls.append(_call_record(past, number, client))
                decisions.append(_decision_record(past, number, client, settings, staff.version))
        for table, columns, rows in (
            ("call", _CALL_COLUMNS, calls),
            ("decision", _DECISION_COLUMNS, decisions),
        ):
            places = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
            await conn.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)


_CALL_COLUMNS = ("account_id", "call_id", "connection_id", "call_key", "client", "line", "direction", "disposition",
                 "is_over", "started_at", "answered_at", "ended_at", "facts", "client_kind", "matrix_version")  # fmt: skip
_DECISION_COLUMNS = ("account_id", "decision_id", "kind", "at", "call_id", "client", "reason", "outcome", "steps",
                     "inputs")  # fmt: skip


def _past_call(place: int, at: datetime, answered_by: str | None) -> Call:
    answered_at = at + timedelta(seconds=8)
    return Call(
        call_key=f"past-{place}",
        direction="inbound",
        client=f"7905{place:07d}",
        line="74950000001",
        started_at=at,
        answered_at=answered_at if answered_by else None,
        ended_at=at + timedelta(seconds=60),
        disposition=Disposition.ANSWERED if answered_by else Disposition.NO_ANSWER,
        is_over=True,
        talks=(Talk(party=answered_by, started_at=answered_at),) if answered_by else (),
        talk_seconds=52 if answered_by else 0,
    )


def _known_client(place: int, owner: str | None) -> tuple[ClientEntity, ...]:
    contact = ClientEntity(ref=Ref(kind="contact", id=str(place)), name="Анна", owner_id=owner)
    deal = ClientEntity(
        ref=Ref(kind="deal", id=str(place)), name="Сделка", owner_id=owner, stage_id="5000012"
    )
    return contact, deal


def _call_record(past: Call, number: str, client: Client) -> tuple[Any, ...]:
    return (
        ACCOUNT,
        past.call_key,
        "generic",
        past.call_key,
        number,
        "+74950000001",
        "inbound",
        past.disposition.value,
        True,
        past.started_at,
        past.answered_at,
        past.ended_at,
        past.model_dump(mode="json"),
        client.kind.value,
        1,
    )


def _decision_record(
    past: Call, number: str, client: Client, settings: dict[str, Any], staff_version: int
) -> tuple[Any, ...]:
    inputs = {
        "moment": "ring",
        "client": client.model_dump(mode="json"),
        "client_kind": client.kind.value,
        "settings": settings,
        "time_zone": "Europe/Moscow",
        "holidays": [],
        "line": "+74950000001",
        "staff_version": staff_version,
        "matrix_version": 1,
    }
    id = decision_id_of(ACCOUNT, past.call_key, "ring")
    return ACCOUNT, id, "matrix", past.started_at, past.call_key, number, "empty_cell", {}, [], inputs


async def follow(stack: Stack, work_id: str, seconds: float = 180) -> tuple[dict[str, Any], list[int]]:
    """The work when it is over, and every progress that was seen."""
    seen = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        work = await stack.api("GET", f"{API}/work/{work_id}")
        seen.append(work["done"])
        if work["state"] not in ("waiting", "running"):
            return work, seen
        await asyncio.sleep(0.1)
    raise AssertionError(f"not over after {seconds} s: {work}")


async def counted(stack: Stack) -> list[int]:
    tables = ("call", "decision", "effect", "inbox", "matrix_version")
    return [await stack.pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]


async def test_a_day_of_10_000_calls_is_replayed_in_under_10_s_with_progress_and_writes_nothing(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_day_of_calls(stack)
    task = MakeTask(purpose="call_back", responsible="senior", text="Перезвонить {{ client.number }}")
    await save(stack, changed(MISSED_NEW, MakeLead(), task))
    before, since = await counted(stack), time.time()
    asked = await stack.api("POST", f"{API}/matrix/replays", status=202, body={"days": 1})
    work, seen = await follow(stack, asked["id"])
    assert work["state"] == "done", work
    result = work["result"]
    with capsys.disabled():
        print(f"\nreplay of {result['calls']} calls: {result['took_ms'] / 1000:.1f} s")
    assert len([n for n in seen if 0 < n < 10_000]) >= 3, f"progress was seen: {seen}"
    assert (work["done"], work["total"]) == (10_000, 10_000)
    _the_table_is_as_made_by_hand(result)
    assert await counted(stack) == before
    ledger = (await stack.sandbox(f"ledger?since={since}"))["requests"]
    assert {r["method"] for r in ledger} <= {"GET"}, "nothing was written to the CRM"
    await _the_published_version_replays_to_the_same(stack)
    await _the_command_line_says_the_same(stack, result)
    await _a_replay_can_be_stopped(stack)


def _the_table_is_as_made_by_hand(result: dict[str, Any]) -> None:
    """Missed calls of new clients (3000): an incoming lead and a task instead of contact, deal, call and task."""
    assert (result["calls"], result["same"], result["different"]) == (10_000, 7_000, 3_000)
    table = {c["what"]: (c["published"], c["draft"], c["difference"]) for c in result["counts"]}
    assert table == {
        "create_contact": (7_000, 4_000, -3_000),
        "create_deal": (7_000, 4_000, -3_000),
        "create_lead": (0, 3_000, 3_000),
        "attach_call": (8_000, 5_000, -3_000),
        "create_task": (5_000, 5_000, 0),
    }
    assert (len(result["list"]), result["is_list_complete"], result["reconstructed"]) == (1_000, False, 0)
    first = result["list"][0]
    assert (first["call_id"], first["row"]) == ("past-4001", "inbound.missed.new")
    assert [line.split("«")[0] for line in first["draft"]] == [
        "создать заявку ",
        *first["draft"][1:],
    ]
    assert len(first["published"]) == 4
    assert len(first["draft"]) == 2


async def _the_published_version_replays_to_the_same(stack: Stack) -> None:
    body = {"days": 1, "version": "current"}
    asked = await stack.api("POST", f"{API}/matrix/replays", status=202, body=body)
    work, _ = await follow(stack, asked["id"])
    assert (work["result"]["different"], work["result"]["list"]) == (0, [])


async def _the_command_line_says_the_same(stack: Stack, expected: dict[str, Any]) -> None:
    command = [sys.executable, "-m", "gateway.cli", "replay", "--account", ACCOUNT, "--days", "1", "--json"]
    env = stack.process("worker0").env
    done = await asyncio.to_thread(
        subprocess.run, command, env={**os.environ, **env}, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["counts"], told["different"]) == (expected["counts"], expected["different"])


async def _a_replay_can_be_stopped(stack: Stack) -> None:
    asked = await stack.api("POST", f"{API}/matrix/replays", status=202, body={"days": 1})
    await stack.api("POST", f"{API}/work/{asked['id']}/stop")
    work, _ = await follow(stack, asked["id"])
    assert (work["state"], work["result"]) == ("cancelled", None)
    assert work["done"] < 10_000


async def test_a_replay_of_real_calls_orders_what_was_really_ordered(stack: Stack) -> None:
    await call(stack, "p1", "79035553001", extension="104")
    await call(stack, "p2", "79035553001", extension="104")
    await call(stack, "p3", "79035553002")
    await stack.until_idle()
    ordered = await stack.pool.fetch("SELECT what, count(*) AS n FROM effect GROUP BY what")
    asked = await stack.api("POST", f"{API}/matrix/replays", status=202, body={"days": 1, "version": "1"})
    work, _ = await follow(stack, asked["id"])
    table = {c["what"]: c["published"] for c in work["result"]["counts"]}
    assert table == {r["what"]: r["n"] for r in ordered}
    assert work["result"]["list"] == []
