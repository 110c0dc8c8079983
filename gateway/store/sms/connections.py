"""SMS providers of accounts as rows: keys sealed, and what each was last heard to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from runtime.database.pool import Conn
from runtime.database.sealed_columns import opened_map, opened_or_none, sealed, sealed_map
from runtime.database.sealing import Place
from sms.model import SmsBalance
from sms.port import SmsConnection
from sms.reasons import SmsReason

_ROW = ("account_id", "name")
SMS_KEYS = Place("sms_connection", "keys", _ROW, is_map=True)
SMS_REPORT_SECRET = Place("sms_connection", "report_secret", _ROW)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsStop:
    """Why nothing goes out through a provider. words: its own. try_at: when one message is tried again."""

    reason: SmsReason
    words: str
    since: datetime
    try_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSmsConnection:
    """sender: None = the provider's own. report_secret: in the address of reports; "" where it cannot be opened.
    balance_at: when the balance was last asked for, with success or not."""

    connection: SmsConnection
    sender: str | None
    is_on: bool
    report_secret: str = field(repr=False)
    stop: SmsStop | None = None
    balance: SmsBalance | None = None
    balance_at: datetime | None = None
    balance_error: str = ""

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def account_id(self) -> str:
        return self.connection.account_id


async def add_sms_connection(
    conn: Conn,
    connection: SmsConnection,
    *,
    sender: str | None,
    report_secret: str,
) -> SavedSmsConnection | None:
    """None: the account has one of this name already."""
    row = (connection.account_id, connection.name)
    added = await conn.fetchrow(
        "INSERT INTO sms_connection (account_id, name, kind, keys, settings, sender, report_secret)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING *",
        *row,
        connection.kind,
        await sealed_map(conn, SMS_KEYS, row, connection.keys),
        dict(connection.settings),
        sender,
        await sealed(conn, SMS_REPORT_SECRET, row, report_secret),
    )
    return _saved(conn, added) if added else None


async def change_sms_connection(
    conn: Conn, now: SavedSmsConnection, changes: Mapping[str, Any]
) -> SavedSmsConnection:
    """Change any of keys, settings, sender, is_on, report_secret; a provider that stopped is tried again at once."""
    row, given = (now.account_id, now.name), changes.get
    keys, secret = given("keys"), given("report_secret")
    changed = await conn.fetchrow(
        "UPDATE sms_connection SET keys = coalesce($3, keys), report_secret = coalesce($4, report_secret), settings = $5,"
        " sender = $6, is_on = $7, stop_reason = NULL, stop_words = '', stopped_at = NULL, try_at = NULL, balance_at = NULL"
        " WHERE account_id = $1 AND name = $2 RETURNING *",
        *row,
        None if keys is None else await sealed_map(conn, SMS_KEYS, row, keys),
        None if secret is None else await sealed(conn, SMS_REPORT_SECRET, row, secret),
        dict(given("settings", now.connection.settings)),
        given("sender", now.sender),
        given("is_on", now.is_on),
    )
    return _saved(conn, changed)


async def remove_sms_connection(conn: Conn, account_id: str, name: str) -> None:
    await conn.execute("DELETE FROM sms_connection WHERE account_id = $1 AND name = $2", account_id, name)


async def sms_connections(conn: Conn, account_id: str | None = None) -> list[SavedSmsConnection]:
    """Of one account, None = of all."""
    rows = await conn.fetch(
        "SELECT * FROM sms_connection WHERE $1::text IS NULL OR account_id = $1 ORDER BY account_id, name",
        account_id,
    )
    return [_saved(conn, row) for row in rows]


async def sms_connection(conn: Conn, account_id: str, name: str) -> SavedSmsConnection | None:
    row = await conn.fetchrow(
        "SELECT * FROM sms_connection WHERE account_id = $1 AND name = $2", account_id, name
    )
    return _saved(conn, row) if row else None


def _saved(conn: Conn, row: asyncpg.Record | None) -> SavedSmsConnection:
    assert row is not None
    place = (row["account_id"], row["name"])
    reason, balance = row["stop_reason"], row["balance"]
    return SavedSmsConnection(
        connection=SmsConnection(
            account_id=row["account_id"],
            id="/".join(place),
            name=row["name"],
            kind=row["kind"],
            keys=opened_map(conn, SMS_KEYS, place, row["keys"]),
            settings=row["settings"],
        ),
        sender=row["sender"],
        is_on=row["is_on"],
        report_secret=opened_or_none(conn, SMS_REPORT_SECRET, place, row["report_secret"]) or "",
        stop=SmsStop(
            reason=SmsReason(reason),
            words=row["stop_words"],
            since=row["stopped_at"],
            try_at=row["try_at"],
        )
        if reason
        else None,
        balance=None if balance is None else SmsBalance(Decimal(balance), row["currency"]),
        balance_at=row["balance_at"],
        balance_error=row["balance_error"],
    )
