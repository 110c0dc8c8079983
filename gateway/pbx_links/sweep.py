"""One sweep: a PBX's own list of calls against our journal. What is missing goes through the same inbox as any event.

Webhooks are sent once, and listeners are away at times: what was lost on the way shows here. A call is never imported
twice: a listed call is the same message whenever it is read, and one that the journal has under another id at the same
second is taken for the same call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import structlog

from gateway.intake.inbox import Accepted, client_number
from gateway.pbx.call_log import CallLog, LoggedCall, PbxError
from gateway.pbx.connection import Connection
from gateway.pbx.port import InboxUnavailable, MessageUnstorable, Parsed
from gateway.store.pbx_links.reconciliation import KnownCall, heard_legs, known_calls, same_time_calls
from routing.calls.talks import claims_answer
from routing.settings import NumberPolicy
from runtime.database.errors import DATABASE_ERRORS

log = structlog.get_logger(__name__)

AcceptReport = Callable[[Parsed], Awaitable[Accepted]]
SweepVerdict = Literal["matched", "waiting", "missing", "incomplete", "differing"]

# Two clocks of one PBX (its events and its log) agree better than this; nobody redials faster.
SAME_TIME = timedelta(seconds=5)
_LEG_SLACK = timedelta(hours=6)
_KEPT_REFUSALS = 5
_TOGETHER = 200  # messages that share a transaction of the inbox


@dataclass(slots=True)
class SweepResult:
    """What one sweep found.

    compared: calls that the PBX listed. missing: unknown to us; incomplete: known, their end was never told; differing:
    we had them as answered and the PBX has not, or the other way round. imported: of these, what the inbox took.
    waiting: too fresh, or still being worked on; looked at again. same_time: the journal has them under another id.
    read_until: calls that began earlier are done with; None when nothing was. error: `code: what`, None = all was read.
    """

    since: datetime
    until: datetime
    compared: int = 0
    missing: int = 0
    incomplete: int = 0
    differing: int = 0
    imported: int = 0
    waiting: int = 0
    same_time: int = 0
    refused: int = 0
    refusals: list[str] = field(default_factory=list)
    read_until: datetime | None = None
    error: str | None = None
    is_retryable: bool = True

    def count(self, verdict: SweepVerdict) -> None:
        match verdict:
            case "missing":
                self.missing += 1
            case "incomplete":
                self.incomplete += 1
            case "differing":
                self.differing += 1
            case "waiting":
                self.waiting += 1

    def refuse(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.refused += 1
            if len(self.refusals) < _KEPT_REFUSALS:
                self.refusals.append(line)

    def failed(self, err: Exception) -> None:
        self.error = f"{getattr(err, 'code', type(err).__name__)}: {err}"
        self.is_retryable = bool(getattr(err, "retryable", True))


class Sweep:
    """policy: of the connection's numbers. accept: puts one message into the inbox and returns after its commit."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        connection: Connection,
        policy: NumberPolicy,
        call_log: CallLog,
        accept: AcceptReport,
    ) -> None:
        self._pool = pool
        self._connection = connection
        self._policy = policy
        self._log = call_log
        self._accept = accept
        self._listed: dict[str, LoggedCall] = {}

    async def run(self, since: datetime, until: datetime) -> SweepResult:
        """Never raises but for cancellation: a failure stands in the result, with what was done before it."""
        swept = SweepResult(since, until)
        found: list[tuple[LoggedCall, SweepVerdict]] = []
        try:
            async for piece in self._log.read(since, until):
                # A call on the border of two windows is listed in both.
                calls = [c for c in piece.calls if self._listed.get(c.call_key) != c]
                self._listed.update({call.call_key: call for call in calls})
                swept.compared += len(calls)
                swept.refuse(piece.refused)
                found += await self._wanted(calls, swept)
                if piece.whole_until is not None:
                    swept.read_until = piece.whole_until
            if swept.read_until is None or swept.read_until < until:
                swept.read_until = until
        except (PbxError, *DATABASE_ERRORS) as err:
            swept.failed(err)
        try:
            await self._import(await self._without_twins(found, swept), swept)
        except (InboxUnavailable, *DATABASE_ERRORS) as err:
            swept.failed(err)
            swept.read_until = None
        return swept

    async def _wanted(
        self, calls: Sequence[LoggedCall], swept: SweepResult
    ) -> list[tuple[LoggedCall, SweepVerdict]]:
        """Those of these calls that the journal lacks, wholly or in part."""
        async with self._pool.acquire() as conn:
            known = await known_calls(
                conn, self._connection.account_id, self._connection.id, [c.call_key for c in calls]
            )
        wanted: list[tuple[LoggedCall, SweepVerdict]] = []
        for call in calls:
            verdict = verdict_on(call, known[call.call_key], swept.until, self._log.knows_ends)
            swept.count(verdict)
            if verdict in ("missing", "incomplete", "differing"):
                wanted.append((call, verdict))
        return wanted

    async def _without_twins(
        self, found: list[tuple[LoggedCall, SweepVerdict]], swept: SweepResult
    ) -> list[LoggedCall]:
        """Leave out what is there by time: an id of the log may differ from the one that events carried."""
        missing = [call for call, verdict in found if verdict == "missing"]
        clients = {c.call_key: client_number(c.events, self._policy) for c in missing}
        timed = [(c.call_key, client, c.began_at) for c in missing if (client := clients[c.call_key])]
        account_id, connection_id = self._connection.account_id, self._connection.id
        async with self._pool.acquire() as conn:
            twins = await same_time_calls(
                conn, account_id, connection_id, timed, within=SAME_TIME, listed=sorted(self._listed)
            )
            if not self._log.knows_ends:
                legs = [leg for call in missing for leg in call.legs]
                heard = await heard_legs(
                    conn, account_id, connection_id, legs, swept.since - _LEG_SLACK, swept.until + _LEG_SLACK
                )
                twins |= {call.call_key for call in missing if heard.intersection(call.legs)}
        swept.same_time += len(twins)
        swept.missing -= len(twins)
        return [call for call, verdict in found if verdict != "missing" or call.call_key not in twins]

    async def _import(self, calls: Sequence[LoggedCall], swept: SweepResult) -> None:
        """Newest first: a call that was returned since is known to have been when its turn comes."""
        newest_first = sorted(calls, key=lambda c: c.began_at, reverse=True)
        for place in range(0, len(newest_first), _TOGETHER):
            part = newest_first[place : place + _TOGETHER]
            results = await asyncio.gather(*(self._accept(c.parsed()) for c in part), return_exceptions=True)
            for call, result in zip(part, results, strict=True):
                if isinstance(result, MessageUnstorable):
                    swept.refuse([f"{call.call_key}: {result}"])
                elif isinstance(result, BaseException):
                    raise result
                else:
                    swept.imported += not result.duplicate


def verdict_on(call: LoggedCall, known: KnownCall, until: datetime, knows_ends: bool) -> SweepVerdict:
    """until: what ended later may still be on its way to us."""
    if call.ended_at > until or known.is_pending:
        return "waiting"
    if not known.is_known:
        # InboundMessage but no call of it: the message lies on the dead-letter desk, where people see it.
        return "matched" if known.is_told else "missing"
    if not knows_ends:
        return "matched"
    if not known.is_over or known.is_end_lost:
        return "incomplete"
    claims = [claim for report in call.reports if (claim := claims_answer(report)) is not None]
    return "differing" if claims and any(claims) != known.is_answered else "matched"
