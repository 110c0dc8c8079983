"""After an outage: what was decided and not sent is shown, and sent if the operator wishes, oldest first, behind live calls.

The run is rows in the database: killed anywhere, the next writer of the account goes on with it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import asyncpg

from crm.effects.batching import requests_for
from crm.effects.deadlines import Hours, late_deadline
from crm.effects.store import runs as store
from crm.effects.store.work import is_on, settings_of
from crm.lane import Lane
from runtime.database.pool import Conn
from runtime.effects.store import cascade, wake

DAYS = 3
CHUNK = 1500
"""Held effects released at once: enough for several full requests of every kind."""

RunState = Literal["running", "paused", "stopped", "done"]
Dates: TypeAlias = Collection[date] | None


class AccountNotOn(Exception):
    """The account is off, or its authorisation broken: reconnect it first."""

    code = "account-not-on"


class RunIsOpen(Exception):
    """A backfill of this account is running or paused already."""

    code = "backfill-open"


class NoSuchRun(Exception):
    """There is no such backfill, or it is not in a state that allows this."""

    code = "no-such-backfill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a run would do now. older_calls: before the window or of days that were left out, to be kept and marked as not sent. tasks_not_needed:
    of missed calls that were returned or repeated with success. clients: of messengers, for whom a contact or a deal is to be made. requests: reads to stay fresh included."""

    since: datetime
    calls: int
    contacts: int
    deals: int
    leads: int
    notes: int
    tasks: int
    tasks_not_needed: int
    changes: int
    older_calls: int
    clients: int
    requests: int
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillProgress:
    run_id: str
    state: RunState
    since: datetime
    started_at: datetime
    ended_at: datetime | None
    calls_total: int
    calls_settled: int
    clients_total: int
    clients_settled: int
    effects_done: int
    effects_open: int
    effects_dead: int
    effects_skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why a run sends nothing just now: the account is not on (reason: why), or its directory is yet to agree with the CRM
    after an outage (agreed_at: when it last did), so that what people made meanwhile is not made once more."""

    what: Literal["account", "directory"]
    reason: str
    agreed_at: datetime | None


async def hindrance(conn: Conn, account_id: str) -> Hindrance | None:
    """None: it sends, or would."""
    found = await store.in_the_way(conn, account_id)
    if found is None:
        return None
    what: Literal["account", "directory"] = "directory" if found["state"] == "on" else "account"
    return Hindrance(what=what, reason=found["state_reason"], agreed_at=found["agreed_at"])


BackfilledCall = Literal["waiting", "sent", "partly", "failed", "not_needed", "too_old"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """What became of one call. effects: what, state, code, id in the CRM, was_found, field, detail of each, in order."""

    position: int
    call_id: str
    client: str | None
    started_at: datetime | None
    direction: str | None
    disposition: str | None
    outcome: BackfilledCall
    effects: tuple[Mapping[str, Any], ...]


class HeldWindow(NamedTuple):
    """since: aware UTC. dates: local days that were chosen one by one, None = every day since then."""

    since: datetime
    zone: ZoneInfo
    dates: Dates = None

    def takes(self, at: datetime) -> bool:
        return at >= self.since if self.dates is None else at.astimezone(self.zone).date() in self.dates


def window_of(now: datetime, time_zone: str, days: int = DAYS, dates: Dates = None) -> HeldWindow:
    """days: today and those before it, where no dates are named."""
    zone = ZoneInfo(time_zone)
    day = min(dates) if dates else now.astimezone(zone).date() - timedelta(days=days - 1)
    return HeldWindow(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC), zone, dates)


async def preview(
    conn: Conn, account_id: str, now: datetime, *, days: int = DAYS, dates: Dates = None
) -> Preview:
    """Return what `start` would do at this moment; changes nothing."""
    plan, _ = await _plan(conn, account_id, now, days, dates)
    return plan


async def start(
    conn: Conn, account_id: str, now: datetime, *, days: int = DAYS, dates: Dates = None
) -> BackfillProgress:
    """Begin to send what is held of the last days, or of these local dates; the rest is marked as not sent. Raises
    AccountNotOn, RunIsOpen."""
    async with conn.transaction():
        await store.lock(conn, account_id)
        if not await is_on(conn, account_id):
            raise AccountNotOn(f"account {account_id} is not connected")
        if await store.open_run(conn, account_id):
            raise RunIsOpen(f"account {account_id} has an open backfill")
        plan, too_old = await _plan(conn, account_id, now, days, dates)
        run_id = uuid.uuid4().hex
        shown = asdict(plan) | {"since": plan.since.isoformat()}
        await store.begin(
            conn, account_id, run_id, since=plan.since, until=now, preview=shown, too_old=too_old
        )
        await wake(conn, account_id, "crm")
        return await progress(conn, account_id, run_id)


async def discard(conn: Conn, account_id: str, note: str) -> int:
    """Send nothing of what is held: everything is kept and marked as not sent; how many effects. Raises RunIsOpen."""
    async with conn.transaction():
        await store.lock(conn, account_id)
        if await store.open_run(conn, account_id):
            raise RunIsOpen(f"account {account_id} has an open backfill")
        return await store.expire_all(conn, account_id, note)


async def pause(conn: Conn, account_id: str, now: datetime) -> BackfillProgress:
    """Let what is under way end; nothing more is sent until `resume`. Raises NoSuchRun."""
    return await _change(conn, account_id, ("running",), "paused", now)


async def resume(conn: Conn, account_id: str, now: datetime) -> BackfillProgress:
    return await _change(conn, account_id, ("paused",), "running", now)


async def stop(conn: Conn, account_id: str, now: datetime) -> BackfillProgress:
    """End the run for good. What was not sent stays held, for another run or `discard`. Raises NoSuchRun."""
    return await _change(conn, account_id, ("running", "paused"), "stopped", now)


async def progress(conn: Conn, account_id: str, run_id: str | None = None) -> BackfillProgress:
    """Of this run, else of the latest. Raises NoSuchRun."""
    found = (
        await store.run(conn, account_id, run_id)
        if run_id
        else next(iter(await store.runs(conn, account_id, 1)), None)
    )
    if found is None:
        raise NoSuchRun(f"account {account_id} has no such backfill")
    counts = await store.progress(conn, [(account_id, found["run_id"])])
    return _progress_of(found, counts[account_id, found["run_id"]])


async def latest_progress(conn: Conn, account_ids: Sequence[str] | None) -> dict[str, BackfillProgress]:
    """Of the latest run of each of these accounts, None = of all; the same number of queries, however many there are."""
    runs = {(row["account_id"], row["run_id"]): row for row in await store.latest_runs(conn, account_ids)}
    counts = await store.progress(conn, list(runs))
    return {key[0]: _progress_of(row, counts[key]) for key, row in runs.items()}


def _progress_of(found: asyncpg.Record, counts: Mapping[str, int]) -> BackfillProgress:
    named = ("run_id", "state", "since", "started_at", "ended_at", "calls_total")
    counted = (
        "clients_total",
        "clients_settled",
        "effects_done",
        "effects_open",
        "effects_dead",
        "effects_skipped",
    )
    values: dict[str, Any] = {name: found[name] for name in named} | {
        name: counts.get(name, 0) for name in counted
    }
    return BackfillProgress(calls_settled=counts["settled"], **values)


async def report(
    conn: Conn, account_id: str, run_id: str, *, after: int = 0, limit: int = 200
) -> list[CallReport]:
    """Every call of a run and what became of it, in order, those with a `position` greater than `after`."""
    rows = await store.report(conn, account_id, run_id, after, limit)
    return [
        CallReport(
            **{
                k: row[k] for k in ("position", "call_id", "client", "started_at", "direction", "disposition")
            },
            outcome=outcome_of([e["state"] for e in row["effects"]]),
            effects=tuple(row["effects"]),
        )
        for row in rows
    ]


def outcome_of(states: Sequence[str]) -> BackfilledCall:
    """Return what one can say of a call from the states of its effects. Skipped ones were not needed."""
    kinds = set(states) - {"skipped"}
    if kinds & {"held", "waiting", "sending", "unknown"}:
        return "waiting"
    if not kinds:
        return "not_needed"
    if kinds == {"done"}:
        return "sent"
    if kinds == {"expired"}:
        return "too_old"
    return "partly" if "done" in kinds else "failed"


class BackfillFeed:
    """Gives the writer of an account what its open run holds, piece by piece. Call it as `Writer(feed=…)`."""

    def __init__(
        self, pool: asyncpg.Pool, account_id: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._pool, self._account, self._now = pool, account_id, now

    async def __call__(self) -> int:
        """How many effects were released or settled; 0 when there is nothing (more) to do."""
        async with self._pool.acquire() as conn, conn.transaction():
            run = await store.open_run(conn, self._account)
            if run is None or run["state"] != "running":
                return 0
            await store.lock(conn, self._account)
            run = await store.open_run(conn, self._account)
            if run is None or run["state"] != "running":
                return 0
            if await store.in_the_way(conn, self._account) is not None:
                return 0
            rows = await store.next_held(conn, self._account, run["until"], CHUNK)
            if rows:
                callbacks = {row["client"] for row in rows if row["purpose"] == "call_back"}
                reached = await store.reached(conn, self._account, callbacks)
                work = await _working_time(conn, self._account)
                released = [_released(dict(row), reached, self._now(), work) for row in rows]
                await store.release(conn, self._account, run["run_id"], released, Lane.BACKFILL)
                await cascade(conn, self._account, [r["key"] for r in released if r["state"] == "skipped"])
            elif not await store.count_open(conn, self._account, Lane.BACKFILL):
                await store.set_state(conn, self._account, run["run_id"], "done", self._now())
            return len(rows)


async def _working_time(conn: Conn, account_id: str) -> Hours:
    zone, _ = await store.zone_and_rate(conn, account_id)
    return (await settings_of(conn, account_id)).working_time, ZoneInfo(zone)


def _released(
    row: Mapping[str, Any], reached: Mapping[str, datetime], now: datetime, work: Hours
) -> dict[str, Any]:
    """Return a held effect as it is sent late: created when the call was, due from now, without what nobody needs any more."""
    order, what = dict(row["order"]), row["what"]
    reason = "too-late" if what == "show_card" else "client-reached" if is_needless(row, reached) else None
    if what in ("create_contact", "create_deal"):
        order["created_at"] = row["at"].isoformat()
    if what == "create_task" and not row["was_released"]:
        due_at = datetime.fromisoformat(order["due_at"])
        order["due_at"] = late_deadline(due_at, row["created_at"], now, work).isoformat()
    return {
        "key": row["effect_key"],
        "state": "skipped" if reason else "waiting",
        "order": order,
        "code": reason,
    }


async def _change(
    conn: Conn, account_id: str, allowed: Sequence[str], state: RunState, now: datetime
) -> BackfillProgress:
    async with conn.transaction():
        await store.lock(conn, account_id)
        run = await store.open_run(conn, account_id)
        if run is None or run["state"] not in allowed:
            raise NoSuchRun(f"account {account_id} has no backfill that is {' or '.join(allowed)}")
        await store.set_state(conn, account_id, run["run_id"], state, now)
        if state != "running":
            await store.hold_again(conn, account_id, Lane.BACKFILL)
        await wake(conn, account_id, "crm")
        return await progress(conn, account_id, run["run_id"])


async def _plan(
    conn: Conn, account_id: str, now: datetime, days: int, dates: Dates
) -> tuple[Preview, list[str]]:
    """Return what would be done, and the keys of what is too old, or of a day that was not chosen."""
    zone, rate = await store.zone_and_rate(conn, account_id)
    rows = await store.held(conn, account_id, now)
    callbacks = {r["client"] for r in rows if r["purpose"] == "call_back"}
    reached = await store.reached(conn, account_id, callbacks)
    # In a thread: a hundred thousand rows take a second, and the process that asks also answers lookups.
    return await asyncio.to_thread(_planned, rows, reached, window_of(now, zone, days, dates), rate)


def _planned(
    rows: Sequence[asyncpg.Record], reached: Mapping[str, datetime], window: HeldWindow, rate: int
) -> tuple[Preview, list[str]]:
    wanted = wanted_keys(rows, window)
    sent = [r for r in rows if r["effect_key"] in wanted]
    counts = Counter(r["what"] for r in sent if not is_needless(r, reached))
    pairs = sum(1 for r in sent if r["what"] == "create_deal" and r["contact"] in wanted)
    requests, seconds = requests_for(counts, pairs, rate)
    plan = Preview(
        since=window.since,
        calls=len({r["call_id"] for r in sent if r["call_id"] and window.takes(r["at"])}),
        contacts=counts["create_contact"],
        deals=counts["create_deal"],
        leads=counts["create_lead"],
        notes=counts["attach_call"] + counts["add_note"],
        tasks=counts["create_task"],
        tasks_not_needed=sum(1 for r in sent if r["what"] == "create_task" and is_needless(r, reached)),
        changes=counts["change_note"] + counts["change_task"] + counts["update_entity"],
        older_calls=len({r["call_id"] for r in rows if r["call_id"] and not window.takes(r["at"])}),
        clients=len({r["client"] for r in sent if _is_for_who_wrote(r)}),
        requests=requests,
        minutes=round(seconds / 60, 1),
    )
    return plan, [r["effect_key"] for r in rows if r["effect_key"] not in wanted]


def _is_for_who_wrote(row: Mapping[str, Any] | asyncpg.Record) -> bool:
    return row["what"] in ("create_contact", "create_deal") and row["effect_key"].startswith(store.MESSENGERS)


def wanted_keys(rows: Iterable[Mapping[str, Any] | asyncpg.Record], window: HeldWindow) -> set[str]:
    """Held effects of the window, and whatever others these need. rows: effect_key, after, at."""
    by_key = {row["effect_key"]: row for row in rows}
    open_keys = [key for key, row in by_key.items() if window.takes(row["at"])]
    wanted: set[str] = set()
    while open_keys:
        if (key := open_keys.pop()) in by_key and key not in wanted:
            wanted.add(key)
            open_keys += by_key[key]["after"]
    return wanted


def is_needless(row: Mapping[str, Any] | asyncpg.Record, reached: Mapping[str, datetime]) -> bool:
    """Say whether calling back is no use any more: somebody has talked with the client since. reached: client -> when."""
    if row["what"] != "create_task" or row["purpose"] != "call_back" or row["client"] not in reached:
        return False
    return bool(reached[row["client"]] > row["at"])
