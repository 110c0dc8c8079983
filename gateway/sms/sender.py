"""One provider of an account at work: its messages go out one after the other, are asked after, and its money is looked at.

In one process of the installation at a time. A message is committed as being sent before the request goes out; one whose
sending was broken off is unknown, is looked for where that is possible, and is never sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import structlog

from gateway.sms.addresses import report_address
from gateway.sms.news import take_early_reports
from gateway.sms.outcomes import after_answer, after_report, after_silence, gives_up_at, look_at, out_of_time
from gateway.sms.settling import settle
from gateway.sms.stale import still_fits
from gateway.store.sms import messages as store
from gateway.store.sms import turns
from gateway.store.sms.connections import SavedSmsConnection, sms_connection
from gateway.store.sms.messages import SmsMessageRow
from runtime.database.lease import Held
from runtime.database.pool import Conn
from runtime.trouble import Trouble
from sms.errors import SmsError
from sms.model import SmsAccepted, SmsOutcome, SmsRefused, SmsReport, SmsUnknown
from sms.port import SmsKind, SmsProvider
from sms.reasons import FailureClass, SmsDoubt, SmsReason

log = structlog.get_logger(__name__)

_AT_ONCE = 10
_PER_SECOND = 10.0
"""Of a provider that does not say what it grants."""
_LOOKS_TOGETHER = 50
_BALANCE_EVERY = timedelta(minutes=10)
_BALANCE_EVERY_WHILE_STOPPED = timedelta(minutes=1)
_LOST_AFTER = timedelta(minutes=3)
"""Longer than any answer is waited for."""


class SmsSender:
    """held: the right to send for this provider. public_url: where the installation is reached. now: the clock."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        saved: SavedSmsConnection,
        kind: SmsKind,
        provider: SmsProvider,
        held: Held,
        public_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._pool, self._saved, self._kind, self._provider = pool, saved, kind, provider
        self._held, self._now = held, now
        self._report_url = report_address(public_url, saved)
        self._live: dict[int, asyncio.Task[None]] = {}
        self._is_new = True
        self._gap_seconds = 1 / (kind.capabilities.per_second or _PER_SECOND)
        self._woken = asyncio.Event()
        self._is_at_it = False
        self._trouble = Trouble("sms-provider", connection=saved.name)

    async def turn(self) -> None:
        """Send what may go out now, and ask of what went."""
        self._woken.clear()
        self._is_at_it = False
        await self._recover()
        while len(self._live) < _AT_ONCE and (row := await self._next()) is not None:
            task = asyncio.create_task(self._send(row))
            self._live[row.own_id] = task
            task.add_done_callback(partial(self._sent, row.own_id))
            self._is_at_it = True
        await self._look()
        await self._ask_for_money()

    def wake(self) -> None:
        self._woken.set()

    async def rest(self, seconds: float) -> None:
        """So long at most: until it is woken, or after a message until the provider's pace lets the next one go."""
        if self._is_at_it:
            await asyncio.sleep(min(seconds, self._gap_seconds))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    def _sent(self, own_id: int, _: asyncio.Task[None]) -> None:
        self._live.pop(own_id, None)

    async def close(self) -> None:
        """Wait for the answers to what was sent."""
        await asyncio.gather(*self._live.values(), return_exceptions=True)

    async def _next(self) -> SmsMessageRow | None:
        """Claim the next message; those whose time is over, and those that must be judged anew, are put aside first."""
        while True:
            self._held.check()
            now = self._now()
            async with self._pool.acquire() as conn, conn.transaction():
                row = await turns.next_message(conn, self._saved.account_id, self._saved.name, now)
                if row is None:
                    return None
                if now >= row.expires_at:
                    await settle(conn, row, out_of_time(row), now)
                    continue
                if not await still_fits(conn, row, now):
                    continue
                due = row.parts if self._kind.capabilities.reports_parts else 1
                next_at = now + timedelta(seconds=self._gap_seconds)
                return await turns.claim_message(conn, row, now, reports_due=due, next_at=next_at)

    async def _send(self, row: SmsMessageRow) -> None:
        self._held.check()
        try:
            outcome = await self._provider.send(row.outbound(self._report_url, self._now()))
        except Exception as err:  # a mistake of ours: nobody knows how far it came
            log.exception("sms-not-sent", connection=self._saved.name, error=type(err).__name__)
            outcome = SmsUnknown(why=SmsDoubt.NO_ANSWER, words=type(err).__name__)
        await self._answered(row.own_id, outcome)

    async def _answered(self, own_id: int, outcome: SmsOutcome) -> None:
        """Write down the answer, with what was told of the message before it came."""
        now, can = self._now(), self._kind.capabilities
        account_id, name = self._saved.account_id, self._saved.name
        async with self._pool.acquire() as conn, conn.transaction():
            if isinstance(
                outcome, SmsRefused
            ):  # the provider's row is locked before any message's, here and in a claim
                await self._after_refusal(conn, outcome, now)
            elif isinstance(outcome, SmsAccepted):
                await turns.go_on_sending(conn, account_id, name)
            row = await store.message_of(conn, account_id, own_id, lock=True)
            if row is None:
                return
            row = await settle(conn, row, after_answer(row, outcome, can, now), now)
            await take_early_reports(conn, row, can, now)
        if isinstance(outcome, SmsAccepted) and outcome.balance is not None:
            async with self._pool.acquire() as conn:
                await turns.save_balance(conn, account_id, name, (outcome.balance, ""), "", now)

    async def _after_refusal(self, conn: Conn, refusal: SmsRefused, now: datetime) -> None:
        account_id, name = self._saved.account_id, self._saved.name
        if refusal.failure_class is FailureClass.ACCOUNT:
            words = f"{refusal.vendor_code} {refusal.words}".strip()
            if await turns.stop_sending(conn, account_id, name, refusal.reason, words, now):
                log.error("sms-sending-stopped", account=account_id, connection=name, reason=refusal.reason)
        elif refusal.reason is SmsReason.THROTTLED:
            pause = timedelta(seconds=refusal.retry_after or 1.0)
            await turns.slow_down(conn, account_id, name, now + pause)

    async def _recover(self) -> None:
        """Nobody knows what became of messages whose sender is gone: what was being sent when we began is of another process."""
        now, account_id, name = self._now(), self._saved.account_id, self._saved.name
        before = now if self._is_new else now - _LOST_AFTER
        async with self._pool.acquire() as conn:
            left = await store.left_sending(conn, account_id, name, before, list(self._live))
        for row in left:
            log.warning("sms-broken-off", account=account_id, connection=name, own_id=row.own_id)
            await self._answered(row.own_id, SmsUnknown(why=SmsDoubt.NO_ANSWER))
        self._is_new = False

    async def _look(self) -> None:
        """Ask the provider of messages that are due; of those that nobody tells of for too long, nothing more is expected."""
        now, account_id, name = self._now(), self._saved.account_id, self._saved.name
        async with self._pool.acquire() as conn:
            due = await store.to_look_at(conn, account_id, name, now, _LOOKS_TOGETHER)
        if not due:
            return
        try:
            await self._look_for([row for row in due if not row.as_progress.ids])
            await self._poll([row for row in due if row.as_progress.ids], now)
        except SmsError as err:
            self._trouble.failed(err)
            async with self._pool.acquire() as conn, conn.transaction():
                for row in due:
                    await store.look_later(conn, row, now + timedelta(minutes=1))
            return
        self._trouble.recovered()

    async def _look_for(self, rows: list[SmsMessageRow]) -> None:
        for row in rows:
            message = row.outbound(self._report_url, self._now())
            found = await self._provider.find(message, row.claimed_at or row.created_at)
            if found is not None:
                await self._answered(row.own_id, found)
            else:
                await self._looked(row)

    async def _looked(self, row: SmsMessageRow) -> None:
        """Ask again later; after the last time nobody knows, and a person is told."""
        now = self._now()
        async with self._pool.acquire() as conn, conn.transaction():
            held = await store.message_of(conn, row.account_id, row.own_id, lock=True)
            if held is None or held.look_at is None:
                return
            held = await store.looked(conn, held)
            again = look_at(held, held.as_progress, self._kind.capabilities, now)
            if again is None or now >= gives_up_at(held, self._kind.capabilities):
                await settle(conn, held, after_silence(held), now)
            else:
                await store.look_later(conn, held, again)

    async def _poll(self, rows: list[SmsMessageRow], now: datetime) -> None:
        can = self._kind.capabilities
        asked = [
            (row.outbound(self._report_url, now), id)
            for row in rows
            for id in row.as_progress.ids
            if can.has_polls
        ]
        told = await self._provider.statuses(asked) if asked else ()
        by_id = {id: report for report in told for id in (report.id, *report.other_ids)}
        for row in rows:
            reports = [by_id[id] for id in row.as_progress.ids if id in by_id]
            for report in reports:
                await self._reported(row.own_id, report, now)
            await self._looked(row)

    async def _reported(self, own_id: int, report: SmsReport, now: datetime) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            row = await store.message_of(conn, self._saved.account_id, own_id, lock=True)
            if row is not None:
                await settle(conn, row, after_report(row, report, self._kind.capabilities, now), now)

    async def _ask_for_money(self) -> None:
        if not self._kind.capabilities.has_balance:
            return
        now, account_id, name = self._now(), self._saved.account_id, self._saved.name
        async with self._pool.acquire() as conn:
            saved = await sms_connection(conn, account_id, name)
        every = _BALANCE_EVERY_WHILE_STOPPED if saved and saved.stop else _BALANCE_EVERY
        if saved is None or not saved.is_on or (saved.balance_at and now - saved.balance_at < every):
            return
        found, error = None, ""
        try:
            balance = await self._provider.balance()
            found = (balance.amount, balance.currency) if balance else None
        except SmsError as err:
            error = f"{err.code}: {err}"
        async with self._pool.acquire() as conn:
            await turns.save_balance(conn, account_id, name, found, error, now)
