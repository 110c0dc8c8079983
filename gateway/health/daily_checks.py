"""The published matrix, the templates and the triggers of every account, checked daily and whenever something that they name has changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from gateway.distribution.template_checks import problems_of_all
from gateway.store.admin.accounts import NoSuchAccount, accounts
from gateway.store.admin.matrices import current_version, matrix_at
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.crm_accounts.exchanges import report, reports
from gateway.triggers import checks as trigger_checks
from routing.matrix.checks.check import check
from runtime.database import channels, locks
from runtime.database.changes import publish
from runtime.database.listen import Listener
from runtime.database.pool import Conn
from runtime.loops import Loop

log = structlog.get_logger(__name__)

MATRIX_REPORT = "matrix_checks"
TEMPLATE_REPORT = "template_checks"
TRIGGER_REPORT = "trigger_checks"
_DAY = timedelta(days=1)
_LOOK_SECONDS = 600.0
_CALM_SECONDS = 0.5  # changes that come together are checked once


class DailyChecks:
    """`run` until cancelled. Any number of workers may: one of them checks an account at a time."""

    def __init__(self, pool: asyncpg.Pool, listener: Listener) -> None:
        self._pool = pool
        self._changed: set[str] = set()
        self.loop = Loop("matrix_checks", self.check_due, _LOOK_SECONDS, _CALM_SECONDS)
        self._missed_some = False
        self._listener = listener

    async def run(self) -> None:
        with self._listener.subscribe([channels.CATALOGUE], self._notified, self._connected):
            await self.loop.run()

    async def check_due(self) -> int:
        """How many accounts were checked: those that changed, and those not checked for a day."""
        async with self._pool.acquire() as conn:
            ids = [a.id for a in await accounts(conn)]
            checked = {r["account_id"]: r["at"] for r in await reports(conn) if r["report"] == MATRIX_REPORT}
        yesterday = datetime.now(UTC) - _DAY
        changed, self._changed = self._changed | set(ids if self._missed_some else ()), set()
        self._missed_some = False
        due = [a for a in ids if a in changed or a not in checked or checked[a] < yesterday]
        for index, account_id in enumerate(due):
            try:
                await self._check(account_id)
            except NoSuchAccount:
                continue
            except BaseException:
                self._changed |= changed & set(due[index:])
                raise
        return len(due)

    async def _check(self, account_id: str) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            await locks.take(conn, locks.matrix_checks(account_id))
            matrix = await matrix_at(conn, account_id, await current_version(conn, account_id))
            problems = check(matrix, await catalogue_of(conn, account_id))
            errors = sum(p.severity == "error" for p in problems)
            body = {
                "version": matrix.version,
                "errors": errors,
                "warnings": len(problems) - errors,
                "problems": [p.model_dump() for p in problems],
            }
            await report(conn, account_id, MATRIX_REPORT, body)
            await _check_templates(conn, account_id)
            await _check_triggers(conn, account_id)
            await publish(conn, account_id, "findings")
        if errors:
            log.info("matrix-has-errors", account=account_id, version=matrix.version, errors=errors)

    def _notified(self, _channel: str, account_id: str) -> None:
        self._changed.add(account_id)
        self.loop.wake()

    def _connected(self) -> None:
        """Look at everything again: what changed while nobody listened is not known."""
        self._missed_some = True
        self.loop.wake()


async def _check_templates(conn: Conn, account_id: str) -> None:
    found = await problems_of_all(conn, account_id)
    errors = sum(problem.severity == "error" for _, problem in found)
    body = {
        "errors": errors,
        "warnings": len(found) - errors,
        "problems": [{"template": name, **problem.model_dump()} for name, problem in found],
    }
    await report(conn, account_id, TEMPLATE_REPORT, body)
    if errors:
        log.info("templates-have-errors", account=account_id, errors=errors)


async def _check_triggers(conn: Conn, account_id: str) -> None:
    found = await trigger_checks.problems_of_all(conn, account_id)
    errors = sum(problem.severity == "error" for _, problem in found)
    told = [
        {"trigger": name, **dict(zip(("message", "remedy"), one.in_words("ru"), strict=True))}
        | dict(zip(("message_en", "remedy_en"), one.in_words("en"), strict=True))
        for name, one in found
    ]
    body = {"errors": errors, "warnings": len(found) - errors, "problems": told}
    await report(conn, account_id, TRIGGER_REPORT, body)
    if errors:
        log.info("triggers-have-errors", account=account_id, errors=errors)
