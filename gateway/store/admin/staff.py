"""Employees as rows, and the staff of an account at each version that a decision names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import asyncpg

from routing.staff import Employee, Staff
from runtime.database.pool import Conn

# An employee without a CRM user is mapped to the one with their e-mail address, where exactly one has it. A mapped user
# that the CRM no longer shows is not active; before the first reading of users nobody is taken for inactive.
_STAFF = """
SELECT a.account_id AS of_account, a.staff_version, gone.users AS gone_users, admin.user_id AS admin_user, e.*, coalesce(e.crm_user_id, m.user_id) AS mapped_id,
    coalesce(u.is_active, NOT EXISTS (SELECT 1 FROM crm_user any_user WHERE any_user.account_id = a.account_id)
        OR coalesce(e.crm_user_id, m.user_id) IS NULL) AS is_active
FROM account a
LEFT JOIN employee e ON e.account_id = a.account_id
LEFT JOIN LATERAL (
    SELECT min(c.user_id) AS user_id FROM crm_user c
    WHERE c.account_id = e.account_id AND e.crm_user_id IS NULL AND e.email <> '' AND lower(c.email) = lower(e.email)
    HAVING count(*) = 1
) m ON true
LEFT JOIN crm_user u ON u.account_id = e.account_id AND u.user_id = coalesce(e.crm_user_id, m.user_id)
LEFT JOIN (
    SELECT account_id, array_agg(user_id) AS users FROM crm_user WHERE NOT is_active GROUP BY 1
) gone ON gone.account_id = a.account_id
LEFT JOIN (
    SELECT DISTINCT ON (account_id) account_id, user_id FROM crm_user WHERE is_active AND is_admin
    ORDER BY account_id, length(user_id), user_id
) admin ON admin.account_id = a.account_id
WHERE $1::text[] IS NULL OR a.account_id = ANY($1) ORDER BY a.account_id, e.employee_id
"""

_SAVE = """
INSERT INTO employee (account_id, employee_id, name, email, crm_user_id, extensions, sip, numbers, is_senior,
    deputy_id, team, gets_missed_calls)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (account_id, employee_id) DO UPDATE SET name = excluded.name, email = excluded.email,
    crm_user_id = excluded.crm_user_id, extensions = excluded.extensions, sip = excluded.sip,
    numbers = excluded.numbers, is_senior = excluded.is_senior, deputy_id = excluded.deputy_id, team = excluded.team,
    gets_missed_calls = excluded.gets_missed_calls
WHERE (employee.name, employee.email, employee.crm_user_id, employee.extensions, employee.sip, employee.numbers,
    employee.is_senior, employee.deputy_id, employee.team, employee.gets_missed_calls) IS DISTINCT FROM (excluded.name, excluded.email,
    excluded.crm_user_id, excluded.extensions, excluded.sip, excluded.numbers, excluded.is_senior,
    excluded.deputy_id, excluded.team, excluded.gets_missed_calls)
"""


class NoSuchStaffVersion(Exception):
    """The staff was never written down at this version, or its decisions were cleaned away."""

    code = "no-such-staff-version"


async def staff_of(conn: Conn, account_id: str) -> Staff:
    """Everybody, mapped to the CRM's users by id or e-mail, with the version. Empty for an unknown account."""
    found = await staff_by_account(conn, [account_id])
    return found.get(account_id) or Staff.of((), 0)


async def staff_by_account(conn: Conn, account_ids: Collection[str] | None = None) -> dict[str, Staff]:
    """Return the same of several accounts, None = of all, in one query."""
    people: dict[str, list[Employee]] = {}
    accounts: dict[str, asyncpg.Record] = {}
    for row in await conn.fetch(_STAFF, None if account_ids is None else list(account_ids)):
        accounts[row["of_account"]] = row
        found = people.setdefault(row["of_account"], [])
        if row["employee_id"] is not None:
            found.append(_employee(row))
    return {
        account_id: Staff.of(
            people[account_id],
            row["staff_version"],
            gone_users=row["gone_users"] or (),
            admin_user=row["admin_user"],
        )
        for account_id, row in accounts.items()
    }


async def stored_employees(conn: Conn, account_id: str) -> tuple[Employee, ...]:
    """As an admin entered them: crm_user_id without what the e-mail address suggests."""
    rows = await conn.fetch(
        "SELECT *, crm_user_id AS mapped_id, true AS is_active FROM employee WHERE account_id = $1 ORDER BY employee_id",
        account_id,
    )
    return tuple(_employee(row) for row in rows)


async def save_employee(conn: Conn, account_id: str, person: Employee) -> None:
    """Add or change one. Whether the staff may be so is judged before, see gateway/admin/employees.py."""
    await conn.execute(
        _SAVE,
        account_id,
        person.id,
        person.name,
        person.email,
        person.crm_user_id,
        list(person.extensions),
        list(person.sip),
        list(person.numbers),
        person.is_senior,
        person.deputy_id,
        person.group,
        person.gets_missed_calls,
    )


async def remove_employee(conn: Conn, account_id: str, employee_id: str) -> bool:
    """Whether there was one."""
    done: str = await conn.execute(
        "DELETE FROM employee WHERE account_id = $1 AND employee_id = $2", account_id, employee_id
    )
    return done != "DELETE 0"


async def replace_staff(conn: Conn, account_id: str, people: Iterable[Employee]) -> None:
    """Exactly these from now on (an import). Run it inside a transaction; unchanged people stay untouched."""
    kept = list(people)
    await conn.execute(
        "DELETE FROM employee WHERE account_id = $1 AND employee_id <> ALL($2::text[])",
        account_id,
        [p.id for p in kept],
    )
    for person in sorted(kept, key=lambda p: p.is_senior):
        await save_employee(conn, account_id, person)


async def write_snapshot(conn: Conn, account_id: str, staff: Staff) -> None:
    """So that decisions of this version can be computed again."""
    await conn.execute(
        "INSERT INTO staff_snapshot (account_id, version, staff) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        account_id,
        staff.version,
        staff.model_dump(mode="json"),
    )


async def has_snapshot(conn: Conn, account_id: str, version: int) -> bool:
    """Whether the staff is written down at this version."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM staff_snapshot WHERE account_id = $1 AND version = $2)",
        account_id,
        version,
    )
    return found


async def delete_snapshots_older_than(conn: Conn, before: datetime, *, limit: int) -> int:
    """Delete versions that a later one had followed by then: no decision that is kept names them. How many."""
    done: str = await conn.execute(
        "DELETE FROM staff_snapshot WHERE (account_id, version) IN (SELECT account_id, version FROM staff_snapshot s"
        " WHERE created_at < $1 AND EXISTS (SELECT 1 FROM staff_snapshot later WHERE later.account_id = s.account_id"
        " AND later.version > s.version AND later.created_at < $1) LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])


async def staff_at(conn: Conn, account_id: str, version: int) -> Staff:
    """Return the staff of this version. Raises NoSuchStaffVersion."""
    stored = await conn.fetchval(
        "SELECT staff FROM staff_snapshot WHERE account_id = $1 AND version = $2", account_id, version
    )
    if stored is None:
        raise NoSuchStaffVersion(f"{account_id} version {version}")
    return Staff.of(
        (Employee.model_validate(p) for p in stored["employees"]),
        version,
        gone_users=stored.get("gone_users", ()),
        admin_user=stored.get("admin_user"),
    )


class StaffStore:
    """The current staff, read again only when its version has moved on, and which versions are written down."""

    def __init__(self) -> None:
        self._staff: dict[str, Staff] = {}
        self._written: set[tuple[str, int]] = set()

    async def current(self, conn: Conn, account_id: str, version: int) -> Staff:
        """version: the account's staff_version as just read; a newer staff may come back."""
        staff = self._staff.get(account_id)
        if staff is None or staff.version < version:
            staff = self._staff[account_id] = await staff_of(conn, account_id)
        return staff

    def is_written(self, account_id: str, version: int) -> bool:
        return (account_id, version) in self._written

    def committed(self, account_id: str, version: int) -> None:
        """To be called after the commit of the transaction that wrote the snapshot."""
        self._written.add((account_id, version))


def _employee(row: asyncpg.Record) -> Employee:
    return Employee(
        id=row["employee_id"],
        name=row["name"],
        email=row["email"],
        crm_user_id=row["mapped_id"],
        extensions=tuple(row["extensions"]),
        sip=tuple(row["sip"]),
        numbers=tuple(row["numbers"]),
        is_active=row["is_active"],
        is_senior=row["is_senior"],
        deputy_id=row["deputy_id"],
        group=row["team"],
        gets_missed_calls=row["gets_missed_calls"],
    )
