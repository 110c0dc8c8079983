"""What somebody looks after themselves: password, second factor, where they are signed in, language and theme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from aiohttp import web

from gateway.admin import users
from gateway.admin.protection.sign_in import SignInPaused, SignInRefused
from gateway.admin.refused import InputRefused
from gateway.admin.sign_in.second_factor import (
    CodeWrong,
    confirm_second_factor,
    is_code_right,
    leave_second_factor,
    needs_second_factor,
    offer_second_factor,
    renew_recovery_codes,
)
from gateway.admin.sign_in.sessions import open_sessions, revoke_session, revoke_sessions
from gateway.store.admin.sessions import set_liking
from gateway.store.sign_in.second_factors import second_factor_of
from gateway.web import toasts
from gateway.web.frame import AnyPageCall, Form, PageAnswer, PageCall, PageQuery, PageRoute, SeeOther, Shown
from gateway.web.languages import names_of_languages
from gateway.web.refusals import refusal_said
from gateway.web.sign_in.browsers import browser_name
from gateway.web.sign_in.door import door_of
from gateway.web.sign_in.picture import offered
from routing.texts.catalogue import LANGUAGES, phrase

HOME = "/me/account"
FACTOR = HOME + "/second-factor"
_THEMES = ("system", "light", "dark")


class NewPasswordForm(Form):
    current: str = ""
    password: str = ""


class LikingForm(Form):
    language: str = ""
    theme: str = "system"


class OwnCodeForm(Form):
    code: str = ""


async def my_account(call: PageCall) -> Shown:
    return await _shown(call)


async def _shown(call: AnyPageCall, errors: Mapping[str, str] | None = None, status: int = 200) -> Shown:
    """errors: by the field."""
    settings = call.services.settings
    async with call.connection() as conn:
        sessions = await open_sessions(conn, [call.who.login], call.now)
        factor = await second_factor_of(conn, call.who.login)
    mine = next((one for one in sessions if one.id == call.who.session), None)
    values: dict[str, Any] = {
        "errors": errors or {},
        "sessions": sessions,
        "browser": lambda agent: browser_name(agent, call.texts),
        "has_factor": factor is not None and factor.is_on,
        "codes_left": factor.codes_left if factor is not None and factor.is_on else 0,
        "is_needed": needs_second_factor(settings.second_factor, call.who.role),
        "is_by_link": mine is not None and mine.is_by_link,
        "languages": names_of_languages(),
    }
    return Shown("sign_in/my_account.html", values, status)


async def change_password(call: PageCall[PageQuery, NewPasswordForm]) -> PageAnswer:
    """End all sessions of this person; the browser that asked goes on with a new one."""
    door, form = door_of(call), call.form
    if (error := await _wrong_password(call, form.current)) is not None:
        return await _shown(call, {"current": error}, 422)
    try:
        async with call.connection() as conn:
            await users.set_password(conn, call.who.login, form.password)
    except InputRefused as err:
        return await _shown(call, {"password": refusal_said(err, call.texts)}, 422)
    begun = await door.sessions.begin(call.who.login, door.whence(call.request), call.now, stage="full")
    cookie = await door.taken_over(call.request, begun)
    return _led_back(call, "sign_in.password_changed", cookie)


async def _wrong_password(call: AnyPageCall, current: str) -> str | None:
    """Return what to say where it is wrong. Who came by a link has none to show."""
    door = door_of(call)
    known = await door.session_of(call.request)
    if known is not None and known[0].is_by_link:
        return None
    try:
        await door.steps.verify(call.who.login, current, door.whence(call.request))
    except SignInRefused:
        return call.texts.say("sign_in.current_wrong")
    except SignInPaused as err:
        return call.texts.say("sign_in.paused", n=int(err.seconds))
    return None


async def like(call: PageCall[PageQuery, LikingForm]) -> SeeOther:
    language = call.form.language if call.form.language in LANGUAGES else None
    theme = (
        cast("Literal['system', 'light', 'dark']", call.form.theme)
        if call.form.theme in _THEMES
        else "system"
    )
    async with call.connection() as conn:
        await set_liking(conn, call.who.login, language=language, theme=theme)
    return SeeOther(call.here(HOME), phrase("sign_in.liking_saved"))


async def ask_factor(call: PageCall) -> PageAnswer:
    return await _factor(call)


async def _factor(call: AnyPageCall, error: str = "") -> PageAnswer:
    try:
        async with call.connection() as conn:
            secret = await offer_second_factor(conn, call.who.login)
    except InputRefused:
        return SeeOther(call.here(HOME))
    picture = offered(secret, call.who.login, call.services.settings.base_url)
    return Shown("sign_in/my_factor.html", {**picture, "error": error}, 422 if error else 200)


async def take_factor(call: PageCall[PageQuery, OwnCodeForm]) -> PageAnswer:
    try:
        async with call.connection() as conn:
            codes = await confirm_second_factor(conn, call.who.login, call.form.code, call.now)
    except CodeWrong:
        return await _factor(call, call.texts.say("sign_in.code_wrong"))
    return Shown("sign_in/my_codes.html", {"codes": codes, "onward": call.here(HOME)})


async def renew_codes(call: PageCall[PageQuery, OwnCodeForm]) -> PageAnswer:
    if (error := await _wrong_code(call)) is not None:
        return await _shown(call, {"code": error}, 422)
    async with call.connection() as conn:
        codes = await renew_recovery_codes(conn, call.who.login)
    return Shown("sign_in/my_codes.html", {"codes": codes, "onward": call.here(HOME)})


async def factor_off(call: PageCall[PageQuery, OwnCodeForm]) -> PageAnswer:
    if (error := await _wrong_code(call)) is not None:
        return await _shown(call, {"code": error}, 422)
    try:
        async with call.connection() as conn:
            await leave_second_factor(conn, call.who.login, call.services.settings.second_factor)
    except InputRefused as err:
        return await _shown(call, {"code": refusal_said(err, call.texts)}, 422)
    return SeeOther(call.here(HOME), phrase("sign_in.factor_is_off"))


async def _wrong_code(call: PageCall[PageQuery, OwnCodeForm]) -> str | None:
    """Return what to say where it is wrong: nobody at an open browser takes off what protects it."""
    try:
        is_right = await is_code_right(call.services.pool, call.who.login, call.form.code, call.now)
    except SignInPaused as err:
        return call.texts.say("sign_in.paused", n=int(err.seconds))
    return None if is_right else call.texts.say("sign_in.code_wrong")


async def end_one(call: PageCall) -> PageAnswer:
    try:
        async with call.connection() as conn:
            await revoke_session(conn, call.who.login, call.path["session"])
    except InputRefused as err:
        return await _shown(call, {"sessions": refusal_said(err, call.texts)}, 409)
    return SeeOther(call.here(HOME), phrase("sign_in.session_ended"))


async def end_others(call: PageCall) -> SeeOther:
    async with call.connection() as conn:
        count = await revoke_sessions(conn, call.who.login, but=call.who.session)
    return SeeOther(call.here(HOME), phrase("sign_in.sessions_ended", n=count))


def _led_back(call: AnyPageCall, said: str, cookie: str) -> web.Response:
    is_https = call.services.settings.base_url.startswith("https:")
    answer = SeeOther(call.here(HOME), phrase(said))
    response = toasts.leading_to(answer, is_fragment=call.is_fragment, is_https=is_https)
    response.headers.add("Set-Cookie", cookie)
    return response


def _own(method: Literal["GET", "POST"], path: str, handler: Any) -> PageRoute:
    return PageRoute(method=method, path=path, handler=handler, role="read_only", needs_account=False)


PAGES = (
    _own("GET", HOME, my_account),
    _own("POST", HOME + "/password", change_password),
    _own("POST", HOME + "/liking", like),
    _own("GET", FACTOR, ask_factor),
    _own("POST", FACTOR, take_factor),
    _own("POST", FACTOR + "/codes", renew_codes),
    _own("POST", FACTOR + "/off", factor_off),
    _own("POST", HOME + "/sessions/others/end", end_others),
    _own("POST", HOME + "/sessions/{session}/end", end_one),
)
