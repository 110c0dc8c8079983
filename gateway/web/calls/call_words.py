"""How one call is told in a line: how it came out, who talked, what it left in the CRM. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.web.words.words import Words
from routing.calls.model import Call
from routing.client_work.values import CallRow
from routing.staff import Employee, Staff
from routing.texts.catalogue import Texts

CallTone = Literal["good", "bad", "warn", "info", ""]
_NEVER = frozenset({"skipped", "expired"})
_OPEN = frozenset({"waiting", "sending", "unknown", "held"})


@dataclass(frozen=True, slots=True)
class InWords:
    """text with the sign and the tone that go with it."""

    text: str
    tone: CallTone = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Talker:
    """crm_id: gives the colour; None = nobody known. address: as the PBX names it."""

    name: str
    crm_id: str | None = None
    is_off: bool = False
    address: str = ""


def result_of(call: Call, words: Words) -> InWords:
    texts = words.texts
    if not call.is_over:
        if call.answered_at is None:
            return InWords(texts.say("calls.result.ringing"), "info", "phone-ringing")
        running = words.running(call.answered_at)
        return InWords(texts.say("calls.result.talking", running=running), "info", "phone-call")
    if call.is_answered:
        icon = {"inbound": "phone-incoming", "outbound": "phone-outgoing"}.get(call.direction, "phone")
        return InWords(_talked(call, words), "good", icon)
    if call.direction == "inbound":
        return InWords(texts.say("calls.result.missed"), "bad", "phone-x")
    return InWords(texts.say("calls.result.not_reached"), "warn", "phone-x")


def _talked(call: Call, words: Words) -> str:
    if call.talk_seconds is None:
        return words.texts.say("calls.result.length_unknown")
    return words.duration(call.talk_seconds)


def talkers_of(row: CallRow, staff: Staff) -> list[Talker]:
    """Return who talked, each once, in order; empty: nobody did."""
    parties = dict.fromkeys(talk.party for talk in row.call.talks)
    return [talker_at(party, staff) for party in parties]


def talker_at(party: str | None, staff: Staff, unknown: str = "") -> Talker:
    person: Employee | None = staff.employee_spelled(party, eight_is_plus_seven=True)
    if person is None:
        return Talker(unknown or party or "", address=party or "")
    return Talker(person.name, person.crm_user_id, not person.is_active, party or "")


def writes_in_words(writes: Sequence[tuple[str, str]], is_over: bool, texts: Texts) -> InWords:
    """Say what was ordered. writes: (what, state)."""
    kept = [(what, state) for what, state in writes if state not in _NEVER and what != "show_card"]
    if not kept:
        return InWords(texts.say("calls.writes.nothing") if is_over else "…")
    what = ", ".join(dict.fromkeys(texts.word("why.what", name) for name, _ in kept))
    states = {state for _, state in kept}
    if "dead" in states:
        return InWords(texts.say("calls.writes.dead", what=what), "bad", "alert-circle")
    if states & _OPEN:
        return InWords(texts.say("calls.writes.waiting", what=what), "warn", "clock-pause")
    return InWords(what)
