"""English: not_sent."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "setup.not_sent.text": "What the CRM or we could not take. Nothing is lost: retry once the cause is gone.",
    "setup.not_sent.empty": "Everything is sent.",
    "setup.not_sent.no_refusals": "Nothing was refused.",
    "setup.not_sent.held": "Held while CRM access is off or lost: {n}. Sending held calls sends them.",
    "setup.not_sent.held.do": "Send held calls",
    "setup.not_sent.waiting": "Waiting for their turn, sent by themselves: {n}.",
    "setup.not_sent.retry_all": "Retry all ({n})",
    "setup.not_sent.retry_group": "Retry ({n})",
    "setup.not_sent.retry": "Retry",
    "setup.not_sent.ignore": "Do not send any more",
    "setup.not_sent.all_causes": "All causes",
    "setup.not_sent.entries": "For this cause: {n}",
    "setup.not_sent.none_marked": "With nothing marked, it is done to all of this cause.",
    "setup.not_sent.what": "What",
    "setup.not_sent.client": "Client",
    "setup.not_sent.since": "Since",
    "setup.not_sent.why": "Why",
    "setup.not_sent.kind": "Where",
    "setup.not_sent.count": "How many",
    "setup.not_sent.tries": "{n:try|tries}",
    "setup.not_sent.kind.effect": "CRM change",
    "setup.not_sent.kind.event": "PBX message",
    "setup.not_sent.kind.update": "message of a messenger",
    "setup.not_sent.kind.call": "decision on a call",
    "setup.not_sent.kind.case": "missed call",
    "setup.not_sent.kind.change": "change in the CRM",
    "setup.not_sent.kind.webhook": "message of the CRM",
    "setup.not_sent.kind.row": "data of the CRM",
    "setup.not_sent.said.retried": "Retrying: {n}",
    "setup.not_sent.said.ignored": "Not sent any more: {n}",
}
