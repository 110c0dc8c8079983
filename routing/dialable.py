"""What a phone's address may be. It goes into dialplans and SIP URIs as it is, where `&`, `,`, `$`, `;` or a line break
would be orders of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from routing.staff import Employee

AddressKind = Literal["extension", "sip", "phone"]
DialableAddress = tuple[AddressKind, str]

# `is_extension("101")` runs while a phone rings.
is_extension = re.compile(r"[A-Za-z0-9*#+._-]{1,64}", re.ASCII).fullmatch
is_sip_account = re.compile(
    r"(sips?:)?[A-Za-z0-9*#+._-]{1,64}"
    r"(@([A-Za-z0-9]([A-Za-z0-9.-]{0,99})|\[[0-9a-fA-F:.]{2,45}\])(:[0-9]{1,5})?)?",
    re.ASCII,
).fullmatch
is_number = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII).fullmatch


def first_address(person: Employee) -> DialableAddress | None:
    """Return where this person is rung: an extension before a SIP account before a number. None: nothing can be dialled.

    What was stored before addresses were judged is passed over.
    """
    for address in person.extensions:
        if is_extension(address):
            return "extension", address
    for address in person.sip:
        if is_sip_account(address):
            return "sip", address
    for address in person.numbers:
        if is_number(address):
            return "phone", address
    return None


def undialable(people: Iterable[Employee]) -> dict[str, int]:
    """How many addresses of each employee, by name, are never dialled; only those who have some."""
    found = {
        p.name: sum(not is_extension(a) for a in p.extensions)
        + sum(not is_sip_account(a) for a in p.sip)
        + sum(not is_number(a) for a in p.numbers)
        for p in people
    }
    return {name: count for name, count in found.items() if count}
