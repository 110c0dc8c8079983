"""What a new note leaves behind: its entry in the events feed, and its webhook."""

from __future__ import annotations

import json
from typing import Any

from crm.sandbox.state import ACCOUNT_ID, SINGULAR, State
from crm.sandbox.store import SandboxRow
from crm.sandbox.webhooks.changes import emit, notify

# what a note of this type is called in the events feed, and its number in webhooks
_EVENTS = {
    "common": "common_note_added",
    "call_in": "incoming_call",
    "call_out": "outgoing_call",
    "service_message": "service_note_added",
    "extended_service_message": "service_note_added",
    "message_cashier": "message_to_cashier_note_added",
    "geolocation": "geo_note_added",
    "sms_in": "incoming_sms",
    "sms_out": "outgoing_sms",
    "attachment": "attachment_note_added",
}
_NUMBERS = {"common": 4, "call_in": 10, "call_out": 11, "service_message": 25, "sms_in": 102, "sms_out": 103}
_ELEMENTS = {"contacts": 1, "leads": 2, "companies": 3}


def announce_note(state: State, row: SandboxRow) -> None:
    singular = SINGULAR[row["entity_type"]]
    after = [{"note": {"id": row["id"]}}]
    emit(state, _EVENTS[row["note_type"]], singular, row["entity_id"], row["created_by"], after=after)
    under = "leads" if row["entity_type"] == "leads" else "contacts"
    notify(state, f"note_{singular}", {under: {"note": [{"note": _hook(row)}]}})


def _hook(row: SandboxRow) -> dict[str, Any]:
    params = row["params"]
    if row["note_type"] in ("call_in", "call_out"):
        shown = {"UNIQ": params.get("uniq", ""), "LINK": params.get("link", ""), "PHONE": params["phone"]}
        shown |= {"DURATION": params["duration"], "SRC": params["source"]}
        text = json.dumps({**shown, "call_status": params.get("call_status"), "call_result": ""})
    else:
        text = str(params.get("text", ""))
    return {
        "id": row["id"],
        "note_type": _NUMBERS.get(row["note_type"], 25),
        "element_id": row["entity_id"],
        "element_type": _ELEMENTS[row["entity_type"]],
        "text": text,
        "metadata": "",
        "main_user_id": row["responsible_user_id"],
        "created_by": row["created_by"],
        "modified_by": row["updated_by"],
        "date_create": row["created_at"],
        "account_id": ACCOUNT_ID,
    }
