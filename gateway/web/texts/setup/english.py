"""English."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.setup.english_crm import SENTENCES as CRM
from gateway.web.texts.setup.english_not_sent import SENTENCES as NOT_SENT
from gateway.web.texts.setup.english_pbx import SENTENCES as PBX
from gateway.web.texts.setup.english_people import SENTENCES as PEOPLE

SENTENCES: Mapping[str, str] = {
    "setup.tabs": "Parts of the setup",
    "setup.tab.crm": "amoCRM",
    "setup.tab.pbx": "PBX and lines",
    "setup.tab.employees": "Employees",
    "setup.tab.numbers": "Numbers",
    "setup.tab.not_sent": "Not sent",
    "setup.tab.other": "Other",
    "setup.language.ru": "Russian",
    "setup.language.en": "English",
    "setup.ms": "ms",
    "setup.save": "Save",
    "setup.cancel": "Cancel",
    "setup.remove": "Remove…",
    "setup.note": "Why",
    "setup.note_hint": "Whoever asks later will read it.",
    "setup.said.saved": "Saved",
    "setup.refused.other": "This does not fit: {message}. What to do: {remedy}.",
    "setup.refused.note": "Say why, in 1 to 1000 characters.",
    **CRM,
    **NOT_SENT,
    **PBX,
    **PEOPLE,
}
