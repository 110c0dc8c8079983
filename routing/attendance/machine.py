"""ON -> silent for long: ASKED -> no answer: OFF; any sign -> ON. Pure; `now` is an argument.

Sources have a rank: button and end of shift > the phone's do-not-disturb > activity (CRM, calls) > the open page. What a
person or the schedule closed is opened again by a person or the schedule only; the page alone keeps nobody at work once
it is gone. Signs come late, twice and in any order: what counts is the newest of each source.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from routing.attendance.model import (
    REASON_OF_SIGN,
    Attendance,
    AttendanceReason,
    Dnd,
    PresenceQuestion,
    Sign,
    marked,
)
from routing.settings import PresencePolicy

_ACTIVITY = frozenset({"crm", "calls", "page"})


def first_seen(now: datetime) -> Attendance:
    """Return what is known of somebody of whom nothing was heard: from now on silence counts."""
    return Attendance(since=now)


def notice(attendance: Attendance, sign: Sign, policy: PresencePolicy, now: datetime) -> Attendance:
    """Take in a sign of life. From a clock that is ahead of ours it is of now."""
    at = min(sign.at, now)
    known = attendance.signs.get(sign.source)
    if not _counts(sign.source, policy) or (known is not None and at <= known):
        return attendance
    lifts = _lifts(attendance, at, policy, now)
    after = replace(attendance, signs={**attendance.signs, sign.source: at})
    if not lifts:
        return after
    return marked(
        after, "on", sign.source, REASON_OF_SIGN[sign.source], at if attendance.mark == "off" else now
    )


def _counts(source: str, policy: PresencePolicy) -> bool:
    return source == "button" or source in policy.sources


def _lifts(attendance: Attendance, at: datetime, policy: PresencePolicy, now: datetime) -> bool:
    if attendance.mark == "on" or attendance.hold is not None:
        return False
    if attendance.deaf_until is not None and at <= attendance.deaf_until:
        return False
    if policy.idle_minutes is None:
        return attendance.mark != "off" or at > attendance.since
    return now - at < timedelta(minutes=policy.idle_minutes)


def switch(attendance: Attendance, is_on: bool, by: str, now: datetime) -> Attendance:
    """Start or stop the counter, for its owner or somebody who may. Pressed twice it is pressed once."""
    if not is_on:
        if attendance.hold == "button":
            return attendance
        return replace(
            marked(attendance, "off", "button", AttendanceReason.SWITCHED_OFF, now, by), hold="button"
        )
    return _pressed(attendance, AttendanceReason.SWITCHED_ON, by, now)


def _pressed(attendance: Attendance, reason: AttendanceReason, by: str, now: datetime) -> Attendance:
    dnd: Dnd = "no" if attendance.dnd == "no" else "overruled"
    known = attendance.signs.get("button", now)
    after = replace(attendance, dnd=dnd, signs={**attendance.signs, "button": max(known, now)})
    return after if attendance.mark == "on" else marked(after, "on", "button", reason, now, by)


def answer(attendance: Attendance, asked_at: datetime, is_here: bool, by: str, now: datetime) -> Attendance:
    """Take the answer to the question of `asked_at`. One that comes too late brings back who is there; to a question that
    was settled otherwise it changes nothing."""
    question = attendance.question
    if question is None or question.asked_at != asked_at:
        return attendance
    if is_here:
        return _pressed(attendance, AttendanceReason.ANSWERED, by, now)
    return replace(marked(attendance, "off", "button", AttendanceReason.SAID_NO, now, by), hold="button")


def see_shift(
    attendance: Attendance, is_on: bool | None, policy: PresencePolicy, now: datetime
) -> Attendance:
    """Take in what the schedule says. The end of a shift closes; its beginning opens nothing, it lets signs count again,
    also of who pressed the button in the shift before. is_on: None = no schedule says anything."""
    told = is_on if "schedule" in policy.sources else None
    before = attendance.on_shift
    after = replace(attendance, on_shift=told)
    if told is False and before is not False:
        return _closed(after, has_ended=before is True, now=now)
    if told is True and before is False and attendance.hold is not None:
        return replace(marked(after, "off", "schedule", AttendanceReason.NOT_SEEN_YET, now), deaf_until=now)
    if told is None and attendance.hold == "schedule":
        return marked(after, "unknown", "none", AttendanceReason.NOT_SEEN_YET, now)
    return after


def _closed(attendance: Attendance, *, has_ended: bool, now: datetime) -> Attendance:
    if attendance.hold == "button":
        return attendance
    reason = AttendanceReason.SHIFT_ENDED if has_ended else AttendanceReason.OFF_SHIFT
    return replace(marked(attendance, "off", "schedule", reason, now), hold="schedule")


def see_dnd(attendance: Attendance, is_dnd: bool, policy: PresencePolicy) -> Attendance:
    """Take in what the phone says. Told again it is no news: who has overruled it goes on."""
    if not is_dnd or "pbx" not in policy.sources:
        return replace(attendance, dnd="no")
    return replace(attendance, dnd="yes") if attendance.dnd == "no" else attendance


def see_call(attendance: Attendance, is_in_call: bool, policy: PresencePolicy, now: datetime) -> Attendance:
    """Whoever talks is there, and so is whoever has just hung up."""
    if "calls" not in policy.sources:
        return replace(attendance, is_in_call=False)
    talked = attendance.is_in_call
    after = replace(attendance, is_in_call=is_in_call)
    return notice(after, Sign("calls", now), policy, now) if is_in_call or talked else after


def see_pages(attendance: Attendance, are_gone: bool, policy: PresencePolicy) -> Attendance:
    """are_gone: there were open pages, and none has been heard for a while."""
    return replace(attendance, has_page_gone=are_gone and "page" in policy.sources)


def judge(
    attendance: Attendance, now: datetime, policy: PresencePolicy, *, is_trusted: bool = True
) -> Attendance:
    """Return what the time alone makes of it: the question after a silence, off after the question.

    is_trusted: signs would have been heard. While they would not, nobody is asked and nobody is taken off.
    """
    if not is_trusted or attendance.is_in_call:
        return attendance
    if attendance.mark == "asked":
        question = attendance.question
        if question is None or now < question.answer_by:
            return attendance
        off = marked(attendance, "off", "idle", AttendanceReason.NO_ANSWER, now)
        return replace(off, question=question)
    reason = _silence(attendance, now, policy)
    if attendance.mark == "off" or reason is None:
        return attendance
    asked = marked(attendance, "asked", "idle", reason, now)
    return replace(asked, question=PresenceQuestion(now, now + timedelta(seconds=policy.answer_seconds)))


def _silence(attendance: Attendance, now: datetime, policy: PresencePolicy) -> AttendanceReason | None:
    """Why it is time to ask. A page that is gone proves nothing any more, so that of others something must be known."""
    if policy.idle_minutes is None or not _ACTIVITY.intersection(policy.sources):
        return None
    idle = timedelta(minutes=policy.idle_minutes)
    signs = [at for source, at in attendance.signs.items() if _counts(source, policy)]
    if now - max(signs, default=attendance.since) >= idle:
        return AttendanceReason.SILENT
    if not attendance.has_page_gone:
        return None
    others = [at for source, at in attendance.signs.items() if source != "page" and _counts(source, policy)]
    is_alone = (
        "page" in attendance.signs and now - max(others, default=attendance.signs["page"] - idle) >= idle
    )
    return AttendanceReason.PAGE_GONE if is_alone else None
