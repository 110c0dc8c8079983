"""MANGO's list of employees beside ours: which addresses of theirs we lack. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.pbx.mango.reading import MangoEmployee
from routing.staff import Employee


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What MANGO knows of one person. employee: ours, None when nobody matches. The rest: addresses to add to them,
    numbers as MANGO spells them. matched_by: extension, email or name."""

    person: MangoEmployee
    employee: Employee | None
    matched_by: str | None
    extensions: tuple[str, ...]
    numbers: tuple[str, ...]
    sip: tuple[str, ...]


def suggestions(people: Iterable[MangoEmployee], employees: Sequence[Employee]) -> tuple[Suggestion, ...]:
    """One for each person of MANGO's that has an address we do not have with them."""
    found = []
    for person in people:
        employee, matched_by = _match(person, employees)
        known_numbers = {_digits(n) for n in employee.numbers} if employee else set()
        told = Suggestion(
            person,
            employee,
            matched_by,
            _new([person.extension], employee.extensions if employee else ()),
            tuple(n for n in person.numbers if _digits(n) not in known_numbers),
            _new(person.sips, employee.sip if employee else ()),
        )
        if told.extensions or told.numbers or told.sip:
            found.append(told)
    return tuple(found)


def _match(person: MangoEmployee, employees: Sequence[Employee]) -> tuple[Employee | None, str | None]:
    """The surest sign first; a sign that fits several of ours decides nothing."""
    signs = (
        ("extension", [e for e in employees if person.extension and person.extension in e.extensions]),
        ("email", [e for e in employees if person.email and e.email.lower() == person.email.lower()]),
        ("name", [e for e in employees if person.name and e.name.casefold() == person.name.casefold()]),
    )
    return next(((fits[0], sign) for sign, fits in signs if len(fits) == 1), (None, None))


def _new(told: Iterable[str | None], known: Iterable[str]) -> tuple[str, ...]:
    return tuple(address for address in told if address and address not in set(known))


def _digits(number: str) -> str:
    return "".join(sign for sign in number if sign.isdigit())
