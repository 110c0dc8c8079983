"""What a token that is bound to templates does not see: campaigns and triggers whose calls go by others, and all that comes of
them."""

from __future__ import annotations

from typing import NamedTuple

from gateway.admin.protection.behind import templates_behind
from gateway.api.frame import AnyCall, may_see
from gateway.store.outbound.items import OutboundItem
from runtime.database.pool import Conn


class Unseen(NamedTuple):
    """Names. own: templates that the token is bound to, None = it is bound to none."""

    campaigns: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    own: tuple[str, ...] | None = None

    def has(self, item: OutboundItem) -> bool:
        """Whether this of what goes out is not seen."""
        target = item.target or {}
        is_others = target.get("kind") == "template" and target.get("name") not in (self.own or ())
        return (
            (self.own is not None and is_others)
            or item.campaign in self.campaigns
            or item.order.get("trigger") in self.triggers
        )


EVERYTHING_SEEN = Unseen()


async def unseen_by(call: AnyCall, conn: Conn) -> Unseen:
    """Of the account that the path names."""
    if not call.who.bound.templates:
        return EVERYTHING_SEEN
    behind = await templates_behind(conn, call.account.id)
    return Unseen(
        campaigns=tuple(name for name, template in behind.campaigns.items() if not may_see(call, template)),
        triggers=tuple(name for name, template in behind.triggers.items() if not may_see(call, template)),
        own=tuple(call.who.bound.templates),
    )
