"""How the SMS of all accounts stand: what each provider is, and how much waits for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from gateway.store.sms.links import SmsLinkHeard, links_heard
from runtime.database.pool import Conn

# Only what has not gone out is counted, by the partial index.
_WAITING = """
SELECT account_id, "order"->'action'->>'provider' AS provider, count(*) AS n FROM outbound_item
WHERE kind = 'sms' AND state = 'waiting' GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsStanding:
    """saved: None = it was removed, and texts wait for it all the same. link: None = nothing was heard of one. waiting: texts
    that are not written yet."""

    name: str
    saved: SavedSmsConnection | None
    link: SmsLinkHeard | None
    waiting: int


async def sms_standing(
    conn: Conn, account_ids: Collection[str] | None = None
) -> Mapping[str, list[SmsStanding]]:
    """By account, None = of all; those that neither have a provider nor wait for one are not there."""
    waiting = {
        (row["account_id"], row["provider"]): row["n"]
        for row in await conn.fetch(_WAITING)
        if row["provider"]
    }
    saved = {(one.account_id, one.name): one for one in await sms_connections(conn)}
    links = await links_heard(conn)
    found: dict[str, list[SmsStanding]] = {}
    for account_id, name in sorted({*waiting, *saved}):
        if account_ids is None or account_id in account_ids:
            of = (account_id, name)
            standing = SmsStanding(
                name=name, saved=saved.get(of), link=links.get(of), waiting=waiting.get(of, 0)
            )
            found.setdefault(account_id, []).append(standing)
    return found
