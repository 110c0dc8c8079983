"""The queue of what goes out, as a person clears it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.admin.outbound.items import gate_of
from gateway.admin.outbound.why_not import stop_in_words
from gateway.admin.protection.grants import refuse_bound
from gateway.admin.refused import InputRefused
from gateway.store.admin.accounts import account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.outbound import listing as store
from gateway.store.outbound.connections import ConnectionStop, stops_of
from gateway.store.outbound.items import OutboundKind
from gateway.store.outbound.listing import QueuePart
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from runtime.database.pool import Conn


class CampaignsNotCleared(InputRefused):
    """Numbers of campaigns are not taken out of the queue: their campaign would put its next ones there."""

    code = "campaigns-not-cleared"

    def __init__(self) -> None:
        super().__init__(
            "kind",
            "numbers of campaigns are not cleared: each campaign would put its next ones into the queue",
            "stop the campaign ('callmatrix campaign stop NAME'), or end it at once ('callmatrix campaign finish NAME')",
        )


class QueueSeen(NamedTuple):
    """gates: what keeps the account's calls as a whole from going out, in words; empty: nothing does. gate: as `gate_of`."""

    rate: int
    parts: Sequence[QueuePart]
    stops: Sequence[ConnectionStop]
    gates: Sequence[str]
    gate: str


async def queue_seen(conn: Conn, account_id: str, language: Language | None) -> QueueSeen:
    """language: of what is said, None = the account's."""
    whose = await account(conn, account_id)
    texts, zone = TEXTS[language or whose.settings.language], ZoneInfo(whose.time_zone)
    stops, rate = await stops_of(conn, [account_id]), whose.settings.outbound.rate
    gates = [] if whose.state == "on" else [texts.say("outbound.why.account_off")]
    gates += [texts.say("outbound.why.paused")] if rate == 0 else []
    gates += [stop_in_words(stop, zone, texts) for stop in stops if stop.stopped_at or is_away(stop)]
    return QueueSeen(rate, await store.queue_of(conn, account_id), stops, gates, gate_of(whose))


def is_away(stop: ConnectionStop) -> bool:
    return stop.away_until is not None and stop.away_until > datetime.now(UTC)


def refuse_campaigns(kind: OutboundKind) -> None:
    """Raise CampaignsNotCleared."""
    if kind == "campaign":
        raise CampaignsNotCleared


async def clear_queue(conn: Conn, account_id: str, kind: OutboundKind) -> int:
    """Take all of a kind that waits out of the queue: no stage, no task; what is under way goes on. How many. Raise NotBoundTo,
    CampaignsNotCleared."""
    refuse_bound()
    refuse_campaigns(kind)
    async with conn.transaction():
        count = await store.clear_waiting(conn, account_id, kind)
        if count:
            change = AuditChange(
                what="queue", object=kind, action="cleared", account_id=account_id, after={"items": count}
            )
            await record(conn, change)
    return count
