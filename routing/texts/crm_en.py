"""What the gateway itself writes into the CRM where an account has no words of its own, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "crm.note.missed": "Missed call",
    "crm.note.client-did-not-answer": "The client did not answer",
    "crm.note.employee-did-not-answer": "The employee did not answer",
    "crm.note.employee-hung-up": "The employee hung up before the client was reached",
    "crm.note.nobody-knows": "How the call that the program made went is not known: the PBX did not tell",
    "crm.note.talked": "Talked: {names}{whose}",
    "crm.note.took": "Answered by {name}{whose}",
    "crm.note.called": "Called by {name}{whose}",
    "crm.note.unknown-took": "Answered by an unknown employee: {said}{whose}",
    "crm.note.unknown-called": "Called by an unknown employee: {said}{whose}",
    "crm.note.address-is-nobodys": "the number {address} belongs to no employee",
    "crm.note.pbx-did-not-say": "the PBX did not say who",
    "crm.note.unknown": "unknown",
    "crm.note.responsible": " (responsible: {name})",
    "crm.note.left-waiting": "The client was passed on and nobody took over",
    "crm.note.recording": "Recording: {url}",
    "crm.task.count": "{text} (missed calls: {count}, the last at {time})",
    "crm.task.done": "Reached by {who}, {time}",
    "crm.task.not-reached": "The client {number} was not reached: {why}. Call back",
    "crm.task.number-with-extension": "{number} ext. {extension}",
    "crm.task.call-back": "Call back: missed call from {{ client.number }} at {{ call.started_at | date('%H:%M %d.%m') }}",
    "crm.task.check-settings": "a call was answered on an unknown number ({{ call.answered_by | default('not sent') }}): "
    "give this number or SIP account to an employee. Client: {{ client.number }}",
    "crm.deal.name": "Call {{ client.number }}",
    "crm.chat.deal": "Chat «{channel}»: {name}",
    "crm.chat.contact": "Client of «{channel}»",
    "crm.lead.source": "Telephony",
    "crm.sample.client": "Client",
    "crm.sample.deal": "Deal",
    "preset.recommended": "Recommended",
    "preset.update_only": "Update only",
    "preset.unsorted": "Unsorted",
    "preset.why": "the recommended scenario",
}  # fmt: skip
"""Those of `crm.task` and with `{{ }}` are templates: they are filled as what an account wrote itself."""
