"""Dialogues in the CRM's own chats: how that fares, what its support gave, and the switch."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.admin.channels import crm_chats as service
from gateway.admin.channels.crm_chats import CrmChatsView, crm_chats_view
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.health.message_checks import crm_chats_fault
from gateway.store.admin.accounts import lock_account
from gateway.web.frame import AnyPageCall, Form, PageAnswer, PageCall, PageQuery, SeeOther, Shown
from gateway.web.saving.together import WholeForm, clashes_said, form_together, standing
from gateway.web.setup.refusals import errors_of
from gateway.web.setup.tabs import tabs_of
from routing.texts.catalogue import Phrase, phrase
from runtime.database.pool import Conn

PATH = "/setup/channels/crm-chats"
_TONES = {"connected": "good", "connecting": "warn", "trouble": "bad"}


class CrmChatsForm(WholeForm):
    """An empty secret stays as it is."""

    channel_id: str = ""
    secret: str = ""
    bot_id: str = ""
    amojo_id: str = ""


class CrmChatsSwitchForm(Form):
    is_on: bool = False


async def chats_seen(call: AnyPageCall, conn: Conn) -> CrmChatsView:
    return await crm_chats_view(conn, call.account.id, call.services.settings.base_url)


def tone_of(seen: CrmChatsView) -> str:
    return _TONES.get(seen.state, "")


def fault_of(seen: CrmChatsView) -> Phrase | None:
    """Return why dialogues do not show, None where nothing is wrong."""
    return crm_chats_fault(seen.error) if seen.error else None


async def show(call: PageCall) -> Shown:
    return await _page(call)


async def _page(
    call: AnyPageCall,
    errors: Mapping[str, str] | None = None,
    typed: CrmChatsForm | None = None,
    status: int = 422,
) -> Shown:
    """typed: what was refused."""
    async with call.connection() as conn:
        seen = await chats_seen(call, conn)
    values = {
        "tabs": tabs_of(call, "channels"),
        "seen": seen,
        "tone": tone_of(seen),
        "fault": fault_of(seen),
        "typed": typed or seen,
        "was": standing(_fields_shown(seen)),
        "errors": errors or {},
    }
    return Shown("channels/crm_chats.html", values, status=status if errors else 200)


async def change(call: PageCall[PageQuery, CrmChatsForm]) -> PageAnswer:
    errors: dict[str, str] = {}
    async with call.connection() as conn, conn.transaction():
        await lock_account(conn, call.account.id)
        form, clashes = form_together(call.form, _fields_shown(await chats_seen(call, conn)))
        given = {name: value.strip() for name, value in form.model_dump(exclude={"was"}).items()}
        if not given["secret"]:
            del given["secret"]
        try:
            if not clashes:
                await service.change_crm_chats(conn, call.account.id, given)
        except InputRefused as err:
            errors = errors_of(err, call.texts, "crm_chats")
    if clashes:
        return await _page(call, clashes_said(clashes, call.texts), form, 409)
    if errors:
        return await _page(call, errors, form)
    return SeeOther(call.here(PATH), said=phrase("setup.said.saved"))


def _fields_shown(seen: CrmChatsView) -> dict[str, str]:
    return {"channel_id": seen.channel_id, "bot_id": seen.bot_id, "amojo_id": seen.amojo_id}


async def switch(call: PageCall[PageQuery, CrmChatsSwitchForm]) -> PageAnswer:
    is_on = call.form.is_on
    try:
        async with call.connection() as conn:
            await service.change_crm_chats(conn, call.account.id, {"is_on": is_on})
    except InputRefused as err:
        return await _page(call, errors_of(err, call.texts, "crm_chats"))
    return SeeOther(call.here(PATH), said=phrase(f"setup.crm_chats.said.{'on' if is_on else 'off'}"))


async def retry(call: PageCall) -> SeeOther:
    async with call.connection() as conn:
        count = await service.retry_crm_chats(conn, call.account.id)
    return SeeOther(call.here(PATH), said=phrase("setup.crm_chats.said.retried", n=count))


async def ask_removal(call: PageCall) -> Shown:
    return Shown("channels/crm_chats_remove.html", {"tabs": tabs_of(call, "channels")})


async def remove(call: PageCall) -> PageAnswer:
    try:
        async with call.connection() as conn:
            await service.remove_crm_chats(conn, call.account.id)
    except NothingOfThatName:
        return SeeOther(call.here(PATH))
    except InputRefused as err:
        return await _page(call, errors_of(err, call.texts, "crm_chats"))
    return SeeOther(call.here(PATH), said=phrase("setup.crm_chats.said.removed"))
