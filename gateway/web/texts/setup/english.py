"""English."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.setup.english_crm import SENTENCES as CRM
from gateway.web.texts.setup.english_do_not_call import SENTENCES as DO_NOT_CALL
from gateway.web.texts.setup.english_not_sent import SENTENCES as NOT_SENT
from gateway.web.texts.setup.english_other import SENTENCES as OTHER
from gateway.web.texts.setup.english_pbx import SENTENCES as PBX
from gateway.web.texts.setup.english_people import SENTENCES as PEOPLE
from gateway.web.texts.setup.english_sms import SENTENCES as SMS

SENTENCES: Mapping[str, str] = {
    "setup.tabs": "Parts of the setup",
    "setup.tab.crm": "amoCRM",
    "setup.tab.pbx": "PBX and lines",
    "setup.tab.employees": "Employees",
    "setup.tab.not_sent": "Not sent",
    "setup.language.ru": "Russian",
    "setup.language.en": "English",
    "setup.ms": "ms",
    "setup.save": "Save",
    "setup.cancel": "Cancel",
    "setup.remove": "Remove…",
    "setup.note": "Why",
    "setup.note_hint": "Whoever asks later will read it.",
    "setup.said.saved": "Saved",
    "setup.refused.note": "Say why, in 1 to 1000 characters.",
    "setup.tab.numbers": "Numbers",
    "setup.numbers.text": "Numbers without a country code are read as in {region}.",
    "setup.numbers.try": "How a number is read",
    "setup.numbers.number": "Number",
    "setup.numbers.number_hint": "As the PBX sends it, or as it stands in amoCRM.",
    "setup.numbers.read": "Check",
    "setup.numbers.public": "This is the phone {number}: a client is looked for by it.",
    "setup.numbers.own": "This is the company's own number {number}: no client is looked for by it.",
    "setup.numbers.internal": "This is an extension or a short number, {number}: no client is looked for by it.",
    "setup.numbers.none": "This is no phone number: no client is looked for, the call goes by the PBX's own scheme.",
    "setup.numbers.edit": "Change",
    "setup.numbers.own_none": "There are no other numbers.",
    "setup.numbers.own_title": "Other numbers of the company",
    **CRM,
    **DO_NOT_CALL,
    **NOT_SENT,
    **OTHER,
    **PBX,
    **PEOPLE,
    **SMS,
}
