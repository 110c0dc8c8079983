"""Sending what was stored while the CRM could not be reached, as a person orders it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, Literal

from crm.effects import backfill as core
from gateway.admin.input_words import refuse_bad_note
from gateway.admin.refused import InputRefused
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditChange, record
from runtime.database.pool import Conn

MOST_DAYS = 30
_MOST_DATES = 400

RunChange = Literal["pause", "resume", "stop"]
_SAID: Mapping[RunChange, str] = {"pause": "paused", "resume": "resumed", "stop": "stopped"}


class BackfillRefused(InputRefused):
    """The account's backfill, or the lack of one, does not allow this now. code: of what stands in the way."""

    def __init__(self, code: str, field: str, message: str, remedy: str) -> None:
        super().__init__(field, message, remedy)
        self.code = code  # type: ignore[misc]  # of this one refusal


async def preview(
    conn: Conn, account_id: str, days: int = core.DAYS, dates: Collection[date] | None = None
) -> core.Preview:
    """Return what `start` would do now. dates: single days in place of the last ones. Raise InputRefused."""
    _refuse_bad_days(days, dates)
    return await core.preview(conn, account_id, _now(), days=days, dates=dates)


async def start(
    conn: Conn, account_id: str, days: int = core.DAYS, dates: Collection[date] | None = None
) -> core.BackfillProgress:
    """Raise InputRefused; nothing is stored then."""
    _refuse_bad_days(days, dates)
    await _refuse_shut(conn, account_id)
    with _refusals():
        async with conn.transaction():
            run = await core.start(conn, account_id, _now(), days=days, dates=dates)
            chosen = {"days": days} if dates is None else {"dates": sorted(d.isoformat() for d in dates)}
            await _tell(conn, account_id, run.run_id, "started", chosen)
            return run


async def _refuse_shut(conn: Conn, account_id: str) -> None:
    """Tell why the CRM gets nothing: the account's own words say more than that it is not on."""
    account = await rows.account(conn, account_id)
    if account.state == "on":
        return
    said = f": {account.state_reason}" if account.state_reason else ""
    if account.state == "broken":
        message, remedy = "the CRM does not let us in", f"'callmatrix account add {account_id} --token -'"
    else:
        message, remedy = "the account is off", f"'callmatrix account on {account_id}'"
    raise BackfillRefused(core.AccountNotOn.code, "account", message + said, remedy)


async def change(conn: Conn, account_id: str, do: RunChange) -> core.BackfillProgress:
    """Raise InputRefused where no run is in a state that allows it."""
    act = {"pause": core.pause, "resume": core.resume, "stop": core.stop}[do]
    with _refusals():
        async with conn.transaction():
            run = await act(conn, account_id, _now())
            await _tell(conn, account_id, run.run_id, _SAID[do], {})
            return run


async def discard(conn: Conn, account_id: str, note: str) -> int:
    """How many effects are kept and marked as not sent. Raise InputRefused."""
    refuse_bad_note(note)
    with _refusals():
        async with conn.transaction():
            count = await core.discard(conn, account_id, note)
            if count:
                await _tell(conn, account_id, "held effects", "discarded", {"count": count, "note": note})
            return count


async def _tell(conn: Conn, account_id: str, run: str, action: str, after: dict[str, Any]) -> None:
    change = AuditChange(what="backfill", object=run, action=action, account_id=account_id, after=after)
    await record(conn, change)


def _refuse_bad_days(days: int, dates: Collection[date] | None) -> None:
    if dates is not None and not 1 <= len(dates) <= _MOST_DATES:
        raise InputRefused("dates", "no day is chosen, or too many", f"choose 1 to {_MOST_DATES}")
    if not 1 <= days <= MOST_DAYS:
        raise InputRefused("days", f"{days} days are too few or too many", f"write 1 to {MOST_DAYS}")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except core.AccountNotOn as err:
        raise BackfillRefused(
            err.code,
            "account",
            "the account is not connected",
            "whoever looks after the installation reconnects it, or switches it on",
        ) from err
    except core.RunIsOpen as err:
        raise BackfillRefused(
            err.code, "account", "a backfill is running or paused already", "resume or stop that one"
        ) from err
    except core.NoSuchRun as err:
        raise BackfillRefused(
            err.code,
            "account",
            "no backfill is in a state that allows this",
            "look how far the latest one is",
        ) from err


def _now() -> datetime:
    return datetime.now(UTC)
