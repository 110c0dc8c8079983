"""One look at an employee: everything that is seen of them at a moment, taken in together. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routing.attendance.machine import judge, notice, see_call, see_dnd, see_pages, see_shift
from routing.attendance.model import Attendance, Sign
from routing.settings import PresencePolicy

_WORTH_KEEPING = timedelta(seconds=20)
"""Of somebody who is seen all the time it is kept now and then that they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSeen:
    """on_shift: as the schedule says, None = nothing. signs: in any order."""

    on_shift: bool | None = None
    is_dnd: bool = False
    is_in_call: bool = False
    are_pages_gone: bool = False
    signs: tuple[Sign, ...] = ()


def look(
    attendance: Attendance, seen: PersonSeen, policy: PresencePolicy, now: datetime, *, is_trusted: bool
) -> Attendance:
    """Take it all in: the schedule first, which closes whatever else is seen; the time last, for a sign of this very look
    keeps from the question."""
    after = see_shift(attendance, seen.on_shift, policy, now)
    after = see_dnd(after, seen.is_dnd, policy)
    after = see_pages(after, seen.are_pages_gone, policy)
    for sign in seen.signs:
        after = notice(after, sign, policy, now)
    after = see_call(after, seen.is_in_call, policy, now)
    return judge(after, now, policy, is_trusted=is_trusted)


def is_worth_keeping(before: Attendance, after: Attendance) -> bool:
    """Whether it is more than the same person seen again a few seconds later."""
    if replace(after, signs=before.signs) != before:
        return True
    newer = (at - before.signs.get(source, at - _WORTH_KEEPING) for source, at in after.signs.items())
    return any(gain >= _WORTH_KEEPING for gain in newer)
