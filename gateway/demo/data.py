"""The demo's account: people, connections and tokens that go with the sandbox's sample data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import asyncpg

from crm.kinds import store_long_lived_token
from gateway.admin.connections import ConnectionOrder, add_connection
from gateway.admin.employees import replace_employees
from gateway.demo.names import EMPLOYEES
from gateway.pbx.kinds import KINDS
from gateway.store.admin import accounts as rows
from routing.staff import Employee
from runtime.database.sealing import new_key
from runtime.tokens import new_secret

ACCOUNT = "demo"
SECRET = "demo"  # noqa: S105 - the demo's, told in its documentation
OFFICE_LINE = "+74950000001"
ORDERS_AT = "generic"
"""The connection whose PBX makes calls at our order."""
EXTENSIONS = tuple(str(number) for number in range(101, 111))


def employees() -> list[Employee]:
    """Return managers 101…110 and the senior manager 100, mapped to the CRM's users by e-mail; nobody for two of its users."""
    managers = [
        Employee(
            id=f"manager{extension}",
            name=f"Менеджер {extension}",
            email=f"manager{extension}@demo.example",
            extensions=(extension,),
            sip=(f"user{extension}",),
        )
        for extension in EXTENSIONS
    ]
    senior = Employee(
        id="senior100",
        name="Старший менеджер",
        email="senior100@demo.example",
        extensions=("100",),
        sip=("user100",),
        is_senior=True,
    )
    gone = Employee(
        id="deactivated",
        name="Уволенный менеджер",
        email="deactivated@demo.example",
        extensions=("199",),
    )
    return [senior, *managers, gone]


def named_employees() -> list[Employee]:
    """Return them with names of people."""
    return [one.model_copy(update={"name": EMPLOYEES[one.extensions[0]]}) for one in employees()]


def admin_token(data_dir: Path) -> str:
    """Return the demo's admin token, the same at every start."""
    return _kept(data_dir / "admin.token", new_secret).read_text().strip()


def secrets_key_file(data_dir: Path) -> Path:
    """Return the file with the demo's own key, which seals the secrets in its database."""
    return _kept(data_dir / "secrets.key", new_key)


def _kept(file: Path, make: Callable[[], str]) -> Path:
    """Made at the first start, for its owner alone; never half written."""
    if not file.exists():
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(make() + "\n")
        new.replace(file)
    return file


async def has_no_calls(pool: asyncpg.Pool) -> bool:
    async with pool.acquire() as conn:
        return ACCOUNT not in {account.id for account in await rows.accounts(conn)}


async def prepare(
    pool: asyncpg.Pool,
    *,
    sandbox_url: str,
    crm_token: str,
    token: str,
    people: Sequence[Employee] | None = None,
) -> None:
    """Everything that the demo needs in the database; repeating it changes nothing. people: None = `employees()`."""
    async with pool.acquire() as conn, conn.transaction():
        if ACCOUNT not in {a.id for a in await rows.accounts(conn)}:
            await rows.add_account(conn, account_id=ACCOUNT, name="Демонстрация", base_url=sandbox_url)
        await rows.move_account(conn, ACCOUNT, sandbox_url)
        await rows.set_account_state(conn, ACCOUNT, "on")
        await store_long_lived_token(conn, ACCOUNT, crm_token)
        known = {c.name for c in await rows.connections(conn, ACCOUNT)}
        for name, kind, keys in (
            ("generic", "generic", {}),
            ("ringostat", "ringostat", {"auth_key": SECRET}),
            ("mango", "mango", {"api_key": SECRET, "api_salt": SECRET}),
            ("asterisk", "asterisk", {}),
        ):
            if name not in known:
                order = ConnectionOrder(
                    name=name,
                    kind=kind,
                    keys=keys,
                    lines=(OFFICE_LINE,),
                    settings={"reconcile": False},  # the demo asks nobody's servers
                )
                await add_connection(conn, ACCOUNT, order, SECRET, KINDS)
        await replace_employees(conn, ACCOUNT, employees() if people is None else list(people))
        await rows.add_api_token(conn, name="demo admin", role="admin", token=token)
