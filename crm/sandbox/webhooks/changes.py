"""What a change leaves behind besides its rows: an entry in the events feed and webhooks to deliver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from crm.sandbox.php import flatten
from crm.sandbox.state import ACCOUNT_ID, SINGULAR, SUBDOMAIN, State


def emit(
    state: State,
    type: str,
    entity_type: str,
    entity_id: int,
    by: int,
    *,
    before: Iterable[Mapping[str, Any]] = (),
    after: Iterable[Mapping[str, Any]] = (),
    at: int | None = None,
) -> None:
    """entity_type: singular. by: user id, 0 = robot."""
    state.table("events").add(
        {
            "type": type,
            "entity_type": entity_type,
            "entity_id": entity_id,
            "created_by": by,
            "created_at": at or state.now(),
            "before": list(before),
            "after": list(after),
        }
    )


def tell_linked(
    state: State, own: tuple[str, int], other: tuple[str, int], by: int, verb: str = "linked"
) -> None:
    """verb: linked or unlinked. The event of `own`, of its own kind, that names the other side; (plural, id) each."""
    value = {verb.removesuffix("ed"): {"entity": {"type": SINGULAR[other[0]], "id": other[1]}}}
    emit(state, f"{SINGULAR[own[0]]}_{verb}", SINGULAR[own[0]], own[1], by, after=[value])


def notify(state: State, setting: str, payload: Mapping[str, Any]) -> None:
    """Queue `payload` for every webhook that wants `setting`."""
    form: str | None = None
    for hook in state.table("webhooks").select([("disabled", "=", 0)]):
        if setting not in hook["settings"]:
            continue
        if form is None:
            form = encoded({**payload, "account": account_part()})
        delivery = {
            "webhook_id": hook["id"],
            "state": "waiting",
            "due_at": 0.0,
            "form": form,
            "setting": setting,
        }
        state.table("deliveries").add({**delivery, "destination": hook["destination"], "attempts": []})
        state.deliveries_due.set()


def tell_stage(state: State, lead: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    """Queue the actions of the stage that a lead came into which tell an address. old: what stood there before, as the payload
    names it."""
    stage = [("pipeline_id", "=", lead["pipeline_id"]), ("status_id", "=", lead["status_id"])]
    told = {"id": lead["id"], "status_id": lead["status_id"], "pipeline_id": lead["pipeline_id"], **old}
    account = {"subdomain": SUBDOMAIN, "id": ACCOUNT_ID}
    for action in state.table("stage_webhooks").select(stage):
        kind = action.get("form", "send_webhook")
        delivery = {"webhook_id": None, "state": "waiting", "due_at": 0.0, "setting": kind}
        payload = {"leads": {"status": [told]}, "account": account}
        form = encoded(payload if kind == "send_webhook" else _widget_told(state, lead, action))
        state.table("deliveries").add(
            {**delivery, "form": form, "destination": action["destination"], "attempts": []}
        )
        state.deliveries_due.set()


def _widget_told(state: State, lead: Mapping[str, Any], action: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a widget of the digital pipeline is told, as the vendor's documentation shows it."""
    place = {"status_id": lead["status_id"], "pipeline_id": lead["pipeline_id"]}
    data = {"id": lead["id"], "element_type": 2, **place, "direction_of_movement": "went_in_trigger"}
    event = {"type": 15, "type_code": "lead_appeared_in_status", "data": data, "time": state.now()}
    settings = {"widget": {"settings": action.get("settings", {})}}
    return {
        "event": event,
        "action": {"settings": settings},
        "subdomain": SUBDOMAIN,
        "account_id": ACCOUNT_ID,
    }


def account_part() -> dict[str, Any]:
    return {
        "subdomain": SUBDOMAIN,
        "id": ACCOUNT_ID,
        "_links": {"self": f"https://{SUBDOMAIN}.amocrm.ru"},
    }


def encoded(payload: Mapping[str, Any]) -> str:
    return urlencode(list(flatten(payload)))
