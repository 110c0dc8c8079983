"""The door of the CRM's digital pipeline: "send webhook" with a template in its address gives the deals that it tells of, with a
trigger it fires for them."""

from __future__ import annotations

import asyncio

import asyncpg
import structlog
from aiohttp import web

from crm.kinds import HookedDeal, HookTold, WebhookInvalid, parse_stage_hook
from gateway.configuration import Configuration
from gateway.crm_accounts.secret_address import SecretAddress
from gateway.distribution.asked import HookedEntry, HookedItems, keep_hooked
from gateway.http.problems import problem
from gateway.http.strangers import Strangers
from gateway.store.distribution.templates import templates_of
from gateway.store.triggers.triggers import triggers_on
from gateway.triggers.firing import TriggerDeal, fire_by_name
from runtime.database.errors import DATABASE_ERRORS
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_SECONDS = 1.5  # the CRM wants its answer within two
_MOST_DEALS = 250
_SHOWN = 10


class HookDoor:
    """What is answered stands in the CRM's own log of the action, where an admin looks first."""

    def __init__(self, configuration: Configuration, pool: asyncpg.Pool, strangers: Strangers) -> None:
        self._address = SecretAddress(configuration, strangers)
        self._pool = pool
        self._trouble = Trouble("stage-hook-intake")

    async def handle(self, request: web.Request) -> web.Response:
        """200 after all its deals are kept; a worker gives them within a second or two."""
        read = await self._address.read(request)
        if read is None:
            return self._address.refused(request)
        account, body = read
        try:
            told = parse_stage_hook(body)
        except WebhookInvalid as err:
            return problem(400, err.code, "The delivery cannot be read.", detail=str(err))
        if refusal := _refusal(told):
            return refusal
        if "trigger" in request.query:
            return await self._fire(account.id, _named(request, "trigger"), told)
        return await self._keep(account.id, _named(request, "template"), told)

    async def _fire(self, account_id: str, trigger: str, told: HookTold) -> web.Response:
        try:
            async with asyncio.timeout(_SECONDS), self._pool.acquire() as conn, conn.transaction():
                deals = [TriggerDeal(deal.id, _whole_stage(deal)) for deal in told.deals]
                done = await fire_by_name(conn, account_id, trigger, deals)
                names = [] if done else [saved.name for saved in await triggers_on(conn, account_id)]
        except DATABASE_ERRORS as err:
            self._trouble.failed(err)
            return problem(503, "busy", "The gateway could not keep the deals.", detail="Send it again.")
        self._trouble.recovered()
        if done is None:
            log.warning("stage-hook-without-trigger", account=account_id, trigger=trigger[:100])
            return _no_trigger(trigger, names)
        return _answer("trigger", trigger, told, HookedItems(*done))

    async def _keep(self, account_id: str, template: str, told: HookTold) -> web.Response:
        try:
            async with asyncio.timeout(_SECONDS), self._pool.acquire() as conn:
                deals = [_with_stage(deal) for deal in told.deals]
                done = await keep_hooked(conn, account_id, template, deals)
                names = [] if done else [saved.name for saved in await templates_of(conn, account_id)]
        except DATABASE_ERRORS as err:
            self._trouble.failed(err)
            return problem(503, "busy", "The gateway could not keep the deals.", detail="Send it again.")
        self._trouble.recovered()
        if done is None:
            log.warning("stage-hook-without-template", account=account_id, template=template[:100])
            return _no_template(template, names)
        return _answer("template", template, told, done)


def _named(request: web.Request, what: str) -> str:
    """Return the name in the address. No name holds a NUL, and no database takes one."""
    return request.query.get(what, "").replace("\x00", "\ufffd")


def _with_stage(deal: HookedDeal) -> HookedEntry:
    return deal.id, _whole_stage(deal) or (None, None)


def _whole_stage(deal: HookedDeal) -> tuple[str, str] | None:
    if deal.pipeline_id is None or deal.stage_id is None:
        return None
    return deal.pipeline_id, deal.stage_id


def _refusal(told: HookTold) -> web.Response | None:
    if len(told.deals) > _MOST_DEALS:
        return problem(
            400,
            "too-many-deals",
            f"The delivery names {len(told.deals)} deals, and at most {_MOST_DEALS} are taken.",
            detail="Send it in parts, or give the deals of the stage with 'callmatrix distribution stage'.",
        )
    if not told.deals and not told.passed_over:
        return problem(
            400,
            "no-deal-told",
            "The delivery names no deal.",
            detail="; ".join(told.unread[:_SHOWN]) or "Expected: leads[status][0][id] or event[data][id].",
        )
    return None


def _no_template(template: str, names: list[str]) -> web.Response:
    there = ", ".join(names[:50]) or "–"
    if not template:
        return problem(
            400,
            "template-not-named",
            "The address names no template.",
            detail=f"Add ?template=NAME. Templates: {there}.",
        )
    return problem(
        404,
        "no-such-template",
        f"There is no template '{template[:100]}', so nothing is given.",
        detail=f"Correct the address in the CRM, or save the template. Templates: {there}.",
    )


def _no_trigger(trigger: str, names: list[str]) -> web.Response:
    return problem(
        404,
        "no-such-trigger",
        f"There is no trigger '{trigger[:100]}' that is on, so nothing fires.",
        detail=f"Correct the address in the CRM, or switch the trigger on. On: {', '.join(names[:50]) or '–'}.",
    )


def _answer(kind: str, name: str, told: HookTold, done: HookedItems) -> web.Response:
    """already: their entry was told a moment ago. unread: what else stood in the delivery and could not be read."""
    return web.json_response(
        {
            "accepted": True,
            kind: name,
            "deals": done.kept,
            "already": done.already,
            "passed_over": list(told.passed_over[:_SHOWN]),
            "unread": list(told.unread[:_SHOWN]),
        }
    )
