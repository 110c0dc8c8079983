"""What a person has to change at the database is told with its cause and remedy, by every command that meets it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from gateway.db.fitness import unfit_to_migrate
from gateway.health.database_findings import unusable_finding
from gateway.health.findings import in_words
from gateway.texts.sentences import TEXTS
from runtime.database.pool import Conn
from tests.database_server import administer, with_database
from tests.integration.api.command_line import callmatrix
from tests.integration.api.in_process import typed

READ_ONLY = 'ALTER DATABASE "{name}" SET default_transaction_read_only = on'
ASCII = "ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
RELATIONS = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


@asynccontextmanager
async def a_database(server: str, options: str, *orders: str) -> AsyncIterator[str]:
    """Its address. orders: `{name}` stands for its own."""
    name = f"unfit_{uuid.uuid4().hex[:12]}"
    url = with_database(server, name)
    await administer(server, f'CREATE DATABASE "{name}" {options}')
    try:
        for order in orders:
            await administer(url, order.format(name=name))
        yield url
    finally:
        await administer(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def relations(url: str) -> int:
    conn = await asyncpg.connect(url)
    try:
        return int(await conn.fetchval(RELATIONS))
    finally:
        await conn.close()


@pytest.mark.parametrize(
    ("options", "order", "says", "remedy"),
    [
        ("", "REVOKE CREATE ON SCHEMA public FROM pg_database_owner", "no tables in schema public", "createdb -O"),
        ("", "DROP SCHEMA public", "has no schema for role", "search_path"),
        (ASCII, "SELECT", "stores texts as SQL_ASCII", "-E UTF8"),
        ("", READ_ONLY, "may only be read", "the primary"),
    ],
    ids=["no-create", "no-schema", "encoding", "read-only"],
)  # fmt: skip
async def test_a_database_that_is_not_fit_is_told_before_anything_is_made_there(
    postgres_url: str, options: str, order: str, says: str, remedy: str
) -> None:
    async with a_database(postgres_url, options, order) as url:
        before = await relations(url) if "DROP" not in order else 0
        for words in (("migrate",), ("init", "--yes"), ("check", "--lang", "en")):
            said = await typed(url, *words)
            text = said.out + said.err
            assert said.code == 1, words
            assert (says in text, remedy in text, "should not have" in text) == (True, True, False), text
        assert (await relations(url) if "DROP" not in order else 0) == before


async def test_the_tables_of_another_program_stay_alone(postgres_url: str) -> None:
    tables = "CREATE TABLE account (id int); CREATE TABLE mine (id int)"
    async with a_database(postgres_url, "", tables) as url:
        said = await typed(url, "migrate")
        assert (said.code, "another program: account" in said.err, "of its own" in said.err) == (
            1,
            True,
            True,
        )
        assert await relations(url) == 2


@pytest.mark.parametrize(
    ("order", "says", "remedy"),
    [
        (READ_ONLY, "may only be read", "the primary"),
        ("REVOKE INSERT ON inbox FROM CURRENT_USER", "read and write inbox", "GRANT SELECT, INSERT"),
    ],
    ids=["read-only", "one-table"],
)
async def test_a_process_that_could_not_work_does_not_begin(
    postgres_url: str, template_database: str, order: str, says: str, remedy: str
) -> None:
    async with a_database(postgres_url, f'TEMPLATE "{template_database}"', order) as url:
        served = await callmatrix(url, "serve", CALLMATRIX_PORT="0")
        told = [(served.returncode, served.stdout + served.stderr)]
        for words in (("check", "--lang", "en"), ("migrate",)):
            said = await typed(url, *words)
            told.append((said.code, said.out + said.err))
    for code, text in told:
        assert (code, says in text, remedy in text, "Traceback" in text) == (1, True, True, False), text


@pytest.mark.parametrize(
    ("order", "words", "says", "remedy"),
    [
        ("REVOKE SELECT ON account FROM CURRENT_USER", "account list", "permission denied for table account", "GRANT"),
        ("REVOKE SELECT ON schema_migration FROM CURRENT_USER", "account list", "permission denied", "GRANT"),
        (READ_ONLY, "token add x", "may only be read", "the primary"),
        ('ALTER DATABASE "{name}" SET statement_timeout = 1', "check --lang en", "broke off", "statement_timeout"),
    ],
    ids=["one-table", "our-own-table", "read-only", "time-limit"],
)  # fmt: skip
async def test_what_the_server_refuses_a_command_is_told_with_its_remedy(
    postgres_url: str, template_database: str, order: str, words: str, says: str, remedy: str
) -> None:
    async with a_database(postgres_url, f'TEMPLATE "{template_database}"', order) as url:
        said = await typed(url, *words.split())
    text = said.out + said.err
    assert said.code == 1
    assert (says in text, remedy in text, "should not have" in text) == (True, True, False), text


@pytest.mark.parametrize(
    ("address", "says", "remedy"),
    [
        ("?schema=public", "schema", "stands behind '?'"),
        ("?sslmode=maybe", "sslmode", "stands behind '?'"),
        ("?client_min_messages=loud", "client_min_messages", "stands behind '?'"),
        ("?search_path=nowhere", "schema", "callmatrix migrate"),
        ("?sslmode=require", "SSL", "CALLMATRIX_DATABASE_URL"),
        ("_gone", "does not exist", "createdb -O"),
    ],
)
async def test_an_address_that_asks_for_what_is_not_there_is_told(
    database_url: str, address: str, says: str, remedy: str
) -> None:
    for words in ("account list", "check --lang en"):
        said = await typed(database_url + address, *words.split())
        text = said.out + said.err
        assert said.code == 1
        assert (says in text, "should not have" in text) == (True, False), text
        assert remedy in text or words != "account list", text


class OldServer:
    """A server that says that it is PostgreSQL 14."""

    async def fetchrow(self, _sql: str) -> dict[str, object]:
        return {
            "version_num": 140011, "version": "14.11", "encoding": "UTF8", "is_read_only": False, "role": "me",
            "schema": "public", "may_create": True,
        }  # fmt: skip


async def test_an_old_server_is_told_with_its_version() -> None:
    old: Conn = OldServer()  # type: ignore[assignment]
    unfit = await unfit_to_migrate(old)
    assert unfit is not None
    for language in ("ru", "en"):
        said = in_words(unusable_finding(unfit), TEXTS[language])
        assert ("14.11" in said.message, "15" in said.remedy) == (True, True)


@pytest.mark.parametrize(
    ("err", "code"),
    [
        (asyncpg.DiskFullError("could not extend file: No space left on device"), "database-full"),
        (asyncpg.TooManyConnectionsError("sorry, too many clients already"), "database-crowded"),
        (asyncpg.InvalidPasswordError("password authentication failed"), "database-refuses-login"),
        (asyncpg.UntranslatableCharacterError("no equivalent in LATIN1"), "database-cannot-encode"),
        (asyncpg.InvalidSchemaNameError("no schema has been selected"), "database-names-no-schema"),
        (OSError("refused"), "database-unreachable"),
    ],
)
def test_what_no_test_can_bring_about_has_its_words_too(err: Exception, code: str) -> None:
    for language in ("ru", "en"):
        said = in_words(unusable_finding(err), TEXTS[language])
        assert (said.code, str(err) in said.message, bool(said.remedy)) == (code, True, True)
