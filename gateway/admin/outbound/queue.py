"""The queue of what goes out, as a person clears it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.admin.outbound.why_not import stop_in_words
from gateway.admin.protection.grants import refuse_bound
from gateway.store.admin.accounts import account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.outbound import listing as store
from gateway.store.outbound.connections import ConnectionStop, stops_of
from gateway.store.outbound.items import OutboundKind
from gateway.store.outbound.listing import QueuePart
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from runtime.database.pool import Conn


class QueueSeen(NamedTuple):
    """gates: what keeps the account's calls as a whole from going out, in words; empty: nothing does."""

    rate: int
    parts: Sequence[QueuePart]
    stops: Sequence[ConnectionStop]
    gates: Sequence[str]


async def queue_seen(conn: Conn, account_id: str, language: Language | None) -> QueueSeen:
    """language: of what is said, None = the account's."""
    whose = await account(conn, account_id)
    texts, zone = TEXTS[language or whose.settings.language], ZoneInfo(whose.time_zone)
    stops, rate = await stops_of(conn, [account_id]), whose.settings.outbound.rate
    gates = [] if whose.state == "on" else [texts.say("outbound.why.account_off")]
    gates += [texts.say("outbound.why.paused")] if rate == 0 else []
    gates += [stop_in_words(stop, zone, texts) for stop in stops if stop.stopped_at or is_away(stop)]
    return QueueSeen(rate, await store.queue_of(conn, account_id), stops, gates)


def is_away(stop: ConnectionStop) -> bool:
    return stop.away_until is not None and stop.away_until > datetime.now(UTC)


async def clear_queue(conn: Conn, account_id: str, kind: OutboundKind) -> int:
    """Take all of a kind that waits out of the queue: no stage, no task; what is under way goes on. How many. Raise NotBoundTo."""
    refuse_bound()
    async with conn.transaction():
        count = await store.clear_waiting(conn, account_id, kind)
        if count:
            change = AuditChange(
                what="queue", object=kind, action="cleared", account_id=account_id, after={"items": count}
            )
            await record(conn, change)
    return count
