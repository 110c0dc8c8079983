"""Copies of dialogues in the CRM: which note a message belongs to, when it is written, and what has changed in it. Pure.

A message belongs to one note: its own, or that of its hour or day, by the time at which it was written, whenever it comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

from routing.client import Ref
from routing.dialogues.rules import CopyRule

CopyMode = Literal["each", "hour", "day"]

CLOSES_AFTER = timedelta(minutes=2)
"""Some messages come a little late: so long a period is waited for after its end."""
GATHERS = timedelta(minutes=1)
"""What changes in a note that is written is gathered for so long: a change is one request, however many edits it holds."""
CHANGED_FOR = timedelta(days=30)
"""A note that is older is left as it is: what comes later becomes an addition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPeriod:
    """What one note holds: starts_at up to, and without, ends_at. Of one message both are its time."""

    mode: CopyMode
    starts_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        return self.mode == "each" or self.starts_at <= at < self.ends_at


def period_of(rule: CopyRule, at: datetime, zone: tzinfo) -> CopyPeriod | None:
    """Return where a message of that time belongs; None: it is copied nowhere. Hours and days are the zone's, and known by the
    moment at which they begin: an hour that the clocks repeat is two, and a day may have 23 or 25 hours."""
    if rule == "none":
        return None
    if rule == "each":
        return CopyPeriod(mode=rule, starts_at=at, ends_at=at)
    there = at.astimezone(zone)
    if rule == "hour":
        into = timedelta(minutes=there.minute, seconds=there.second, microseconds=there.microsecond)
        starts_at = at.astimezone(UTC) - into
        return CopyPeriod(mode=rule, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    today = there.date()
    return CopyPeriod(
        mode=rule, starts_at=_midnight(today, zone), ends_at=_midnight(today + timedelta(days=1), zone)
    )


def due_at(period: CopyPeriod, now: datetime, *, is_written: bool) -> datetime:
    """When a note is written, or written anew, of which something has become known now."""
    first = now + GATHERS if is_written else now
    return first if period.mode == "each" else max(period.ends_at + CLOSES_AFTER, first)


def is_changeable(written_at: datetime | None, now: datetime) -> bool:
    """Whether a note may still be written anew."""
    return written_at is None or now - written_at < CHANGED_FOR


def is_same_deal(one: Ref, other: Ref, made: dict[str, Ref]) -> bool:
    """Whether two name the same deal: one may still name the effect that has made it. made: by effect, what stands in the CRM."""
    return _known(one, made) == _known(other, made)


def _known(ref: Ref, made: dict[str, Ref]) -> tuple[str | None, str | None]:
    ref = made.get(ref.effect, ref) if ref.effect else ref
    return ref.id, ref.effect


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWriting:
    """One part of a copy that is to be written. number: from 1 on."""

    number: int
    text: str
    is_new: bool


def writings(known: Sequence[str], texts: Sequence[str], surplus: str) -> tuple[NoteWriting, ...]:
    """Return what differs from what was written. known: marks of the parts that stand there, by `mark_of`. surplus: the text of
    a part that has nothing left to hold, since notes are not deleted."""
    wanted = [*texts, *[surplus] * (len(known) - len(texts))]
    return tuple(
        NoteWriting(number=number, text=text, is_new=number > len(known))
        for number, text in enumerate(wanted, 1)
        if number > len(known) or known[number - 1] != mark_of(text)
    )


def note_key(copy_id: int, part: int) -> str:
    """Return the key of the effect that adds this part of a copy, for ever."""
    return f"copy:{copy_id}:{part}"


def change_key(copy_id: int, part: int, revision: int) -> str:
    """Return the key of the effect that writes this part anew."""
    return f"{note_key(copy_id, part)}:{revision}"


def mark_of(text: str) -> str:
    """Return by what a text is recognised without keeping it."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
