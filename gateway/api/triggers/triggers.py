"""Triggers: what happens to a deal, under which conditions, and the one thing that is done then."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.admin.protection.grants import refuse_bound
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.admin.triggers import applying
from gateway.admin.triggers import saved as triggers
from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.distribution.templates import too_much
from gateway.api.frame import Answer, AnyCall, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.api.unseen import unseen_by
from gateway.api.worker.long_tasks import WorkView, view_of
from gateway.crm_accounts.secret_address import hook_address
from gateway.store.triggers import triggers as store
from gateway.store.triggers.triggers import SavedTrigger
from gateway.store.worker.long_tasks import TooMuchWork
from routing.texts.catalogue import Language
from routing.triggers.model import Trigger
from routing.triggers.problems import TriggerProblem, TriggerWeight, can_be_saved
from runtime.database.pool import Conn


class TriggerProblemView(Answer):
    """field: where in the trigger. An error blocks saving."""

    severity: TriggerWeight
    code: str
    field: str
    message: str
    remedy: str


class TriggerView(Answer):
    """problems: warnings that were found when it was saved just now."""

    name: str
    version: int
    trigger: Trigger
    saved_at: datetime
    saved_by: str
    problems: list[TriggerProblemView] = []


class TriggerSaveQuery(AccountLanguageQuery):
    """version: that was seen; 0: there must be none of this name yet; absent: whichever there is."""

    version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class TriggerVersionView(Answer):
    version: int
    saved_at: datetime
    saved_by: str


class ApplyPreviewView(Answer):
    """deals: that stand in the stage. reasons: how many would come out how, by what is known without asking the CRM. not_known:
    of `not_met`, those that the CRM must be asked about; it is when they fire."""

    deals: int
    reasons: dict[str, int]
    not_known: int


class TriggerHookView(Answer):
    """url: whoever has it can fire the trigger."""

    url: str


class TriggerChecks(Answer):
    can_be_saved: bool
    problems: list[TriggerProblemView]


class TriggerSwitchBody(Body):
    is_on: bool


def _language(call: AnyCall, query: AccountLanguageQuery) -> Language:
    return query.lang or call.account.settings.language


def _problems(found: list[TriggerProblem], language: Language) -> list[TriggerProblemView]:
    said = [(one, *one.in_words(language)) for one in found]
    return [
        TriggerProblemView(
            severity=one.severity, code=one.code, field=one.field, message=message, remedy=remedy
        )
        for one, message, remedy in said
    ]


def _view(saved: SavedTrigger, problems: list[TriggerProblemView] | None = None) -> TriggerView:
    return TriggerView(
        name=saved.name,
        version=saved.version,
        trigger=saved.trigger,
        saved_at=saved.saved_at,
        saved_by=saved.saved_by,
        problems=problems or [],
    )


async def list_triggers(call: ApiCall) -> Items[TriggerView]:
    async with call.services.pool.acquire() as conn:
        found, unseen = await store.triggers_of(conn, call.account.id), await unseen_by(call, conn)
    return Items[TriggerView](items=[_view(saved) for saved in found if saved.name not in unseen.triggers])


async def show_trigger(call: ApiCall) -> TriggerView:
    async with call.services.pool.acquire() as conn:
        await _refuse_unseen(call, conn)
        return _view(await _the_trigger(conn, call.account.id, call.path["trigger"]))


async def _the_trigger(conn: Conn, account_id: str, name: str) -> SavedTrigger:
    try:
        return await triggers.the_trigger(conn, account_id, name)
    except NothingOfThatName as err:
        raise not_found("trigger", name) from err


async def _refuse_unseen(call: AnyCall, conn: Conn) -> None:
    """Answer 404 where the trigger of the path rings by a template that is not the token's."""
    name = call.path["trigger"]
    if name in (await unseen_by(call, conn)).triggers:
        raise not_found("trigger", name)


async def save_trigger(call: ApiCall[TriggerSaveQuery, Trigger]) -> TriggerView:
    if call.body.name != call.path["trigger"]:
        raise InputRefused(
            "name", f"the address names '{call.path['trigger']}'", "write the same name in both places"
        )
    async with call.services.pool.acquire() as conn:
        done = await triggers.save_trigger(
            conn, call.account.id, call.body, by=call.who.name, version=call.query.version
        )
    return _view(done.saved, _problems(done.warnings, _language(call, call.query)))


async def switch_trigger(call: ApiCall[AccountLanguageQuery, TriggerSwitchBody]) -> TriggerView:
    name = call.path["trigger"]
    async with call.services.pool.acquire() as conn:
        await _the_trigger(conn, call.account.id, name)
        done = await triggers.switch_trigger(
            conn, call.account.id, name, is_on=call.body.is_on, by=call.who.name
        )
    return _view(done.saved, _problems(done.warnings, _language(call, call.query)))


async def remove_trigger(call: ApiCall) -> None:
    name = call.path["trigger"]
    async with call.services.pool.acquire() as conn:
        await _the_trigger(conn, call.account.id, name)
        await triggers.remove_trigger(conn, call.account.id, name)


async def preview_apply(call: ApiCall) -> ApplyPreviewView:
    name = call.path["trigger"]
    async with call.services.pool.acquire() as conn:
        await _refuse_unseen(call, conn)
        await _the_trigger(conn, call.account.id, name)
        found = await applying.preview_apply(conn, call.account.id, name)
    return ApplyPreviewView(deals=found.deals, reasons=dict(found.reasons), not_known=found.not_known)


async def apply_trigger(call: ApiCall) -> WorkView:
    name = call.path["trigger"]
    async with call.services.pool.acquire() as conn:
        await _the_trigger(conn, call.account.id, name)
        try:
            task = await applying.apply_trigger(conn, call.account.id, name, by=call.who.name)
        except TooMuchWork as err:
            raise too_much(err) from err
    return view_of(task)


async def show_hook(call: ApiCall) -> TriggerHookView:
    name = call.path["trigger"]
    refuse_bound()
    async with call.services.pool.acquire() as conn:
        await _the_trigger(conn, call.account.id, name)
    return TriggerHookView(
        url=hook_address(call.services.settings.base_url, call.account, name, of="trigger")
    )


async def list_versions(call: ApiCall) -> Items[TriggerVersionView]:
    name = call.path["trigger"]
    async with call.services.pool.acquire() as conn:
        await _refuse_unseen(call, conn)
        found = await store.trigger_versions(conn, call.account.id, name)
    if not found:
        raise not_found("trigger", name)
    return Items[TriggerVersionView](items=[TriggerVersionView.model_validate(v) for v in found])


async def show_version(call: ApiCall[NoQuery, None]) -> Trigger:
    name, asked = call.path["trigger"], call.path["version"]
    if not asked.isascii() or not asked.isdigit() or len(asked) > 9:
        raise not_found("trigger-version", asked)
    async with call.services.pool.acquire() as conn:
        await _refuse_unseen(call, conn)
        found = await store.trigger_at(conn, call.account.id, name, int(asked))
    if found is None:
        raise not_found("trigger-version", asked)
    return found


async def check_trigger(call: ApiCall[AccountLanguageQuery, Trigger]) -> TriggerChecks:
    async with call.services.pool.acquire() as conn:
        found = await triggers.check_trigger(conn, call.account.id, call.body)
    return TriggerChecks(
        can_be_saved=can_be_saved(found), problems=_problems(found, _language(call, call.query))
    )


_ALL = "/v1/accounts/{account}/triggers"
_ONE = _ALL + "/{trigger}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_triggers,
        summary="Triggers, in the order in which they are looked at",
        role="read_only",
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account}/trigger-checks",
        handler=check_trigger,
        summary="What is wrong with a trigger, without saving it",
        role="read_only",
    ),
    Route(method="GET", path=_ONE, handler=show_trigger, summary="One trigger", role="read_only"),
    Route(
        method="PUT",
        path=_ONE,
        handler=save_trigger,
        summary="Save a trigger as its next version, which holds at once",
        description="Without `is_on` a new trigger is off, and one that there is stays on or off as it is; `is_on: false` of one "
        "that is on drops what it has put into the queue. 422 with all problems when its checks find errors; 409 when somebody else saved since `version`, or when "
        "it is to be on and nothing carries out its action: nothing is stored then.",
        errors=(409, 422),
    ),
    Route(
        method="PUT",
        path=_ONE + "/switch",
        handler=switch_trigger,
        summary="Switch a trigger on or off; what one that goes off has put into the queue is dropped",
        errors=(409, 422),
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=remove_trigger,
        summary="Remove a trigger; what it has put into the queue is dropped",
    ),
    Route(
        method="POST",
        path=_ONE + "/apply-preview",
        handler=preview_apply,
        summary="How many deals stand in the trigger's stage, and what would come of it",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ONE + "/apply",
        handler=apply_trigger,
        summary="Fire for the deals that stand in the stage now, as long work that can be stopped",
        description="Asked for again within ten minutes, it is the same work. 409 while the trigger is off.",
        status=202,
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_ONE + "/hook",
        handler=show_hook,
        summary="The address for the action “send webhook” of the CRM's digital pipeline that fires this trigger; it holds the "
        "account's secret",
    ),
    Route(
        method="GET",
        path=_ONE + "/versions",
        handler=list_versions,
        summary="Its versions, newest first",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE + "/versions/{version}",
        handler=show_version,
        summary="One version of a trigger",
        role="read_only",
    ),
)
