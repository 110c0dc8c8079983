"""How lists are asked for: addresses, links and orders by kind. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from crm.amocrm.tables import IDS_PER_FILTER, PLURAL, WITH
from crm.port import CrmNote, CrmTask
from routing.client import EntityKind


def list_path(kind: EntityKind) -> str:
    return "/leads/unsorted" if kind == "lead" else f"/{PLURAL[kind]}"


def with_links(kind: EntityKind) -> list[tuple[str, str]]:
    return [("with", WITH[kind])] if WITH[kind] else []


def in_order(kind: EntityKind, newest: Literal["updated", "id"] | None) -> tuple[str, str]:
    if kind == "lead":  # has no order by id
        return ("order[created_at]", "asc") if newest is None else ("order[updated_at]", "desc")
    if newest == "updated":
        return ("order[updated_at]", "desc")
    return ("order[id]", "asc" if newest is None else "desc")


def chunks(ids: Sequence[str]) -> list[list[str]]:
    wanted = list(dict.fromkeys(ids))
    return [wanted[start : start + IDS_PER_FILTER] for start in range(0, len(wanted), IDS_PER_FILTER)]


def are_of(kind: EntityKind, ids: Sequence[str]) -> Callable[[CrmNote | CrmTask], bool]:
    wanted = set(ids)
    return lambda item: item.target_kind == kind and item.target_id in wanted


def newest_first(item: CrmNote | CrmTask) -> int:
    return int(item.id) if item.id.isdigit() else 0


def same_last_digits(stored: str, wanted: str) -> bool:
    """Whether two spellings end in the same ten digits (in all of them where there are fewer)."""
    a, b = ("".join(c for c in text if c.isdigit())[-10:] for text in (stored, wanted))
    return bool(a) and a == b
