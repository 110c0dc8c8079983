"""Signing in: password, or a link in its place; then the second factor where there is one; and signing out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from aiohttp import web

from gateway.admin.protection.sign_in import SignInPaused, SignInRefused
from gateway.admin.sign_in.links import PATH
from gateway.admin.sign_in.second_factor import CodeWrong, confirm_second_factor, offer_second_factor
from gateway.admin.sign_in.sessions import Begun, is_csrf
from gateway.store.admin.sessions import Session
from gateway.web.frame import (
    AnyPageCall,
    Form,
    PageAnswer,
    PageCall,
    PageQuery,
    PageRefused,
    PageRoute,
    SeeOther,
    Shown,
)
from gateway.web.languages import LANGUAGE_COOKIE, names_of_languages
from gateway.web.links import address
from gateway.web.sign_in.door import SignInDoor, door_of, way_back
from gateway.web.sign_in.picture import offered
from routing.texts.catalogue import LANGUAGES

SIGN_IN, CODE, ENROL = "/sign-in", "/sign-in/code", "/sign-in/second-factor"
_YEAR = 31_536_000


class NextQuery(PageQuery):
    """lost: a form was sent when the session had ended already."""

    next: str = ""
    lost: bool = False


class PasswordForm(Form):
    login: str = ""
    password: str = ""
    next: str = ""


class CodeForm(Form):
    """csrf: of the half-way session."""

    code: str = ""
    next: str = ""
    csrf: str = ""


class LanguageForm(Form):
    language: str = ""
    next: str = ""


async def ask_password(call: PageCall[NextQuery, None]) -> PageAnswer:
    door = door_of(call)
    if call.who.login:
        return SeeOther(way_back(call.query.next))
    if (known := await door.session_of(call.request)) is not None:
        return SeeOther(_next_step(known[0].stage, call.query.next))
    values = _password_values(call.query.next)
    return Shown("sign_in/password.html", {**values, "lost": call.query.lost})


async def take_password(call: PageCall[PageQuery, PasswordForm]) -> PageAnswer:
    door, form = door_of(call), call.form
    if lacks := [name for name in ("login", "password") if not getattr(form, name)]:
        return _password_again(call, form, "", 422, lacks=lacks)
    try:
        begun = await door.steps.with_password(form.login, form.password, door.whence(call.request), call.now)
    except SignInRefused:
        return _password_again(call, form, call.texts.say("sign_in.refused"), 422)
    except SignInPaused as err:
        said = call.texts.say("sign_in.paused", n=int(err.seconds))
        return _password_again(call, form, said, 429, int(err.seconds))
    return await _go_on(door, call, begun, form.next)


def _password_again(
    call: AnyPageCall,
    form: PasswordForm,
    error: str,
    status: int,
    seconds: int = 0,
    lacks: Sequence[str] = (),
) -> Shown:
    """lacks: fields that were left empty, which is no try to enter."""
    headers = {"Retry-After": str(seconds)} if seconds else {}
    errors = {name: call.texts.say(f"sign_in.no_{name}") for name in lacks}
    values = {**_password_values(form.next, form.login[:100], error), "errors": errors}
    return Shown("sign_in/password.html", values, status, headers)


def _password_values(next: str, login: str = "", error: str = "") -> dict[str, Any]:
    return {
        "next": way_back(next),
        "login": login,
        "error": error,
        "errors": {},
        "lost": False,
        "languages": names_of_languages(),
    }


async def ask_code(call: PageCall[NextQuery, None]) -> PageAnswer:
    half = await _half(call, "code")
    return half if isinstance(half, SeeOther) else _code_again(call, half[1], call.query.next)


async def take_code(call: PageCall[PageQuery, CodeForm]) -> PageAnswer:
    door, form = door_of(call), call.form
    half = await _half(call, "code")
    if isinstance(half, SeeOther):
        return half
    session, csrf = half
    _refuse_other_form(csrf, form.csrf)
    if not form.code.strip():
        return _code_again(call, csrf, form.next, call.texts.say("sign_in.no_code"), 422)
    try:
        begun = await door.steps.with_code(session, form.code, door.whence(call.request), call.now)
    except SignInRefused:
        return _password_again(call, PasswordForm(next=form.next), call.texts.say("sign_in.code_again"), 422)
    except SignInPaused as err:
        said = call.texts.say("sign_in.paused", n=int(err.seconds))
        return _code_again(call, csrf, form.next, said, 429, int(err.seconds))
    if begun is None:
        return _code_again(call, csrf, form.next, call.texts.say("sign_in.code_wrong"), 422)
    return await _go_on(door, call, begun, form.next)


def _code_again(
    call: AnyPageCall, csrf: str, next: str, error: str = "", status: int = 200, seconds: int = 0
) -> Shown:
    headers = {"Retry-After": str(seconds)} if seconds else {}
    values = {"next": way_back(next), "csrf": csrf, "error": error}
    return Shown("sign_in/code.html", values, status, headers)


async def ask_enrolment(call: PageCall[NextQuery, None]) -> PageAnswer:
    half = await _half(call, "enrol")
    return half if isinstance(half, SeeOther) else await _enrolment(call, *half, call.query.next)


async def take_enrolment(call: PageCall[PageQuery, CodeForm]) -> PageAnswer:
    door, form = door_of(call), call.form
    half = await _half(call, "enrol")
    if isinstance(half, SeeOther):
        return half
    session, csrf = half
    _refuse_other_form(csrf, form.csrf)
    try:
        async with call.connection() as conn:
            codes = await confirm_second_factor(conn, session.login, form.code, call.now)
    except CodeWrong:
        return await _enrolment(call, session, csrf, form.next, call.texts.say("sign_in.code_wrong"))
    begun = await door.steps.enrolled(session, door.whence(call.request), call.now)
    return await _with_codes(door, call, begun, codes, form.next)


async def _with_codes(
    door: SignInDoor, call: AnyPageCall, begun: Begun, codes: list[str], next: str
) -> PageAnswer:
    """Show the codes for a lost phone, once, and give the browser the session that follows."""
    cookie = await door.taken_over(call.request, begun)
    values = {"codes": codes, "onward": way_back(next)}
    return Shown("sign_in/codes.html", values, headers={"Set-Cookie": cookie})


async def _enrolment(call: AnyPageCall, session: Session, csrf: str, next: str, error: str = "") -> Shown:
    async with call.connection() as conn:
        secret = await offer_second_factor(conn, session.login)
    values = {"next": way_back(next), "csrf": csrf, "error": error}
    picture = offered(secret, session.login, door_of(call).settings.base_url)
    return Shown("sign_in/enrol.html", {**values, **picture}, 422 if error else 200)


async def ask_link(call: PageCall) -> PageAnswer:
    """Show a button: a link that is only looked at, by a mail program or messenger, lets nobody in."""
    door = door_of(call)
    is_good = await door.steps.is_link(call.path["secret"], call.now, is_local=door.sits_here(call.request))
    return Shown("sign_in/link.html", {"is_good": is_good}, 200 if is_good else 410)


async def take_link(call: PageCall) -> PageAnswer:
    door = door_of(call)
    try:
        begun = await door.steps.with_link(
            call.path["secret"],
            door.whence(call.request),
            call.now,
            is_local=door.sits_here(call.request),
        )
    except SignInRefused:
        return Shown("sign_in/link.html", {"is_good": False}, 410)
    return await _go_on(door, call, begun, "/")


async def choose_language(call: PageCall[PageQuery, LanguageForm]) -> PageAnswer:
    """Of who has not signed in yet."""
    back = address(SIGN_IN, next=None if way_back(call.form.next) == "/" else way_back(call.form.next))
    response = web.Response(status=303, headers={"Location": back})
    if call.form.language in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, call.form.language, max_age=_YEAR, httponly=True, samesite="Lax", path="/"
        )
    return response


async def sign_out(call: PageCall) -> PageAnswer:
    door = door_of(call)
    if (known := await door.session_of(call.request)) is not None:
        await door.sessions.end(known[0])
    return door.let_out(call.request, SIGN_IN)


async def _half(call: AnyPageCall, stage: str) -> tuple[Session, str] | SeeOther:
    """Return the session that is at this step, else where to go."""
    known = await door_of(call).session_of(call.request)
    if known is None:
        return SeeOther(SIGN_IN)
    return known if known[0].stage == stage else SeeOther(_next_step(known[0].stage, ""))


async def _go_on(door: SignInDoor, call: AnyPageCall, begun: Begun, next: str) -> web.Response:
    cookie = await door.taken_over(call.request, begun)
    return web.Response(status=303, headers={"Location": _next_step(begun.stage, next), "Set-Cookie": cookie})


def _next_step(stage: str, next: str) -> str:
    back = way_back(next)
    if stage == "full":
        return back
    return address(CODE if stage == "code" else ENROL, next=None if back == "/" else back)


def _refuse_other_form(expected: str, brought: str) -> None:
    if not is_csrf(expected, brought):
        raise PageRefused(403, "old-form")


def _alone(
    method: Literal["GET", "POST"], path: str, handler: Callable[[Any], Awaitable[PageAnswer]]
) -> PageRoute:
    return PageRoute(
        method=method, path=path, handler=handler, role="read_only", frame="alone", needs_account=False
    )


PAGES = (
    _alone("GET", SIGN_IN, ask_password),
    _alone("POST", SIGN_IN, take_password),
    _alone("GET", CODE, ask_code),
    _alone("POST", CODE, take_code),
    _alone("GET", ENROL, ask_enrolment),
    _alone("POST", ENROL, take_enrolment),
    _alone("GET", PATH + "{secret}", ask_link),
    _alone("POST", PATH + "{secret}", take_link),
    _alone("POST", "/sign-in/language", choose_language),
    PageRoute(method="POST", path="/sign-out", handler=sign_out, role="read_only", needs_account=False),
)
