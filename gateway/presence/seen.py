"""What calls, phones, pages and schedules show of each employee at a moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.pbx.capabilities import PhoneState
from gateway.presence.heartbeats import Beats
from gateway.store.presence.watches import StoredTalk
from routing.attendance.look import PersonSeen
from routing.attendance.model import Sign
from routing.attendance.pages import page_signs
from routing.staff import Staff


def seen_of(
    staff: Staff,
    shifts: Mapping[str, bool | None],
    beats: Beats,
    talks: Sequence[StoredTalk],
    phones: Sequence[PhoneState],
    now: datetime,
) -> dict[str, PersonSeen]:
    """Return it by employee, of everybody. A registered phone shows nobody, one that talks or is shut does."""
    talking, hung_up = _talkers(staff, talks)
    busy = _owners(staff, [word.address for word in phones if word.is_busy])
    shut = _owners(staff, [word.address for word in phones if word.is_dnd])
    found = {}
    for person in staff.employees:
        pages = page_signs(beats.get(person.id, ()), now)
        signs = [Sign("calls", at) for at in hung_up.get(person.id, ())]
        if pages.input_at is not None:
            signs.append(Sign("page", pages.input_at))
        found[person.id] = PersonSeen(
            on_shift=shifts.get(person.id),
            is_dnd=person.id in shut,
            is_in_call=person.id in talking or person.id in busy,
            are_pages_gone=pages.are_gone,
            signs=tuple(signs),
        )
    return found


def _talkers(staff: Staff, talks: Sequence[StoredTalk]) -> tuple[set[str], dict[str, list[datetime]]]:
    """Return (who talks now, when who talked). Nobody talked in a missed call, whoever's name it carries."""
    talking: set[str] = set()
    hung_up: dict[str, list[datetime]] = {}
    for talk in talks:
        person = staff.employee_at(talk.party)
        if person is None:
            continue
        if talk.ended_at is None:
            talking.add(person.id)
        else:
            hung_up.setdefault(person.id, []).append(talk.ended_at)
    return talking, hung_up


def _owners(staff: Staff, addresses: Sequence[str]) -> set[str]:
    return {person.id for address in addresses if (person := staff.employee_at(address)) is not None}
