"""Moments and durations as people of a language write them. Every moment is aware; the zone is the account's."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.web.words.numbers import NBSP
from routing.texts.catalogue import Texts


def clock(at: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """14:32, with `seconds` 14:32:07."""
    return at.astimezone(zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def moment(at: datetime, now: datetime, zone: ZoneInfo, texts: Texts, *, seconds: bool = False) -> str:
    """Write 14:32 of today, "24 Nov, 14:32" of this year, "24 Nov 2025" of what is older; in Russian 24.11.2025."""
    there, here = at.astimezone(zone), now.astimezone(zone)
    if there.date() == here.date():
        return clock(at, zone, seconds=seconds)
    if there.year == here.year:
        return f"{day(there.date(), texts)}, {clock(at, zone, seconds=seconds)}"
    return day(there.date(), texts, with_year=True)


def exact(at: datetime, zone: ZoneInfo, texts: Texts) -> str:
    """Write the whole moment with its zone, for titles: "24 Nov 2026, 14:32:07 (Europe/Moscow), 11:32:07 UTC"."""
    there = at.astimezone(zone)
    utc = at.astimezone(ZoneInfo("UTC"))
    named = f"{there.day} {_month(there.month, texts)} {there.year}"
    return f"{named}, {there:%H:%M:%S} ({zone.key}), {utc:%H:%M:%S} UTC"


def dense(at: datetime, zone: ZoneInfo, texts: Texts) -> str:
    """For tables of several days: "24 Nov 14:32", in Russian 24.11 14:32."""
    there = at.astimezone(zone)
    if texts.language == "ru":
        return f"{there:%d.%m}{NBSP}{there:%H:%M}"
    return f"{there.day}{NBSP}{_month(there.month, texts)}{NBSP}{there:%H:%M}"


def day(when: date, texts: Texts, *, with_year: bool = False, with_weekday: bool = False) -> str:
    """Write "24 Nov", "24 Nov 2025", "Tuesday, 24 Nov"."""
    if with_year:
        return (
            f"{when:%d.%m.%Y}"
            if texts.language == "ru"
            else f"{when.day}{NBSP}{_month(when.month, texts)}{NBSP}{when.year}"
        )
    text = f"{when.day}{NBSP}{_month(when.month, texts)}"
    return f"{texts.say('words.weekdays').split()[when.weekday()]}, {text}" if with_weekday else text


def duration(seconds: float | timedelta, texts: Texts, *, has_days: bool = True) -> str:
    """Write 18 s, 3 min 19 s, 1 h 24 min, 2 d 3 h: the two greatest units. has_days: else 51 h."""
    left = round(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    sign, left = ("\u2212", -left) if left < 0 else ("", left)
    days, hours, minutes, rest = left // 86_400, left // 3600 % 24, left // 60 % 60, left % 60
    if not has_days:
        days, hours = 0, left // 3600
    parts = list(zip((days, hours, minutes, rest), texts.say("words.units").split(), strict=True))
    first = next((at for at, (figure, _) in enumerate(parts) if figure), 3)
    shown = [parts[first], *(part for part in parts[first + 1 : first + 2] if part[0])]
    return sign + " ".join(f"{figure}{NBSP}{unit}" for figure, unit in shown)


def running(seconds: float) -> str:
    """Of what still goes on: 2:47, 1:04:10."""
    left = max(0, int(seconds))
    hours, minutes, rest = left // 3600, left // 60 % 60, left % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ago(at: datetime, now: datetime, zone: ZoneInfo, texts: Texts) -> str:
    """Write "4 s ago" under an hour; else the moment itself."""
    passed = (now - at).total_seconds()
    if passed >= 3600 or passed < -60:
        return moment(at, now, zone, texts)
    if passed < 1:
        return texts.say("words.just_now")
    unit = passed if passed < 60 else passed // 60 * 60
    return texts.say("words.ago", passed=duration(unit, texts))


def _month(number: int, texts: Texts) -> str:
    return texts.say("words.months").split()[number - 1]
