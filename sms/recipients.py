"""Who gets a text: the client, the deal's responsible, chosen employees; and why somebody does not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from routing.numbers.mobiles import may_be_mobile
from routing.staff import Employee


class SkipReason(StrEnum):
    """Why somebody who was to get a text gets none."""

    NO_NUMBER = "no-number"
    NOT_MOBILE = "not-mobile"
    OWN_NUMBER = "own-number"
    EMPLOYEE_NUMBER = "employee-number"
    OPTED_OUT = "opted-out"
    NO_EXTENSION = "no-extension"
    NO_MOBILE = "no-mobile"
    SAME_NUMBER = "same-number"


class SmsRecipient(NamedTuple):
    """employee_id: None = the client. number: E.164."""

    number: str
    employee_id: str | None = None


class SkippedRecipient(NamedTuple):
    """employee_id: None = the client."""

    why: SkipReason
    employee_id: str | None = None


class Recipients(NamedTuple):
    """Both in the order in which they were named, the client first."""

    chosen: tuple[SmsRecipient, ...]
    skipped: tuple[SkippedRecipient, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersOfOurs:
    """own: our lines. employees: on which people of ours answer. opted_out: of clients who want no messages. All E.164."""

    own: frozenset[str] = frozenset()
    employees: frozenset[str] = frozenset()
    opted_out: frozenset[str] = frozenset()


def why_not_offered(employee: Employee) -> SkipReason | None:
    """Say why an employee cannot be chosen, None where they can: they need an extension, and a mobile to read it on."""
    found = _of_employee(employee)
    return found.why if isinstance(found, SkippedRecipient) else None


def recipients(
    client: str | None, people: Sequence[Employee], ours: NumbersOfOurs, *, is_for_client: bool
) -> Recipients:
    """Choose who gets one text. client: E.164, None = the deal has none. A number is written to once, whoever else has it."""
    found: list[SmsRecipient | SkippedRecipient] = []
    if is_for_client:
        found.append(_of_client(client, ours))
    found += [_of_employee(person) for person in people]
    return _each_once(found)


def _of_client(client: str | None, ours: NumbersOfOurs) -> SmsRecipient | SkippedRecipient:
    if client is None:
        return SkippedRecipient(SkipReason.NO_NUMBER)
    if client in ours.own:
        return SkippedRecipient(SkipReason.OWN_NUMBER)
    if client in ours.employees:
        return SkippedRecipient(SkipReason.EMPLOYEE_NUMBER)
    if client in ours.opted_out:
        return SkippedRecipient(SkipReason.OPTED_OUT)
    return SmsRecipient(client) if may_be_mobile(client) else SkippedRecipient(SkipReason.NOT_MOBILE)


def _of_employee(person: Employee) -> SmsRecipient | SkippedRecipient:
    if not person.extensions:
        return SkippedRecipient(SkipReason.NO_EXTENSION, person.id)
    number = _mobile_of(person)
    return SmsRecipient(number, person.id) if number else SkippedRecipient(SkipReason.NO_MOBILE, person.id)


def _mobile_of(person: Employee) -> str | None:
    return next((number for number in person.numbers if may_be_mobile(number)), None)


def _each_once(found: Iterable[SmsRecipient | SkippedRecipient]) -> Recipients:
    chosen: dict[str, SmsRecipient] = {}
    skipped: list[SkippedRecipient] = []
    for one in found:
        if isinstance(one, SkippedRecipient):
            skipped.append(one)
        elif one.number in chosen:
            if chosen[one.number].employee_id != one.employee_id:
                skipped.append(SkippedRecipient(SkipReason.SAME_NUMBER, one.employee_id))
        else:
            chosen[one.number] = one
    return Recipients(tuple(chosen.values()), tuple(skipped))
