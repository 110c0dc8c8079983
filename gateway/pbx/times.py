"""Times as PBXs write them, read into aware UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid

_FORMS = ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M")


def zone_of(connection: Connection) -> tzinfo:
    """The zone in which the PBX writes times without one: setting `time_zone`, UTC when it is absent or unknown."""
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


def read_time(text: str, field: str, zone: tzinfo) -> datetime:
    """Unix seconds, ISO 8601, `2026-11-21 10:00:00` or `21.11.2026 10:00:00`; zone counts where none is written.

    Raises WireInvalid.
    """
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return from_epoch(float(text), field)
    at = _parsed(text)
    if at is None:
        raise WireInvalid(field, "is not a time that this PBX writes, such as 2026-11-21 10:00:00")
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as err:
        raise WireInvalid(field, "is out of range") from err


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 (the zone is put in by the caller)
        except ValueError:
            continue
    return None
