"""Tokens end where they should: those of one name one by one, those of a question by themselves, withdrawn ones soon."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

from gateway.configuration import Configuration
from gateway.store.admin import accounts
from runtime.database.listen import Listener
from runtime.lifecycle import background
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix
from tests.waiting import until


async def test_an_accounts_admin_withdraws_no_token_of_the_same_name_elsewhere(
    api: Api, pool: asyncpg.Pool
) -> None:
    """Of one name there are several from former times only."""
    async with pool.acquire() as conn:
        for account in (ACCOUNT, "other"):
            await accounts.add_api_token(conn, name="dup", role="manager", account_id=account)
    await api.ask("PATCH", "/tokens/dup", role="other", body={"role": "read_only"})
    await api.ask("DELETE", "/tokens/dup", role="other", status=204)
    left = await pool.fetch("SELECT account_id, role FROM api_token WHERE name = 'dup'")
    assert [tuple(row) for row in left] == [(ACCOUNT, "manager")]
    await api.ask("DELETE", "/tokens/dup", role="other", status=404)


async def test_the_token_of_a_question_ends_by_itself_when_the_command_is_killed(
    api: Api, pool: asyncpg.Pool, database_url: str
) -> None:
    await pool.execute(
        "CREATE TABLE seen (expires_at timestamptz); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO seen VALUES (NEW.expires_at); RETURN NEW; END $$;"
        " CREATE TRIGGER seen AFTER INSERT ON api_token FOR EACH ROW EXECUTE FUNCTION note()"
    )
    port = api.url.rsplit(":", 1)[1]
    done = await callmatrix(database_url, "lookup", "79001234567", "--json", CALLMATRIX_PORT=port)
    assert json.loads(done.stdout)["caller"] == "+79001234567"
    lasts = await pool.fetchval("SELECT max(expires_at) - now() < interval '6 minutes' FROM seen")
    assert lasts is True


async def test_a_withdrawn_token_is_no_good_although_nothing_can_be_heard(
    pool: asyncpg.Pool, database_url: str
) -> None:
    async with pool.acquire() as conn:
        await accounts.add_api_token(conn, name="t", role="admin")
    configuration = Configuration(pool, Listener(database_url), deaf_seconds=0.1)  # never connected
    await configuration.reload()
    assert configuration.now.tokens

    async def are_none_left() -> bool:
        return not configuration.now.tokens

    async with background(configuration.run()):
        await pool.execute("DELETE FROM api_token")
        await until(are_none_left, "the token is forgotten")


async def test_a_connections_keys_need_not_stand_in_the_command(
    api: Api, pool: asyncpg.Pool, database_url: str
) -> None:
    add = ("connection", "add", "cloud", "--account", ACCOUNT, "--kind", "mango")
    keys = ("--key", "api_key=-", "--key", "api_salt=-")
    done = await callmatrix(database_url, *add, *keys, stdin="the key\nthe salt\n")
    assert (done.returncode, "warning" in done.stderr) == (0, False), done.stderr
    async with pool.acquire() as conn:
        (cloud,) = [c for c in await accounts.connections(conn) if c.name == "cloud"]
    assert cloud.keys == {"api_key": "the key", "api_salt": "the salt"}
    shown = (
        "connection",
        "add",
        "other-cloud",
        "--account",
        ACCOUNT,
        "--kind",
        "mango",
        "--key",
        "api_key=k",
    )
    done = await callmatrix(database_url, *shown)
    assert done.returncode == 0
    assert "warning: others on this machine can read what --key said" in done.stderr


async def test_what_a_token_with_an_end_lets_in_ends_no_later(api: Api) -> None:
    """An API key of a week, found in a file, is worth nothing after that week, whatever was made with it."""
    for name, days in (("week", 7), ("month", 30)):
        body = {"name": name, "role": "admin", "days": days}
        api.tokens[name] = (await api.ask("POST", "/tokens", status=201, body=body))["token"]
    await api.ask("POST", "/tokens", status=201, body={"name": "reader", "role": "read_only"})
    await api.ask("POST", "/users", status=201, body={"login": "olga", "role": "manager", "account": ACCOUNT})
    before = await api.ask("GET", "/tokens"), await api.ask("GET", "/users")
    refused: list[tuple[str, str, dict[str, Any], str]] = [
        ("POST", "/tokens", {"name": "t", "role": "read_only"}, "days"),
        ("POST", "/tokens", {"name": "t", "role": "read_only", "days": 8}, "days"),
        ("PATCH", "/tokens/reader", {"role": "manager"}, "role"),
        ("PATCH", "/tokens/reader", {"account": ACCOUNT, "employee": "anna"}, "employee"),
        ("PATCH", "/tokens/month", {"account": ACCOUNT, "employee": "anna"}, "employee"),
        ("POST", "/users", {"login": "petr", "role": "read_only"}, "login"),
        ("PATCH", "/users/olga", {"role": "admin"}, "role"),
        ("PATCH", "/users/olga", {"account": None}, "account"),
        ("PATCH", "/users/olga", {"employee": "anna"}, "employee"),
        ("PUT", "/users/olga/password", {}, "password"),
        ("PUT", "/users/olga/password", {"password": "a whole sentence"}, "password"),
    ]
    for method, path, body, field in refused:
        told = await api.ask(method, path, role="week", status=403, body=body)
        assert (told["code"], told["field"]) == ("outlives-granter", field), (path, body)
    assert (await api.ask("GET", "/tokens"), await api.ask("GET", "/users")) == before
    taken: list[tuple[str, str, int, dict[str, Any]]] = [
        ("POST", "/tokens", 201, {"name": "t", "role": "admin", "days": 6}),
        ("PATCH", "/tokens/t", 200, {"role": "manager"}),
        ("PATCH", "/tokens/month", 200, {"role": "read_only"}),
        ("PATCH", "/tokens/reader", 200, {"account": ACCOUNT}),
        ("PATCH", "/users/olga", 200, {"role": "read_only", "is_on": False}),
        ("DELETE", "/tokens/reader", 204, {}),
    ]
    for method, path, status, body in taken:
        await api.ask(method, path, role="week", status=status, body=body)  # less, or no longer
    told = await api.ask("PATCH", "/users/olga", role="week", status=403, body={"is_on": True})
    assert (told["code"], told["field"]) == ("outlives-granter", "is_on")
