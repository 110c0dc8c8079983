"""The queue of what goes out, as a person clears it."""

from __future__ import annotations

from gateway.store.admin.audit import AuditChange, record
from gateway.store.outbound import listing as store
from gateway.store.outbound.items import OutboundKind
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn


async def clear_queue(conn: Conn, account_id: str, kind: OutboundKind) -> int:
    """Take all of a kind that waits out of the queue: no stage, no task; what is under way goes on. How many."""
    async with conn.transaction():
        count = await store.clear_waiting(conn, account_id, kind)
        if count:
            change = AuditChange(
                what="queue", object=kind, action="cleared", account_id=account_id, after={"items": count}
            )
            await record(conn, change)
    return count


def reason_in_words(kind: OutboundKind, reason: str, texts: Texts) -> str:
    """Say why an item waits or how it ended; a code that has no words stays one. Empty: nobody has looked at it yet."""
    if not reason:
        return texts.say("outbound.not-looked-at")
    keys = ("sms.reason", "outbound.reason") if kind == "sms" else ("outbound.reason", "sms.reason")
    return next((texts.word(key, reason) for key in keys if f"{key}.{reason}" in texts.sentences), reason)
