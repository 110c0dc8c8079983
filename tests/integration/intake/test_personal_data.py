"""Personal data have days of their own: they are emptied, figures stay, and what comes again is still recognised."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.store.calls.calls import stored_calls
from gateway.worker.retention import clean
from routing.settings import AccountSettings, PersonalDataPolicy
from tests.integration.api.command_line import callmatrix

NUMBER, OTHER = "+79161234567", "+79160000000"
DAYS_AGO = 40


@pytest.fixture
async def kept(pool: asyncpg.Pool) -> asyncpg.Pool:
    """An old finished call of one client with all that goes with it, and one of another client."""
    async with pool.acquire() as conn:
        await rows.add_account(conn, account_id="main", name="Main", base_url="http://crm.example")
    for number, key in ((NUMBER, "a"), (OTHER, "b")):
        await _call(pool, number, key)
    return pool


async def _call(pool: asyncpg.Pool, number: str, key: str, *, state: str = "done") -> None:
    at = datetime.now(UTC) - timedelta(days=DAYS_AGO)
    event = {
        "kind": "started",
        "call_key": key,
        "at": at.isoformat(),
        "client": number,
        "params": {"utm": "x"},
    }
    facts: dict[str, Any] = {
        "call_key": key,
        "direction": "inbound",
        "client": number,
        "line": None,
        "started_at": at.isoformat(),
        "disposition": "no_answer",
        "is_over": True,
        "recording": "https://pbx/r.wav",
        "recordings": ["https://pbx/r.wav"],
        "params": {"utm": "x"},
    }
    await pool.execute(
        "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events, state)"
        " VALUES ('main', 'office', $1, $2, $3, $4, $5, $6, 'applied')",
        key.encode(),
        key,
        number,
        at,
        f"from={number}".encode(),
        [event],
    )
    await pool.execute(
        "INSERT INTO call (account_id, call_id, connection_id, call_key, client, direction, disposition, is_over,"
        " started_at, facts, moments) VALUES ('main', $1, 'office', $1, $2, 'inbound', 'no_answer', true, $3, $4, $5)",
        key,
        number,
        at,
        facts,
        {"end": f"d-{key}"},
    )
    await pool.execute(
        "INSERT INTO decision (account_id, decision_id, kind, at, call_id, client, reason, outcome, steps, inputs)"
        " VALUES ('main', $1, 'matrix', $2, $3, $4, 'x', '{}', '[]', $5)",
        f"d-{key}",
        at,
        key,
        number,
        {"client": number, "name": "Иван"},
    )
    await pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", state, created_at)'
        " VALUES ('main', $1, $2, $3, $4, 1, 'create_contact', $5, $6, $7)",
        f"e-{key}",
        f"d-{key}",
        key,
        number,
        {"do": "create_contact", "name": f"Иван {number}", "number": number, "fields": {"1": number}},
        state,
        at,
    )
    await pool.execute(
        "INSERT INTO missed_case (account_id, case_id, client, state, opened_at, last_missed_at, missed_calls, task_text,"
        " task_due_at) VALUES ('main', $1, $2, 'closed', $3, $3, $4, $5, $3)",
        f"c-{key}",
        number,
        at,
        [key],
        f"Перезвонить {number}",
    )


async def _set(pool: asyncpg.Pool, **days: int) -> None:
    settings = AccountSettings(personal_data=PersonalDataPolicy(**days))
    async with pool.acquire() as conn:
        await rows.save_settings(conn, "main", settings)


async def _clean(pool: asyncpg.Pool) -> None:
    settings = Settings(_env_file=None, raw_event_days=365, decision_days=365, crm_event_days=365)
    await clean(pool, settings)


async def _dump(pool: asyncpg.Pool) -> str:
    tables = ("call", "inbox", "decision", "effect", "missed_case", "audit")
    found = [await pool.fetch(f"SELECT t::text, convert_from(CASE WHEN '{n}' = 'inbox' THEN decode(replace(to_jsonb(t)->>'raw', '\\x', ''), 'hex') ELSE '' END, 'UTF8') AS raw FROM \"{n}\" t") for n in tables]  # fmt: skip
    return "\n".join(row[0] + row[1] for part in found for row in part)


async def test_nothing_is_emptied_unless_days_are_set_and_over(kept: asyncpg.Pool) -> None:
    before = await _dump(kept)
    await _clean(kept)
    await _set(kept, number_days=DAYS_AGO + 1, name_days=DAYS_AGO + 1, raw_days=DAYS_AGO + 1)
    await _clean(kept)
    assert await _dump(kept) == before
    assert NUMBER in before


async def test_numbers_and_names_go_and_figures_stay(kept: asyncpg.Pool) -> None:
    await _set(kept, number_days=30, name_days=30)
    await _clean(kept)
    left = await _dump(kept)
    assert NUMBER not in left
    assert NUMBER.lstrip("+") not in left
    assert "Иван" not in left
    assert await kept.fetchval("SELECT count(*) FROM call WHERE disposition = 'no_answer'") == 2
    assert (
        await kept.fetchval("SELECT count(*) FROM effect WHERE what = 'create_contact' AND state = 'done'")
        == 2
    )
    assert await kept.fetchval("SELECT count(*) FROM missed_case WHERE state = 'closed'") == 2
    async with kept.acquire() as conn:
        (row,) = (await stored_calls(conn, "main", [("office", "a")])).values()
    assert (row.client, row.call.client, row.emptied) == (None, None, ("number",))
    assert row.moments == {"end": "d-a"}  # it is not decided a second time
    assert row.call.recordings == ("https://pbx/r.wav",)


async def test_each_field_has_days_of_its_own(kept: asyncpg.Pool) -> None:
    await _set(kept, recording_days=30)
    await _clean(kept)
    left = await _dump(kept)
    assert "r.wav" not in left
    assert NUMBER in left
    await _set(kept, recording_days=30, param_days=30)
    await _clean(kept)
    assert "utm" not in await _dump(kept)
    assert await kept.fetchval("SELECT emptied FROM call WHERE call_id = 'a'") == ["params", "recordings"]


async def test_raw_payloads_go_and_a_late_repeat_is_still_recognised(kept: asyncpg.Pool) -> None:
    await _set(kept, raw_days=30)
    await _clean(kept)
    assert f"from={NUMBER}" not in await _dump(kept)
    assert await kept.fetchval("SELECT client FROM inbox WHERE call_key = 'a'") == NUMBER
    with pytest.raises(asyncpg.UniqueViolationError):
        await _call(kept, NUMBER, "a")


async def test_who_is_still_worked_for_is_left_until_it_is_done(kept: asyncpg.Pool) -> None:
    await kept.execute("UPDATE effect SET state = 'waiting' WHERE effect_key = 'e-a'")
    await _set(kept, number_days=30)
    await _clean(kept)
    assert await kept.fetchval("SELECT client FROM call WHERE call_id = 'a'") == NUMBER
    assert await kept.fetchval("SELECT client FROM call WHERE call_id = 'b'") is None
    await kept.execute("UPDATE effect SET state = 'done'")
    await _clean(kept)
    assert NUMBER not in await _dump(kept)


async def test_one_client_is_forgotten_on_request_and_no_other(kept: asyncpg.Pool, database_url: str) -> None:
    shown = json.loads((await callmatrix(database_url, "client", "show", "8 916 123-45-67", "--json")).stdout)
    assert shown == {
        "client": NUMBER, "calls": 1, "messages": 1, "decisions": 1, "effects": 1, "cases": 1, "open_work": 0,
    }  # fmt: skip
    unsure = await callmatrix(database_url, "client", "forget", NUMBER, stdin="n\n")
    assert unsure.returncode == 1
    assert NUMBER in await _dump(kept)
    done = await callmatrix(database_url, "client", "forget", NUMBER, "--yes")
    assert done.returncode == 0, done.stderr
    left = await _dump(kept)
    assert NUMBER not in left
    assert left.count(OTHER) > 5
    assert await kept.fetchval("SELECT count(*) FROM call") == 2
    assert [tuple(r) for r in await kept.fetch("SELECT what, object, action FROM audit")] == [
        ("client", "+7916***67", "forgotten")
    ]
    refused = await callmatrix(database_url, "client", "forget", "123", "--yes")
    assert (refused.returncode, "is not a phone number" in refused.stderr) == (1, True)


async def test_a_number_told_within_the_call_of_another_client_is_forgotten_too(
    kept: asyncpg.Pool, database_url: str
) -> None:
    told = {"kind": "answered", "at": "2026-01-01T09:00:00Z", "client": NUMBER, "params": {"from": NUMBER}}
    for key, state in (("b", "applied"), ("nobodys", "ignored")):
        await kept.execute(
            "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events, state)"
            " VALUES ('main', 'office', $1, $2, $3, now(), $4, $5, $6)",
            f"stray {key}".encode(),
            key,
            NUMBER,
            f"from={NUMBER}".encode(),
            [{**told, "call_key": key, "recording": f"https://pbx/{key}.wav"}],
            state,
        )
    done = await callmatrix(database_url, "client", "forget", NUMBER, "--yes")
    assert done.returncode == 0, done.stderr
    left = await _dump(kept)
    assert NUMBER not in left
    assert "https://pbx/b.wav" in left  # the other client's
    assert "https://pbx/nobodys.wav" not in left
    assert await kept.fetchval("SELECT client FROM call WHERE call_key = 'b'") == OTHER


async def test_a_client_with_open_work_is_not_forgotten_half(kept: asyncpg.Pool, database_url: str) -> None:
    await kept.execute("UPDATE effect SET state = 'waiting' WHERE effect_key = 'e-a'")
    before = await _dump(kept)
    done = await callmatrix(database_url, "client", "forget", NUMBER, "--yes")
    assert (done.returncode, "client-busy" in done.stderr) == (1, True)
    assert await _dump(kept) == before
