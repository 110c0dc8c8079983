"""What a person orders wrongly is refused in the same words by command line, API and file, and nothing is stored."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import asyncpg
import pytest

from gateway.admin.config_document import ConfigDocument, ConfigRefused
from gateway.admin.config_import import import_config
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.test_matrices_cli import callmatrix

CONNECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "a line that is no number": (
        {"lines": ["12345678901234567890"]},
        "'12345678901234567890' is not a phone number",
    ),
    "a misspelt setting": ({"settings": {"ami_hots": "10.0.0.5"}}, "'ami_hots' is not known here"),
    "a number of digits that is none": (
        {"settings": {"extension_digits": "zz"}},
        "'zz' is no value of extension_digits",
    ),
    "a port that is none": ({"settings": {"ami_port": "70000"}}, "'70000' is no value of ami_port"),
    "a switch that is neither on nor off": (
        {"settings": {"ami_tls": "maybe"}},
        "'maybe' is no value of ami_tls",
    ),
    "a time zone on Mars": ({"settings": {"time_zone": "Mars/X"}}, "'Mars/X' is no value of time_zone"),
    "a spelling of numbers that nobody has": (
        {"settings": {"number_spelling": "zz"}},
        "'zz' is no value of number_spelling",
    ),
    "a dialect that nobody speaks": ({"dialect": "nonsense"}, "'nonsense' is not known here"),
    "a kind that nobody made": ({"kind": "panasonic"}, "'panasonic' is not known here"),
    "a region that is none": ({"region": "XX"}, "'XX' is no region"),
}
PLACES: dict[str, tuple[dict[str, str], str]] = {
    "a time zone on Mars": ({"time_zone": "Mars/X"}, "there is no time zone 'Mars/X'"),
    "a country that is none": ({"region": "XX"}, "there is no country code 'XX'"),
}
EMPLOYEES: dict[str, tuple[dict[str, Any], str]] = {
    "a number that is none": ({"numbers": ["123"]}, "'123' is not a phone number"),
    "a deputy who is nobody": ({"deputy_id": "ghost"}, "'ghost' is no employee"),
    "an extension of somebody else": ({"extensions": ["101"]}, "'101' belongs to Анна already"),
}


async def imported(pool: asyncpg.Pool, **parts: Any) -> str:
    """What a file with these parts is refused with."""
    document = ConfigDocument.model_validate(parts)
    async with pool.acquire() as conn, conn.transaction():
        with pytest.raises(ConfigRefused) as refused:
            await import_config(conn, ACCOUNT, document, by="anna")
    return str(refused.value)


async def stored(pool: asyncpg.Pool) -> list[tuple[str, ...]]:
    rows = await pool.fetch(
        "SELECT 'connection' AS what, name FROM connection UNION ALL SELECT 'employee', employee_id FROM employee ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("case", CONNECTIONS)
async def test_a_bad_connection_is_refused_in_the_same_words(
    api: Api, pool: asyncpg.Pool, database_url: str, case: str
) -> None:
    wrong, words = CONNECTIONS[case]
    order = {"name": "branch", "kind": "asterisk", **wrong}
    before = await stored(pool)
    by_api = await api.ask("POST", "{a}/connections", status=400, body=order)
    assert by_api["title"] == words
    assert words in await imported(pool, connections=[order])
    options = [
        *("--kind", str(order["kind"])),
        *(("--dialect", str(order["dialect"])) if "dialect" in order else ()),
        *(("--region", str(order["region"])) if "region" in order else ()),
        *(word for line in order.get("lines", ()) for word in ("--line", line)),
        *(
            word
            for name, value in order.get("settings", {}).items()
            for word in ("--setting", f"{name}={value}")
        ),
    ]
    by_hand = await callmatrix(database_url, "connection", "add", "branch", *options)
    assert (by_hand.returncode in (1, 2), words in by_hand.stderr) == (True, True), by_hand.stderr
    assert await stored(pool) == before


async def test_a_misspelt_key_is_refused_in_the_same_words(
    api: Api, pool: asyncpg.Pool, database_url: str
) -> None:
    """Files carry no keys."""
    order = {"name": "branch", "kind": "mango", "keys": {"api_kye": "z"}}
    words = "'api_kye' is not known here"
    assert (await api.ask("POST", "{a}/connections", status=400, body=order))["title"] == words
    by_hand = await callmatrix(
        database_url, "connection", "add", "branch", "--kind", "mango", "--key", "api_kye=z"
    )
    assert (by_hand.returncode, words in by_hand.stderr) == (1, True), by_hand.stderr


@pytest.mark.parametrize("case", EMPLOYEES)
async def test_a_bad_employee_is_refused_in_the_same_words(api: Api, pool: asyncpg.Pool, case: str) -> None:
    wrong, words = EMPLOYEES[case]
    before = await stored(pool)
    taken = 409 if "belongs" in words else 400
    by_api = await api.ask("PUT", "{a}/employees/boris", status=taken, body={"name": "Борис", **wrong})
    assert by_api["title"] == words
    people = [
        {"id": "anna", "name": "Анна", "extensions": ["101"]},
        {"id": "boris", "name": "Борис", **wrong},
    ]
    assert words in await imported(pool, employees=people)
    assert await stored(pool) == before


async def test_a_line_in_national_spelling_is_stored_as_the_number_that_it_is(
    api: Api, pool: asyncpg.Pool, database_url: str
) -> None:
    added = await callmatrix(
        database_url, "connection", "add", "branch", "--kind", "generic", "--line", "8 (495) 123-45-67"
    )
    assert added.returncode == 0, added.stderr
    assert await pool.fetchval("SELECT lines FROM connection WHERE name = 'branch'") == ["+74951234567"]


@pytest.mark.parametrize("case", PLACES)
async def test_an_account_in_a_bad_place_is_refused_in_the_same_words(
    api: Api, pool: asyncpg.Pool, database_url: str, case: str
) -> None:
    wrong, words = PLACES[case]
    before = [tuple(row) for row in await pool.fetch("SELECT * FROM account")]
    new = {"id": "second", "url": "http://127.0.0.1:1", "token": "x" * 20, **wrong}
    assert (await api.ask("POST", "/accounts", status=400, body=new))["title"] == words
    change = {"name": "A", "time_zone": "Europe/Moscow", "region": "RU", **wrong}
    assert (await api.ask("PUT", "{a}", status=400, body=change))["title"] == words
    assert words in await imported(pool, **wrong)
    options = [word for name, value in wrong.items() for word in (f"--{name.replace('_', '-')}", value)]
    by_hand = await add_account(database_url, "second", *options)
    assert (by_hand.returncode, words in by_hand.stderr) == (1, True), by_hand.stderr
    assert [tuple(row) for row in await pool.fetch("SELECT * FROM account")] == before


async def test_a_bad_short_name_of_an_account_is_refused_without_showing_what_the_database_holds(
    pool: asyncpg.Pool, database_url: str
) -> None:
    by_hand = await add_account(database_url, "A B")
    assert by_hand.returncode == 1
    assert by_hand.stderr.startswith("Error: account 'A B' is not added")
    assert "Traceback" not in by_hand.stderr + by_hand.stdout


@pytest.mark.parametrize("priority", [[], ["lead", "lead"]])
async def test_a_search_that_would_ring_nobody_is_refused(
    api: Api, pool: asyncpg.Pool, priority: list[str]
) -> None:
    settings = await api.ask("GET", "{a}/settings")
    settings["lookup"]["priority"] = priority
    words = "the order of the search is empty or names one twice"
    assert (await api.ask("PUT", "{a}/settings", status=400, body=settings))["title"] == words
    assert words in await imported(pool, settings=settings)
    assert (await api.ask("GET", "{a}/settings"))["lookup"]["priority"] != priority


async def test_the_prefix_that_phones_dial_is_a_setting_of_asterisk(api: Api) -> None:
    order = {"name": "branch", "kind": "asterisk", "settings": {"outside_prefix": "9,00", "ami_port": 5038}}
    await api.ask("POST", "{a}/connections", status=201, body=order)


async def add_account(database_url: str, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [
            sys.executable,
            "-m",
            "gateway.cli",
            "account",
            "add",
            name,
            "--url",
            "http://127.0.0.1:1",
            "--token",
            "-",
            *options,
        ],
        input="x" * 20,
        env={**os.environ, "CALLMATRIX_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
    )
