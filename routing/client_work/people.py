"""Which of our people took part in a call, by whose phones rang and who talked."""

from __future__ import annotations

from typing import NamedTuple

from routing.calls.model import Call
from routing.client_work.values import CallRow, Setup
from routing.matrix.situation import party_of
from routing.staff import Employee


class TookPart(NamedTuple):
    """people: ids of employees whose phones rang or who talked, each once. is_by_unknown: it was answered on an address of nobody who
    is mapped to the CRM."""

    people: tuple[str, ...]
    is_by_unknown: bool


def took_part(before: CallRow | None, call: Call, setup: Setup) -> TookPart:
    """Return who took part, as it was known when their phones were first told of: an extension may be another's afterwards."""
    if before and before.people is not None and _phones(before.call) == _phones(call):
        return TookPart(before.people, before.is_by_unknown)
    parties = [*call.rung, *(talk.party for talk in call.talks)]
    found = (employee_of(party, setup) for party in parties)
    people = tuple(dict.fromkeys(person.id for person in found if person))
    return TookPart(people, _is_answered_by_unknown(call, setup))


def _phones(call: Call) -> tuple[object, ...]:
    return call.rung, [talk.party for talk in call.talks]


def _is_answered_by_unknown(call: Call, setup: Setup) -> bool:
    person = employee_of(party_of(call), setup)
    return call.is_answered and (person is None or person.crm_user_id is None)


def employee_of(address: str | None, setup: Setup) -> Employee | None:
    numbers = setup.settings.numbers
    return setup.staff.employee_spelled(address, eight_is_plus_seven=numbers.eight_is_plus_seven)
