"""Which triggers and campaigns a person sees: who is bound to templates sees none that ring by others."""

from __future__ import annotations

from typing import NamedTuple

from gateway.admin.protection.behind import templates_behind
from gateway.web.frame import AnyPageCall
from runtime.database.pool import Conn


class HiddenNames(NamedTuple):
    campaigns: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()


async def hidden_names(call: AnyPageCall, conn: Conn) -> HiddenNames:
    if not call.who.bound.templates:
        return HiddenNames()
    behind = await templates_behind(conn, call.account.id)
    return HiddenNames(
        campaigns=tuple(n for n, t in behind.campaigns.items() if not call.may("read_only", template=t)),
        triggers=tuple(n for n, t in behind.triggers.items() if not call.may("read_only", template=t)),
    )
