"""What was heard last of the links that some providers need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runtime.database.pool import Conn
from sms.port import SmsLinkTold
from sms.reasons import SmsReason

_LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsLinkHeard:
    """As it was told last, and as API and commands show it. since: when it first was so. reason, words: why it is down; words are
    the other side's, or the network's."""

    is_up: bool
    since: datetime
    reason: SmsReason | None = None
    words: str = ""


async def note_link(conn: Conn, account_id: str, name: str, told: SmsLinkTold, now: datetime) -> None:
    """Write down how the link fares; nothing where the provider is gone meanwhile."""
    await conn.execute(
        "INSERT INTO sms_link (account_id, name, is_up, reason, words, since)"
        " SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT 1 FROM sms_connection WHERE account_id = $1 AND name = $2)"
        " ON CONFLICT (account_id, name) DO UPDATE SET is_up = excluded.is_up, reason = excluded.reason,"
        " words = excluded.words, since = CASE WHEN sms_link.is_up = excluded.is_up THEN sms_link.since"
        " ELSE excluded.since END",
        account_id,
        name,
        told.is_up,
        told.reason or "",
        told.words[:_LONGEST_WORDS],
        now,
    )


async def forget_link(conn: Conn, account_id: str, name: str) -> None:
    """Know nothing of it: it is opened anew, with what nobody has tried yet."""
    await conn.execute("DELETE FROM sms_link WHERE account_id = $1 AND name = $2", account_id, name)


async def links_heard(conn: Conn, account_id: str | None = None) -> dict[tuple[str, str], SmsLinkHeard]:
    """By account and name of the provider. account_id: None = of all."""
    rows = await conn.fetch(
        "SELECT * FROM sms_link WHERE $1::text IS NULL OR account_id = $1 ORDER BY account_id, name",
        account_id,
    )
    return {
        (row["account_id"], row["name"]): SmsLinkHeard(
            is_up=row["is_up"],
            since=row["since"],
            reason=SmsReason(row["reason"]) if row["reason"] else None,
            words=row["words"],
        )
        for row in rows
    }
