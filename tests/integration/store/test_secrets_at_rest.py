"""Nothing that opens a CRM or a PBX stands in the database as it is, and no secret is lost on the way there."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from crm.amocrm.store import PgTokenStore, read_token, store_long_lived_token
from crm.amocrm.tokens import StoredToken
from crm.errors import CrmUnavailable
from gateway.admin.protection.secrets_at_rest import (
    NoSecretsKey,
    prepare_secrets,
    rotate_secrets,
)
from gateway.health.secret_checks import secrets_findings, secrets_state
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.store.admin.sealed_rows import PLACES
from gateway.store.crm_accounts.webhooks import Grant, begin_grant, take_grant
from gateway.worker.retention import clean
from runtime.database.pool import open_pool
from runtime.database.sealing import KeyRing, SecretsKeyMissing, key_ring, new_key
from tests.integration.api.command_line import callmatrix

OLD, NEW = new_key(), new_key()
SECRETS = ("hook-secret", "access-secret", "refresh-secret", "client-secret", "ami-secret", "grant-secret")


async def _opened(database_url: str, keys: KeyRing) -> asyncpg.Pool:
    return await open_pool(database_url, max_size=4, keys=keys)


@pytest.fixture
async def sealing(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """With the old key."""
    pool = await _opened(database_url, key_ring(OLD, None))
    yield pool
    await pool.close()


async def _fill(pool: asyncpg.Pool, account_id: str = "main") -> str:
    """One secret of each kind; return the state of the grant."""
    async with pool.acquire() as conn, conn.transaction():
        await rows.add_account(
            conn,
            account_id=account_id,
            name="Main",
            base_url="http://crm.example",
            webhook_secret="hook-secret",
        )
        await rows.add_connection(
            conn,
            account_id=account_id,
            name=f"pbx-{account_id}",
            kind="asterisk",
            secret="s",
            keys={"ami_user": "u", "ami_secret": "ami-secret"},
        )
        grant = Grant(
            account_id=account_id, client_id="c", client_secret="grant-secret", redirect_uri="http://x"
        )
        state = await begin_grant(conn, grant)
    await PgTokenStore(pool, account_id).save(
        StoredToken(
            kind="oauth",
            access_token="access-secret",
            refresh_token="refresh-secret",
            client_id="c",
            client_secret="client-secret",
        )
    )
    return state


async def _dump(pool: asyncpg.Pool) -> str:
    """Every row of every table, as text."""
    tables = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    found = [await pool.fetch(f'SELECT t::text FROM "{t["tablename"]}" t') for t in tables]
    return "\n".join(row[0] for part in found for row in part)


async def _is_whole(pool: asyncpg.Pool, account_id: str = "main") -> bool:
    async with pool.acquire() as conn:
        account, token = await rows.account(conn, account_id), await read_token(conn, account_id)
        (connection,) = await rows.connections(conn, account_id)
    assert token is not None
    return (account.webhook_secret, token.access_token, token.refresh_token, token.client_secret) == SECRETS[
        :4
    ] and (connection.keys == {"ami_user": "u", "ami_secret": "ami-secret"})


async def test_no_secret_stands_in_any_table_and_each_comes_back(sealing: asyncpg.Pool) -> None:
    state = await _fill(sealing)
    stored = await _dump(sealing)
    assert not [secret for secret in SECRETS if secret in stored]
    assert await _is_whole(sealing)
    async with sealing.acquire() as conn:
        grant = await take_grant(conn, state, datetime.now(UTC))
    assert grant is not None
    assert grant.client_secret == "grant-secret"


async def test_every_column_that_could_hold_a_secret_is_sealed_or_a_hash(pool: asyncpg.Pool) -> None:
    found = await pool.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name NOT LIKE 'procrastinate%'"
        " AND column_name ~ '(secret|token|password|keys$|_key$)'"
    )
    sealed = {(place.table, place.column) for place in PLACES}
    hashed = {
        ("api_token", "token_hash"),
        ("connection", "secret_hash"),
        ("admin_user", "password_hash"),
        ("page_session", "secret_hash"),
        ("sign_in_link", "secret_hash"),
        ("frame_token", "secret_hash"),
    }
    no_secrets = {
        (table, column)
        for table, column in ((r["table_name"], r["column_name"]) for r in found)
        if column in ("call_key", "dedupe_key", "effect_key", "cause_key", "client_key", "own_key")
    }
    assert {(r["table_name"], r["column_name"]) for r in found} == sealed | hashed | no_secrets


async def test_a_secret_that_was_moved_to_another_row_opens_nothing(sealing: asyncpg.Pool) -> None:
    await _fill(sealing)
    await _fill(sealing, "other")
    await sealing.execute(
        "UPDATE crm_token SET access_token = (SELECT access_token FROM crm_token WHERE account_id = 'other')"
        " WHERE account_id = 'main'"
    )
    await sealing.execute("UPDATE connection SET keys = jsonb_set(keys, '{ami_user}', keys->'ami_secret')")
    async with sealing.acquire() as conn:
        with pytest.raises(CrmUnavailable, match="changed or moved"):
            await read_token(conn, "main")
        (connection,) = await rows.connections(conn, "main")
        assert connection.keys == {"ami_secret": "ami-secret"}  # the others go on
        assert "secrets-spoilt" in {f.code for f in secrets_findings(await secrets_state(conn))}
    assert await _is_whole(sealing, "other") is False  # its connection's key was moved as well
    async with sealing.acquire() as conn:
        assert (await read_token(conn, "other")) is not None


async def test_what_stood_in_plain_text_is_sealed_by_whichever_process_starts_first(
    pool: asyncpg.Pool, sealing: asyncpg.Pool
) -> None:
    for number in range(120):
        await _fill(pool, f"a{number:03}")
    assert "access-secret" in await _dump(pool)
    await asyncio.gather(*(prepare_secrets(sealing) for _ in range(4)))
    stored = await _dump(pool)
    assert not [secret for secret in SECRETS if secret in stored]
    assert all([await _is_whole(sealing, f"a{number:03}") for number in range(120)])
    before = await pool.fetch("SELECT webhook_secret FROM account ORDER BY 1")
    await prepare_secrets(sealing)
    assert await pool.fetch("SELECT webhook_secret FROM account ORDER BY 1") == before  # nothing twice


async def test_processes_that_are_killed_while_they_seal_lose_nothing(
    pool: asyncpg.Pool, database_url: str
) -> None:
    for number in range(60):
        await _fill(pool, f"a{number:03}")
    script = (
        "import asyncio\n"
        "from gateway.settings import Settings\n"
        "from gateway.serve import configured_pool\n"
        "async def main():\n"
        "    async with configured_pool(Settings(), 'sealing', 2): print('done', flush=True)\n"
        "asyncio.run(main())\n"
    )
    env = {**os.environ, "CALLMATRIX_DATABASE_URL": database_url, "CALLMATRIX_SECRETS_KEY": OLD}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE)

    query = "SELECT count(*) FROM account WHERE webhook_secret LIKE 'sealed:%'"
    killed = start()
    while not await pool.fetchval(query) and killed.poll() is None:
        await asyncio.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    others = [start(), start()]
    for process in others:
        await asyncio.to_thread(process.communicate)
        assert process.returncode == 0
    keyed = await _opened(database_url, key_ring(OLD, None))
    assert await pool.fetchval(query) == 60
    assert all([await _is_whole(keyed, f"a{number:03}") for number in range(60)])
    await keyed.close()


async def test_a_new_key_takes_over_while_the_keys_are_used(pool: asyncpg.Pool, database_url: str) -> None:
    old = await _opened(database_url, key_ring(OLD, None))
    both = await _opened(database_url, key_ring(f"{NEW} {OLD}", None))
    await _fill(old)
    written = 0

    async def refresh() -> None:
        nonlocal written
        for _ in range(40):
            async with both.acquire() as conn, conn.transaction():
                token = await read_token(conn, "main")
                assert token is not None
                await PgTokenStore(both, "main").save(token)
            written += 1

    told: list[int] = []
    async with both.acquire() as conn:
        _, first = await asyncio.gather(refresh(), rotate_secrets(conn, told.append))
        again = await rotate_secrets(conn, told.append)
        state = await secrets_state(conn)
    assert written == 40
    assert first.sealed + again.sealed >= 3  # the token itself may have been written by the refresh first
    assert again.left == 0
    assert [(use.is_newest, use.secrets) for use in state.keys] == [(True, 7), (False, 0)]
    new_only = await _opened(database_url, key_ring(NEW, None))
    await prepare_secrets(new_only)
    assert await _is_whole(new_only)
    for each in (old, both, new_only):
        await each.close()


async def test_rotation_without_a_key_says_how_to_get_one(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(NoSecretsKey):
            await rotate_secrets(conn, lambda _: None)


async def test_without_the_key_a_process_names_it_and_changes_nothing(
    pool: asyncpg.Pool, sealing: asyncpg.Pool, database_url: str, tmp_path: Path
) -> None:
    await _fill(sealing)
    await pool.execute("UPDATE account SET webhook_secret = 'plain'")
    before = await _dump(pool)
    key_id = key_ring(OLD, None).ids[0]
    wrong = await _opened(database_url, key_ring(NEW, None))
    for keyless in (pool, wrong):
        with pytest.raises(SecretsKeyMissing, match=key_id):
            await prepare_secrets(keyless)
    await wrong.close()
    for words in (("serve", "--role", "worker"), ("migrate",)):
        done = await callmatrix(database_url, *words)
        assert done.returncode == 1
        assert key_id in done.stderr
        assert "CALLMATRIX_SECRETS_KEY_FILE" in done.stderr
        assert "Traceback" not in done.stderr
    assert await _dump(pool) == before


async def test_a_process_without_a_key_puts_no_plain_secret_among_sealed_ones(
    pool: asyncpg.Pool, sealing: asyncpg.Pool
) -> None:
    await _fill(sealing)
    async with pool.acquire() as conn:
        with pytest.raises(SecretsKeyMissing):
            await store_long_lived_token(conn, "main", "new")
        assert [account.id for account in await rows.accounts(conn)] == ["main"]  # what is no secret is read


@pytest.mark.parametrize(
    "words",
    [
        ("connection", "add", "second", "--kind", "ringostat", "--key", "auth_key=X", "--account", "main"),
        ("connection", "set", "pbx-main", "--key", "ami_secret=X", "--key", "ami_user=Y"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
async def test_a_command_with_another_key_seals_nothing_and_names_the_right_one(
    sealing: asyncpg.Pool, database_url: str, words: tuple[str, ...]
) -> None:
    await _fill(sealing)
    before = await _dump(sealing)
    done = await callmatrix(database_url, *words, CALLMATRIX_SECRETS_KEY=NEW)
    assert (done.returncode, key_ring(OLD, None).ids[0] in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
    assert await _dump(sealing) == before


async def test_a_token_is_not_sealed_over_with_another_key(sealing: asyncpg.Pool, database_url: str) -> None:
    await _fill(sealing)
    wrong = await _opened(database_url, key_ring(NEW, None))
    async with wrong.acquire() as conn:
        with pytest.raises(SecretsKeyMissing):
            await store_long_lived_token(conn, "main", "new")
    await wrong.close()
    assert await _is_whole(sealing)


async def test_a_key_that_nothing_is_sealed_with_any_more_is_asked_of_nobody(
    sealing: asyncpg.Pool, database_url: str
) -> None:
    await _fill(sealing)
    await sealing.execute("INSERT INTO secret_key (key_id) VALUES ('00000000')")
    await prepare_secrets(sealing)
    both = await _opened(database_url, key_ring(f"{NEW} {OLD}", None))
    async with both.acquire() as conn:
        await store_long_lived_token(conn, "main", "new")
    await both.close()


async def test_an_installation_without_any_key_goes_on_and_is_warned(
    pool: asyncpg.Pool, database_url: str
) -> None:
    await _fill(pool)
    await prepare_secrets(pool)
    assert await _is_whole(pool)
    found = json.loads((await callmatrix(database_url, "check", "--json")).stdout)
    (line,) = [finding for finding in found if finding["code"].startswith("secrets-")]
    assert (line["code"], line["is_ok"], line["is_warning"]) == ("secrets-unsealed", True, True)
    assert "secrets generate" in line["remedy"]


async def test_check_says_with_which_key_secrets_are_sealed_and_warns_of_nothing_else(
    sealing: asyncpg.Pool, database_url: str
) -> None:
    await _fill(sealing)
    await prepare_secrets(sealing)
    done = await callmatrix(database_url, "check", CALLMATRIX_SECRETS_KEY=OLD)
    assert done.returncode in (0, 1), done.stderr
    assert key_ring(OLD, None).ids[0] in done.stdout
    assert "secret-unreadable" not in done.stderr
    assert "TypeError" not in done.stderr


async def test_commands_say_once_in_words_that_the_key_does_not_fit(
    sealing: asyncpg.Pool, database_url: str
) -> None:
    await _fill(sealing)
    await prepare_secrets(sealing)
    done = await callmatrix(database_url, "connection", "list", CALLMATRIX_SECRETS_KEY=NEW)
    assert done.returncode == 0, done.stderr
    assert "secret-unreadable" not in done.stderr
    assert done.stderr.count("cannot be opened with the key that is given here") == 1


async def test_grants_that_nobody_came_back_with_are_cleaned_away(
    sealing: asyncpg.Pool, database_url: str
) -> None:
    await _fill(sealing)
    await sealing.execute("UPDATE oauth_state SET expires_at = $1", datetime.now(UTC) - timedelta(minutes=1))
    await clean(sealing, Settings(_env_file=None, database_url=database_url))
    assert await sealing.fetchval("SELECT count(*) FROM oauth_state") == 0


async def test_the_key_on_the_command_line_is_made_shown_and_changed(
    pool: asyncpg.Pool, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fill(pool)
    keys = tmp_path / "keys"
    keys.write_text((await callmatrix(database_url, "secrets", "generate")).stdout)
    monkeypatch.setenv("CALLMATRIX_SECRETS_KEY_FILE", str(keys))
    assert (await callmatrix(database_url, "migrate")).returncode == 0
    assert "access-secret" not in await _dump(pool)
    keys.write_text((await callmatrix(database_url, "secrets", "generate")).stdout + keys.read_text())
    done = json.loads((await callmatrix(database_url, "secrets", "rotate", "--json")).stdout)
    assert (done["sealed"], done["left"]) == (6, 0)
    keys.write_text(keys.read_text().splitlines()[0])
    state = json.loads((await callmatrix(database_url, "secrets", "status", "--json")).stdout)
    assert [(use["is_newest"], use["secrets"]) for use in state["keys"]] == [(True, 7)]
    assert state["unreadable"] == []
