"""Tokens end where they should: those of one name one by one, those of a question by themselves, withdrawn ones soon."""

from __future__ import annotations

import json

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
