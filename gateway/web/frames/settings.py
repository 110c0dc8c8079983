"""Whether everything works, within the CRM: what is so, and links to the pages where it is mended."""

from __future__ import annotations

from typing import Literal

from gateway.admin.load_directory import AccountIsOff, ask_for_sync
from gateway.health.status import installation_status
from gateway.web.frame import NoPageQuery, PageAnswer, PageCall, PageQuery, SeeOther, Shown
from gateway.web.now.states import states_of
from gateway.web.shell import entries_of

PATH = "/frame/settings"


class SettingsQuery(PageQuery):
    """said: what came of asking the CRM."""

    said: Literal["asked", "off"] | None = None


async def show(call: PageCall[SettingsQuery, None]) -> Shown:
    status = await installation_status(
        call.services.pool, call.now, account_id=call.account.id, is_full=False
    )
    account = status.accounts[0]
    values = {
        "status": account,
        "states": list(states_of(account, call.account.settings.alerts, call.words)),
        "rooms": entries_of(call.who),
        "said": call.query.said,
    }
    return Shown("frames/settings.html", values)


async def refresh(call: PageCall[NoPageQuery, None]) -> PageAnswer:
    """Pressed ten times, it is one reading: the worker is woken."""
    async with call.connection() as conn:
        try:
            await ask_for_sync(conn, call.account.id, is_full=False)
        except AccountIsOff:
            return SeeOther(call.here(PATH, said="off"))
    return SeeOther(call.here(PATH, said="asked"))
