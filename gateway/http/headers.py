"""What every answer says of itself to browsers and caches, and the framework's own answers in our form."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from gateway.http.problems import problem

# Every header of these stands in FastResponse too, in one piece.
ON_ALL: Mapping[str, str] = {
    "Server": "callmatrix",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
ON_PAGES = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def dress(response: web.StreamResponse) -> None:
    """Add them; what a handler has set stays."""
    headers = response.headers
    for name, value in ON_ALL.items():
        headers.setdefault(name, value)
    if response.content_type == "text/html":
        headers.setdefault("Content-Security-Policy", ON_PAGES)


def in_our_form(err: web.HTTPException) -> web.Response:
    """Return what the framework refuses by itself as problem+json."""
    if err.status < 400:
        return web.Response(status=err.status, headers={"Location": err.headers.get("Location", "/")})
    if err.status == 404:
        return problem(404, "no-such-path", "There is nothing at this address.")
    if err.status == 405:
        response = problem(405, "method-not-allowed", "This address does not take that method.")
        response.headers["Allow"] = err.headers.get("Allow", "")
        return response
    if err.status == 417:
        return problem(417, "expectation-unknown", "Only 'Expect: 100-continue' is understood.")
    return problem(err.status, "http-refused", "The request is refused.", detail=f"{err.reason}.")


def compressed() -> web.Response:
    return problem(415, "compressed", "The body is compressed.", detail="Send it without Content-Encoding.")
