"""What people read of what goes out, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "do-not-call.refused.no_number": "this is no phone number",
    "do-not-call.refused.extension": "this is an extension, not a client's number",
    "list.heading.number": "number phone telephone tel",
    "list.heading.note": "note comment reason",
}
