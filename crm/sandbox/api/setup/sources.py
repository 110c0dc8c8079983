"""Sources of leads: each integration sees its own; administrators only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.schema import Rule, check, not_supported
from crm.sandbox.php import values_of
from crm.sandbox.store import SandboxRow

MOST, MOST_AT_ONCE, LONGEST_ID = 100, 50, 36
_CHANGE: Mapping[str, Rule] = {
    "name": Rule("str"),
    "pipeline_id": Rule("int", nullable=True),
    "default": Rule("bool", nullable=True),
    "origin_code": Rule("str", nullable=True),
    "services": Rule("list", nullable=True),
    "request_id": Rule("int|str", nullable=True),
}
_CREATE = {
    **_CHANGE,
    "name": Rule("str", required=True),
    "external_id": Rule("str", required=True),
}
_COPIED = tuple(name for name in _CHANGE if name != "request_id")


def _own(exchange: SandboxExchange) -> list[SandboxRow]:
    return exchange.state.table("sources").select([("integration", "=", exchange.integration)])


def list_sources(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    wanted = values_of(exchange.filters().get("external_id"))
    rows = [row for row in _own(exchange) if not wanted or row["external_id"] in wanted]
    return _envelope(exchange, [_model(exchange, row) for row in rows]) if rows else no_content()


def _envelope(exchange: SandboxExchange, shown: list[dict[str, Any]]) -> SandboxReply:
    links = exchange.self_link("sources")
    value = {"_total_items": len(shown), "_links": links, "_embedded": {"sources": shown}}
    return answer(value, entities=len(shown))


def get_source(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    for row in _own(exchange):
        if row["id"] == exchange.number("id"):
            return answer(_model(exchange, row), entities=1)
    return no_content()


def _model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "pipeline_id": row["pipeline_id"],
        "external_id": row["external_id"],
        "default": bool(row.get("default")),
        "origin_code": row.get("origin_code"),
        "services": row.get("services") or [],
        "_links": exchange.self_link(f"sources/{row['id']}"),
    }


def create_sources(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    items = exchange.items()
    if len(items) > MOST_AT_ONCE or len(items) + len(_own(exchange)) > MOST:
        raise refuse(400, f"At most {MOST_AT_ONCE} sources at once and {MOST} of one integration")
    errors = [
        (str(request_id_of(item, n)), _check(exchange, item, items[:n])) for n, item in enumerate(items)
    ]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    shown = []
    for index, item in enumerate(items):
        row = {"integration": exchange.integration, "external_id": item["external_id"], "pipeline_id": None}
        row |= {name: item[name] for name in _COPIED if name in item}
        row["pipeline_id"] = row["pipeline_id"] or exchange.state.main_pipeline()["id"]
        added = exchange.state.table("sources").add(row)
        shown.append({**_model(exchange, added), "request_id": request_id_of(item, index)})
    return _envelope(exchange, shown)


def _check(exchange: SandboxExchange, item: Any, before: list[Any]) -> list[Fault]:
    """external_id: unique within the integration, printable ASCII, at most 36 characters."""
    if faults := check(item, Rule("object", keys=_CREATE)):
        return faults
    id, faults = item["external_id"], _check_pipeline(exchange, item)
    if len(id) > LONGEST_ID:
        faults.append(("TooLong", "external_id", f"It should have {LONGEST_ID} characters or less."))
    if id in [row["external_id"] for row in (*_own(exchange), *before)]:
        faults.append(not_supported("external_id"))
    return faults


def _check_pipeline(exchange: SandboxExchange, item: Mapping[str, Any]) -> list[Fault]:
    pipeline = item.get("pipeline_id")
    known = pipeline is None or pipeline in exchange.state.pipelines()
    return [] if known else [not_supported("pipeline_id")]


def change_sources(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    own, items = {row["id"]: row for row in _own(exchange)}, exchange.items()
    rule = Rule("object", keys={**_CHANGE, "id": Rule("int", required=True), "external_id": Rule("str")})
    errors = []
    for index, item in enumerate(items):
        faults = check(item, rule) or _check_pipeline(exchange, item)
        if not faults and item["id"] not in own:
            faults = [not_supported("id")]
        errors.append((str(request_id_of(item, index)), faults))
    if any(faults for _, faults in errors):
        raise invalid(errors)
    return _envelope(exchange, [_changed(exchange, own[item["id"]], item) for item in items])


def change_source(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    row, item = _existing(exchange), exchange.object()
    keys = {**_CHANGE, "id": Rule("int"), "external_id": Rule("str")}
    if faults := check(item, Rule("object", keys=keys)) or _check_pipeline(exchange, item):
        raise invalid([("0", faults)])
    return answer(_changed(exchange, row, item))


def _existing(exchange: SandboxExchange) -> SandboxRow:
    for row in _own(exchange):
        if row["id"] == exchange.number("id"):
            return row
    raise refuse(404, "Not found")


def _changed(exchange: SandboxExchange, row: SandboxRow, item: Mapping[str, Any]) -> dict[str, Any]:
    """external_id stays: the vendor changes it no more."""
    row |= {name: item[name] for name in _COPIED if item.get(name) is not None}
    exchange.state.table("sources").put(row)
    return _model(exchange, row)


def delete_source(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    exchange.state.table("sources").drop(_existing(exchange)["id"])
    return no_content()


def delete_sources(exchange: SandboxExchange) -> SandboxReply:
    """[{"id": …}, …]; one that is not there is none of the integration's and is passed over."""
    exchange.require_admin()
    own = {row["id"] for row in _own(exchange)}
    for item in exchange.items():
        id = item.get("id") if isinstance(item, dict) else None
        if isinstance(id, int) and id in own:
            exchange.state.table("sources").drop(id)
    return no_content()
