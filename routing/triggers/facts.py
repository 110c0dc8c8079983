"""What is known of a deal, its main contact and its responsible when a trigger looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFacts:
    """None: not known. responsible: the CRM user. employee_id: of ours who is that user, None = nobody is.

    deal_fields, contact_fields: custom field id -> text of those that are filled in. field_names: the custom fields that there
    are, as conditions name them. Several values of one field stand one under another. is_there: false = the deal was deleted.
    """

    deal_id: str
    is_there: bool = True
    is_open: bool = True
    name: str | None = None
    price: int | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    responsible: str | None = None
    employee_id: str | None = None
    tags: tuple[str, ...] | None = None
    deal_fields: Mapping[str, str] | None = None
    contact_id: str | None = None
    contact_name: str | None = None
    contact_fields: Mapping[str, str] | None = None
    field_names: frozenset[str] = field(default=frozenset())

    def values_of(self, of: str) -> tuple[str, ...] | None:
        """Return what a condition looks at: empty = known to be empty, None = not known."""
        match of:
            case "tags":
                return self.tags
            case "price":
                return None if self.price is None else (str(self.price),)
            case "responsible":
                return self._people()
            case "pipeline" | "stage":
                place = self.pipeline_id if of == "pipeline" else self.stage_id
                return None if place is None else (place,)
            case "name" | "contact.name":
                return _filled(self.name if of == "name" else self.contact_name)
        return self._custom(of)

    def _people(self) -> tuple[str, ...] | None:
        if self.responsible is None:
            return None
        ours = (f"employee:{self.employee_id}",) if self.employee_id else ()
        return (self.responsible, *ours)

    def _custom(self, of: str) -> tuple[str, ...] | None:
        whose, _, id = of.partition(".cf_")
        told = self.deal_fields if whose == "deal" else self.contact_fields if whose == "contact" else None
        if told is None or (id not in told and of not in self.field_names):
            return None
        return _filled(told.get(id, ""))


def _filled(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(line for line in text.splitlines() if line.strip())
