"""What a PBX is asked over HTTP to make a call, and what its answers mean: our own contract, docs/reference/http.md. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import orjson

from gateway.pbx.capabilities import (
    CannotTell,
    FindResult,
    Live,
    NotSeen,
    PlaceOrder,
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.ordering import SECONDS, told_by_status
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import as_text, json_object
from routing.dialable import is_extension, is_number
from routing.outbound.attempts import AttemptState, attempt_id_in
from runtime.exchange import shown
from runtime.vendors.http import HttpAnswer, Question

_MOST_NAME = 60
_is_code = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII).fullmatch

_STATES: Mapping[str, AttemptState] = {
    "operator_ringing": "operator_ringing",
    "operator_answered": "operator_answered",
    "client_ringing": "client_ringing",
    "talking": "talking",
}
_CONCERNS: tuple[Literal["this_call", "connection", "limit"], ...] = ("this_call", "connection", "limit")


def address_of(connection: Connection) -> str:
    """Return the setting `originate_url`; "" = the connection places no calls."""
    return str(connection.settings.get("originate_url") or "").strip().rstrip("/")


def order_question(order: PlaceOrder, connection: Connection, seconds: float = SECONDS) -> Question:
    """Return the request. Raises WireInvalid naming what is none of its kind."""
    _check("attempt_id", attempt_id_in(order.attempt_id) == order.attempt_id)
    _check("number", is_number(order.number))
    _check("extension", is_extension(order.extension or order.group or ""))
    _check("extension", (order.extension is None) != (order.group is None))
    body = orjson.dumps(
        {
            "attempt_id": order.attempt_id,
            "employee": order.extension,
            "group": order.group,
            "client": order.number,
            "line": order.line,
            "ring_seconds": order.ring_seconds,
            "client_ring_seconds": order.client_ring_seconds,
            "name": " ".join(order.display_name.split())[:_MOST_NAME],
        }
    )
    headers = {"Content-Type": "application/json", "Idempotency-Key": order.attempt_id}
    return Question(
        method="POST",
        url=address_of(connection),
        headers={**headers, **_key(connection)},
        body=body,
        shown=body,
        lane="orders",
        seconds=seconds,
    )


def attempt_question(
    method: str, attempt_id: str, connection: Connection, seconds: float = SECONDS
) -> Question:
    """Return the request about one attempt: GET asks how far it is, DELETE hangs it up."""
    url = f"{address_of(connection)}/{quote(attempt_id, safe='')}"
    return Question(method=method, url=url, headers=_key(connection), lane="orders", seconds=seconds)


def told_by(answer: HttpAnswer) -> RefusedByPbx | PlaceUnknown | None:
    """Return what the answer to an order says; None: it was taken. A refusal may name a `reason` and what it `concerns`."""
    told = told_by_status(answer)
    if not isinstance(told, RefusedByPbx):
        return told
    try:
        body = json_object(answer.body, "body")
        reason = as_text(body.get("reason"), "reason") or ""
        words = as_text(body.get("message"), "message") or reason or told.words
        concerns = as_text(body.get("concerns"), "concerns")
    except WireInvalid:
        return told
    return RefusedByPbx(
        code=reason.replace("_", "-") if _is_code(reason) else told.code,
        words=shown(words.encode())[:200],
        concerns=next((known for known in _CONCERNS if known == concerns), told.concerns),
    )


def found(answer: HttpAnswer) -> FindResult:
    """Return how far an attempt is. Only a PBX that says `gone` knows that there is no such call."""
    try:
        state = as_text(json_object(answer.body, "body").get("state"), "state") or ""
    except WireInvalid:
        state = ""
    if state == "gone":
        return NotSeen()
    if answer.status == 200 and state in _STATES:
        return Live(_STATES[state])
    return CannotTell(f"HTTP {answer.status}")


def _key(connection: Connection) -> Mapping[str, str]:
    token: Any = connection.keys.get("originate_token")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _check(name: str, is_right: object) -> None:
    if not is_right:
        raise WireInvalid(name, "is not what can be ordered")
