"""Triggers as people save them: checked, a version each time, switched on only where their action is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.admin.input_words import refuse_odd_name
from gateway.admin.protection.behind import behind_trigger, templates_of_campaigns
from gateway.admin.protection.grants import refuse_other_template
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.store.admin.accounts import account, lock_account
from gateway.store.triggers import triggers as store
from gateway.store.triggers.triggers import SavedTrigger
from gateway.triggers.carriers import CARRIED
from gateway.triggers.checks import surroundings_of
from routing.texts.catalogue import Language
from routing.triggers.model import Trigger
from routing.triggers.problems import TriggerProblem, can_be_saved, problems
from runtime.database.pool import Conn


class TriggerNotUsable(InputRefused):
    """The checks found errors in the trigger, so that it was not saved. language: of the first one's words."""

    code = "trigger-not-usable"

    def __init__(self, found: Sequence[TriggerProblem], language: Language) -> None:
        self.found = list(found)
        first = self.found[0]
        told = [_as_json(one, language) for one in found]
        super().__init__(first.field, *first.in_words(language), problems=told)


class TriggerMoved(InputRefused):
    """Somebody else saved the trigger meanwhile; nothing was overwritten. before: what is saved; None: there is none."""

    code = "trigger-conflict"

    def __init__(self, name: str, before: SavedTrigger | None) -> None:
        self.before = before
        said = (
            f"{before.saved_by} saved version {before.version} of trigger '{name}' meanwhile"
            if before
            else f"there is no trigger '{name}'"
        )
        super().__init__("version", said, "read it again and repeat your change; nothing was overwritten")


class TriggerWithoutCarrier(InputRefused):
    """Nobody carries out what the trigger does, so that it cannot be switched on."""

    code = "action-not-carried"

    def __init__(self, do: str) -> None:
        super().__init__(
            "is_on",
            f"nothing carries out the action '{do}' in this version",
            "save it switched off; it can be switched on once its action is carried out",
        )


class TriggerSaved(NamedTuple):
    """warnings: what a person should look at."""

    saved: SavedTrigger
    warnings: list[TriggerProblem]


async def save_trigger(
    conn: Conn,
    account_id: str,
    trigger: Trigger,
    *,
    by: str,
    version: int | None = None,
    carried: frozenset[str] = CARRIED,
) -> TriggerSaved:
    """Make it the next version; one that does not say whether it is on stays as it was. version: that was seen, 0 = there is none
    of this name, None = whichever there is. Raise TriggerMoved, TriggerNotUsable, TriggerWithoutCarrier, NotBoundTo, InputRefused;
    nothing is stored then."""
    stored = await store.trigger_of(conn, account_id, trigger.name)
    if stored is None or stored.trigger != trigger.switched_as(stored.trigger):
        await refuse_others(conn, account_id, trigger, *([stored.trigger] if stored else []))
    language = (await account(conn, account_id)).settings.language
    found = await check_trigger(conn, account_id, trigger)
    if not can_be_saved(found):
        raise TriggerNotUsable(found, language)
    async with conn.transaction():
        await lock_account(conn, account_id)
        before = await store.trigger_of(conn, account_id, trigger.name)
        if version is not None and version != (before.version if before else 0):
            raise TriggerMoved(trigger.name, before)
        switched = trigger.switched_as(before.trigger if before else None)
        if switched.is_on and switched.action.do not in carried:
            raise TriggerWithoutCarrier(switched.action.do)
        return TriggerSaved(await store.save_trigger(conn, account_id, switched, by), found)


async def refuse_others(conn: Conn, account_id: str, *triggers: Trigger) -> None:
    """Raise NotBoundTo where one of these rings by a template, itself or by its campaign, and who acts is bound to others."""
    campaigns = await templates_of_campaigns(conn, account_id)
    refuse_other_template(*(behind_trigger(trigger, campaigns) for trigger in triggers))


async def check_trigger(conn: Conn, account_id: str, trigger: Trigger) -> list[TriggerProblem]:
    """Return what is wrong with it. Raise InputRefused for a new name that cannot be one."""
    if await store.trigger_of(conn, account_id, trigger.name) is None:
        refuse_odd_name("trigger", trigger.name)
    return problems(trigger, await surroundings_of(conn, account_id))


async def the_trigger(conn: Conn, account_id: str, name: str) -> SavedTrigger:
    """Raise NothingOfThatName."""
    found = await store.trigger_of(conn, account_id, name)
    if found is None:
        raise NothingOfThatName("trigger", name)
    return found


async def switch_trigger(
    conn: Conn, account_id: str, name: str, *, is_on: bool, by: str, carried: frozenset[str] = CARRIED
) -> TriggerSaved:
    """Switch it on or off, as its next version; what one that goes off has put into the queue is dropped. Raise as
    `save_trigger`, NothingOfThatName."""
    before = await the_trigger(conn, account_id, name)
    await refuse_others(conn, account_id, before.trigger)
    if not is_on:  # whatever is wrong with it, it can be switched off
        async with conn.transaction():
            await lock_account(conn, account_id)
            off = (await the_trigger(conn, account_id, name)).trigger.model_copy(update={"is_on": False})
            return TriggerSaved(await store.save_trigger(conn, account_id, off, by), [])
    on = before.trigger.model_copy(update={"is_on": True})
    return await save_trigger(conn, account_id, on, by=by, version=before.version, carried=carried)


async def remove_trigger(conn: Conn, account_id: str, name: str) -> None:
    """Remove it; what it has put into the queue is dropped. Raise NothingOfThatName, NotBoundTo."""
    async with conn.transaction():
        await lock_account(conn, account_id)
        await refuse_others(conn, account_id, (await the_trigger(conn, account_id, name)).trigger)
        if not await store.remove_trigger(conn, account_id, name):
            raise NothingOfThatName("trigger", name)


def _as_json(one: TriggerProblem, language: Language) -> dict[str, str]:
    message, remedy = one.in_words(language)
    return {
        "severity": one.severity,
        "code": one.code,
        "field": one.field,
        "message": message,
        "remedy": remedy,
    }
