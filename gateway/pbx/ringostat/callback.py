"""Orders to Ringostat to call, and what it answers. Pure.

It knows no ids of ours: which call came of an order follows from numbers and time, and two that fit leave it unknown. A
refusal comes with HTTP 200. Which error codes it uses, and the shape of its results, is not confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from gateway.pbx.capabilities import PlaceOrder, PlaceUnknown, RefusedByPbx
from gateway.pbx.connection import Connection
from gateway.pbx.ordering import SECONDS
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import as_text, json_object
from gateway.pbx.ringostat.client import BASE
from routing.dialable import is_extension, is_number
from routing.outbound.attempts import attempt_id_in
from runtime.exchange import shown
from runtime.vendors.http import HttpAnswer, Question

_PATH = "/a/v2"
_METHOD = r"Api\V2\Callback.external"
_OF_THE_CONNECTION = ("-32600", "-32601", "-32700", "401", "403")
_SIGNS_OF_THE_CONNECTION = ("auth", "access", "permission", "project", "balance", "blocked")


def project_of(connection: Connection) -> str:
    return str(connection.settings.get("project_id") or "").strip()


def order_question(order: PlaceOrder, connection: Connection, seconds: float = SECONDS) -> Question:
    """Return the request: the employee (`callee`) is rung first. Raises WireInvalid naming what is none of its kind."""
    _check("attempt_id", attempt_id_in(order.attempt_id) == order.attempt_id)
    _check("extension", order.group is None and is_extension(order.extension or ""))
    _check("number", is_number(order.number))
    params = {
        "projectId": project_of(connection),
        "caller": order.number.removeprefix("+"),
        "caller_type": "default",
        "callee": order.extension,
        "callee_type": "default",
        "manager_dst": 0,
        "direction": "out",
    }
    told = {"jsonrpc": "2.0", "id": order.attempt_id, "method": _METHOD, "params": params}
    base = str(connection.settings.get("base_url") or BASE).rstrip("/")
    headers = {"Auth-key": connection.keys.get("auth_key") or "", "Content-Type": "application/json"}
    body = orjson.dumps(told)
    return Question(
        method="POST",
        url=f"{base}{_PATH}",
        headers=headers,
        body=body,
        shown=body,
        lane="orders",
        seconds=seconds,
    )


def told_by(answer: HttpAnswer) -> RefusedByPbx | PlaceUnknown | None:
    """Return what a whole answer of status 200 says; None: it was taken."""
    try:
        told = json_object(answer.body, "body")
    except WireInvalid:
        return PlaceUnknown(f"Ringostat answered with what is no JSON: {shown(answer.body[:200])}")
    error = told.get("error")
    if error:
        return _refused(error)
    return None if "result" in told else PlaceUnknown("Ringostat's answer has neither a result nor an error")


def _refused(error: Any) -> RefusedByPbx:
    fields: Mapping[str, Any] = error if isinstance(error, Mapping) else {"message": str(error)}
    try:
        code, words = as_text(fields.get("code"), "code") or "", as_text(fields.get("message"), "message")
    except WireInvalid:
        code, words = "", None
    is_all = code in _OF_THE_CONNECTION or any(
        sign in (words or "").lower() for sign in _SIGNS_OF_THE_CONNECTION
    )
    return RefusedByPbx(
        code="pbx-refused" if is_all else "order-refused",
        words=f"Ringostat {code}: {shown((words or 'no reason given').encode())[:200]}",
        concerns="connection" if is_all else "this_call",
    )


def _check(name: str, is_right: object) -> None:
    if not is_right:
        raise WireInvalid(name, "is not what Ringostat could be given")
