"""Serves the pages: who asks, may they, is what they sent valid; then the handler, its template, and the headers of a page."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from pydantic import BaseModel, ValidationError

from gateway.admin.input_words import problems_of
from gateway.admin.refused import InputRefused
from gateway.admin.sign_in.sessions import is_csrf
from gateway.http.body import BodyRefused
from gateway.http.session_cookie import is_from_our_page, session_cookie
from gateway.services import Services
from gateway.store.admin.accounts import Account
from gateway.store.admin.audit import acting
from gateway.store.admin.bindings import EVERYTHING, why_not
from gateway.store.admin.users import users
from gateway.web import forms, toasts
from gateway.web.built_files import BuiltFiles
from gateway.web.forms import MOST_BYTES
from gateway.web.frame import (
    PAGE_ROLES,
    AnyPageCall,
    Form,
    PageAnswer,
    PageCall,
    PageRefused,
    PageRoute,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.frames.door import opened_by, person_of, refuse_bad_frame
from gateway.web.languages import language_of
from gateway.web.links import address, own_path
from gateway.web.page_headers import dress_page
from gateway.web.person import Person, SignedIn
from gateway.web.refusals import refusal_said
from gateway.web.render import TemplateSet, of_call
from gateway.web.shell import is_of_nobody_like, with_surroundings
from gateway.web.sign_in.kept_pages import IS_TYPED, led_back, shown_again
from gateway.web.texts.sentences import FOR_OTHERS, TEXTS
from gateway.web.words.words import Words
from runtime.database.errors import DATABASE_ERRORS, may_pass
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

SIGN_IN, FIRST_RUN = "/sign-in", "/start"
_FRAME_HOST = web.RequestKey("frame-host", str)
_GUEST = Person(login="", name="", role="read_only", bound=EVERYTHING)
_GUEST_BYTES = 64 * 1024
_CONFLICT = frozenset({"moved", "in-use", "taken"})

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages:
    """The pages of one process."""

    def __init__(self, services: Services, signed_in: SignedIn, files: BuiltFiles | None = None) -> None:
        self._services, self._signed_in = services, signed_in
        self.files = files or BuiltFiles()
        self._templates = TemplateSet(self.files)
        self._is_https = services.settings.base_url.startswith("https:")
        self._trouble = Trouble("pages-database")

    def add_to(self, app: web.Application, pages: Sequence[PageRoute]) -> None:
        app.router.add_get("/static/{name}", self.files.handle)
        app[PAGE_ROLES] = {page.path: page.role for page in pages if page.method == "GET"}
        for page in pages:
            app.router.add_route(page.method, page.path, self._guarded(page))
        nowhere = PageRoute(
            method="GET", path="/{nowhere}", handler=_nowhere, role="read_only", needs_account=False
        )
        app.router.add_route("*", r"/{path:[\s\S]*}", self._guarded(nowhere))

    def _guarded(self, page: PageRoute) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            response = await self._answered(page, request)
            if not response.prepared:
                dress_page(response, is_https=self._is_https, frame_host=request.get(_FRAME_HOST))
            return response

        return handle

    async def _answered(self, page: PageRoute, request: web.Request) -> web.StreamResponse:
        who = await (self._framed(page, request) if page.frame == "framed" else self._person(page, request))
        if isinstance(who, web.StreamResponse):
            return who
        call = who if isinstance(who, PageCall) else self._call(request, who)
        try:
            call = await self._judged(page, request, call)
            if (again := await shown_again(page, call)) is not None:
                return again
            with acting(call.who.actor(self._services.peers.address_of(request))):
                answer = await self._services.silence.unless_silent(page.handler(call))
            self._trouble.recovered()
            if page.configures and request.method == "POST" and call.account_or_none is not None:
                await self._services.configuration.take_over((call.account.id,), with_tokens=False)
            if isinstance(answer, Shown) and page.frame == "inside" and not call.is_fragment:
                call = await with_surroundings(call)
            return await self._led_back(page, call, self._made(page, request, call, answer))
        except PageRefused as err:
            return self._refused(page, call, err.status, err.code, err.values)
        except InputRefused as err:
            values = {"said": refusal_said(err, call.texts)}
            return self._refused(page, call, _status_of(err), "input", values)
        except BodyRefused as err:
            return err.answer()
        except web.HTTPException:
            raise
        except Exception as err:
            return self._failed(page, call, err)

    async def _led_back(
        self, page: PageRoute, call: AnyPageCall, response: web.StreamResponse
    ) -> web.StreamResponse:
        """While the database is away, what was refused is the answer to the form."""
        if not isinstance(response, web.Response):
            return response
        try:
            return await led_back(page, call, response)
        except DATABASE_ERRORS as err:
            self._trouble.failed(err)
            return response

    async def _framed(self, page: PageRoute, request: web.Request) -> AnyPageCall | web.StreamResponse:
        """Return the call of a page within the CRM: who asks stands in its address, whatever cookies come along."""
        guest = self._call(request, dataclasses.replace(_GUEST, language=language_of(request)))
        try:
            framed = await opened_by(self._services.pool, self._services.configuration, request)
        except Exception as err:
            return self._failed(page, guest, err)
        if framed is None:
            return guest
        request[_FRAME_HOST] = framed.host
        call = self._call(request, person_of(framed, request), framed.token.account_id)
        template = framed.token.entity_id if framed.token.page == "template" else None
        return dataclasses.replace(call, framed=framed, path={"template": template} if template else {})

    async def _person(self, page: PageRoute, request: web.Request) -> Person | web.StreamResponse:
        """Return who asks, or where somebody goes who has to sign in first."""
        try:
            known = await self._signed_in.person_of(request)
        except Exception as err:
            return self._failed(page, self._call(request, _GUEST), err)
        if known is not None or page.frame != "inside":
            return known or dataclasses.replace(_GUEST, language=language_of(request))
        is_part = bool(request.headers.get("HX-Request"))
        is_page = request.method == "GET" and not is_part
        wanted = request.path_qs if is_page else own_path(_path_of_referrer(request))
        is_lost = request.method == "POST" and not is_part
        where = address(SIGN_IN, next=None if wanted == "/" else wanted, lost=is_lost)
        return web.Response(status=401 if is_part else 303, headers={"Location": where})

    def _call(self, request: web.Request, who: Person, named: str | None = None) -> AnyPageCall:
        """Return the call as far as it is known without judging what was sent. named: the account, else the address names it."""
        account, several = self._account(named or request.query.get("account"), who)
        now = datetime.now(UTC)
        zone = ZoneInfo(account.time_zone if account else "Europe/Moscow")
        texts = (TEXTS if who.may("admin") else FOR_OTHERS)[who.language]
        return PageCall(
            services=self._services,
            signed_in=self._signed_in,
            request=request,
            who=who,
            account_or_none=account,
            several_accounts=several,
            path=dict(request.match_info),
            query=None,
            form=None,
            texts=texts,
            words=Words(texts=texts, zone=zone, now=now, sees_numbers=who.sees_numbers),
            now=now,
            is_fragment="HX-Request" in request.headers
            and "HX-History-Restore-Request" not in request.headers,
        )

    def _account(self, named: str | None, who: Person) -> tuple[Account | None, bool]:
        """Return the account that is looked at, and whether the person may look at others too."""
        known = self._services.configuration.now.accounts
        theirs = [a for a in known.values() if who.bound.account_id in (None, a.id)] if who.login else []
        chosen = next((a for a in theirs if a.id == named), None)
        return chosen or (theirs[0] if theirs and named is None else None), len(theirs) > 1

    async def _judged(self, page: PageRoute, request: web.Request, call: AnyPageCall) -> AnyPageCall:
        """Return the call with what was sent. Raise PageRefused."""
        if any("\0" in part for part in call.path.values()):
            raise page_not_found()  # no database keeps such a name
        if page.frame == "framed":
            refuse_bad_frame(page, call, self._services.settings.base_url, call.now)
        if page.frame != "alone":
            await self._refuse_without_right(page, call)
        if page.frame == "inside" and call.account_or_none is None and request.query.get("account"):
            raise page_not_found("account")
        if call.account_or_none is None and page.needs_account and page.frame == "inside":
            raise web.HTTPSeeOther(FIRST_RUN)
        if request.method == "POST":
            call = dataclasses.replace(call, form=await self._form(page, request, call))
        query = forms.of_query(page.query, request)
        return dataclasses.replace(call, query=_validated(page.query, query))

    async def _refuse_without_right(self, page: PageRoute, call: AnyPageCall) -> None:
        employee = call.path.get("employee", call.who.bound.employee) if page.is_ones_own else None
        bar = why_not(
            call.who.role,
            call.who.bound,
            page.role,
            employee=employee,
            template=call.path.get("template"),
            schedule=call.path.get("schedule"),
        )
        if bar is None and not is_of_nobody_like(call.who, page):
            return
        async with self._services.pool.acquire() as conn:
            people = await users(conn)
        admins = [
            one.name for one in people if one.is_on and one.role == "admin" and _reaches(one.account_id, call)
        ]
        self._services.strangers.forbidden(call.request, call.who.login)
        raise PageRefused(403, "forbidden" if admins else "forbidden-no-admin", names=tuple(admins[:5]))

    async def _form(self, page: PageRoute, request: web.Request, call: AnyPageCall) -> BaseModel | None:
        cookie = session_cookie(request, self._services.settings.base_url)
        if cookie is None or not is_from_our_page(request, cookie):
            raise PageRefused(403, "foreign-form")
        sent = await forms.of_body(
            page.form, request, most=_GUEST_BYTES if not call.who.login else MOST_BYTES
        )
        token = request.headers.get("X-CSRF-Token") or str(sent.get("csrf", ""))
        if page.frame != "alone" and not self._is_of_session(call, token):
            raise PageRefused(403, "old-form")
        return None if page.form is None else _validated(page.form, sent)

    def _is_of_session(self, call: AnyPageCall, token: str) -> bool:
        if call.framed is not None:
            return is_csrf(call.who.csrf, token)
        return self._signed_in.is_ours(call.request, call.who, token)

    def _made(
        self, page: PageRoute, request: web.Request, call: AnyPageCall, answer: PageAnswer
    ) -> web.StreamResponse:
        if isinstance(answer, web.StreamResponse):
            return answer
        if isinstance(answer, SeeOther):
            return toasts.leading_to(answer, is_fragment=call.is_fragment, is_https=self._is_https)
        response = self._rendered(page, call, answer)
        if answer.is_typed:
            response[IS_TYPED] = True
        toasts.take(request, response)
        return response

    def _rendered(self, page: PageRoute, call: AnyPageCall, answer: Shown) -> web.Response:
        values = of_call(call, page.entry)
        toast = None if call.is_fragment else toasts.said(call.request, call.texts)
        html = self._templates.render(answer.template, {"toast": toast, **values, **answer.values})
        headers = {"Content-Type": "text/html; charset=utf-8", **answer.headers}
        response = web.Response(status=answer.status, body=html.encode(), headers=headers)
        response.enable_compression()
        return response

    def _refused(
        self, page: PageRoute, call: AnyPageCall, status: int, code: str, values: Mapping[str, Any]
    ) -> web.Response:
        template = "frame/_refused.html" if call.is_fragment else "frame/refused.html"
        return self._rendered(
            page,
            call,
            Shown(template, {"status": status, "code": code, "values": dict(values)}, status=status),
        )

    def _failed(self, page: PageRoute, call: AnyPageCall, err: Exception) -> web.Response:
        if may_pass(err):
            self._trouble.failed(err)
            response = self._refused(page, call, 503, "database", {})
            response.headers["Retry-After"] = "2"
            if call.request.method == "GET" and not call.is_fragment:
                response.headers["Refresh"] = "5"
            return response
        number = secrets.token_hex(4)
        log.error("page-failed", exc_info=err, page=page.path, number=number)
        return self._refused(page, call, 500, "failed", {"number": number})


async def _nowhere(call: PageCall) -> Shown:
    raise page_not_found()


def _validated(model: type[BaseModel], value: Mapping[str, Any]) -> BaseModel:
    try:
        return model.model_validate(value)
    except ValidationError as err:
        where = "query" if not issubclass(model, Form) else "form"
        names = tuple(sorted({field for field, _ in problems_of(err, where, value)}))
        raise PageRefused(422, "invalid", names=names) from err


def _status_of(err: InputRefused) -> int:
    """409 where it is what is stored that stands against it, else 422."""
    return 409 if any(err.code.endswith(end) for end in _CONFLICT) else 422


def _reaches(account_id: str | None, call: AnyPageCall) -> bool:
    return account_id is None or (call.account_or_none is not None and account_id == call.account.id)


def _path_of_referrer(request: web.Request) -> str | None:
    referrer = urlsplit(request.headers.get("Referer", ""))
    if referrer.netloc != request.headers.get("Host"):
        return None
    return f"{referrer.path}?{referrer.query}" if referrer.query else referrer.path
