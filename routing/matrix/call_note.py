"""What a call note says of a call: its length, its status, and who talked."""

from __future__ import annotations

from collections.abc import Mapping

from routing.calls.model import Call, Disposition, FailedSide
from routing.effects import CallStatus
from routing.matrix.model import Moment
from routing.matrix.situation import Situation, employee_at, party_of
from routing.texts.catalogue import Phrase, Texts, phrase
from routing.texts.sentences import TEXTS


def due_moments_of(call: Call, done: frozenset[str], settled: bool) -> tuple[Moment, ...]:
    """In order. A phone that has stopped ringing calls for no card any more; a missed call ends when it is settled."""
    if call.direction == "internal":
        return ()
    due: list[Moment] = []
    if not call.is_answered and not call.is_over:
        due.append(Moment.RING)
    if call.is_answered:
        due.append(Moment.ANSWER)
    if call.is_over and (call.is_answered or settled):
        due.append(Moment.END)
    return tuple(m for m in due if m.value not in done)


def talk_seconds_of(call: Call) -> int:
    """Whole seconds; 0 for a call that nobody took or that is still going on."""
    if call.talk_seconds is not None:
        return max(call.talk_seconds, 0)
    if call.answered_at and call.ended_at:
        return max(int((call.ended_at - call.answered_at).total_seconds()), 0)
    return 0


def status_of(call: Call) -> CallStatus:
    if call.is_answered:
        return "talked"
    return "busy" if call.disposition is Disposition.BUSY else "no_answer"


def note_of(s: Situation, owner: str | None) -> str | None:
    """Who talked, where that was not (only) the responsible, and that the client was left waiting then; None when there is
    nothing to add.

    owner: CRM user id of the client's responsible.
    """
    talked = _who_talked(s, owner)
    if not s.call.is_left_waiting:
        return talked
    left = TEXTS[s.settings.language].say("crm.note.left-waiting")
    return f"{talked}. {left}" if talked else left


def _who_talked(s: Situation, owner: str | None) -> str | None:
    texts, is_inbound = TEXTS[s.settings.language], s.call.direction == "inbound"
    if not s.call.is_answered:
        return texts.say("crm.note.missed" if is_inbound else _unreached(s.call))
    names, whose = _talkers(s, texts), _whose(s, owner, texts)
    if len(names) > 1:
        return texts.say("crm.note.talked", names=names, whose=whose)
    verb, who = "took" if is_inbound else "called", employee_at(party_of(s.call), s)
    if who is None:
        return texts.say(f"crm.note.unknown-{verb}", said=_address(s), whose=whose)
    if who.crm_user_id and who.crm_user_id == owner:
        return None
    return texts.say(f"crm.note.{verb}", name=who.name, whose=whose)


def is_clients_silence(call: Call) -> bool:
    """Say whether the call tells of the client that they did not answer: not where our own side never got so far, nor of a call of
    our order of whose end nobody heard."""
    if call.failed_side is None:
        return call.direction == "inbound" or call.attempt is None
    return call.direction == "inbound" or call.failed_side is FailedSide.CLIENT_NOT_REACHED


def _unreached(call: Call) -> str:
    is_unheard = call.failed_side is None and call.attempt is not None
    return "crm.note.nobody-knows" if is_unheard else _UNREACHED[call.failed_side]


_UNREACHED: Mapping[FailedSide | None, str] = {
    None: "crm.note.client-did-not-answer",
    FailedSide.CLIENT_NOT_REACHED: "crm.note.client-did-not-answer",
    FailedSide.EMPLOYEE_NOT_REACHED: "crm.note.employee-did-not-answer",
    FailedSide.EMPLOYEE_HUNG_UP: "crm.note.employee-hung-up",
}


def _address(s: Situation) -> Phrase:
    address = party_of(s.call)
    if address is None:
        return phrase("crm.note.pbx-did-not-say")
    return phrase("crm.note.address-is-nobodys", address=address)


def _talkers(s: Situation, texts: Texts) -> tuple[str, ...]:
    """Names in the order in which they talked, each once; an address that is nobody's stands for itself."""
    unknown = texts.say("crm.note.unknown")
    found = [(employee_at(t.party, s), t.party) for t in s.call.talks]
    return tuple(dict.fromkeys(who.name if who else party or unknown for who, party in found))


def _whose(s: Situation, owner: str | None, texts: Texts) -> str:
    person = s.staff.by_crm_user.get(owner) if owner else None
    return texts.say("crm.note.responsible", name=person.name) if person else ""
