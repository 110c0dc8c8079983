"""Messages of SMS as rows: one for each recipient, committed with its own id before anybody is asked to send it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from runtime.database.pool import Conn
from sms.model import OutboundSms, SmsState
from sms.progress import PartProgress, SmsProgress
from sms.reasons import SmsDoubt, SmsReason

_ADD = """
INSERT INTO sms_message (account_id, item_id, connection, employee_id, number, deal_id, contact_id, sender, extension, text,
    encoding, parts, expires_at, next_try_at, fresh_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING RETURNING own_id
"""

_SAVE = """
UPDATE sms_message SET state = $3, progress = $4, provider_ids = $5, reason = $6, words = coalesce($7, words),
    price = coalesce($8, price), is_noted = is_noted OR $9, noted_at = coalesce($15, noted_at), next_try_at = coalesce($10, next_try_at), look_at = $11,
    reported_at = coalesce($12, reported_at), claimed_at = CASE WHEN $3 = 'queued' THEN NULL ELSE claimed_at END,
    ended_at = CASE WHEN $13 THEN coalesce(ended_at, $14) END
WHERE account_id = $1 AND own_id = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsMessageRow:
    """number: None once it was emptied. reason: why it did not arrive, or why nobody knows. is_noted: it stands in the card that
    it was sent. look_at: when the provider is asked of it next; looks: how often it was."""

    account_id: str
    own_id: int
    item_id: str | None
    connection: str
    employee_id: str | None
    number: str | None
    deal_id: str | None
    contact_id: str | None
    sender: str | None
    extension: str | None
    text: str
    encoding: str
    parts: int
    state: str
    progress: Mapping[str, Any]
    reason: str
    words: str
    price: Decimal | None
    is_noted: bool
    noted_at: datetime | None
    next_try_at: datetime
    fresh_until: datetime
    expires_at: datetime
    look_at: datetime | None
    looks: int
    created_at: datetime
    claimed_at: datetime | None
    reported_at: datetime | None
    ended_at: datetime | None

    @property
    def as_progress(self) -> SmsProgress:
        return progress_of(self.state, self.progress)

    def outbound(self, report_url: str | None, now: datetime) -> OutboundSms:
        """Return it as a provider takes it."""
        assert self.number is not None, "what is sent has its number"
        return OutboundSms(
            own_id=self.own_id,
            number=self.number,
            text=self.text,
            sender=self.sender,
            from_extension=self.extension,
            lives=max(self.expires_at - now, _SHORTEST),
            report_url=report_url,
        )


_COLUMNS = tuple(field.name for field in fields(SmsMessageRow))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSms:
    """item_id: None of a test. fresh_until: one that was not sent by then is judged and written anew."""

    item_id: str | None
    connection: str
    number: str
    employee_id: str | None
    deal_id: str | None
    contact_id: str | None
    sender: str | None
    extension: str | None
    text: str
    encoding: str
    parts: int
    expires_at: datetime
    fresh_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsUpdate:
    """What a message came to. None: as it is; look_at None: it is not asked after. is_noted: that it was sent stands in the card
    now. noted_at: of a note that was ordered for it."""

    progress: SmsProgress
    words: str | None = None
    price: Decimal | None = None
    is_noted: bool = False
    noted_at: datetime | None = None
    next_try_at: datetime | None = None
    look_at: datetime | None = None
    reported_at: datetime | None = None


async def add_message(conn: Conn, account_id: str, new: NewSms, now: datetime) -> int | None:
    """Keep it to be sent. Return its own id; None: the item has one to this number."""
    added: int | None = await conn.fetchval(
        _ADD,
        account_id,
        new.item_id,
        new.connection,
        new.employee_id,
        new.number,
        new.deal_id,
        new.contact_id,
        new.sender,
        new.extension,
        new.text,
        new.encoding,
        new.parts,
        new.expires_at,
        now,
        new.fresh_until,
    )
    return added


async def message_of(conn: Conn, account_id: str, own_id: int, *, lock: bool = False) -> SmsMessageRow | None:
    """lock: nobody else changes it until the transaction ends."""
    sql = "SELECT * FROM sms_message WHERE account_id = $1 AND own_id = $2"
    row = await conn.fetchrow(f"{sql} FOR UPDATE" if lock else sql, account_id, own_id)
    return as_message(row) if row else None


async def messages_of_item(conn: Conn, account_id: str, item_id: str) -> list[SmsMessageRow]:
    rows = await conn.fetch(
        "SELECT * FROM sms_message WHERE account_id = $1 AND item_id = $2 ORDER BY own_id",
        account_id,
        item_id,
    )
    return [as_message(row) for row in rows]


async def message_known_as(
    conn: Conn, account_id: str, connection: str, ids: Sequence[str], own_ids: Sequence[int]
) -> SmsMessageRow | None:
    """Lock the newest message that the provider calls by one of these ids, or that we do and nobody else does yet."""
    row = await conn.fetchrow(
        "SELECT * FROM sms_message WHERE account_id = $1 AND connection = $2 AND (provider_ids && $3::text[]"
        " OR (own_id = ANY($4) AND provider_ids = '{}' AND claimed_at IS NOT NULL)) ORDER BY created_at DESC, own_id DESC"
        " LIMIT 1 FOR UPDATE",
        account_id,
        connection,
        list(ids),
        list(own_ids),
    )
    return as_message(row) if row else None


async def save_message(conn: Conn, row: SmsMessageRow, update: SmsUpdate, now: datetime) -> None:
    """Write down what it came to, in the transaction that holds it."""
    progress = update.progress
    await conn.execute(
        _SAVE,
        row.account_id,
        row.own_id,
        progress.state,
        progress_json(progress),
        list(progress.ids),
        progress.doubt or progress.reason or "",
        None if update.words is None else update.words[:500],
        update.price,
        update.is_noted,
        update.next_try_at,
        update.look_at,
        update.reported_at,
        progress.is_final,
        now,
        update.noted_at,
    )


async def free_second(conn: Conn, account_id: str, deal_id: str | None, now: datetime) -> datetime:
    """Return a moment, from now on, whose second no other note about this deal has: the CRM shows one of those only."""
    last: datetime | None = await conn.fetchval(
        "SELECT max(noted_at) FROM sms_message WHERE account_id = $1 AND deal_id IS NOT DISTINCT FROM $2"
        " AND noted_at IS NOT NULL",
        account_id,
        deal_id,
    )
    whole = now.replace(microsecond=0)
    return whole if last is None or last < whole else last + timedelta(seconds=1)


async def wait_until(conn: Conn, row: SmsMessageRow, at: datetime) -> None:
    """Do not send it before."""
    await conn.execute(
        "UPDATE sms_message SET next_try_at = $3 WHERE account_id = $1 AND own_id = $2 AND state = 'queued'",
        row.account_id,
        row.own_id,
        at,
    )


async def looked(conn: Conn, row: SmsMessageRow) -> SmsMessageRow:
    """Count that it was asked after."""
    found = await conn.fetchrow(
        "UPDATE sms_message SET looks = looks + 1 WHERE account_id = $1 AND own_id = $2 RETURNING *",
        row.account_id,
        row.own_id,
    )
    assert found is not None
    return as_message(found)


async def look_later(conn: Conn, row: SmsMessageRow, look_at: datetime) -> None:
    """Ask of it then, unless nothing more is to be asked."""
    await conn.execute(
        "UPDATE sms_message SET look_at = $3 WHERE account_id = $1 AND own_id = $2 AND look_at IS NOT NULL",
        row.account_id,
        row.own_id,
        look_at,
    )


async def to_look_at(
    conn: Conn, account_id: str, connection: str, now: datetime, limit: int
) -> list[SmsMessageRow]:
    """Return those that the provider is to be asked of now, the longest due first."""
    rows = await conn.fetch(
        "SELECT * FROM sms_message WHERE account_id = $1 AND connection = $2 AND look_at <= $3 ORDER BY look_at LIMIT $4",
        account_id,
        connection,
        now,
        limit,
    )
    return [as_message(row) for row in rows]


async def left_sending(
    conn: Conn, account_id: str, connection: str, before: datetime, but: Collection[int]
) -> list[SmsMessageRow]:
    """Return those whose sending was begun before and that nobody here is sending. but: own ids that somebody is."""
    rows = await conn.fetch(
        "SELECT * FROM sms_message WHERE account_id = $1 AND connection = $2 AND state = 'sending' AND claimed_at < $3"
        " AND own_id <> ALL($4)",
        account_id,
        connection,
        before,
        list(but),
    )
    return [as_message(row) for row in rows]


_SHORTEST = timedelta(minutes=1)


def progress_of(state: str, kept: Mapping[str, Any]) -> SmsProgress:
    parts = tuple(
        PartProgress(id, SmsState(at), SmsReason(why) if why else None)
        for id, at, why in kept.get("parts", ())
    )
    reason, doubt = kept.get("reason"), kept.get("doubt")
    return SmsProgress(
        state=SmsState(state),
        reports_due=kept.get("reports_due", 1),
        parts=parts,
        tries=kept.get("tries", 0),
        reason=SmsReason(reason) if reason else None,
        doubt=SmsDoubt(doubt) if doubt else None,
    )


def progress_json(progress: SmsProgress) -> dict[str, Any]:
    return {
        "reports_due": progress.reports_due,
        "parts": [list(part) for part in progress.parts],
        "tries": progress.tries,
        "reason": progress.reason,
        "doubt": progress.doubt,
    }


def as_message(row: asyncpg.Record) -> SmsMessageRow:
    """Read a whole row; columns of a newer version are left alone."""
    return SmsMessageRow(**{name: row[name] for name in _COLUMNS})
