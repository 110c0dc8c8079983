"""The one thing that is changed in a foreign client: where its requests to the vendor go."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

_VENDOR = re.compile(r"^https://[^/]*\b(amocrm\.ru|amocrm\.com|kommo\.com)(?=/|$)")


def redirect(target: str) -> None:
    """target: http://host:port. Takes hold where the libraries hand over a finished request."""
    if find_spec("requests"):
        _of_requests(target)
    if find_spec("httpx"):
        _of_httpx(target)


def _of_requests(target: str) -> None:
    from requests.adapters import HTTPAdapter

    original = HTTPAdapter.send

    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        request.url = _VENDOR.sub(target, request.url)
        return original(self, request, *args, **kwargs)

    HTTPAdapter.send = send  # type: ignore[method-assign]


def _of_httpx(target: str) -> None:
    import httpx

    original = httpx.AsyncHTTPTransport.handle_async_request

    async def handle(self: Any, request: Any) -> Any:
        request.url = httpx.URL(_VENDOR.sub(target, str(request.url)))
        request.headers["Host"] = request.url.netloc.decode()
        return await original(self, request)

    httpx.AsyncHTTPTransport.handle_async_request = handle  # type: ignore[method-assign]
