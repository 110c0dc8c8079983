"""Lists and single reads of leads, contacts and companies: paging, order, search, and filters where the plan has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.entities.rendering import shown
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import SandboxReply, answer, no_content
from crm.sandbox.api.rights import owners, sees
from crm.sandbox.php import ints_of, values_of
from crm.sandbox.store.database import RowCondition, SandboxRow

_SCALARS = ("id", "name", "pipeline_id", "created_by", "updated_by", "responsible_user_id")
_RANGES = ("price", "created_at", "updated_at", "closed_at")
_PEOPLE_ORDER = ("updated_at", "id")
_LEAD_ORDER = ("created_at", "updated_at", "id")


def list_entities(exchange: SandboxExchange) -> SandboxReply:
    plural = exchange.args["entity"]
    page, limit = exchange.page()
    order = exchange.order(_LEAD_ORDER if plural == "leads" else _PEOPLE_ORDER)
    deleted = "only_deleted" in exchange.withs()
    where: list[RowCondition] = [("is_deleted", "=", int(deleted)), ("is_hidden", "=", 0)]
    whose = owners(exchange, plural, "view")
    if whose is not None:
        where.append(("responsible_user_id", "in", whose))
    query = exchange.query.get("query")
    if query:
        where.append(("id", "in", searched(exchange, plural, str(query))))
    table = exchange.state.table(plural)
    filters = exchange.filters() if exchange.state.profile.filters_on else {}
    narrowed = _conditions(plural, filters)
    if narrowed is None:
        return no_content()
    where += narrowed
    if _needs_rows(filters):
        every = [row for row in table.select(where, order=order) if _matches(row, filters)]
        rows = every[(page - 1) * limit : page * limit + 1]
    else:
        rows = table.select(where, order=order, limit=limit + 1, offset=(page - 1) * limit)
    return exchange.listing(plural, shown(exchange, plural, rows[:limit]), page, limit, len(rows) > limit)


def get_entity(exchange: SandboxExchange) -> SandboxReply:
    """204 for what does not exist, is deleted or not for the speaker's eyes."""
    plural = exchange.args["entity"]
    row = exchange.state.table(plural).get(exchange.number("id"))
    if row is None or row["is_deleted"] or not sees(exchange, plural, row):
        return no_content()
    if row["is_hidden"] and not exchange.state.profile.unsorted_deal_readable:
        return no_content()
    return answer(shown(exchange, plural, [row])[0], entities=1)


def searched(exchange: SandboxExchange, plural: str, query: str) -> list[int]:
    """Substring over the name and the numbers; no country code is understood."""
    links = exchange.state.links
    found = links.named(plural, query)
    if plural != "leads":
        by_digits = exchange.state.profile.query_match == "raw_or_digits"
        found += links.searched(plural, query, by_digits=by_digits)
    if query.isdigit() and exchange.state.table(plural).get(int(query) if len(query) < 18 else 0):
        found.append(int(query))
    return list(dict.fromkeys(found))[:10_000]


def _conditions(plural: str, filters: Mapping[str, Any]) -> list[RowCondition] | None:
    """None = the filter can match nothing (a bare updated_at, as seen with the vendor)."""
    where: list[RowCondition] = []
    for name in _SCALARS:
        if name not in filters or (name == "pipeline_id" and plural != "leads"):
            continue
        where.append((name, "in", values_of(filters[name]) if name == "name" else ints_of(filters[name])))
    for name in _RANGES:
        if name not in filters or (name in ("price", "closed_at") and plural != "leads"):
            continue
        bounds = filters[name]
        if not isinstance(bounds, Mapping):
            return None
        where += range_of(name, bounds)
    return where


def range_of(column: str, bounds: Mapping[str, Any]) -> list[RowCondition]:
    where: list[RowCondition] = []
    if ints_of(bounds.get("from")):
        where.append((column, ">=", ints_of(bounds["from"])[0]))
    if ints_of(bounds.get("to")):
        where.append((column, "<=", ints_of(bounds["to"])[0]))
    return where


def _needs_rows(filters: Mapping[str, Any]) -> bool:
    return "statuses" in filters or "custom_fields_values" in filters


def _matches(row: SandboxRow, filters: Mapping[str, Any]) -> bool:
    statuses = filters.get("statuses")
    if isinstance(statuses, Mapping):
        pairs = [
            (str(item.get("pipeline_id")), str(item.get("status_id")))
            for item in statuses.values()
            if isinstance(item, Mapping) and {"pipeline_id", "status_id"} <= item.keys()
        ]
        if (str(row.get("pipeline_id")), str(row.get("status_id"))) not in pairs:
            return False
    fields = filters.get("custom_fields_values")
    if not isinstance(fields, Mapping):
        return True
    return all(_field_matches(row.get("cf", {}).get(id, []), wanted) for id, wanted in fields.items())


def _field_matches(values: list[dict[str, Any]], wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and {"from", "to"} & wanted.keys():
        low, high = (float(wanted.get(key) or default) for key, default in (("from", "-inf"), ("to", "inf")))
        return any(low <= float(value["value"]) <= high for value in values)
    texts = values_of(wanted)
    return any(str(value["value"]) in texts or str(value.get("enum_id")) in texts for value in values)
