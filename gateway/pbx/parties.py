"""Who of the two numbers of a call is the client, who is ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.pbx.connection import Connection
from gateway.pbx.reading.addresses import bare_number, phone_address, user_part
from routing.calls.model import Direction
from routing.numbers.spelling import is_withheld

ANONYMOUS = "anonymous"

_MAX_EXTENSION_DIGITS = 6
_LONGEST_OF_NO_TOWN = 4
_SUBSCRIBER_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Parties:
    """direction None: it could not be told, and then neither can client and line. party: our side's own address."""

    direction: Direction | None
    client: str | None
    line: str | None
    party: str | None = None


def clean_number(number: str | None) -> str | None:
    """Return a number as the PBX spelled it, out of its URI or channel, with all ways to say that it was withheld made one."""
    if number is None or not number.strip():
        return None
    if is_withheld(number) or is_withheld(user_part(number)):
        return ANONYMOUS
    return bare_number(number)


def is_extension(number: str | None, connection: Connection) -> bool:
    """Say whether this is a short number that is not one of the connection's lines (a test set-up may have short ones)."""
    if not number or is_line(number, connection):
        return False
    longest = connection.whole("extension_digits", _MAX_EXTENSION_DIGITS)
    return number.isascii() and number.isdigit() and len(number) <= longest


def classify_parties(
    caller: str | None, called: str | None, direction: Direction | None, connection: Connection
) -> Parties:
    """Tell the sides apart; where the PBX does not say the direction, by our lines and by short numbers."""
    caller, called = clean_number(caller), clean_number(called)
    if is_extension(caller, connection) and is_extension(called, connection):
        outside = {"inbound": caller, "outbound": called}.get(direction or "")
        if outside is None or not _may_be_of_a_town(outside, connection):
            return Parties("internal", None, None, caller)
    if direction is None:
        direction = _guessed(caller, called, connection)
    if direction == "internal":
        return Parties("internal", None, None, caller)
    if direction == "inbound":
        return Parties("inbound", caller, called)
    if direction == "outbound":
        if is_extension(caller, connection) or _is_login(caller):
            return Parties("outbound", called, None, phone_address(caller))
        return Parties("outbound", called, caller)
    return Parties(None, None, None)


def _guessed(caller: str | None, called: str | None, connection: Connection) -> Direction | None:
    is_ours = (is_line(caller, connection), is_line(called, connection))
    if is_ours == (True, True):
        return "internal"
    if is_ours[1] or (called and is_extension(called, connection) and caller):
        return "inbound"
    if is_ours[0] or (caller and is_extension(caller, connection) and called):
        return "outbound"
    return None


def _may_be_of_a_town(number: str, connection: Connection) -> bool:
    """Of a call that the PBX says crossed its border: the short number may be one of a small town's, unless the admin
    said how long extensions are."""
    return len(number) > _LONGEST_OF_NO_TOWN and not connection.settings.get("extension_digits")


def is_line(number: str | None, connection: Connection) -> bool:
    """Is it one of our numbers, in any spelling?"""
    if not number:
        return False
    wanted = _comparable(number)
    return bool(wanted) and any(_comparable(line) == wanted for line in connection.lines)


def is_own_number(number: str | None, connection: Connection) -> bool:
    """Is it a number of an employee, as one dials it?"""
    wanted = _comparable(number or "")
    return len(wanted) >= _SUBSCRIBER_DIGITS and wanted in {
        _comparable(own) for own in connection.own_numbers
    }


def _is_login(caller: str | None) -> bool:
    """Of a call that goes out: a phone's name, not the number that it shows."""
    return bool(caller and caller != ANONYMOUS and not re.search(r"\d{7}", caller))


def _comparable(number: str) -> str:
    """Return the last ten digits: enough to recognise one of a handful of own numbers in any spelling."""
    return re.sub(r"\D", "", number)[-10:]
