"""What people read of what goes out, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "do-not-call.refused.no_number": "this is no phone number",
    "do-not-call.refused.extension": "this is an extension, not a client's number",
    "trigger.apply.deals": "{count:open deal stands|open deals stand} there now. By what is known without asking the CRM:",
    "trigger.apply.not-known": "Of {count:deal|deals} only the CRM knows what a condition asks for: they are decided when they are read.",
    "list.heading.number": "number phone telephone tel",
    "list.heading.note": "note comment reason",
}
