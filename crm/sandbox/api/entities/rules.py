"""Which keys a create or a change of each entity takes, and of which type."""

from __future__ import annotations

from collections.abc import Mapping

from crm.sandbox.api.schema import Rule

_INT, _STR = Rule("int"), Rule("str")
_TAG = Rule(
    "object",
    keys={
        "id": Rule("int", nullable=True),
        "name": Rule("str", nullable=True),
        "color": Rule("str", nullable=True),
    },
)
TAGS = Rule("list", nullable=True, items=_TAG)
_CONTACT_REF = Rule("object", keys={"id": Rule("int", required=True), "is_main": Rule("bool")})
_COMPANY_REF = Rule("object", keys={"id": Rule("int", required=True)})
_SOURCE = Rule("object", keys={"external_id": Rule("int|str", required=True), "type": _STR})

COMMON: Mapping[str, Rule] = {
    "name": Rule("str", nullable=True),
    "responsible_user_id": _INT,
    "created_by": _INT,
    "updated_by": _INT,
    "created_at": _INT,
    "updated_at": _INT,
    "custom_fields_values": Rule("any", nullable=True),
    "tags_to_add": Rule("list", items=_TAG),
    "request_id": Rule("int|str", nullable=True),
}
_LEAD: Mapping[str, Rule] = {
    **COMMON,
    "price": Rule("int", nullable=True),
    "status_id": _INT,
    "pipeline_id": _INT,
    "closed_at": Rule("int", nullable=True),
    "loss_reason_id": Rule("int", nullable=True),
    "visitor_uid": Rule("str", nullable=True),  # of the site's visitor; nothing reads it back
}
_CONTACT: Mapping[str, Rule] = {
    **COMMON,
    "first_name": Rule("str", nullable=True),
    "last_name": Rule("str", nullable=True),
    "is_main": Rule("bool"),
}
_TAGS_ONLY = Rule("object", nullable=True, keys={"tags": TAGS})
_LEAD_PARTS = Rule(
    "object",
    keys={
        "tags": TAGS,
        "contacts": Rule("list", items=_CONTACT_REF),
        "companies": Rule("list", items=_COMPANY_REF),
        "source": _SOURCE,
    },
)
_OF = {"leads": _LEAD, "contacts": _CONTACT, "companies": COMMON}
_PLAIN = {
    plural: {name: rule for name, rule in rules.items() if name != "is_main"} for plural, rules in _OF.items()
}

CREATE: Mapping[str, Mapping[str, Rule]] = {
    plural: {**rules, "_embedded": _LEAD_PARTS if plural == "leads" else _TAGS_ONLY}
    for plural, rules in _PLAIN.items()
}
CHANGE: Mapping[str, Mapping[str, Rule]] = {
    plural: {**rules, "id": _INT, "_embedded": _TAGS_ONLY, "tags_to_delete": Rule("list", items=_TAG)}
    for plural, rules in _PLAIN.items()
}
# Inside of `complex` and `unsorted`: a full model, or {id} of what exists.
NESTED: Mapping[str, Mapping[str, Rule]] = {
    plural: {**rules, "id": _INT, "_embedded": _TAGS_ONLY} for plural, rules in _OF.items()
}
