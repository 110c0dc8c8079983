"""amoCRM's codes beside our names. Nothing else in this package spells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from crm.port import CrmEventKind
from routing.client import EntityKind
from routing.effects import CallStatus

# Their "lead" is our deal; their "unsorted" is our lead.
PLURAL: Final[Mapping[EntityKind, str]] = {
    "deal": "leads",
    "contact": "contacts",
    "company": "companies",
    "lead": "unsorted",
}
KIND_OF_PLURAL: Final[Mapping[str, EntityKind]] = {v: k for k, v in PLURAL.items() if k != "lead"}
KIND_OF_SINGULAR: Final[Mapping[str, EntityKind]] = {
    "lead": "deal",
    "contact": "contact",
    "company": "company",
}
# Webhooks and the call card; 12 is a customer, which we do not keep.
KIND_OF_ELEMENT: Final[Mapping[int, EntityKind]] = {1: "contact", 2: "deal", 3: "company"}

# What is asked for along with an entity, so that its links come in the same request.
WITH: Final[Mapping[EntityKind, str]] = {
    "deal": "contacts",
    "contact": "leads",
    "company": "leads,contacts",
    "lead": "",
}

WON, LOST = "142", "143"  # the same ids in every pipeline
CLOSED_STAGES: Final = frozenset({WON, LOST})
UNSORTED_STAGE_TYPE: Final = 1  # every other stage has type 0, won and lost included

CALL_STATUS: Final[Mapping[CallStatus, int]] = {
    "left_message": 1,
    "call_back": 2,
    "absent": 3,
    "talked": 4,
    "wrong_number": 5,
    "no_answer": 6,
    "busy": 7,
}
NOTE_TYPE_OF_CALL: Final[Mapping[str, Literal["call_in", "call_out"]]] = {
    "inbound": "call_in",
    "outbound": "call_out",
}
CALL_NOTES: Final = frozenset(NOTE_TYPE_OF_CALL.values())
TASK_TYPE: Final[Mapping[str, int]] = {"call": 1, "meeting": 2}

# Types of the events feed that we ask for; not calls, which are ours and come by the thousand with a backfill. A type that is not here arrives as "other" where a filter is ignored.
EVENT_KIND: Final[Mapping[str, CrmEventKind]] = {
    "lead_added": "added",
    "contact_added": "added",
    "company_added": "added",
    "lead_deleted": "deleted",
    "contact_deleted": "deleted",
    "company_deleted": "deleted",
    "lead_restored": "restored",
    "contact_restored": "restored",
    "company_restored": "restored",
    "entity_merged": "merged",
    "lead_linked": "linked",
    "contact_linked": "linked",
    "company_linked": "linked",
    "entity_linked": "linked",
    "lead_unlinked": "unlinked",
    "contact_unlinked": "unlinked",
    "company_unlinked": "unlinked",
    "entity_unlinked": "unlinked",
    "lead_status_changed": "stage_changed",
    "entity_responsible_changed": "owner_changed",
    "name_field_changed": "changed",
    "sale_field_changed": "changed",
    "entity_tag_added": "changed",
    "entity_tag_deleted": "changed",
    "task_completed": "task_completed",
    "incoming_chat_message": "message",
    "outgoing_chat_message": "message",
    "incoming_sms": "message",
    "outgoing_sms": "message",
}

# What a webhook is registered for. The last line is not in the vendor's list but in what connectors register.
WEBHOOK_SETTINGS: Final[tuple[str, ...]] = (
    *(
        f"{verb}_{what}"
        for what in ("lead", "contact", "company")
        for verb in ("add", "update", "delete", "restore", "responsible", "note")
    ),
    "status_lead",
    "add_task",
    "update_task",
    "delete_task",
    "responsible_task",
)
UNDOCUMENTED_WEBHOOK_SETTINGS: Final[tuple[str, ...]] = ("add_unsorted", "update_unsorted", "delete_unsorted")

PAGE_LIMIT: Final = 250
EVENTS_LIMIT: Final = 100
IDS_PER_FILTER: Final = 100  # keeps the address line under 8 KiB
