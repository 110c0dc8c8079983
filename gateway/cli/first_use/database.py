"""The first step of `init`: a database that answers, with the schema up to date."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import asyncpg

from gateway.cli.first_use.guide import FirstUse, InitOutcome
from gateway.cli.output import database_refusal, run
from gateway.db.fitness import DatabaseUnfit, unfit_to_migrate, unfit_to_work
from gateway.db.migrate import migrate, missing_migrations
from gateway.serve import configured_pool
from gateway.settings import Settings
from runtime.database.errors import DATABASE_ERRORS, cause_of
from runtime.failure import Failure

_PATIENCE_SECONDS = 10.0


def database(guide: FirstUse) -> InitOutcome:
    talk, is_known = guide.talk, Settings().database_url is not None
    if not is_known and not guide.answers.database_url and not talk.is_person:
        talk.say("database.left")
        return "left"
    if is_known:
        _refuse_another(guide)
    missing = guide.until_right(lambda: _reached(guide), "database_url")
    if not missing:
        talk.say("database.found")
        return "found" if is_known else "done"
    if not talk.agree("database.migrate?", count=len(missing)):
        talk.say("database.not-migrated")
        return "left"
    applied = run(_migrate())
    talk.say("database.migrated", count=len(applied))
    return "done"


def _refuse_another(guide: FirstUse) -> None:
    given, known = guide.answers.database_url, str(Settings().database_url)
    if given and given != known:  # they may differ in the password only, which is not shown
        shown, there = without_password(given), without_password(known)
        shown += " " if shown == there else ""
        guide.refuse_other("--database-url", shown, there, "env", name="CALLMATRIX_DATABASE_URL")


def _reached(guide: FirstUse) -> list[str]:
    """Return the migrations that are missing there."""
    url = str(Settings().database_url or "")
    if not url:
        # A password stands in it: it is typed unseen, and shown without.
        url = guide.answers.database_url or guide.talk.ask("database.ask", is_secret=True)
        _refuse_no_database(url)
        guide.talk.say("database.address", url=without_password(url))
    missing = run(_missing(url))
    if Settings().database_url is None:
        guide.remember("CALLMATRIX_DATABASE_URL", url)
    return missing


def without_password(url: str) -> str:
    """Return an address that may be shown: its password, in whichever place, is an ellipsis."""
    parts = urlsplit(url)
    who, at, host = parts.netloc.rpartition("@")
    user, colon, _ = who.partition(":")
    shown = f"{user}{':…' if colon else ''}{at}{host}"
    return f"{parts.scheme}://{shown}{parts.path}{'?…' if parts.query else ''}"


def _refuse_no_database(url: str) -> None:
    """Raise Failure where this cannot be the address of a PostgreSQL database."""
    try:
        Settings(database_url=url)
    except ValueError as err:
        raise Failure(
            "this is no address of a PostgreSQL database",
            "",
            "write it as postgresql://user:password@host:5432/database",
        ) from err


async def _missing(url: str) -> list[str]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            conn = await asyncpg.connect(url)
        try:
            missing = await missing_migrations(conn)
            unfit = await (unfit_to_migrate(conn) if missing else unfit_to_work(conn))
        finally:
            await conn.close()
        if unfit:
            raise unfit
        return missing
    except (*DATABASE_ERRORS, ValueError, DatabaseUnfit) as err:
        if refused := database_refusal(err):
            raise refused from err
        raise Failure(
            "the database cannot be reached",
            cause_of(err),
            "see host, port, name, user and password; make it with createuser and createdb",
        ) from err


async def _migrate() -> list[str]:
    settings = Settings()
    applied = await migrate(str(settings.database_url))
    async with configured_pool(settings, "callmatrix init", 1):
        return applied
