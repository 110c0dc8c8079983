"""Serves the routes: who asks, may they, is the input valid; then the handler; errors as problem+json."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from crm.effects.backfill import AccountNotOn, NoSuchRun, RunIsOpen
from gateway.admin.campaigns.commands import MemberRefused, NobodyToCall
from gateway.admin.campaigns.engines import ContactCentreSilent
from gateway.admin.campaigns.lists import ListRefused
from gateway.admin.campaigns.refused import (
    CampaignDialledThere,
    CampaignMoved,
    CampaignNotUsable,
    CampaignStateForbids,
)
from gateway.admin.channels.channels import ChannelInUse
from gateway.admin.channels.writing import MessageNotTaken
from gateway.admin.connect_crm import ConnectingFailed
from gateway.admin.distribution.orders import DealGivenAlready, NotGivable
from gateway.admin.distribution.templates import StageTaken, TemplateInUse, TemplateMoved, TemplateNotUsable
from gateway.admin.employees import AddressTaken, CrmUserTaken, SeniorTaken
from gateway.admin.input_words import problems_of, refuse_odd_numbers, refuse_untakable, validated
from gateway.admin.matrices import DraftMoved, MatrixRefused, NoVersion, OnTrial, SameMatrix
from gateway.admin.matrix.merging import BothChanged
from gateway.admin.matrix.trials import NoTrial
from gateway.admin.outbound.do_not_call import NotOnList
from gateway.admin.outbound.why_not import NotStopped, NotUnknown
from gateway.admin.presence.chats import TelegramUnset
from gateway.admin.presence.people import PresenceOff, QuestionOver
from gateway.admin.protection.grants import GrantsMore, NotBoundTo, OutlivesGranter
from gateway.admin.refused import ConnectionInUse, EmployeeInUse, InputRefused, NameTaken, NothingOfThatName
from gateway.admin.schedules.saved import ScheduleInUse, ScheduleMoved, ScheduleRefused
from gateway.admin.switch_account import AccountShut, CrmInUse
from gateway.admin.triggers.applying import TriggerIsOff
from gateway.admin.triggers.saved import TriggerMoved, TriggerNotUsable, TriggerWithoutCarrier
from gateway.admin.users import LastAdmin
from gateway.api.frame import ApiCall, ApiError, CsvAnswer, FileAnswer, Route, not_found, why_not_ask
from gateway.api.openapi import describe
from gateway.http.body import BodyLimit, BodyRefused, read_body
from gateway.http.connection import vouch
from gateway.http.problems import problem, unauthorised
from gateway.services import Services
from gateway.store.admin.accounts import Account, ApiToken
from gateway.store.admin.audit import Actor, acting
from gateway.store.admin.bindings import Bar
from runtime.database.errors import DATABASE_ERRORS, may_pass
from runtime.database.sealing import SealingError
from runtime.tokens import hash_of
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_JSON = {"Content-Type": "application/json"}


def add_api(app: web.Application, services: Services, routes: Sequence[Route]) -> None:
    """Below /api. Not as an application of its own: its middlewares would run while phones ring."""
    description = orjson.dumps(describe(routes))

    async def openapi(_request: web.Request) -> web.Response:
        return web.Response(body=description, headers=_JSON)

    app.router.add_get("/api/openapi.json", openapi)
    trouble = Trouble("api-database")
    for route in routes:
        served = _as_problems(_served(route, services), trouble)
        app.router.add_route(route.method, "/api" + route.path, served)
    app.router.add_route("*", r"/api/{path:[\s\S]*}", _nothing_here)


async def _nothing_here(request: web.Request) -> web.Response:
    """404, or 405 where another method would be taken."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        _, methods = await resource.resolve(request)
        allowed |= methods - {"*"}
    if allowed:
        response = problem(405, "method-not-allowed", "This address does not take that method.")
        response.headers["Allow"] = ", ".join(sorted(allowed))
        return response
    return problem(404, "no-such-path", "There is nothing at this address.", detail="See /api/openapi.json.")


def _unavailable() -> web.Response:
    response = problem(
        503, "database-unavailable", "The database cannot be reached.", detail="Try again later."
    )
    response.headers["Retry-After"] = "2"
    return response


_STATUS: Mapping[str, int] = {
    NothingOfThatName.code: 404,
    NoVersion.code: 404,
    NameTaken.code: 409,
    AddressTaken.code: 409,
    CrmUserTaken.code: 409,
    SeniorTaken.code: 409,
    LastAdmin.code: 409,
    GrantsMore.code: 403,
    NotBoundTo.code: 403,
    OutlivesGranter.code: 403,
    DraftMoved.code: 409,
    BothChanged.code: 409,
    OnTrial.code: 409,
    NoTrial.code: 409,
    SameMatrix.code: 409,
    AccountNotOn.code: 409,
    RunIsOpen.code: 409,
    NoSuchRun.code: 409,
    CrmInUse.code: 409,
    MatrixRefused.code: 422,
    ScheduleMoved.code: 409,
    ScheduleInUse.code: 409,
    ScheduleRefused.code: 422,
    ConnectingFailed.code: 422,
    AccountShut.code: 409,
    PresenceOff.code: 409,
    TelegramUnset.code: 409,
    QuestionOver.code: 409,
    TemplateNotUsable.code: 422,
    StageTaken.code: 409,
    TemplateInUse.code: 409,
    ConnectionInUse.code: 409,
    ChannelInUse.code: 409,
    MessageNotTaken.code: 409,
    EmployeeInUse.code: 409,
    TemplateMoved.code: 409,
    CampaignMoved.code: 409,
    CampaignNotUsable.code: 422,
    CampaignStateForbids.code: 409,
    CampaignDialledThere.code: 409,
    ContactCentreSilent.code: 409,
    ListRefused.code: 422,
    NobodyToCall.code: 409,
    MemberRefused.code: 409,
    TriggerMoved.code: 409,
    TriggerIsOff.code: 409,
    TriggerNotUsable.code: 422,
    TriggerWithoutCarrier.code: 409,
    DealGivenAlready.code: 409,
    NotGivable.code: 409,
    NotOnList.code: 404,
    NotUnknown.code: 409,
    NotStopped.code: 409,
}
"""Of what a service refuses; what is not named here is 400."""

_CONFIGURES = re.compile(r"/v1/accounts(/\{account\}(/(state|settings|config|connections.*|employees.*))?)?")
_LATE_SECONDS = 0.3
"""Of what another gateway process has just made, this one hears within them."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _as_problems(handler: _Handler, trouble: Trouble) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
            trouble.recovered()
            return response
        except ApiError as err:
            more = {"problems": list(err.problems)} if err.problems else {}
            return problem(err.status, err.code, err.title, detail=err.detail, field=err.field, **more)
        except InputRefused as err:
            more = {"problems": list(err.problems)} if err.problems else {}
            status = _STATUS.get(err.code, 400)
            return problem(status, err.code, err.message, detail=err.remedy, field=err.field, **more)
        except SealingError as err:
            return problem(503, err.code, "A secret cannot be read or stored.", detail=f"{err}. {err.remedy}")
        except BodyRefused as err:
            return err.answer()
        except web.HTTPException:
            raise
        except Exception as err:
            if may_pass(err):
                trouble.failed(err)
                return _unavailable()
            log.exception("api-failed", route=str(request.match_info.route.resource))
            return problem(500, "internal", "The gateway failed.", detail="Its log tells why.")

    return handle


def _served(route: Route, services: Services) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        token = _token(request)
        if not token:
            services.strangers.nameless("api", request)
            return unauthorised()
        who = _authenticated(token, services)
        if who is None:
            return services.strangers.of("api", request, unauthorised())
        vouch(request)
        try:
            return await _asked(route, request, who, services)
        except ApiError as err:
            if err.status == 403:
                services.strangers.forbidden(request, who.name)
            raise

    return handle


async def _asked(route: Route, request: web.Request, who: ApiToken, services: Services) -> web.Response:
    path = dict(request.match_info)
    if (named := path.get("account")) is not None and who.account_id in (None, named):
        await services.configuration.found(
            lambda: services.configuration.now.accounts.get(named), _LATE_SECONDS
        )
    account = _judged(route, request, who, services)
    query = _validated(route.query, _query(request), "query")
    body = None
    if route.body is not None:
        sent = await _body(request, route.most_body)
        # The body may take its time: what the token was when it began counts no more.
        who = _authenticated(_token(request), services) or _withdrawn()
        account = _judged(route, request, who, services)
        body = _validated(route.body, sent, "body")
    address = services.peers.address_of(request)
    with acting(_actor(who, address)):
        answer = route.handler(
            ApiCall(services=services, who=who, path=path, query=query, body=body, account_or_none=account)
        )
        result = await services.silence.unless_silent(answer)
    await _take_over(route, path.get("account") or getattr(body, "id", None), services)
    return _answered(route, result, request)


def _actor(who: ApiToken, address: str) -> Actor:
    return Actor(
        kind="token",
        name=who.name,
        door="api",
        address=address,
        role=who.role,
        bound=who.bound,
        ends=who.expires_at,
    )


async def _take_over(route: Route, account_id: str | None, services: Services) -> None:
    """Know what was just changed before it is said that it was: the next request may be about it."""
    is_token = route.path.startswith("/v1/tokens")
    if route.method == "GET" or not (is_token or _CONFIGURES.fullmatch(route.path)):
        return
    with contextlib.suppress(
        *DATABASE_ERRORS
    ):  # it is done all the same, and is heard of once the database is back
        await services.configuration.take_over(
            () if is_token or account_id is None else (account_id,), with_tokens=is_token
        )


def _judged(route: Route, request: web.Request, who: ApiToken, services: Services) -> Account | None:
    """Return the account that the path names. Raise ApiError where the token may not ask that, or nothing stands there."""
    path = request.match_info
    if bar := why_not_ask(route, who, path):
        raise _forbidden(bar, route, who)
    if any("\x00" in value for value in path.values()):
        raise ApiError(404, "no-such-path", "There is nothing at this address.")
    return _account(request, who, services)


def _forbidden(bar: Bar, route: Route, who: ApiToken) -> ApiError:
    if bar == "role":
        return ApiError(
            403, "forbidden", "This token's role may not do that.", detail=f"It takes: {route.role}."
        )
    barred = NotBoundTo(bar, who.bound)
    return ApiError(403, barred.code, barred.message, detail=barred.remedy, field=barred.field)


def _withdrawn() -> NoReturn:
    detail = "It was withdrawn while the body arrived. Nothing was done."
    raise ApiError(401, "unauthorised", "The secret is missing or wrong.", detail=detail)


def _token(request: web.Request) -> str:
    """Empty: none was shown."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _authenticated(token: str, services: Services) -> ApiToken | None:
    known = services.configuration.now.tokens.get(hash_of(token))
    if known is None or (known.expires_at is not None and known.expires_at <= datetime.now(UTC)):
        return None
    services.tokens_used.note(known)
    return known


def _account(request: web.Request, who: ApiToken, services: Services) -> Account | None:
    """Return the account of the path; one that this token may not see does not exist for it."""
    if (name := request.match_info.get("account")) is None:
        return None
    account = services.configuration.now.accounts.get(name)
    if account is None or who.account_id not in (None, name):
        if account is not None:
            services.strangers.forbidden(request, who.name)
        raise not_found("account", name)
    return account


def _query(request: web.Request) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in request.query:
        got = request.query.getall(name)
        if len(got) > 1:
            raise ApiError(400, "invalid-input", f"'{name}' was given {len(got)} times.", field=name)
        values[name] = got[0]
    refuse_untakable(values, "query")
    return values


async def _body(request: web.Request, limit: BodyLimit) -> Any:
    sent = await read_body(request, limit)
    if request.body_exists and request.content_type != "application/json":
        raise ApiError(
            415,
            "not-json",
            "The body is not said to be JSON.",
            detail="Send it with 'Content-Type: application/json'.",
        )
    try:
        body = orjson.loads(sent)
    except orjson.JSONDecodeError as err:
        raise ApiError(400, "invalid-json", "The body is not JSON.", detail=str(err), field="body") from err
    refuse_untakable(body, "body")
    return body


def _validated(model: type[BaseModel], value: Any, where: str) -> BaseModel:
    try:
        if where == "query":
            refuse_odd_numbers(model, value)
            return model.model_validate_strings(value)
        return validated(model, value)
    except ValidationError as err:
        problems = [{"field": field, "message": message} for field, message in problems_of(err, where, value)]
        first = problems[0]
        raise ApiError(
            400,
            "invalid-input",
            f"The {where} is not valid.",
            detail=f"{first['field']}: {first['message']}",
            field=first["field"],
            problems=problems,
        ) from err


def _answered(
    route: Route, result: BaseModel | CsvAnswer | FileAnswer | None, request: web.Request
) -> web.Response:
    if result is None:
        return web.Response(status=204)
    if isinstance(result, FileAnswer):
        return web.Response(status=route.status, body=result.content, headers=result.headers)
    if isinstance(result, CsvAnswer):
        return web.Response(status=route.status, body=result.text.encode(), headers=_csv(result, request))
    return web.Response(status=route.status, body=result.model_dump_json().encode(), headers=_JSON)


def _csv(table: CsvAnswer, request: web.Request) -> dict[str, str]:
    headers = {
        "Content-Type": "text/csv; charset=utf-8; header=present",
        "Content-Disposition": f'attachment; filename="{table.file}"',
    }
    if table.after is not None:
        following = request.rel_url.update_query(after=table.after)
        headers["Link"] = f'<{following}>; rel="next"'
    return headers
