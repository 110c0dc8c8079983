"""Whose leads, contacts and companies a user sees and changes: everybody's, those of the group, one's own, nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import refuse
from crm.sandbox.api.schema import Rule
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow

_ENTITIES = ("leads", "contacts", "companies")
_ACTIONS = ("view", "edit", "add", "delete", "export")
_LETTER = Rule("str", choices=("A", "G", "M", "D"))  # all, group, mine, denied
_OF_ENTITY = Rule("object", keys=dict.fromkeys(_ACTIONS, _LETTER))
_BOOL = Rule("bool")
RIGHTS: Mapping[str, Rule] = {
    **dict.fromkeys(_ENTITIES, _OF_ENTITY),
    "tasks": Rule("object", keys={"edit": _LETTER, "delete": _LETTER}),
    "status_rights": Rule("list", nullable=True, items=Rule("object")),
    **dict.fromkeys(("mail_access", "catalog_access", "files_access"), _BOOL),
    **dict.fromkeys(("is_admin", "is_free", "is_active"), _BOOL),
    **dict.fromkeys(("group_id", "role_id"), Rule("int", nullable=True)),
}
# Users of the sample account: everything but deleting.
USUAL: Mapping[str, Any] = {
    **{name: {**dict.fromkeys(_ACTIONS, "A"), "delete": "D"} for name in _ENTITIES},
    "tasks": {"edit": "A", "delete": "A"},
}


def normal(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rights in full: what was not sent is denied."""
    whole = {name: {**dict.fromkeys(_ACTIONS, "D"), **sent.get(name, {})} for name in _ENTITIES}
    return {
        **whole,
        "tasks": {"edit": "D", "delete": "D", **sent.get("tasks", {})},
        "mail_access": sent.get("mail_access", False),
        "catalog_access": sent.get("catalog_access", False),
        "files_access": sent.get("files_access", False),
        "status_rights": sent.get("status_rights"),
    }


def rights_of(state: State, user: SandboxRow) -> dict[str, Any]:
    """Return a user's rights: an administrator has all, and a role's count before one's own."""
    if user["is_admin"]:
        everything = {name: dict.fromkeys(_ACTIONS, "A") for name in _ENTITIES}
        open_doors = {"catalog_access": True, "files_access": True}
        return normal({**everything, "tasks": USUAL["tasks"], **open_doors})
    role = state.table("roles").get(user["role_id"]) if user.get("role_id") else None
    own = user["rights"] if user.get("rights") is not None else USUAL
    return normal(role["rights"] if role else own)


def owners(exchange: SandboxExchange, kind: str, action: str) -> list[int] | None:
    """Whose rows the speaker may view or edit; None = everybody's. kind: leads, contacts, companies, tasks."""
    letter = rights_of(exchange.state, exchange.user)[kind][action]
    if letter == "A":
        return None
    if letter == "G":
        group = exchange.user.get("group_id")
        return [id for id, user in exchange.state.users().items() if user.get("group_id") == group]
    return [exchange.by] if letter == "M" else []


def sees(exchange: SandboxExchange, plural: str, row: SandboxRow) -> bool:
    whose = owners(exchange, plural, "view")
    return whose is None or row["responsible_user_id"] in whose


def require_add(exchange: SandboxExchange, plural: str) -> None:
    if rights_of(exchange.state, exchange.user)[plural]["add"] == "D":
        raise refuse(403, "Access denied")


def require_edit(exchange: SandboxExchange, kind: str, rows: Iterable[SandboxRow | None]) -> None:
    whose = owners(exchange, kind, "edit")
    if whose is not None and any(row and row["responsible_user_id"] not in whose for row in rows):
        raise refuse(403, "Access denied")
