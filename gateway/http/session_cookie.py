"""The cookie that a signed-in browser brings: what it is called and how it is kept, by the address that was asked."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from gateway.http.peers import host_name
from runtime.addresses import is_local

_PORTS = {"https": "443", "http": "80"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookie:
    """is_secure: the browser sends it over TLS only. origin: of our pages, as the browser names it."""

    name: str
    is_secure: bool
    origin: str

    def read(self, request: web.BaseRequest) -> str:
        """Return what the browser brought, "" = nothing."""
        return request.cookies.get(self.name, "")

    def kept(self, secret: str) -> str:
        """Return the header that gives it to the browser, until that is closed; how long it counts the database says."""
        return f"{self.name}={secret}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if self.is_secure else ''}"

    def cleared(self) -> str:
        """Return the header that takes it from the browser."""
        return self.kept("") + "; Max-Age=0"


def session_cookie(request: web.BaseRequest, base_url: str) -> SessionCookie | None:
    """Return the cookie of the address that was asked: our public one with TLS, or this machine itself. None: any other,
    where a password would go over the wire in plain text."""
    host = request.headers.get("Host", "").strip().lower()
    if is_local(host_name(request)):
        return SessionCookie(name="callmatrix", is_secure=False, origin=f"http://{host}")
    public = urlsplit(base_url)
    if public.scheme != "https" or _place(host) != _place(public.netloc.rpartition("@")[2].lower()):
        return None
    return SessionCookie(name="__Host-callmatrix", is_secure=True, origin=f"https://{host}")


def is_from_our_page(request: web.BaseRequest, cookie: SessionCookie) -> bool:
    """Whether the browser says that a page of ours sent this form. One that says nothing at all is not believed."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    return _origin(request.headers.get("Origin", "")) == _origin(cookie.origin)


def _origin(text: str) -> tuple[str, str] | None:
    parts = urlsplit(text)
    return (parts.scheme, _place(parts.netloc, parts.scheme)) if parts.scheme in _PORTS else None


def _place(netloc: str, scheme: str = "https") -> str:
    return netloc.lower().removesuffix(f":{_PORTS[scheme]}")
