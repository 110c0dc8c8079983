"""What amoCRM's digital pipeline and ordinary webhooks tell of deals that came somewhere -> which deals. Pure.

Two shapes: `leads[status][0][id]` of the action "send webhook" and of ordinary webhooks, `event[data][id]` of a widget in the
digital pipeline, which may be told as JSON too. An item that makes no sense costs itself only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from crm.amocrm.rows.form import FormPart, Tree, WebhookInvalid, form_of
from runtime.masking import mask_text

_CAME = ("add", "status", "restore", "call_in", "mail_in", "chat", "site_visit")
"""Under these the deal came into a stage, or into the funnel again. What changes in it (`update`, `responsible`, `note`) is told
of our own writes too, and would go round in a circle."""

_DEAL_ELEMENT = "2"
_DEEPEST_JSON = 12


@dataclass(frozen=True, slots=True)
class HookedDeal:
    """stage_id, pipeline_id: where it came, None where that is not told."""

    id: str
    pipeline_id: str | None
    stage_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookTold:
    """deals: each once, in the order of their ids. passed_over: what was told that brings no deal into a stage.
    unread: what could not be read, in words."""

    deals: tuple[HookedDeal, ...]
    passed_over: tuple[str, ...]
    unread: tuple[str, ...]


def parse_stage_hook(body: bytes) -> HookTold:
    """Read one delivery, form or JSON. Raises WebhookInvalid where it is neither."""
    tree, strange = _tree_of(body)
    found: dict[str, HookedDeal] = {}
    leads = FormPart(tree.get("leads"), "leads")
    for part in [*_leads(leads), *_widget(FormPart(tree, ""))]:
        deal = part.maybe(lambda part=part: _deal(part), None)  # type: ignore[misc]
        strange += part.faults
        if deal is not None:
            found[deal.id] = deal
    return HookTold(
        deals=tuple(sorted(found.values(), key=lambda deal: (len(deal.id), deal.id))),
        passed_over=_passed_over(leads, tree),
        unread=tuple(mask_text(str(fault)) for fault in [*strange, *leads.faults]),
    )


def _tree_of(body: bytes) -> tuple[Tree, list[WebhookInvalid]]:
    if not body.lstrip().startswith(b"{"):
        return form_of(body)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise WebhookInvalid("", "neither a form nor JSON") from err
    if not isinstance(told, dict):
        raise WebhookInvalid("", "an object expected")
    return {key: _as_form(value, 1) for key, value in told.items()}, []


def _as_form(value: Any, depth: int) -> Tree | str:
    """Return JSON as the form would hold it: lists by their indices, every value a text."""
    if depth > _DEEPEST_JSON or value is None:
        return ""
    if isinstance(value, dict):
        return {str(key): _as_form(below, depth + 1) for key, below in value.items()}
    if isinstance(value, list):
        return {str(i): _as_form(below, depth + 1) for i, below in enumerate(value)}
    return str(value).replace("\x00", "")


def _leads(leads: FormPart) -> list[FormPart]:
    return [FormPart(item.value, item.path) for verb in _CAME for item in leads.some_parts(verb)]


def _widget(root: FormPart) -> list[FormPart]:
    """Of a widget's hook: the one deal; its other elements are customers."""
    data = root.maybe(lambda: root.part("event").part("data"), FormPart(None, ""))
    if not data.is_told or data.some_text("element_type") not in (None, _DEAL_ELEMENT):
        return []
    return [FormPart(data.value, data.path)]


def _deal(item: FormPart) -> HookedDeal:
    return HookedDeal(item.id(), item.some_id("pipeline_id"), item.some_id("status_id"))


def _passed_over(leads: FormPart, tree: Tree) -> tuple[str, ...]:
    verbs = leads.value if isinstance(leads.value, dict) else {}
    others = [
        section for section in ("contacts", "companies", "task", "unsorted", "customers") if section in tree
    ]
    return (*(f"leads.{verb}"[:100] for verb in verbs if verb not in _CAME), *others)
