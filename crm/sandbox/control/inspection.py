"""All rows of the account as they are, for checkers: hidden, deleted and declined ones included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow
from crm.sandbox.store.database import RowCondition

# kind -> table. "deal" is what the API calls lead; "lead" and "unsorted" are the incoming ones.
ROWS: Mapping[str, str] = {
    "contact": "contacts",
    "company": "companies",
    "deal": "leads",
    "lead": "unsorted",
    "unsorted": "unsorted",
    "note": "notes",
    "call": "notes",
    "task": "tasks",
    "event": "events",
    "user": "users",
    "pipeline": "pipelines",
    "field": "fields",
    "tag": "tags",
    "role": "roles",
    "source": "sources",
    "chat": "chats",
    "webhook": "webhooks",
    "stage_webhook": "stage_webhooks",
    "call_card": "cards",
}
_LINKED = {
    "contacts": ("leads", "companies"),
    "companies": ("leads", "contacts"),
    "leads": ("contacts", "companies"),
}


def rows_for(state: State, kind: str, filters: Mapping[str, str]) -> list[SandboxRow]:
    """Return rows. filters: column -> value as text; `phone` compares the last 10 digits, `since` the creation time."""
    name = ROWS[kind]
    filters = dict(filters)
    table, where = state.table(name), list[RowCondition]()
    if "phone" in filters and name in ("contacts", "companies"):
        found = state.links.with_phone(filters.pop("phone"), 10)
        where.append(("id", "in", [id for type, id in found if type == name]))
    since = int(float(filters.pop("since", 0)))
    # SQLite compares a column of whole numbers with the text of one as numbers
    where += [(column, "=", filters.pop(column)) for column in list(filters) if table.has(column)]
    rows = table.select(where)
    if kind == "call":
        rows = [row for row in rows if row["note_type"] in ("call_in", "call_out")]
    rows = [row for row in rows if row.get("created_at", since) >= since and _agrees(row, filters)]
    return _with_links(state, name, rows)


def _agrees(row: SandboxRow, filters: Mapping[str, str]) -> bool:
    return all(_text(row.get(name)) == value for name, value in filters.items())


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _with_links(state: State, name: str, rows: list[SandboxRow]) -> list[SandboxRow]:
    ids = [row["id"] for row in rows]
    if name not in _LINKED or not ids:
        return rows
    for other in _LINKED[name]:
        linked: dict[int, list[tuple[int, bool]]] = {}
        for start in range(0, len(ids), 10_000):
            linked |= state.links.of_many(name, ids[start : start + 10_000], other)
        for row in rows:
            row[other] = [id for id, _ in linked.get(row["id"], [])]
    if name != "leads":
        for row in rows:
            row["phones"] = state.links.phones_of(name, row["id"])
    return rows
