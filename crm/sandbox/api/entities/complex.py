"""POST /leads/complex: up to 50 leads, each with at most one contact and one company, in one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.api.entities.required import check_required
from crm.sandbox.api.entities.rules import CREATE, TAGS
from crm.sandbox.api.entities.unsorted import METADATA, add_unsorted, check_nested
from crm.sandbox.api.entities.writing import announce, check_entity, create
from crm.sandbox.api.exchange import SandboxExchange, request_id_of
from crm.sandbox.api.replies import Fault, SandboxReply, answer, invalid, refuse
from crm.sandbox.api.rights import require_add
from crm.sandbox.api.schema import Rule, check_keys
from crm.sandbox.state import State

MOST = 50
MOST_FIELDS = 40
_PARTS = Rule(
    "object",
    keys={
        "contacts": Rule("list"),
        "companies": Rule("list"),
        "tags": TAGS,
        "metadata": Rule("object"),
        "source": Rule("object"),
    },
)
_LEAD: Mapping[str, Rule] = {**CREATE["leads"], "_embedded": _PARTS}
_META = {
    "category": Rule("str", required=True, choices=("sip", "forms")),
    "source_uid": Rule("str"),
    "source_name": Rule("str"),
}


def create_complex(exchange: SandboxExchange) -> SandboxReply:
    require_add(exchange, "leads")
    items = exchange.items()
    if len(items) > MOST:
        raise refuse(400, f"The number of leads exceeds the limit of {MOST}")
    errors = [(str(request_id_of(item, n)), _check(exchange.state, item)) for n, item in enumerate(items)]
    if any(faults for _, faults in errors):
        raise invalid(errors)
    return answer([_create(exchange, item, index) for index, item in enumerate(items)])


def _check(state: State, item: Any) -> list[Fault]:
    faults = check_entity(state, "leads", item, _LEAD)
    if faults:
        return faults
    parts = item.get("_embedded") or {}
    faults = check_required(state, "leads", item)
    for type in ("contacts", "companies"):
        entities = parts.get(type) or []
        if len(entities) > 1:
            faults.append(
                ("TooMany", f"_embedded.{type}", "This collection should contain 1 element or less.")
            )
        for index, entity in enumerate(entities):
            faults += check_nested(state, type, entity, f"_embedded.{type}.{index}")
            faults = faults or check_required(state, type, entity, f"_embedded.{type}.{index}.")
    if "metadata" in parts:
        faults += _check_metadata(parts["metadata"])
    return faults or _check_counts(item, parts)


def _check_metadata(metadata: Mapping[str, Any]) -> list[Fault]:
    own = METADATA.get(str(metadata.get("category")), {})
    return check_keys(metadata, {**_META, **own}, "_embedded.metadata")


def _check_counts(item: Mapping[str, Any], parts: Mapping[str, Any]) -> list[Fault]:
    entities = [("", item)]
    entities += [
        (f"_embedded.{type}.0.", entity)
        for type in ("contacts", "companies")
        for entity in parts.get(type) or []
    ]
    return [
        (
            "TooMany",
            f"{path}custom_fields_values",
            f"This collection should contain {MOST_FIELDS} elements or less.",
        )
        for path, entity in entities
        if len(entity.get("custom_fields_values") or []) > MOST_FIELDS
    ]


def _create(exchange: SandboxExchange, item: Mapping[str, Any], index: int) -> dict[str, Any]:
    parts = item.get("_embedded") or {}
    contact, company = ((parts.get(type) or [None])[0] for type in ("contacts", "companies"))
    lead = {name: value for name, value in item.items() if name != "_embedded"}
    if parts.get("tags"):
        lead["_embedded"] = {"tags": parts["tags"]}
    if "metadata" in parts:
        ids = _into_unsorted(exchange, parts["metadata"], lead, contact, company)
    else:
        ids = _at_once(exchange, lead, contact, company)
    return {
        "id": ids[0],
        "contact_id": ids[1],
        "company_id": ids[2],
        "request_id": [str(request_id_of(item, index))],
        "merged": False,
    }


def _into_unsorted(
    exchange: SandboxExchange,
    metadata: Mapping[str, Any],
    lead: Mapping[str, Any],
    contact: Any,
    company: Any,
) -> tuple[int, int | None, int | None]:
    sent = {name: value for name, value in metadata.items() if name not in _META}
    item = {
        "source_uid": metadata.get("source_uid"),
        "source_name": metadata.get("source_name"),
        "metadata": sent,
    }
    row = add_unsorted(exchange, metadata["category"], item, lead, contact, company)
    contacts, companies = row["contact_ids"] or [None], row["company_ids"] or [None]
    return row["lead_id"], contacts[0], companies[0]


def _at_once(
    exchange: SandboxExchange, lead: Mapping[str, Any], contact: Any, company: Any
) -> tuple[int, int | None, int | None]:
    """Contact and company come first, so that the webhook of the lead finds its links."""
    links = exchange.state.links
    made: list[int | None] = []
    for type, entity in (("contacts", contact), ("companies", company)):
        if entity is None:
            made.append(None)
        else:
            made.append(entity["id"] if "id" in entity else create(exchange, type, entity, quiet=True)["id"])
    deal = create(exchange, "leads", lead, quiet=True)
    contact_id, company_id = made
    if contact_id is not None:
        links.add(("leads", deal["id"]), ("contacts", contact_id), True)
    if company_id is not None:
        links.add(("leads", deal["id"]), ("companies", company_id))
    if contact_id is not None and company_id is not None:
        links.add(("contacts", contact_id), ("companies", company_id))
    announce(exchange.state, "leads", deal)
    for type, entity, id in (("contacts", contact, contact_id), ("companies", company, company_id)):
        row = exchange.state.table(type).get(id) if id is not None and "id" not in entity else None
        if row is not None:
            announce(exchange.state, type, row)
    return deal["id"], contact_id, company_id
