"""Accounts, connections and tokens of the admin API as rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from gateway.pbx.connection import Connection
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.bindings import EVERYTHING, Bindings, bindings_of
from gateway.store.admin.roles import Role
from routing.settings import AccountSettings, stored_settings
from runtime.database.pool import Conn
from runtime.database.sealed_columns import opened_map, opened_or_none, sealed, sealed_map
from runtime.database.sealing import Place
from runtime.tokens import hash_of, new_secret

AccountState = Literal["on", "off", "broken"]

WEBHOOK_SECRET = Place("account", "webhook_secret")
CONNECTION_KEYS = Place("connection", "keys", ("account_id", "connection_id"), is_map=True)


class AlreadyExists(Exception):
    """There is one with this name already. Choose another name, or change the one that exists."""

    code = "already-exists"


class NoSuchAccount(Exception):
    """No account of this name. `callmatrix account list` shows those that exist."""

    code = "no-such-account"


class NoSuchConnection(Exception):
    """No connection of this name. `callmatrix connection list` shows those that exist."""

    code = "no-such-connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    id: str
    name: str
    crm_kind: str
    base_url: str
    time_zone: str
    region: str
    state: AccountState
    state_reason: str
    state_since: datetime
    settings: AccountSettings
    webhook_secret: str
    staff_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    token_hash: str
    name: str
    role: Role
    account_id: str | None
    expires_at: datetime | None
    last_used_at: datetime | None = None
    bound: Bindings = EVERYTHING


async def add_account(
    conn: Conn,
    *,
    account_id: str,
    name: str,
    base_url: str,
    time_zone: str = "Europe/Moscow",
    region: str = "RU",
    settings: AccountSettings | None = None,
    webhook_secret: str | None = None,
) -> Account:
    """Add an account. Raises AlreadyExists."""
    values = settings or AccountSettings()
    try:
        row = await conn.fetchrow(
            "INSERT INTO account (account_id, name, base_url, time_zone, region, settings, webhook_secret)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *",
            account_id,
            name,
            base_url.rstrip("/"),
            time_zone,
            region,
            values.model_dump(mode="json"),
            await sealed(conn, WEBHOOK_SECRET, [account_id], webhook_secret or new_secret()),
        )
    except asyncpg.UniqueViolationError as err:
        raise AlreadyExists(f"account {account_id}") from err
    return _account(conn, row)


async def accounts(conn: Conn, account_ids: Collection[str] | None = None) -> list[Account]:
    """Return these, None = all."""
    rows = await conn.fetch(
        "SELECT * FROM account WHERE $1::text[] IS NULL OR account_id = ANY($1) ORDER BY account_id",
        None if account_ids is None else list(account_ids),
    )
    return [_account(conn, row) for row in rows]


async def account(conn: Conn, account_id: str) -> Account:
    """Read it from the database. Raises NoSuchAccount."""
    row = await conn.fetchrow("SELECT * FROM account WHERE account_id = $1", account_id)
    if row is None:
        raise NoSuchAccount(account_id)
    return _account(conn, row)


async def is_authorised(conn: Conn, account_id: str) -> bool:
    """Whether there is a key to its CRM."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM crm_token WHERE account_id = $1)", account_id
    )
    return found


async def shut_reason(conn: Conn, account_id: str) -> str | None:
    """Return why its CRM let us in no more when it was switched off; None: it did, or a new key was tried since."""
    found: str | None = await conn.fetchval(
        "SELECT shut_reason FROM account WHERE account_id = $1", account_id
    )
    return found


async def lock_account(conn: Conn, account_id: str) -> None:
    """Nobody else changes the account until the transaction ends."""
    await conn.execute("SELECT 1 FROM account WHERE account_id = $1 FOR UPDATE", account_id)


async def move_account(conn: Conn, account_id: str, base_url: str) -> None:
    """Its CRM answers at another address from now on."""
    await conn.execute("UPDATE account SET base_url = $2 WHERE account_id = $1", account_id, base_url)


NOT_AUTHORISED, BY_HAND = "not authorised yet", "switched off by hand"
"""Reasons of a state that no person wrote: told to people in their language (gateway/health/account_checks.py)."""


async def set_account_state(conn: Conn, account_id: str, state: AccountState, reason: str = "") -> bool:
    """Whether it changed. Run it inside a transaction. Raises NoSuchAccount."""
    row = await conn.fetchrow(
        "UPDATE account SET state = $2, state_reason = $3,"
        " shut_reason = CASE WHEN $2 <> 'off' THEN NULL WHEN was.before = 'broken' THEN was.reason ELSE shut_reason END,"
        " state_since = CASE WHEN state = $2 THEN state_since ELSE now() END"
        " FROM (SELECT state AS before, state_reason AS reason FROM account WHERE account_id = $1) was"
        " WHERE account_id = $1 RETURNING was.before, was.reason",
        account_id,
        state,
        reason,
    )
    if row is None:
        raise NoSuchAccount(account_id)
    told = AuditChange(
        what="account",
        object=account_id,
        action="switched",
        account_id=account_id,
        before={"state": row["before"], "reason": row["reason"]},
        after={"state": state, "reason": reason},
    )
    await record(conn, told)
    return bool(row["before"] != state)


async def mend_account(conn: Conn, account_id: str, since: datetime) -> bool:
    """Switch a broken account on: its CRM lets us in again. Whether it was still broken, since then."""
    done: str = await conn.execute(
        "UPDATE account SET state = 'on', state_reason = '', state_since = now()"
        " WHERE account_id = $1 AND state = 'broken' AND state_since = $2",
        account_id,
        since,
    )
    return done != "UPDATE 0"


async def save_settings(conn: Conn, account_id: str, settings: AccountSettings) -> None:
    done = await conn.execute(
        "UPDATE account SET settings = $2 WHERE account_id = $1", account_id, settings.model_dump(mode="json")
    )
    if done == "UPDATE 0":
        raise NoSuchAccount(account_id)


async def rename_account(conn: Conn, account_id: str, *, name: str, time_zone: str, region: str) -> None:
    await conn.execute(
        "UPDATE account SET name = $2, time_zone = $3, region = $4 WHERE account_id = $1",
        account_id,
        name,
        time_zone,
        region,
    )


async def add_connection(
    conn: Conn,
    *,
    account_id: str,
    name: str,
    kind: str,
    secret: str,
    keys: Mapping[str, str] | None = None,
    dialect: str = "json",
    region: str | None = None,
    lines: tuple[str, ...] = (),
    settings: Mapping[str, Any] | None = None,
) -> Connection:
    """Add a connection. Raises AlreadyExists, NoSuchAccount. The connection's id is its name."""
    try:
        row = await conn.fetchrow(
            "INSERT INTO connection (account_id, connection_id, name, kind, secret_hash, keys, dialect, region, lines,"
            " settings) VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *",
            account_id,
            name,
            kind,
            hash_of(secret),
            await sealed_map(conn, CONNECTION_KEYS, (account_id, name), keys or {}),
            dialect,
            region,
            list(lines),
            dict(settings or {}),
        )
    except asyncpg.UniqueViolationError as err:
        raise AlreadyExists(f"connection {name}") from err
    except asyncpg.ForeignKeyViolationError as err:
        raise NoSuchAccount(account_id) from err
    return _connection(conn, row)


async def change_connection(conn: Conn, name: str, **changes: Any) -> Connection:
    """Change a connection. changes: any of kind, keys, dialect, region, lines, settings, is_on, secret (stored hashed). Raises NoSuchConnection."""
    if "secret" in changes:
        changes["secret_hash"] = hash_of(changes.pop("secret"))
    allowed = {"kind", "keys", "dialect", "region", "lines", "settings", "is_on", "secret_hash"}
    if unknown := set(changes) - allowed:
        raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
    if changes.get("keys"):
        place = await conn.fetchrow("SELECT account_id, connection_id FROM connection WHERE name = $1", name)
        changes["keys"] = await sealed_map(conn, CONNECTION_KEYS, tuple(place or ()), changes["keys"])
    assignments = ", ".join(f"{column} = ${i}" for i, column in enumerate(changes, 2)) or "name = name"
    row = await conn.fetchrow(
        f"UPDATE connection SET {assignments} WHERE name = $1 RETURNING *",  # noqa: S608 - columns of a closed set
        name,
        *(list(v) if isinstance(v, tuple) else v for v in changes.values()),
    )
    if row is None:
        raise NoSuchConnection(name)
    return _connection(conn, row)


async def connections(conn: Conn, account_id: str | None = None) -> list[Connection]:
    rows = await conn.fetch(
        "SELECT * FROM connection WHERE $1::text IS NULL OR account_id = $1 ORDER BY name", account_id
    )
    return [_connection(conn, row) for row in rows]


async def connections_of(conn: Conn, account_ids: Collection[str] | None) -> list[Connection]:
    """Of these accounts, None = of all."""
    rows = await conn.fetch(
        "SELECT * FROM connection WHERE $1::text[] IS NULL OR account_id = ANY($1) ORDER BY name",
        None if account_ids is None else list(account_ids),
    )
    return [_connection(conn, row) for row in rows]


async def remove_connection(conn: Conn, name: str) -> None:
    if await conn.execute("DELETE FROM connection WHERE name = $1", name) == "DELETE 0":
        raise NoSuchConnection(name)


async def add_api_token(
    conn: Conn,
    *,
    name: str,
    role: Role,
    account_id: str | None = None,
    bound: Bindings | None = None,
    token: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Add a token and return it: shown once, stored hashed. Adding the same token again changes nothing.

    bound: else to the account alone.
    """
    value = token or new_secret()
    bound = bound or Bindings(account_id=account_id)
    await conn.execute(
        "INSERT INTO api_token (token_hash, name, role, account_id, expires_at, employee, templates, schedules,"
        " counters) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (token_hash) DO NOTHING",
        hash_of(value),
        name,
        role,
        bound.account_id,
        expires_at,
        bound.employee,
        list(bound.templates),
        list(bound.schedules),
        list(bound.counters),
    )
    return value


async def change_api_token(conn: Conn, token_hash: str, *, role: Role, bound: Bindings) -> None:
    await conn.execute(
        "UPDATE api_token SET role = $2, account_id = $3, employee = $4, templates = $5, schedules = $6, counters = $7"
        " WHERE token_hash = $1",
        token_hash,
        role,
        bound.account_id,
        bound.employee,
        list(bound.templates),
        list(bound.schedules),
        list(bound.counters),
    )


async def lock_api_tokens(conn: Conn) -> None:
    """Nobody else adds one until the transaction ends."""
    await conn.execute("LOCK TABLE api_token IN SHARE ROW EXCLUSIVE MODE")


async def api_tokens(conn: Conn) -> list[ApiToken]:
    rows = await conn.fetch(
        "SELECT * FROM api_token WHERE expires_at IS NULL OR expires_at > now() ORDER BY name"
    )
    return [
        ApiToken(
            token_hash=r["token_hash"],
            name=r["name"],
            role=r["role"],
            account_id=r["account_id"],
            expires_at=r["expires_at"],
            last_used_at=r["last_used_at"],
            bound=bindings_of(r),
        )
        for r in rows
    ]


async def note_tokens_used(conn: Conn, hashes: Collection[str]) -> None:
    """Just now; those that were used within a minute before are not written again."""
    await conn.execute(
        "UPDATE api_token SET last_used_at = now() WHERE token_hash = ANY($1)"
        " AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
        list(hashes),
    )


async def remove_api_token(conn: Conn, name: str, token_hash: str | None = None) -> int:
    """Return how many tokens of this name there were. token_hash: of the one that is meant, where several have it."""
    sql = "DELETE FROM api_token WHERE name = $1 AND ($2::text IS NULL OR token_hash = $2)"
    return int((await conn.execute(sql, name, token_hash)).split()[-1])


def _account(conn: Conn, row: asyncpg.Record | None) -> Account:
    assert row is not None
    return Account(
        id=row["account_id"],
        name=row["name"],
        crm_kind=row["crm_kind"],
        base_url=row["base_url"],
        time_zone=row["time_zone"],
        region=row["region"],
        state=row["state"],
        state_reason=row["state_reason"],
        state_since=row["state_since"],
        settings=stored_settings(row["settings"]),
        webhook_secret=opened_or_none(conn, WEBHOOK_SECRET, [row["account_id"]], row["webhook_secret"]) or "",
        staff_version=row["staff_version"],
    )


def _connection(conn: Conn, row: asyncpg.Record | None) -> Connection:
    assert row is not None
    return Connection(
        account_id=row["account_id"],
        id=row["connection_id"],
        name=row["name"],
        kind=row["kind"],
        secret_hash=row["secret_hash"],
        keys=opened_map(conn, CONNECTION_KEYS, (row["account_id"], row["connection_id"]), row["keys"]),
        dialect=row["dialect"],
        region=row["region"],
        lines=tuple(row["lines"]),
        settings=row["settings"],
        is_on=row["is_on"],
    )
