"""Employees as a person describes them, by API or in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.staff import Employee


class EmployeeRefused(Exception):
    """These people cannot be an account's staff. field: what is wrong of the employee; remedy: what to do about it."""

    def __init__(
        self, employee: str, field: str, message: str, remedy: str, code: str = "invalid-input"
    ) -> None:
        super().__init__(message)
        self.employee, self.field, self.message, self.remedy, self.code = (
            employee,
            field,
            message,
            remedy,
            code,
        )


def numbers_of(employee: str, raw: Iterable[str], policy: NumberPolicy) -> tuple[str, ...]:
    """An employee's numbers as E.164, each once. Raise EmployeeRefused for what is no phone number."""
    found: list[str] = []
    for text in raw:
        number = normalise(text, policy)
        if not isinstance(number, PublicNumber):
            raise EmployeeRefused(
                employee, "numbers", f"'{text}' is not a phone number", "write it as +74951234567"
            )
        found.append(number.e164)
    return tuple(dict.fromkeys(found))


def refuse_bad_staff(people: Sequence[Employee]) -> None:
    """Raise EmployeeRefused for the first thing that no staff can be: two owners of an address, a deputy who is nobody."""
    ids = {p.id for p in people}
    owner_of: dict[str, Employee] = {}
    for person in people:
        if person.deputy_id is not None and person.deputy_id not in ids:
            remedy = "name an employee of this account, or none"
            raise EmployeeRefused(person.id, "deputy_id", f"'{person.deputy_id}' is no employee", remedy)
        places = [(a, n) for n in ("extensions", "sip", "numbers") for a in getattr(person, n)]
        for address, place in places:
            other = owner_of.setdefault(address.lower(), person)
            if other is not person:
                raise EmployeeRefused(
                    person.id,
                    place,
                    f"'{address}' belongs to {other.name} already",
                    "an extension, SIP account or number rings one employee only: remove it there first",
                    "address-taken",
                )
