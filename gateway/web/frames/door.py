"""Who opens a page within the CRM: by what stands in its address, and by no cookie."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

import asyncpg
from aiohttp import web

from gateway.admin.sign_in.sessions import csrf_of
from gateway.configuration import Configuration
from gateway.http.session_cookie import session_cookie
from gateway.store.frames.frame_tokens import frame_token_of
from gateway.web.frame import AnyPageCall, Framed, PageRefused, PageRoute
from gateway.web.languages import language_of
from gateway.web.person import Person
from runtime.tokens import hash_of

_LONGEST = 200
DONE = "/frame/done"
"""What is shown once something that can be done once is done."""


async def opened_by(pool: asyncpg.Pool, configuration: Configuration, request: web.Request) -> Framed | None:
    """Return what the address brings, None: nothing that we ever gave, or of an account that is gone."""
    secret = request.query.get("token", "")
    if not secret or len(secret) > _LONGEST:
        return None
    async with pool.acquire() as conn:
        token = await frame_token_of(conn, hash_of(secret))
    account = configuration.now.accounts.get(token.account_id) if token else None
    if token is None or account is None:
        return None
    site = urlsplit(account.base_url)
    return Framed(secret=secret, host=f"{site.scheme}://{site.netloc}", token=token)


def person_of(framed: Framed, request: web.Request) -> Person:
    """Return in whose name it is opened, with what they may now."""
    token = framed.token
    return Person(
        login=token.login,
        name=token.name,
        role=token.role,
        bound=token.bound,
        language=token.language or language_of(request),
        theme=token.theme,
        csrf=csrf_of(framed.secret),
    )


def refuse_bad_frame(page: PageRoute, call: AnyPageCall, base_url: str, now: datetime) -> None:
    """Raise PageRefused where what opened the page opens it no longer, or another one."""
    framed = call.framed
    if session_cookie(call.request, base_url) is None:
        raise PageRefused(421, "frame-elsewhere")
    if framed is None or page.path not in (f"/frame/{framed.token.page}", DONE):
        raise PageRefused(404, "frame-unknown")
    if framed.token.expires_at <= now:
        raise PageRefused(403, "frame-expired")
    if not framed.token.is_on or framed.token.bound.account_id not in (None, framed.token.account_id):
        raise PageRefused(403, "frame-person")
    if framed.token.used_at is not None and page.path != DONE:
        raise PageRefused(409, "frame-used")
