"""The job of one client: everything that is pending for a number, in one transaction.

It reads what PBXs told us, folds it into calls, lets the matrix decide what is due, and writes decisions and effects
together with the fact that the messages were applied. Run any number of times, at any time, by anybody: it does what is
left to do. One runs at a time per client (advisory lock), whatever the queue does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from pydantic import TypeAdapter, ValidationError

from gateway.at_work import AtWork
from gateway.calls.call import call_of, escalate_if_due
from gateway.calls.call_ids import ids_told_apart
from gateway.calls.context import Clock, JobContext, Matrices
from gateway.calls.pbx_clocks import PbxClocks
from gateway.calls.reasons import reason_of
from gateway.configuration import number_policy
from gateway.pbx.kinds import KINDS
from gateway.store.admin import accounts
from gateway.store.admin.staff import StaffStore
from gateway.store.calls import calls as store
from gateway.store.calls import missed_calls as cases
from gateway.store.intake import inbox
from gateway.store.intake.inbox import InboxRow
from gateway.store.outbound.following import may_be_ordered
from routing.calls.clocks import AT_ONCE, clock_offset
from routing.calls.generations import first_key
from routing.calls.model import CallEvent
from routing.client_work.call import next_moment
from routing.client_work.values import CallRow, Told
from routing.settings import NumberPolicy
from runtime.database.errors import may_pass
from runtime.database.pool import Conn, database_now

log = structlog.get_logger(__name__)

_EVENTS = TypeAdapter(tuple[CallEvent, ...])
_Message = tuple[InboxRow, tuple[CallEvent, ...]]
_UNKNOWN = "call:"

# What cannot be decided may be mended by a change of the configuration; then it stands on the desk.
_PAUSES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))


@dataclass(frozen=True, slots=True)
class JobResult:
    """calls: looked at. applied: messages. dead: messages that went to the context. passed_on: to another client's job."""

    calls: int = 0
    applied: int = 0
    dead: int = 0
    passed_on: int = 0


class ClientJob:
    """`run` is the job. now: the clock, None = the database's: hosts may differ, and moments of several are compared."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        matrices: Matrices,
        staff: StaffStore | None = None,
        now: Clock | None = None,
        at_work: AtWork | None = None,
    ) -> None:
        self._at_work = at_work or AtWork()
        self._pool = pool
        self._matrices = matrices
        self._staff = staff or StaffStore()
        self._now = now
        self._clocks = PbxClocks()

    async def run(self, account_id: str, client_key: str) -> JobResult:
        """client_key: E.164, or `call:<connection>:<call_key>` while the number is unknown.

        Raises asyncpg.PostgresError and OSError when the database is in trouble: nothing was done then.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock_client(conn, account_id, client_key)
            await inbox.delete_queued_jobs(conn, account_id, client_key)
            now = await self._time(conn)
            keys = await self._calls_of(conn, account_id, client_key, now)
            is_case_due = await cases.is_escalation_due(conn, account_id, client_key, now)
            if not keys and not is_case_due:
                return JobResult()
            context = await self._context(conn, account_id, now)
            worked = await self._work(context, client_key, keys)
            if is_case_due:
                await _escalate(context, client_key)
        for version in context.snapshots:
            self._staff.committed(account_id, version)
        return worked

    async def _calls_of(
        self, conn: Conn, account_id: str, client_key: str, now: datetime
    ) -> list[tuple[str, str]]:
        if not client_key.startswith(_UNKNOWN):
            return await store.concerned_calls(conn, account_id, client_key, now)
        connection_id, _, call_key = client_key.removeprefix(_UNKNOWN).partition(":")
        return [(connection_id, call_key)]

    async def _time(self, conn: Conn) -> datetime:
        """Return the same throughout a transaction, where it is the database's."""
        return self._now() if self._now is not None else await database_now(conn)

    async def context(self, conn: Conn, account_id: str) -> JobContext:
        """Return what work on a client of this account needs, in the caller's transaction."""
        return await self._context(conn, account_id, await self._time(conn))

    async def _context(self, conn: Conn, account_id: str, now: datetime) -> JobContext:
        account = await accounts.account(conn, account_id)
        connections = await accounts.connections(conn, account_id)
        staff = await self._staff.current(conn, account_id, account.staff_version)
        return JobContext(
            conn=conn,
            account=account,
            staff=staff,
            staff_store=self._staff,
            matrices=self._matrices,
            policies={c.id: number_policy(account, c, connections, staff) for c in connections},
            now=now,
            at_work=self._at_work,
            clocks=self._clocks,
        )

    async def _work(self, context: JobContext, client_key: str, keys: Sequence[tuple[str, str]]) -> JobResult:
        account_id = context.account.id
        ids = sorted({(connection_id, first_key(call_key)) for connection_id, call_key in keys})
        await store.lock_calls(context.conn, account_id, ids)
        stored = await store.stored_calls(context.conn, account_id, ids)
        found = await inbox.rows_of_calls(context.conn, account_id, ids)
        told = await ids_told_apart(context, stored, found)
        wanted = {*keys, *((r.connection_id, r.call_key) for r in told if r.state == "pending")}
        rows: dict[tuple[str, str], list[InboxRow]] = {key: [] for key in sorted(wanted)}
        for row in told:
            if (key := (row.connection_id, row.call_key)) in rows:
                rows[key].append(row)
        mine, others = _sorted_out(client_key, rows, stored)
        await inbox.enqueue(context.conn, sorted({(account_id, owner) for owner in others.values()}))
        client = None if client_key.startswith(_UNKNOWN) else client_key
        total = JobResult(dead=_pending(found) - _pending(told), passed_on=len(others))
        for key in sorted(mine, key=lambda k: _began(rows[k], stored.get(k))):
            applied, dead = await _Call(context, key, client, rows[key], stored.get(key)).run()
            total = JobResult(total.calls + 1, total.applied + applied, total.dead + dead, total.passed_on)
        return total


def _pending(rows: Sequence[InboxRow]) -> int:
    return sum(row.state == "pending" for row in rows)


def _sorted_out(
    client_key: str, rows: dict[tuple[str, str], list[InboxRow]], stored: dict[tuple[str, str], CallRow]
) -> tuple[list[tuple[str, str]], dict[tuple[str, str], str]]:
    """Return the calls that belong to this client, and the owners of those that turn out to be another's.

    A call belongs to the client it was first told of, for ever: two jobs never work on the same call. A message on the desk
    tells nothing until it is tried again: its client's job would not find the others.
    """
    mine, others = [], {}
    for key, told in rows.items():
        row = stored.get(key)
        owner = (row.client if row else None) or next(
            (r.client for r in told if r.client and r.state != "dead"), None
        )
        if owner is None or owner == client_key:
            mine.append(key)
        else:
            others[key] = owner
    return mine, others


async def _escalate(context: JobContext, client: str) -> None:
    """On its own: a case that cannot be handed on costs none of the client's calls."""
    try:
        async with context.conn.transaction():
            await escalate_if_due(context, client)
    except Exception as err:
        if may_pass(err):
            raise
        log.error("escalation-failed", account=context.account.id, client=client, exc_info=err)
        await cases.escalation_failed(
            context.conn, context.account.id, client, now=context.now, error=reason_of(err), pauses=_PAUSES
        )


def _began(rows: Sequence[InboxRow], stored: CallRow | None) -> datetime:
    if stored:
        return stored.call.started_at
    return min((r.received_at for r in rows), default=datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class _Call:
    """The messages of one call in this run."""

    context: JobContext
    key: tuple[str, str]
    client: str | None
    rows: Sequence[InboxRow]
    stored: CallRow | None

    async def run(self) -> tuple[int, int]:
        """(messages applied, messages dead). What cannot be digested goes to the desk; its neighbours are applied."""
        readable, dead = await self._readable()
        fresh = [message for message in readable if message[0].state == "pending"]
        if not readable:
            return 0, dead
        if fresh and self._is_told_to_its_end():
            return await self._leave_as_it_is(fresh), dead
        stored, err = await self._try(self.stored, readable, fresh)
        if err is None:
            return len(fresh), dead
        if not fresh:
            await self._decision_failed(err)
            return 0, dead
        # One of them is bad: told one after the other, only that one is left out.
        good = [message for message in readable if message[0].state != "pending"]
        applied = 0
        for message in fresh:
            stored, err = await self._try(stored, [*good, message], [message])
            if err is None:
                good.append(message)
                applied += 1
            else:
                dead += await self._dead_letter(message[0], err)
        return applied, dead

    def _is_told_to_its_end(self) -> bool:
        """Whether the call is over and its own messages are gone (retention): what is left would make another call of it."""
        is_over = self.stored is not None and self.stored.call.is_over
        return is_over and not any(row.state == "applied" and not row.is_late for row in self.rows)

    async def _leave_as_it_is(self, fresh: Sequence[_Message]) -> int:
        """How many messages came too late to change anything."""
        ids = [row.event_id for row, _ in fresh]
        await inbox.mark_applied(
            self.context.conn, self.context.account.id, ids, self.context.now, is_late=True
        )
        log.info(
            "events-after-the-end",
            account=self.context.account.id,
            connection=self.key[0],
            messages=len(fresh),
        )
        return len(fresh)

    async def _try(
        self, stored: CallRow | None, told: Sequence[_Message], fresh: Sequence[_Message]
    ) -> tuple[CallRow | None, Exception | None]:
        """Return the call as it is afterwards, or why it could not be done; nothing was done then."""
        try:
            async with self.context.conn.transaction():
                row = await call_of(self.context, stored, await self._told(told))
                ids = [row.event_id for row, _ in fresh]
                await inbox.mark_applied(self.context.conn, self.context.account.id, ids, self.context.now)
            return row, None
        except Exception as err:
            if may_pass(err):  # the job fails as a whole and is tried again
                raise
            self._log(err, len(fresh))
            return stored, err

    async def _told(self, messages: Sequence[_Message]) -> Told:
        account, connection_id = self.context.account, self.key[0]
        events = [event for _, events in messages for event in events]
        offset = await self._clock_offset(messages)
        return Told(
            account_id=account.id,
            connection_id=connection_id,
            call_key=self.key[1],
            client=self.client,
            events=await self._ordered(events, offset),
            heard_at=max(row.received_at for row, _ in messages),
            policy=self.context.policies.get(connection_id) or NumberPolicy(region=account.region),
            clock_offset=offset,
        )

    async def _ordered(self, events: list[CallEvent], offset: timedelta) -> list[CallEvent]:
        """Return them with the direction of a call at our order where they may tell of one: a PBX that carries no id of ours
        tells a call back as one that the client asked for, and nobody is to call that client back."""
        asked = [e for e in events if e.is_callback and e.direction == "inbound" and e.attempt is None]
        if not asked or self.client is None:
            return events
        began = min(e.started_at or e.at for e in events) + offset
        context, kinds = self.context, [name for name, kind in KINDS.items() if not kind.orders_carry_ids]
        if not await may_be_ordered(context.conn, context.account.id, self.key[0], kinds, self.client, began):
            return events
        return [e.model_copy(update={"direction": "outbound"}) if e in asked else e for e in events]

    async def _clock_offset(self, messages: Sequence[_Message]) -> timedelta:
        """As the call itself shows it, else as the calls of its connection before it do."""
        told = [(row.received_at, e.at) for row, events in messages for e in events if e.kind in AT_ONCE]
        offset, context = clock_offset(told), self.context
        if offset is None:
            heard_at = min(row.received_at for row, _ in messages)
            offset = await context.clocks.offset_of(
                context.conn, context.account.id, self.key[0], heard_at, context.now
            )
        return offset or timedelta(0)

    async def _readable(self) -> tuple[list[_Message], int]:
        """Messages whose stored events are what they should be; the others go to the context."""
        readable: list[_Message] = []
        dead = 0
        for row in self.rows:
            if row.state == "dead":
                continue
            try:
                readable.append((row, _EVENTS.validate_python(row.events)))
            except ValidationError as err:
                if row.state == "pending":
                    self._log(err, 1)
                    dead += await self._dead_letter(row, err)
        return readable, dead

    async def _dead_letter(self, row: InboxRow, err: Exception) -> int:
        account_id = self.context.account.id
        await inbox.mark_dead(self.context.conn, account_id, [row.event_id], reason_of(err))
        return 1

    async def _decision_failed(self, err: Exception) -> None:
        moment = next_moment(self.stored) if self.stored else None
        await store.decision_failed(
            self.context.conn,
            self.context.account.id,
            self.key,
            now=self.context.now,
            moment=moment or "end",
            error=reason_of(err),
            pauses=_PAUSES,
        )

    def _log(self, err: Exception, messages: int) -> None:
        log.error(
            "event-unprocessable",
            account=self.context.account.id,
            connection=self.key[0],
            client=self.client,
            messages=messages,
            error=type(err).__name__,
            exc_info=not isinstance(err, ValidationError),
        )
