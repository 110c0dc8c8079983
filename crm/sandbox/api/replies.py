"""What the imitated server answers: JSON, HTML of its gateway, nothing at all, and the problems that end a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

HAL = "application/hal+json"
PROBLEM = "application/problem+json"
JSON = "application/json"


@dataclass(slots=True)
class SandboxReply:
    """body: bytes as sent. entities: how many rows the answer returns, for the ledger (None = count what was sent)."""

    status: int
    body: bytes = b""
    content_type: str = HAL
    headers: Mapping[str, str] = field(default_factory=dict)
    entities: int | None = None


def answer(
    value: Any, *, status: int = 200, entities: int | None = None, content_type: str = HAL
) -> SandboxReply:
    return SandboxReply(status, orjson.dumps(value), content_type, entities=entities)


NOTHING = SandboxReply(204, entities=0)


def no_content() -> SandboxReply:
    """204 without a body: empty lists, unknown ids, deletes."""
    return SandboxReply(204, entities=0)


TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    504: "Gateway Timeout",
}


def problem(status: int, detail: str, **more: Any) -> SandboxReply:
    title = TITLES.get(status, "Error")
    value = {"title": title, "type": f"https://httpstatus.es/{status}", "status": status, "detail": detail}
    return answer({**value, **more}, status=status, content_type=PROBLEM)


def html(status: int) -> SandboxReply:
    """Return the page of the gateway in front of the API."""
    name = f"{status} {TITLES.get(status, 'Error')}"
    page = (
        f"<html>\r\n<head><title>{name}</title></head>\r\n<body>\r\n<center><h1>{name}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return SandboxReply(status, page.encode(), "text/html")


class Refusal(Exception):
    """Raise to end the request with this reply; nothing of it is kept."""

    def __init__(self, reply: SandboxReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def refuse(status: int, detail: str, **more: Any) -> Refusal:
    return Refusal(problem(status, detail, **more))


Fault = tuple[str, str, str]  # code, dotted path, detail


def invalid(errors: Sequence[tuple[str, Sequence[Fault]]]) -> Refusal:
    """Return the vendor's 400 with `validation-errors`: per request_id the code, path and text of every error."""
    grouped = [
        {
            "request_id": request_id,
            "errors": [{"code": code, "path": path, "detail": text} for code, path, text in faults],
        }
        for request_id, faults in errors
        if faults
    ]
    return Refusal(problem(400, "Request validation failed", **{"validation-errors": grouped}))
