"""Times as PBXs write them, read into aware UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid

# The first that fits counts: with slashes the day stands first, except where only the American order gives a date.
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%Y.%m.%d")
_CLOCKS = ("%H:%M:%S", "%H:%M")
_AMERICAN = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%Y-%m-%d %I:%M:%S %p", "%d.%m.%Y %I:%M:%S %p")
_FORMS = (*_AMERICAN, *(f"{date} {clock}" for date in _DATES for clock in _CLOCKS))
_YEARS = range(2000, 2100)
_AHEAD = timedelta(days=1)
_CLOCKS_DIFFER = timedelta(minutes=5)


def zone_of(connection: Connection) -> tzinfo:
    """Return the zone in which the PBX writes times without one: setting `time_zone`, UTC when it is absent or unknown."""
    try:
        return ZoneInfo(str(connection.settings.get("time_zone", "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def from_epoch(seconds: float, field: str) -> datetime:
    """Unix seconds; milli- and microseconds are recognised by their size. Raises WireInvalid."""
    while abs(seconds) > 10**11:
        seconds /= 1000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as err:
        raise WireInvalid(field, "is not a Unix time") from err


def read_time(text: str, field: str, zone: tzinfo | None, received_at: datetime | None = None) -> datetime:
    """Unix time (seconds, milliseconds), ISO 8601, RFC 2822, or a date in one of the orders in use with a clock of 24 or
    12 hours. zone: counts where none is written; None = then it must be written. received_at: tells which of two is meant
    in the hour that comes twice when clocks are put back: the latest that had come.

    Raises WireInvalid, also for a year in which nobody called.
    """
    at = _from_digits(text, field) or _written(text)
    if at is None:
        raise WireInvalid(field, "is not a time that a PBX writes, such as 2026-11-21 10:00:00")
    if at.tzinfo is None and zone is None:
        raise WireInvalid(
            field, "must tell its offset from UTC (Z or +03:00), or the connection its time_zone"
        )
    try:
        at = (at if at.tzinfo else _in_zone(at, zone, received_at)).astimezone(UTC)
    except OverflowError as err:
        raise WireInvalid(field, "is out of range") from err
    if at.year not in _YEARS:
        raise WireInvalid(field, "is out of range")
    return at


def _in_zone(at: datetime, zone: tzinfo | None, received_at: datetime | None) -> datetime:
    first, second = (at.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    is_twice = second.astimezone(UTC) > first.astimezone(UTC)
    has_come = received_at is not None and second.astimezone(UTC) <= received_at + _CLOCKS_DIFFER
    return second if is_twice and has_come else first


def not_ahead(at: datetime, received_at: datetime | None, field: str) -> datetime:
    """Return the same time. Raises WireInvalid where it had not come yet when it was told."""
    if received_at is not None and at > received_at + _AHEAD:
        raise WireInvalid(field, "lies in the future")
    return at


def _from_digits(text: str, field: str) -> datetime | None:
    if not (text.isascii() and text.replace(".", "", 1).isdigit()):
        return None
    if re.fullmatch(r"20\d{12}", text):  # 20261121100000
        return _in_form(text, "%Y%m%d%H%M%S")
    return from_epoch(float(text), field)


def _written(text: str) -> datetime | None:
    # A `+` that arrived as a space.
    text = re.sub(r"(T[\d:.]+) (\d\d:?\d\d)$", r"\1+\2", text, flags=re.IGNORECASE)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    found = next((at for form in _FORMS if (at := _in_form(text, form))), None)
    if found is not None:
        return found
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _in_form(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 (the zone is put in by the caller)
    except ValueError:
        return None
