"""One channel: its name, keys and rules, switched on and off, and taken away with what goes along said before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.admin.channels import channels as service
from gateway.admin.channels.channels import ChannelInUse
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.channels.addresses import channel_address
from gateway.store.admin.accounts import lock_account
from gateway.store.admin.matrix_catalogue import catalogue_of, template_people
from gateway.store.channels.access import rights_in_channels
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import count_of_channel
from gateway.web.channels.listed import PATH, fields_of, seen_channel
from gateway.web.channels.marking import refused_at, typed_wrong
from gateway.web.channels.together import standing, together
from gateway.web.channels.typed import ChannelForm, form_of_rules
from gateway.web.frame import (
    AnyPageCall,
    Form,
    PageAnswer,
    PageCall,
    PageQuery,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.matrix.choosers import Choosers
from gateway.web.setup.pbx import allowed_to
from gateway.web.setup.tabs import tabs_of
from routing.dialogues.rule_problems import right_problems
from routing.matrix.catalogue import Catalogue
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS

_EMPTY_AUTHORS = 2


class ChannelRemovalForm(Form):
    even_if_used: bool = False


class ChannelSwitchForm(Form):
    is_on: bool = False


async def the_channel(conn: Conn, call: AnyPageCall) -> SavedChannel:
    """Return the one of the address, by its id."""
    try:
        saved = await service.channel_of(conn, call.account.id, call.path["channel"])
    except NothingOfThatName as err:
        raise page_not_found() from err
    if saved.id != call.path["channel"]:
        raise page_not_found()
    return saved


async def show_one(call: PageCall) -> Shown:
    return await _one_page(call)


async def _one_page(
    call: AnyPageCall,
    errors: Mapping[str, str] | None = None,
    typed: ChannelForm | None = None,
    status: int = 422,
) -> Shown:
    """typed: what was refused."""
    async with call.connection() as conn:
        saved = await the_channel(conn, call)
        catalogue = await catalogue_of(conn, call.account.id)
        rights = await rights_in_channels(conn, call.account.id)
        observers = call.account.settings.dialogues.observers
        templates = await template_people(conn, call.account.id, catalogue.staff)
    misfits = right_problems(saved.id, saved.rules, templates, rights, observers, catalogue.staff)
    held, kind = saved.channel, CHANNEL_KINDS[saved.channel.kind]
    form = {**form_of_rules(saved.rules), "name": saved.name, "is_on": saved.is_on}
    if typed is not None:
        form = {**typed.model_dump(), "author_rows": typed.author_rows}
    values = {
        "tabs": tabs_of(call, "channels"),
        "one": seen_channel(call, saved, catalogue),
        "form": form,
        "was": standing(saved),
        "told_to": channel_address(call.services.settings.base_url, saved),
        "errors": errors or {},
        "misfits": [call.texts.say(f"channel.rule.{told.code}", value=told.value) for told in misfits],
        "unseen": [
            person.name
            for person in catalogue.staff.employees
            if rights.get(person.id, {}).get(saved.id, "none") == "none"
        ],
        **_choices(call, catalogue, form),
        **fields_of(kind, typed.settings if typed else held.settings, frozenset(held.keys), call.texts),
    }
    return Shown("channels/one.html", values, status=status if errors else 200)


def _choices(call: AnyPageCall, catalogue: Catalogue, form: Mapping[str, Any]) -> dict[str, Any]:
    choosers, said = Choosers(call.texts, catalogue), call.texts.say
    staff, named = catalogue.staff, {*form["employees"], *(who for _, who in form["author_rows"])}
    people = [
        (one.id, one.name if staff.can_be_given_work(one) else said("matrix.page.off", name=one.name))
        for one in sorted(staff.employees, key=lambda one: (one.name, one.id))
        if staff.can_be_given_work(one) or one.id in named
    ]
    gone = [id for id in form["employees"] if id not in staff.by_id]
    return {
        "places": choosers.places(
            form["place"], unset=said("setup.channels.place_default"), for_new_deals=True
        ),
        "templates": choosers.names(
            sorted(catalogue.templates or ()), form["template"], said("setup.channels.template_none")
        ),
        "people": [*people, *((id, id) for id in gone)],
        "author_rows": [*form["author_rows"], *[("", "")] * _EMPTY_AUTHORS],
    }


async def change(call: PageCall[PageQuery, ChannelForm]) -> PageAnswer:
    form = call.form
    if wrong := typed_wrong(form, call.texts):
        return await _one_page(call, wrong, form)
    async with call.connection() as conn, conn.transaction():
        await lock_account(conn, call.account.id)
        saved = await the_channel(conn, call)
        changes, wrong, form = together(saved, form, call.texts)
        status = 409 if wrong else 422
        try:
            if not wrong:
                await service.change_channel(conn, call.account.id, saved.id, changes, allowed_to(call))
        except InputRefused as err:
            wrong = refused_at(err, form, call.texts)
    if wrong:
        return await _one_page(call, wrong, form, status)
    return SeeOther(call.here(f"{PATH}/{saved.id}"), said=phrase("setup.said.saved"))


async def switch(call: PageCall[PageQuery, ChannelSwitchForm]) -> PageAnswer:
    """Tick it in the list: whether it takes part."""
    async with call.connection() as conn:
        saved = await the_channel(conn, call)
        await service.change_channel(conn, call.account.id, saved.id, {"is_on": call.form.is_on})
    said = "setup.channels.said.on" if call.form.is_on else "setup.channels.said.off"
    return SeeOther(call.here(PATH), said=phrase(said, name=saved.name))


async def ask_removal(call: PageCall) -> Shown:
    async with call.connection() as conn:
        saved = await the_channel(conn, call)
        return await _removal_page(call, conn, saved)


async def _removal_page(call: AnyPageCall, conn: Conn, saved: SavedChannel, status: int = 200) -> Shown:
    dialogues, messages = await count_of_channel(conn, call.account.id, saved.id)
    rights = await rights_in_channels(conn, call.account.id)
    values = {
        "tabs": tabs_of(call, "channels"),
        "saved": saved,
        "dialogues": dialogues,
        "messages": messages,
        "people": sum(of.get(saved.id, "none") != "none" for of in rights.values()),
    }
    return Shown("channels/remove.html", values, status=status)


async def remove(call: PageCall[PageQuery, ChannelRemovalForm]) -> PageAnswer:
    async with call.connection() as conn:
        saved = await the_channel(conn, call)
        try:
            await service.remove_channel(conn, call.account.id, saved.id, even_if_used=call.form.even_if_used)
        except ChannelInUse:
            return await _removal_page(call, conn, saved, 409)
    return SeeOther(call.here(PATH), said=phrase("setup.channels.said.removed", name=saved.name))
