"""Who a request is from, by the cookie of its browser; and how somebody who is not signed in yet gets one."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
from aiohttp import web

from gateway.admin.protection.sign_in import SignIns
from gateway.admin.sign_in.sessions import Begun, Sessions, Whence, csrf_of, is_csrf
from gateway.admin.sign_in.steps import PageSignIn
from gateway.http.peers import Peers, host_name
from gateway.http.session_cookie import SessionCookie, session_cookie
from gateway.settings import Settings
from gateway.store.admin.sessions import Session
from gateway.web.frame import AnyPageCall, PageRefused
from gateway.web.languages import language_of
from gateway.web.links import own_path
from gateway.web.person import Person
from runtime.addresses import is_local
from runtime.database.listen import Listener

HOME = "/"


class SignInDoor:
    """One of a process. steps: of signing in."""

    def __init__(
        self,
        settings: Settings,
        pool: asyncpg.Pool,
        listener: Listener,
        peers: Peers,
        sign_ins: SignIns | None = None,
    ) -> None:
        self.settings, self._peers = settings, peers
        self.sessions = Sessions(pool, listener)
        self.steps = PageSignIn(pool, sign_ins or SignIns(pool), self.sessions, settings.second_factor)

    def cookie_of(self, request: web.Request) -> SessionCookie | None:
        """Return the cookie of the address that was asked, None: nobody signs in there."""
        return session_cookie(request, self.settings.base_url)

    async def session_of(self, request: web.Request) -> tuple[Session, str] | None:
        """Return the session of this browser, half-way ones among them, and the token that its forms bring back."""
        cookie = self.cookie_of(request)
        secret = cookie.read(request) if cookie else ""
        found = await self.sessions.find(secret, self._peers.address_of(request), datetime.now(UTC))
        return (found, csrf_of(secret)) if found else None

    async def person_of(self, request: web.Request) -> Person | None:
        known = await self.session_of(request)
        if known is None or known[0].stage != "full":
            return None
        session, csrf = known
        return Person(
            login=session.login,
            name=session.name,
            role=session.role,
            bound=session.bound,
            language=session.language or language_of(request),
            theme=session.theme,
            session=session.id,
            csrf=csrf,
        )

    def is_ours(self, request: web.Request, person: Person, token: str) -> bool:
        return is_csrf(person.csrf, token)

    async def over(self, person: Person) -> None:
        await self.sessions.over(person.session)

    def whence(self, request: web.Request) -> Whence:
        return Whence(self._peers.address_of(request), request.headers.get("User-Agent", ""))

    def sits_here(self, request: web.Request) -> bool:
        """Whether the browser runs on this machine."""
        return is_local(self._peers.address_of(request)) and is_local(host_name(request))

    async def taken_over(self, request: web.Request, begun: Begun) -> str:
        """End the session that the browser had, and return the header that gives it the new one."""
        cookie = self.cookie_of(request)
        assert cookie is not None, "whoever asks in plain text was refused before"
        if (before := await self.session_of(request)) is not None and before[0].id != begun.id:
            await self.sessions.end(before[0])
        return cookie.kept(begun.secret)

    def let_out(self, request: web.Request, to: str) -> web.Response:
        response = web.Response(status=303, headers={"Location": to})
        if (cookie := self.cookie_of(request)) is not None:
            response.headers.add("Set-Cookie", cookie.cleared())
        return response


def door_of(call: AnyPageCall) -> SignInDoor:
    """Return what lets people in here. Raise PageRefused where a password would go over the wire in plain text."""
    door = call.signed_in
    if not isinstance(door, SignInDoor):
        raise PageRefused(404, "no-such-page")
    if door.cookie_of(call.request) is None:
        public = door.settings.base_url
        if public.startswith("https:"):
            raise PageRefused(403, "plain-http-here", address=public)
        raise PageRefused(403, "plain-http")
    return door


def way_back(text: str) -> str:
    """Return where somebody wanted to be before they had to sign in: a path of ours, and none of the sign-in's own."""
    path = own_path(text, HOME)
    return HOME if path.startswith(("/sign-in", "/sign-out")) else path
