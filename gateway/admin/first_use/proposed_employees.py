"""People of the CRM who may be employees: name, e-mail and id are known there, only the extension is not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from crm.errors import CrmError
from crm.lane import Lane
from crm.port import CrmUser
from crm.store.metadata import store_users, users_of
from gateway.admin.input_words import EMPLOYEE_ID, one_line
from gateway.admin.refused import InputRefused
from gateway.crm_accounts.access import crm_of
from gateway.settings import Settings
from gateway.store.admin.staff import staff_of
from routing.staff import Employee
from runtime.database.lease import Leases
from runtime.database.pool import Conn

_WORKER_SECONDS = 15.0
_LOOK_SECONDS = 0.5


class UsersUnreadable(InputRefused):
    """The CRM's users cannot be read, so nobody can be proposed."""

    code = "users-unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedEmployee:
    """An active user of the CRM whom no employee stands for. id: the e-mail where that can be one."""

    id: str
    name: str
    email: str
    crm_user_id: str


async def propose_employees(
    settings: Settings, pool: asyncpg.Pool, account_id: str, most_seconds: float | None = None
) -> list[ProposedEmployee]:
    """Return users without an employee, by name. The worker has read them; where none runs they are read here.

    most_seconds: that the CRM or the worker is waited for, None: as long as it takes them. Raises UsersUnreadable.
    """
    async with pool.acquire() as conn:
        users = await users_of(conn, account_id)
    if not users:
        users = await _read_users(settings, pool, account_id, most_seconds)
    async with pool.acquire() as conn:
        return await _without_employee(conn, account_id, users)


async def employees_by_email(conn: Conn, account_id: str) -> dict[str, Employee]:
    """Return who is there by e-mail in small letters: their own, and that of the user of the CRM whom they are."""
    people = (await staff_of(conn, account_id)).employees
    of_user = {person.crm_user_id: person for person in people if person.crm_user_id}
    users = await users_of(conn, account_id)
    found = {user.email.lower(): of_user[user.id] for user in users if user.id in of_user}
    return found | {person.email.lower(): person for person in people if person.email}


async def _without_employee(conn: Conn, account_id: str, users: Sequence[CrmUser]) -> list[ProposedEmployee]:
    people = (await staff_of(conn, account_id)).employees
    mapped = {p.crm_user_id for p in people}
    emails = {p.email.lower() for p in people if p.email}
    ids = {p.id for p in people}
    found = [
        ProposedEmployee(
            id=_id_of(user, ids), name=one_line(user.name) or user.id, email=user.email, crm_user_id=user.id
        )
        for user in users
        if user.is_active and user.id not in mapped and user.email.lower() not in emails
    ]
    return sorted(found, key=lambda person: (person.name.lower(), person.crm_user_id))


def _id_of(user: CrmUser, taken: set[str]) -> str:
    fits = re.fullmatch(EMPLOYEE_ID, user.email) and user.email not in taken
    return user.email if fits else f"user-{user.id}"


async def _read_users(
    settings: Settings, pool: asyncpg.Pool, account_id: str, most_seconds: float | None
) -> list[CrmUser]:
    lease = Leases(str(settings.database_url)).of(account_id)
    if not await lease.try_acquire():
        return await _read_by_worker(pool, account_id, most_seconds or _WORKER_SECONDS)
    try:
        async with (
            asyncio.timeout(most_seconds),
            crm_of(pool, account_id, lease, settings.named_crm_hosts()) as (opened, _policy),
        ):
            users = await opened.crm.users(Lane.REALTIME)
    except (CrmError, TimeoutError) as err:
        remedy = "connect the account with an administrator's key, or write the employees into a file"
        raise UsersUnreadable("employees", f"the CRM does not tell its users: {err}", remedy) from err
    finally:
        await lease.release()
    async with pool.acquire() as conn:
        await store_users(conn, account_id, users)
    return users


async def _read_by_worker(pool: asyncpg.Pool, account_id: str, seconds: float) -> list[CrmUser]:
    for _ in range(round(seconds / _LOOK_SECONDS)):
        async with pool.acquire() as conn:
            if users := await users_of(conn, account_id):
                return users
        await asyncio.sleep(_LOOK_SECONDS)
    raise UsersUnreadable(
        "employees", "the worker has not read the CRM's users yet", "see 'callmatrix check', then repeat"
    )
