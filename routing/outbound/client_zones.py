"""In which time zone a client may be, and how that is known."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberType,
    number_type,
    parse,
    region_code_for_number,
)
from phonenumbers.timezone import time_zones_for_number

ZoneSource = Literal["field", "landline", "country", "account", "several"]
"""field: the contact's or deal's own. landline: the number's area has one zone. country: all numbers of its kind do. account:
nothing tells, and the account's own is taken. several: nothing tells, and the account's own cannot be the client's."""

_UNKNOWN = ("Etc/Unknown",)
_KAZAKHSTAN = frozenset({"Asia/Almaty", "Asia/Aqtobe"})
"""phonenumbers counts all zones of country code 7 as those of any mobile of it."""
_TRUE_NAMES = {"Europe/Bucharest": "Europe/Kaliningrad"}
"""And calls this one by the name of another, which has summer time."""
_LISTED_AS = {
    **dict.fromkeys(("Europe/Kirov", "Europe/Simferopol", "Europe/Volgograd"), "Europe/Moscow"),
    **dict.fromkeys(("Europe/Astrakhan", "Europe/Saratov", "Europe/Ulyanovsk"), "Europe/Samara"),
    **dict.fromkeys(("Asia/Barnaul", "Asia/Novokuznetsk", "Asia/Tomsk"), "Asia/Krasnoyarsk"),
    **dict.fromkeys(("Asia/Chita", "Asia/Khandyga"), "Asia/Yakutsk"),
    **dict.fromkeys(("Australia/Hobart", "Australia/Melbourne"), "Australia/Sydney"),
    "Asia/Srednekolymsk": "Asia/Magadan",
    "Asia/Ust-Nera": "Asia/Vladivostok",
    "Australia/Broken_Hill": "Australia/Adelaide",
    "Australia/Darwin": "Australia/Adelaide",
}
"""Zones of a country that phonenumbers does not list among those of its mobiles, by the one that it lists."""

_SEASONS = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))


class ClientZone(NamedTuple):
    """zone: by which the client is called; one of several where the source says so. candidates: every zone in which they may
    be; several where nothing tells where a mobile is."""

    zone: ZoneInfo
    source: ZoneSource
    candidates: tuple[ZoneInfo, ...]

    @property
    def is_certain(self) -> bool:
        return len(self.candidates) == 1

    @property
    def is_guess(self) -> bool:
        """Whether `zone` is a fair guess or better: where it is not, all candidates count."""
        return self.source != "several"


def client_zone(number: str, field: str | None, account_zone: ZoneInfo) -> ClientZone:
    """Return by whose clock a client lives. number: E.164. field: what stands in the field for the zone, e.g. "Asia/Omsk"; what is no zone counts as empty.

    A number that was ported or moved with its owner cannot be told from others. The account's own zone is a fair guess for whom
    it is possible at all; a mobile from Sydney is not called by the clock of Moscow.
    """
    if (own := _zone(field)) is not None:
        return ClientZone(own, "field", (own,))
    names, is_landline = _zones_of(number)
    zones = tuple(zone for name in names if (zone := _zone(name)) is not None)
    if zones and all(_have_one_clock(zones[0], other) for other in zones[1:]):
        return ClientZone(zones[0], "landline" if is_landline else "country", zones[:1])
    if zones and _LISTED_AS.get(account_zone.key, account_zone.key) not in names:
        return ClientZone(zones[0], "several", zones)
    return ClientZone(account_zone, "account", zones or (account_zone,))


def _have_one_clock(one: ZoneInfo, other: ZoneInfo) -> bool:
    return all(at.astimezone(one).utcoffset() == at.astimezone(other).utcoffset() for at in _SEASONS)


@lru_cache(maxsize=65536)
def _zones_of(number: str) -> tuple[tuple[str, ...], bool]:
    """Return the names of the zones, and whether the number stands in one place."""
    try:
        parsed = parse(number, None)
    except NumberParseException:
        return (), False
    names = _of_country(parsed, time_zones_for_number(parsed))
    return (() if names == _UNKNOWN else names), number_type(parsed) == PhoneNumberType.FIXED_LINE


def _of_country(number: PhoneNumber, names: tuple[str, ...]) -> tuple[str, ...]:
    """Of country code 7, leave out what is of the other country."""
    if number.country_code != 7:
        return names
    is_kazakh = region_code_for_number(number) == "KZ"
    own = tuple(_TRUE_NAMES.get(name, name) for name in names if (name in _KAZAKHSTAN) is is_kazakh)
    return own or names


@lru_cache(maxsize=1024)  # ZoneInfo keeps eight, and reads the file of any other anew
def _zone(name: str | None) -> ZoneInfo | None:
    if not name or not name.strip():
        return None
    try:
        return ZoneInfo(name.strip())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
