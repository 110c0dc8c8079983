"""In which time zone a client may be, and how that is known."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import NumberParseException, PhoneNumberType, number_type, parse
from phonenumbers.timezone import time_zones_for_number

ZoneSource = Literal["field", "landline", "country", "account"]
"""field: the contact's or deal's own. landline: the number's area has one zone. country: all numbers of its country do. account:
nothing tells, and the account's own is taken."""

_UNKNOWN = ("Etc/Unknown",)


class ClientZone(NamedTuple):
    """zone: by which the client is called. candidates: every zone in which they may be; several where nothing tells where a
    mobile is."""

    zone: ZoneInfo
    source: ZoneSource
    candidates: tuple[ZoneInfo, ...]

    @property
    def is_certain(self) -> bool:
        return len(self.candidates) == 1


def client_zone(number: str, field: str | None, account_zone: ZoneInfo) -> ClientZone:
    """Return by whose clock a client lives. number: E.164. field: what stands in the field for the zone, e.g. "Asia/Omsk"; what is no zone counts as empty.

    A number that was ported or moved with its owner cannot be told from others.
    """
    if (own := _zone(field)) is not None:
        return ClientZone(own, "field", (own,))
    names, is_landline = _zones_of(number)
    zones = tuple(zone for name in names if (zone := _zone(name)) is not None)
    if len(zones) == 1:
        return ClientZone(zones[0], "landline" if is_landline else "country", zones)
    return ClientZone(account_zone, "account", zones or (account_zone,))


@lru_cache(maxsize=65536)
def _zones_of(number: str) -> tuple[tuple[str, ...], bool]:
    """Return the names of the zones, and whether the number stands in one place."""
    try:
        parsed = parse(number, None)
    except NumberParseException:
        return (), False
    names = time_zones_for_number(parsed)
    return (() if names == _UNKNOWN else names), number_type(parsed) == PhoneNumberType.FIXED_LINE


def _zone(name: str | None) -> ZoneInfo | None:
    if not name or not name.strip():
        return None
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
