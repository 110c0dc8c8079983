"""What a call note says of a call: its length, its status, and who talked."""

from __future__ import annotations

from routing.calls.model import Call, Disposition
from routing.effects import CallStatus
from routing.matrix.model import Moment
from routing.matrix.situation import Situation, employee_at, party_of


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
    """Who talked, where that was not (only) the responsible; None when there is nothing to add.

    owner: CRM user id of the client's responsible.
    """
    if not s.call.is_answered:
        return "Пропущенный звонок" if s.call.direction == "inbound" else "Клиент не ответил"
    names = _talkers(s)
    verb = "Звонок принял(а)" if s.call.direction == "inbound" else "Звонил(а)"
    if len(names) > 1:
        return f"Разговаривали: {', '.join(names)}{_whose(s, owner)}"
    who = employee_at(party_of(s.call), s)
    if who is None:
        address = party_of(s.call)
        said = f"номер {address} не привязан ни к одному сотруднику" if address else "АТС не сообщила, кто"
        return f"{verb} неизвестный сотрудник: {said}{_whose(s, owner)}"
    if who.crm_user_id and who.crm_user_id == owner:
        return None
    return f"{verb} {who.name}{_whose(s, owner)}"


def _talkers(s: Situation) -> list[str]:
    """Names in the order in which they talked, each once; an address that is nobody's stands for itself."""
    found = [(employee_at(t.party, s), t.party) for t in s.call.talks]
    return list(dict.fromkeys(who.name if who else party or "неизвестный" for who, party in found))


def _whose(s: Situation, owner: str | None) -> str:
    person = s.staff.by_crm_user.get(owner) if owner else None
    return f" (ответственный: {person.name})" if person else ""
