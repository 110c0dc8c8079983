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
    "setup.refused.wanted.unknown": "This connection has no setting “{value}”. There are: {known}.",
    "setup.refused.wanted.key": "{name}: such a key does not fit. It has 1 to 500 characters and is not blank.",
    "setup.refused.wanted.key_again": "{name}: type it again. It was given for the address before, and we do not send it to a new one by ourselves.",
    "setup.refused.wanted.text": "{name}: this is too long. It takes 500 characters.",
    "setup.refused.wanted.whole": "{name}: “{value}” does not fit. It takes a whole number in digits, from 0 to 999999, e.g. 4.",
    "setup.refused.wanted.count": "{name}: “{value}” does not fit. It takes a whole number in digits, from 1 to 999999, e.g. 10.",
    "setup.refused.wanted.port": "{name}: “{value}” does not fit. A port is a whole number from 1 to 65535.",
    "setup.refused.wanted.switch": "{name}: “{value}” does not fit. It takes true or false.",
    "setup.refused.wanted.list": "{name}: “{value}” does not fit. Write them with commas between, up to 500 characters.",
    "setup.refused.wanted.time_zone": "{name}: “{value}” is no time zone. Write it as Europe/Moscow or Asia/Yekaterinburg.",
    "setup.refused.wanted.number_spelling": "{name}: “{value}” does not fit. It may be: {known}.",
    "setup.refused.wanted.choice": "{name}: “{value}” does not fit. Leave it empty, or write one of: {known}.",
    "setup.refused.wanted.host": "{name}: “{value}” does not fit. Write the server’s name or address, without https:// or blanks. The address of this machine or of its neighbours is allowed by whoever installed Callmatrix.",
    "setup.refused.wanted.vendor_url": "{name}: “{value}” does not fit. Leave it empty, or write {known}. Other addresses are allowed by whoever installed Callmatrix.",
    "setup.refused.wanted.url": "{name}: “{value}” does not fit. Such addresses are allowed by whoever installed Callmatrix.",
    "setup.refused.wanted.file": "{name}: the file “{value}” may not be read. It has to lie in the folder that was named by whoever installed Callmatrix.",
}
