"""Links between leads, contacts and companies: read, set, take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.sandbox.api.entities.writing import check_users
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, no_content, refuse
from crm.sandbox.api.schema import Rule, check, not_supported
from crm.sandbox.php import ints_of
from crm.sandbox.state import State
from crm.sandbox.webhooks.changes import tell_linked

TYPES = ("leads", "contacts", "companies")
_METADATA = Rule(
    "object",
    nullable=True,
    keys={
        "is_main": Rule("bool"),
        "main_contact": Rule("bool"),
        "catalog_id": Rule("int"),
        "quantity": Rule("number"),
        "price_id": Rule("int", nullable=True),
        "updated_by": Rule("int"),
    },
)
# The vendor's own library sends entity_id and entity_type as null where the path names them already.
_ITEM: Mapping[str, Rule] = {
    "entity_id": Rule("int", nullable=True),
    "entity_type": Rule("str", nullable=True, choices=TYPES),
    "to_entity_id": Rule("int", required=True),
    "to_entity_type": Rule("str", required=True, choices=TYPES),
    "metadata": _METADATA,
    "request_id": Rule("int|str", nullable=True),
}
Pair = tuple[tuple[str, int], tuple[str, int], Mapping[str, Any]]


def list_links(exchange: SandboxExchange) -> SandboxReply:
    """Of one entity; `filter[to_entity_id]` and `[to_entity_type]` only together."""
    plural, id = exchange.args["entity"], exchange.number("id")
    row = exchange.state.table(plural).get(id)
    if row is None or row["is_deleted"]:
        raise refuse(404, "Entity not found")
    filters = exchange.filters()
    if ("to_entity_id" in filters) != ("to_entity_type" in filters):
        raise refuse(400, "to_entity_id and to_entity_type should be given together")
    shown = _of(exchange.state, plural, id, named=False)
    if "to_entity_id" in filters:
        wanted = ints_of(filters["to_entity_id"])
        shown = [
            one
            for one in shown
            if one["to_entity_id"] in wanted and one["to_entity_type"] == filters["to_entity_type"]
        ]
    return _envelope(exchange, shown, f"{plural}/{id}/links")


def list_many_links(exchange: SandboxExchange) -> SandboxReply:
    plural, ids = exchange.args["entity"], ints_of(exchange.filters().get("entity_id"))
    if not ids:
        raise refuse(400, "filter[entity_id] is required")
    shown = [one for id in ids for one in _of(exchange.state, plural, id, named=True)]
    return _envelope(exchange, shown, f"{plural}/links")


def _envelope(exchange: SandboxExchange, shown: Sequence[Mapping[str, Any]], path: str) -> SandboxReply:
    value = {"_total_items": len(shown), "_links": exchange.self_link(path), "_embedded": {"links": shown}}
    return answer(value, entities=len(shown))


def _of(state: State, plural: str, id: int, *, named: bool) -> list[dict[str, Any]]:
    own = {"entity_id": id, "entity_type": plural} if named else {}
    return [
        {**own, "to_entity_id": other, "to_entity_type": type, "metadata": _metadata(type, is_main)}
        for type in TYPES
        if type != plural
        for other, is_main in state.links.of_many(plural, [id], type)[id]
    ]


def _metadata(type: str, is_main: bool) -> dict[str, Any] | None:
    """Written as is_main, read as main_contact; a company has none."""
    return {"main_contact": is_main} if type == "contacts" else None


def link(exchange: SandboxExchange) -> SandboxReply:
    pairs = _pairs(exchange)
    for a, b, metadata in pairs:
        if exchange.state.links.add(a, b, bool(metadata.get("is_main"))):
            _tell(exchange, "linked", a, b)
    shown = []
    for a, b, _ in pairs:
        found = [one for one in _of(exchange.state, *a, named=True) if one["to_entity_id"] == b[1]]
        shown += [one for one in found if one["to_entity_type"] == b[0]]
    return _envelope(exchange, shown, exchange.path.removeprefix("/api/v4/"))


def unlink(exchange: SandboxExchange) -> SandboxReply:
    for a, b, _ in _pairs(exchange):
        if exchange.state.links.remove(a, b):
            _tell(exchange, "unlinked", a, b)
    return no_content()


def _tell(exchange: SandboxExchange, verb: str, a: tuple[str, int], b: tuple[str, int]) -> None:
    """Both sides count as changed and get an event of their own kind that names the other side."""
    for own, other in ((a, b), (b, a)):
        tell_linked(exchange.state, own, other, exchange.by, verb)
        row = exchange.state.table(own[0]).get(own[1])
        if row is not None:
            row["updated_at"] = exchange.state.now()
            exchange.state.table(own[0]).put(row)


def _pairs(exchange: SandboxExchange) -> list[Pair]:
    plural, id = exchange.args["entity"], exchange.args.get("id")
    keys = _ITEM if id else {**_ITEM, "entity_id": Rule("int", required=True)}
    errors, pairs = [], []
    for index, item in enumerate(exchange.items()):
        faults = check(item, Rule("object", keys=keys))
        if not faults:
            own = (plural, int(id) if id else int(item["entity_id"]))
            other = (str(item["to_entity_type"]), int(item["to_entity_id"]))
            faults = _known(exchange.state, own, other)
            faults += check_users(exchange.state, item.get("metadata") or {}, "metadata.", ("updated_by",))
            pairs.append((own, other, item.get("metadata") or {}))
        errors.append((str(request_id_of(item, index)), faults))
    if any(faults for _, faults in errors):
        raise invalid(errors)
    return pairs


def _known(state: State, own: tuple[str, int], other: tuple[str, int]) -> list[Fault]:
    faults = [
        not_supported(name)
        for name, (type, id) in (("entity_id", own), ("to_entity_id", other))
        if (row := state.table(type).get(id)) is None or row["is_deleted"]
    ]
    return faults or ([not_supported("to_entity_type")] if own[0] == other[0] else [])
