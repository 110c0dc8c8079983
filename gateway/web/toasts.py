"""What was done is said on the page that the browser goes on to: the sentence's key and values travel in a cookie."""

from __future__ import annotations

import base64
import binascii

import orjson
from aiohttp import web

from gateway.web.frame import SeeOther
from routing.texts.catalogue import Texts

_COOKIE = "callmatrix-said"
_SECONDS = 60


def leading_to(answer: SeeOther, *, is_fragment: bool, is_https: bool) -> web.Response:
    """is_fragment: htmx asked, and goes on by a header of its own."""
    if is_fragment:
        response = web.Response(status=200, headers={"HX-Redirect": answer.path})
    else:
        response = web.Response(status=303, headers={"Location": answer.path})
    if answer.said is not None:
        packed = orjson.dumps([answer.said.key, dict(answer.said.values)])
        value = base64.urlsafe_b64encode(packed).decode()
        response.set_cookie(
            _COOKIE, value, max_age=_SECONDS, httponly=True, samesite="Strict", secure=is_https
        )
    return response


def said(request: web.Request, texts: Texts) -> str | None:
    """Return the sentence that the page before left to be said here."""
    if (cookie := request.cookies.get(_COOKIE)) is None:
        return None
    try:
        key, values = orjson.loads(base64.urlsafe_b64decode(cookie))
        return texts.say(str(key), **values)
    except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError, KeyError):
        return None


def take(request: web.Request, response: web.StreamResponse) -> None:
    """Let it be said once."""
    if _COOKIE in request.cookies and not request.headers.get("HX-Request"):
        response.del_cookie(_COOKIE)
