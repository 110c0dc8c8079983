"""What is done with a trigger as a whole: switched on and off, removed, applied to the deals that stand there now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from gateway.admin.refused import InputRefused
from gateway.admin.triggers.applying import TriggerIsOff, apply_trigger, preview_apply
from gateway.admin.triggers.saved import TriggerNotUsable, remove_trigger, save_trigger, switch_trigger
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.triggers.listing import count_fired_in
from gateway.store.triggers.triggers import (
    SavedTrigger,
    trigger_at,
    trigger_versions,
    waiting_of_trigger,
)
from gateway.store.worker import long_tasks
from gateway.store.worker.long_tasks import LongTask, TooMuchWork
from gateway.triggers.applying import WORK
from gateway.web.frame import AnyPageCall, Form, NoPageQuery, PageCall, SeeOther, Shown, page_not_found
from gateway.web.messages.known_names import KnownNames
from gateway.web.messages.stage_deals import SHOWN, stage_deals, texts_of
from gateway.web.messages.tabs import tabs_of
from gateway.web.messages.trigger_changes import trigger_changes
from gateway.web.messages.trigger_options import macro_said
from gateway.web.messages.trigger_typed import typed_of
from gateway.web.messages.trigger_words import action_said
from gateway.web.messages.triggers import PATH, editor, problems_said, the_saved, trigger_path
from gateway.web.refusals import refusal_said
from gateway.web.words.versions import MOST_VERSIONS, VersionSeen
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn


class TriggerSwitchForm(Form):
    is_on: bool = False


class ApplyStopForm(Form):
    stop: bool = False


async def ask_off(call: PageCall) -> Shown:
    return await _asked(call, "messages/trigger_off.html")


async def ask_removal(call: PageCall) -> Shown:
    return await _asked(call, "messages/trigger_remove.html")


async def _asked(call: AnyPageCall, template: str) -> Shown:
    """Count what would be dropped before it is."""
    async with call.connection() as conn:
        saved = await the_saved(call, conn)
        waiting = await waiting_of_trigger(conn, call.account.id, saved.name)
    values = {"tabs": tabs_of(call, "triggers"), "saved": saved, "waiting": waiting}
    return Shown(template, values | {"path": trigger_path(saved.name)})


async def switch(call: PageCall[NoPageQuery, TriggerSwitchForm]) -> SeeOther | Shown:
    """Switch it; where one that is to go on has errors, its form says them at their fields."""
    async with call.connection() as conn:
        saved = await the_saved(call, conn)
        try:
            await switch_trigger(conn, call.account.id, saved.name, is_on=call.form.is_on, by=call.who.name)
        except TriggerNotUsable as err:
            names = KnownNames.of(await catalogue_of(conn, call.account.id))
            given = typed_of(saved.trigger, saved.version, names)
            return await editor(call, conn, given, saved=saved, errors=problems_said(call, err.found))
    said = phrase("messages.said.on" if call.form.is_on else "messages.said.off", name=saved.name)
    return SeeOther(call.here(PATH), said=said)


async def remove(call: PageCall) -> SeeOther:
    async with call.connection() as conn:
        saved = await the_saved(call, conn)
        await remove_trigger(conn, call.account.id, saved.name)
    return SeeOther(call.here(PATH), said=phrase("messages.said.removed", name=saved.name))


async def ask_apply(call: PageCall) -> Shown:
    return await _apply_page(call)


async def _apply_page(call: AnyPageCall, *, is_too_much: bool = False) -> Shown:
    async with call.connection() as conn:
        saved = await the_saved(call, conn)
        found = await preview_apply(conn, call.account.id, saved.name, show=SHOWN)
        known = await catalogue_of(conn, call.account.id)
        ids = [one.facts.deal_id for one in found.first]
        texts = await texts_of(conn, call.account.id, saved.trigger.action, ids)
        work = await _latest_work(conn, call.account.id, saved)
        where = (saved.trigger.pipeline_id, saved.trigger.stage_id)
        already = await count_fired_in(conn, call.account.id, saved.name, where)
    stage = stage_deals(call, found, texts, lambda name: macro_said(call.texts, known, name))
    values: dict[str, Any] = {
        "tabs": tabs_of(call, "triggers"),
        "saved": saved,
        "path": trigger_path(saved.name),
        "stage": stage,
        "what": action_said(saved.trigger.action, call.texts, known),
        "work": work,
        "is_running": work is not None and work.state in ("waiting", "running"),
        "is_text": saved.trigger.action.do == "sms",
        "is_too_much": is_too_much,
        "may": stage.fires + stage.not_known,
        "already": already,
    }
    template = "messages/_apply_run.html" if call.is_fragment else "messages/trigger_apply.html"
    return Shown(template, values, status=409 if is_too_much else 200)


async def _latest_work(conn: Conn, account_id: str, saved: SavedTrigger) -> LongTask | None:
    found: Sequence[LongTask] = [
        one
        for one in await long_tasks.all_work(conn, account_id, WORK)
        if one.asked.get("trigger") == saved.name
    ]
    newest = max(found, key=lambda one: one.created_at, default=None)
    return await long_tasks.work_of(conn, account_id, newest.work_id) if newest else None


async def apply(call: PageCall[NoPageQuery, ApplyStopForm]) -> SeeOther | Shown:
    """Begin it, or stop what is under way: what has fired stays fired."""
    async with call.connection() as conn:
        saved = await the_saved(call, conn)
        here = call.here(f"{trigger_path(saved.name)}/apply")
        if call.form.stop:
            work = await _latest_work(conn, call.account.id, saved)
            if work is not None:
                await long_tasks.stop(conn, call.account.id, work.work_id)
            return SeeOther(here, said=phrase("messages.said.apply_stopped"))
        try:
            await apply_trigger(conn, call.account.id, saved.name, by=call.who.name)
        except TriggerIsOff:
            return SeeOther(here)
        except TooMuchWork:
            return await _apply_page(call, is_too_much=True)
    return SeeOther(here, said=phrase("messages.said.applying"))


async def show_versions(call: PageCall) -> Shown:
    return await _versions_page(call)


async def _versions_page(call: AnyPageCall, error: str = "") -> Shown:
    """List who saved each, and in what it differs."""
    async with call.connection() as conn:
        saved = await the_saved(call, conn)
        lines = await trigger_versions(conn, call.account.id, saved.name)
        known = await catalogue_of(conn, call.account.id)
        then = [
            await trigger_at(conn, call.account.id, saved.name, line.version)
            for line in lines[: MOST_VERSIONS + 1]
        ]
    changes = [
        trigger_changes(old, new, call.texts, known) if old and new else [] for new, old in pairwise(then)
    ]
    values: dict[str, Any] = {
        "tabs": tabs_of(call, "triggers"),
        "name": saved.name,
        "path": trigger_path(saved.name),
        "versions": [
            VersionSeen(line, changes[number] if number < len(changes) else None)
            for number, line in enumerate(lines[:MOST_VERSIONS])
        ],
        "may_edit": call.may("admin"),
        "error": error,
    }
    return Shown("messages/trigger_versions.html", values, status=422 if error else 200)


async def take_back(call: PageCall) -> SeeOther | Shown:
    """Save the version once more, as the next one; whether it is on stays as it is."""
    number = call.path["version"]
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise page_not_found()
    try:
        async with call.connection() as conn:
            saved = await the_saved(call, conn)
            found = await trigger_at(conn, call.account.id, saved.name, int(number))
            if found is None:
                raise page_not_found()
            again = found.model_copy(update={"is_on": saved.trigger.is_on})
            await save_trigger(conn, call.account.id, again, by=call.who.name, version=saved.version)
    except InputRefused as err:
        return await _versions_page(call, refusal_said(err, call.texts))
    return SeeOther(call.here(trigger_path(saved.name)), said=phrase("versions.said.back", version=number))
