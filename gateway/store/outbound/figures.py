"""What goes out, in numbers, of all accounts at once: what waits and since when, what came of the latest, at which pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from routing.outbound.settings import OutboundSettings
from runtime.database.pool import Conn

LATELY = timedelta(hours=1)
"""Outcomes are counted so far back."""

_WAITING = """
SELECT account_id, kind, count(*) AS n,
    coalesce(extract(epoch FROM now() - min(not_before)), 0)::float8 AS oldest_seconds
FROM outbound_item WHERE state = 'waiting' GROUP BY account_id, kind ORDER BY 1, 2
"""
_ENDED = """
SELECT account_id, side, reason, count(*) AS n FROM outbound_attempt
WHERE state = 'over' AND over_at > now() - $1::interval GROUP BY account_id, side, reason ORDER BY 1, 2, 3
"""
_TEXTS = """
SELECT account_id, connection, state, count(*) AS n FROM sms_message
WHERE claimed_at > now() - $1::interval AND state <> 'queued' GROUP BY account_id, connection, state ORDER BY 1, 2, 3
"""
_QUEUED = """
SELECT account_id, connection, count(*) AS n FROM sms_message WHERE state = 'queued' GROUP BY account_id, connection ORDER BY 1, 2
"""
_PACE = """
SELECT account_id, coalesce((settings->'outbound'->>'rate')::int, $1) AS rate, coalesce(p.n, 0) AS placed,
    coalesce(u.dialling, 0) AS dialling, coalesce(u.unknown, 0) AS unknown
FROM account LEFT JOIN (SELECT account_id, count(*) AS n FROM outbound_attempt
    WHERE placed_at > now() - interval '1 minute' GROUP BY account_id) p USING (account_id)
LEFT JOIN (SELECT account_id, count(*) FILTER (WHERE state = 'dialling') AS dialling,
    count(*) FILTER (WHERE state = 'unknown') AS unknown FROM outbound_item
    WHERE kind <> 'sms' AND state IN ('dialling', 'unknown') GROUP BY account_id) u USING (account_id) ORDER BY 1
"""
_STOPPED = """
SELECT account_id, connection FROM outbound_connection WHERE stopped_at IS NOT NULL
UNION ALL SELECT account_id, name FROM sms_connection WHERE stop_reason IS NOT NULL ORDER BY 1, 2
"""


class WaitingCount(NamedTuple):
    """oldest_seconds: since the longest waiting of them might have gone out; below 0: none may yet."""

    account_id: str
    kind: str
    n: int
    oldest_seconds: float


class EndedCount(NamedTuple):
    """Attempts."""

    account_id: str
    side: str
    reason: str
    n: int


class TextCount(NamedTuple):
    """Messages of one provider that were given to it lately, or wait for it."""

    account_id: str
    connection: str
    state: str
    n: int


class AccountPace(NamedTuple):
    """placed: within the latest minute. unknown: calls of which nobody knows."""

    account_id: str
    rate: int
    placed: int
    dialling: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundFigures:
    """stopped: account and connection, of calls and of texts."""

    waiting: Sequence[WaitingCount] = ()
    ended: Sequence[EndedCount] = ()
    texts: Sequence[TextCount] = ()
    paces: Sequence[AccountPace] = ()
    stopped: Sequence[tuple[str, str]] = ()


async def outbound_figures(conn: Conn) -> OutboundFigures:
    """Six queries, however many accounts there are."""
    texts = [TextCount(*row) for row in await conn.fetch(_TEXTS, LATELY)]
    for account_id, connection, n in await conn.fetch(_QUEUED):
        texts.append(TextCount(account_id, connection, "queued", n))
    return OutboundFigures(
        waiting=[WaitingCount(*row) for row in await conn.fetch(_WAITING)],
        ended=[EndedCount(*row) for row in await conn.fetch(_ENDED, LATELY)],
        texts=texts,
        paces=[AccountPace(*row) for row in await conn.fetch(_PACE, OutboundSettings().rate)],
        stopped=[(account_id, name) for account_id, name in await conn.fetch(_STOPPED)],
    )
