"""Who is at work as the database has it, for a command that is no process which follows it."""

from __future__ import annotations

from datetime import datetime

from gateway.at_work import AtWork
from gateway.presence.board import presence_said
from gateway.store.admin.accounts import Account
from gateway.store.admin.schedules import schedules_of
from gateway.store.admin.staff import staff_of
from gateway.store.presence.attendance import attendances_of
from gateway.store.presence.watches import watches
from gateway.timetables import timetables_of
from routing.presence import NOBODY_SAID
from runtime.database.pool import Conn


async def at_work_now(conn: Conn, account: Account, now: datetime) -> AtWork:
    """Return what a worker would know of this account."""
    staff = await staff_of(conn, account.id)
    known = timetables_of(account, staff, await schedules_of(conn, [account.id]), now)
    said = NOBODY_SAID
    if account.settings.presence.is_on:
        watch = (await watches(conn, [account.id])).get(account.id)
        said = presence_said((await attendances_of(conn, [account.id]))[account.id], watch, now)
    return AtWork(lambda _account_id: known, lambda _account_id: said)
