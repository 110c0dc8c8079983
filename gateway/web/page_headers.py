"""What every page says of itself to browsers."""

from __future__ import annotations

from aiohttp import web

_SOURCES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'"
)
_YEAR = 31_536_000


def dress_page(response: web.StreamResponse, *, is_https: bool, frame_host: str | None) -> None:
    """Add them; what is set stays. frame_host: address of the one site that may frame the page."""
    headers = response.headers
    ancestors = frame_host or "'none'"
    headers.setdefault("Content-Security-Policy", f"{_SOURCES}; frame-ancestors {ancestors}")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Server", "callmatrix")
    if is_https:
        headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}")
