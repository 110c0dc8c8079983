"""Requests as amoCRM wants them and what its answers mean: bytes <-> values, no I/O.

The readers of what a good answer carries stand in `wire_read.py`, the writers of orders in `wire_write.py`.
Texts of amoCRM (`title`, `detail`, `hint`) are localised: they are shown to people and never decide anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import orjson

from crm.amocrm.fields import Node
from crm.errors import (
    CrmBlocked,
    CrmError,
    CrmForbidden,
    CrmMoved,
    CrmNotFound,
    CrmOutcomeUnknown,
    CrmRefused,
    CrmThrottled,
    CrmTooLarge,
    CrmUnauthorised,
    CrmUnavailable,
    CrmUnpaid,
)

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")

Method = Literal["GET", "POST", "PATCH", "DELETE"]
API = "/api/v4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request before it has a host and a token. query: pairs in order, PHP-style keys. body: JSON value or None."""

    method: Method
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: Any = None
    headers: Mapping[str, str] | None = None

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def is_list(self) -> bool:
        """A read that can be asked for in smaller parts."""
        return not self.is_write and any(key == "limit" for key, _ in self.query)

    @property
    def target(self) -> str:
        """Path and encoded query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def content(self) -> bytes | None:
        return None if self.body is None else orjson.dumps(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that arrived whole. content_type: without parameters, lower case, "" when there is none."""

    status: int
    content_type: str = ""
    body: bytes = b""
    request_id: str = ""
    location: str = ""


def read_answer(request: Request, reply: Reply) -> Node | None:
    """Return what a good answer carries; None for 202 and 204 and where there is no body.

    Raises the CrmError that the answer stands for (see `error_of`). A body that is no JSON: CrmOutcomeUnknown for a
    write, which may have been carried out for all that; for a read CrmUnavailable, CrmBlocked when it is an HTML page.
    """
    if not 200 <= reply.status < 300:
        raise error_of(request, reply)
    if reply.status in (202, 204) or not reply.body:
        return None
    if _is_html(reply):
        said = f"{_what(request, reply)}: an HTML page where JSON belongs"
        raise CrmOutcomeUnknown(said) if request.is_write else CrmBlocked(said)
    try:
        return Node(_decoded(reply.body))
    except (ValueError, RecursionError) as err:
        raise _no_answer(request, f"{_what(request, reply)}: broken JSON") from err


def _decoded(body: bytes) -> Any:
    """JSON without what no text may hold: one odd character in one name must not cost a page."""
    try:
        return orjson.loads(_NUL.sub(rb"\1", body) if b"\\u0000" in body else body)
    except orjson.JSONDecodeError:
        text = _NUL.sub(rb"\1", body).replace(b"\x00", b"").decode("utf-8", "replace")
        return _without_surrogates(json.loads(text, strict=False))


def _without_surrogates(value: Any) -> Any:
    """Return the value without halves of a character, which Python reads and PostgreSQL and orjson refuse."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def lost(request: Request, why: str, *, was_sent: bool) -> CrmError:
    """Return the error for an answer that never came. was_sent: False only where the connection could not be made."""
    if not was_sent:
        unsent = CrmUnavailable(f"{request.method} {request.path}: not sent: {why}")
        unsent.was_sent = False
        return unsent
    return _no_answer(request, f"{request.method} {request.path}: {why}")


def error_of(request: Request, reply: Reply) -> CrmError:
    """Which of our errors an answer outside 200-299 is. Source: vendor docs, http codes; public issues for HTML."""
    problem = _problem(reply)
    said = f"{_what(request, reply)}{_said(problem)}"
    status = reply.status
    if status == 429:
        return CrmThrottled(said, _retry_after(problem))
    if status in (413, 504):
        return CrmTooLarge(said) if request.is_write or request.is_list else CrmUnavailable(said)
    if status >= 500 or status == 408:
        return _no_answer(request, said)
    if status == 401:
        return CrmUnauthorised(said)
    if status == 402:
        return CrmUnpaid(said)
    if status == 403:
        return CrmForbidden(said) if problem is not None else CrmBlocked(said)
    if 300 <= status < 400 and (host := urlsplit(reply.location).netloc):
        return CrmMoved(
            f"{said}: the account has moved to {host}", f"{urlsplit(reply.location).scheme}://{host}"
        )
    if 300 <= status < 400:
        return CrmUnavailable(
            f"{said}: redirected, which is not followed: has the account's address changed?"
        )
    if _is_html(reply):
        return CrmBlocked(f"{said}: an HTML page where JSON belongs")
    if status == 404:
        return CrmNotFound(said)
    if (of_account := _of_the_account(problem)) is not None:
        return of_account(said)
    return CrmRefused(said, _problems(problem) or _unmatched(request, problem))


_OF_THE_ACCOUNT: Mapping[int, type[CrmError]] = {
    101: CrmBlocked,  # there is no such account (any more)
    244: CrmUnpaid,  # leads may not be written: trial or subscription over, or this user may not
    402: CrmUnpaid,
    403: CrmBlocked,
}
"""Old codes that stand in the text of a 400 without a word on any item [public issue]: whatever is sent, it is refused."""
_OLD_CODE = re.compile(r"^\W*\w+\s\w+\W{1,3}(\d{3})(?:\.|$)")  # "Error code 244. …", in any language


def _of_the_account(problem: Node | None) -> type[CrmError] | None:
    if problem is None or problem.value.get("validation-errors") or problem.value.get("errors"):
        return None
    found = _OLD_CODE.search(str(problem.value.get("detail") or ""))
    return _OF_THE_ACCOUNT.get(int(found[1])) if found else None


def _no_answer(request: Request, message: str) -> CrmError:
    return CrmOutcomeUnknown(message) if request.is_write else CrmUnavailable(message)


def _what(request: Request, reply: Reply) -> str:
    return f"{request.method} {request.path}: {reply.status}"


def _is_html(reply: Reply) -> bool:
    return "html" in reply.content_type or reply.body.lstrip()[:1] == b"<"


def _problem(reply: Reply) -> Node | None:
    """Return the JSON object of an error; None for HTML, nothing, or anything else."""
    try:
        value = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return None
    return Node(value) if isinstance(value, dict) else None


def _said(problem: Node | None) -> str:
    if problem is None:
        return ""
    words = [str(problem.value[k])[:200] for k in ("title", "detail", "hint") if problem.value.get(k)]
    return f" ({': '.join(words)})" if words else ""


def _retry_after(problem: Node | None) -> float | None:
    value = problem.value.get("retry_after") if problem is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return float(value)


def _problems(problem: Node | None) -> tuple[tuple[str, str, str, str], ...]:
    """(request_id, path, code, detail) of each validation error; anything malformed among them is passed over."""
    found: list[tuple[str, str, str, str]] = []
    groups = problem.value.get("validation-errors") if problem is not None else None
    for group in groups if isinstance(groups, list) else []:
        if not isinstance(group, dict):
            continue
        request_id = str(group.get("request_id", ""))
        errors = group.get("errors")
        for error in errors if isinstance(errors, list) else []:
            if isinstance(error, dict):
                path, code, detail = (str(error.get(k, "")) for k in ("path", "code", "detail"))
                found.append((request_id, path, code, detail))
    return tuple(found)


def _unmatched(request: Request, problem: Node | None) -> tuple[tuple[str, str, str, str], ...]:
    """By a 400 with `errors`, and no `validation-errors`, POST /calls says that nobody has a number [public issue]."""
    errors = problem.value.get("errors") if problem is not None and request.path == f"{API}/calls" else None
    return tuple(
        (str(error.get("request_id", "")), "phone", "not-found", str(error.get("title", "")))
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    )
