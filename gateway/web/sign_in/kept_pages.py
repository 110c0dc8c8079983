"""A refused form gets an address of its own, so that back and reload need not send it anew.

What was typed into it stands in its page, which is kept for a quarter of an hour: encrypted with a secret that only that address
has, for this session alone. Fields of passwords and keys are never filled in again, so none is in it.
"""

from __future__ import annotations

import zlib
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.store.sign_in.kept_pages import keep_page, kept_page
from gateway.web.frame import AnyPageCall, PageRoute
from gateway.web.links import own_path
from runtime.tokens import hash_of, new_secret

KEPT = "kept"
"""Name of the secret in the address."""
IS_TYPED = web.ResponseKey("is-typed", bool)
"""Set on an answer that is kept whatever its status."""
_STATUSES = frozenset({409, 422})
_MOST_BYTES = 512 * 1024
_NONCE = bytes(12)  # a key is used once


async def led_back(page: PageRoute, call: AnyPageCall, response: web.Response) -> web.Response:
    """Return the way to the page that shows what was refused; the answer itself where it is none, or cannot be kept."""
    request, body = call.request, response.body
    is_refused = response.status in _STATUSES or IS_TYPED in response
    if request.method != "POST" or call.is_fragment or page.frame != "inside" or not is_refused:
        return response
    began_at = _page_of(request)
    if began_at is None or not isinstance(body, bytes) or len(body) > _MOST_BYTES:
        return response
    secret = new_secret()
    sealed = _key(secret).encrypt(_NONCE, zlib.compress(body), _bound_to(call))
    async with call.connection() as conn:
        await keep_page(conn, hash_of(secret), response.status, sealed, call.now)
    return web.Response(status=303, headers={"Location": _with_secret(began_at, secret)})


async def shown_again(page: PageRoute, call: AnyPageCall) -> web.Response | None:
    """Return the page that the address has the secret of; None: there is none, or no more."""
    secret = call.request.query.get(KEPT)
    if secret is None or call.request.method != "GET" or call.is_fragment or page.frame != "inside":
        return None
    async with call.connection() as conn:
        found = await kept_page(conn, hash_of(secret), call.now)
    if found is None:
        return None
    status, sealed = found
    try:
        body = zlib.decompress(_key(secret).decrypt(_NONCE, sealed, _bound_to(call)))
    except InvalidTag:
        return None
    response = web.Response(status=status, body=body, content_type="text/html", charset="utf-8")
    response.enable_compression()
    return response


def _key(secret: str) -> AESGCM:
    return AESGCM(bytes.fromhex(hash_of(f"kept-page:{secret}")))


def _bound_to(call: AnyPageCall) -> bytes:
    """Of whom it is, and how they read: in another language the page is made anew."""
    return "\n".join((call.who.csrf, call.who.language, call.who.theme, call.who.role)).encode()


def _page_of(request: web.Request) -> str | None:
    """Return where the form stood, as the browser says; None: it does not say, or that is no page of ours."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    if referrer.netloc != request.headers.get("Host"):
        return None
    return own_path(f"{referrer.path}?{referrer.query}" if referrer.query else referrer.path, "") or None


def _with_secret(path: str, secret: str) -> str:
    parts = urlsplit(path)
    others = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != KEPT]
    return f"{parts.path}?{urlencode([*others, (KEPT, secret)])}"
