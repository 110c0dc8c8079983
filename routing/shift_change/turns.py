"""When deals of a person are moved or come back, and when a move is broken off. Asked again and again; it keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from routing.shift_change.policy import ShiftPolicy

RunKind = Literal["away", "new", "return"]


class OnShift(NamedTuple):
    """A person. is_off, is_on: neither = nobody knows, then nothing is moved from them and nothing comes back. since: when it
    became so."""

    is_on: bool
    is_off: bool
    since: datetime


class MoveRun(NamedTuple):
    """A move of one person's deals. is_by_hand: a person ordered it, so that presence does not break it off."""

    id: int
    kind: RunKind
    employee_id: str
    started_at: datetime
    is_open: bool
    is_by_hand: bool = False


class Begin(NamedTuple):
    """since: only deals that were made in that second or later, None = all."""

    kind: RunKind
    employee_id: str
    since: datetime | None = None


class BreakOff(NamedTuple):
    run_id: int
    reason: Literal["came_back", "left_again", "switched_off"]


ShiftTurn = Begin | BreakOff
WhyNot = Literal["waits", "too_soon", "nobody_left", "new_only", "moved"]


def turns(
    policy: ShiftPolicy,
    people: Mapping[str, OnShift],
    members: Sequence[str],
    receivers: Iterable[str],
    runs: Sequence[MoveRun],
    now: datetime,
) -> list[ShiftTurn]:
    """Return what is to be begun or broken off now.

    members: employee ids whose deals move. receivers: who may get any by the template, on shift or not. runs: open ones, and the
    latest ended ones of each person.
    """
    if not policy.is_on:
        return [BreakOff(run.id, "switched_off") for run in runs if run.is_open and not run.is_by_hand]
    found: list[ShiftTurn] = list(_broken_off(people, runs))
    busy = {run.employee_id for run in runs if run.is_open}
    left = [one for one in receivers if not (one in people and people[one].is_off)]
    for one in members:
        person = people.get(one)
        if person is None or one in busy:
            continue
        theirs = [run for run in runs if run.employee_id == one]
        if person.is_off and any(other != one for other in left):
            found += _leaving(policy, one, person, theirs, now)
        elif person.is_on and has_lasted(policy, person, now) and policy.returns != "off":
            found += [Begin("return", one)] if _is_owed(theirs, person) else []
    return found


def has_lasted(policy: ShiftPolicy, person: OnShift, now: datetime) -> bool:
    return now >= person.since + timedelta(seconds=policy.wait_seconds)


def why_not_away(
    policy: ShiftPolicy, person: OnShift, runs: Iterable[MoveRun], now: datetime
) -> WhyNot | None:
    """Why all deals of who is offline are not moved now, None = they are. runs: theirs."""
    if policy.new_only:
        return "new_only"
    if not has_lasted(policy, person, now):
        return "waits"
    mass = [run.started_at for run in runs if run.kind == "away"]
    if mass and max(mass) >= person.since:
        return "moved"
    if mass and now < max(mass) + timedelta(minutes=policy.pause_minutes):
        return "too_soon"
    return None


def _leaving(
    policy: ShiftPolicy, one: str, person: OnShift, runs: Sequence[MoveRun], now: datetime
) -> list[ShiftTurn]:
    reason = why_not_away(policy, person, runs, now)
    if reason is None:
        return [Begin("away", one)]
    if reason == "waits":
        return []
    since = person.since.replace(microsecond=0)  # a CRM tells whole seconds of when a deal was made
    return [Begin("new", one, since)] if has_lasted(policy, person, now) else []


def _is_owed(runs: Iterable[MoveRun], person: OnShift) -> bool:
    """Whether they came back after something was taken, and nothing was given back since they came."""
    taken = [run.started_at for run in runs if run.kind != "return"]
    returned = [run.started_at for run in runs if run.kind == "return"]
    has_come_since = bool(taken) and person.since >= max(taken)
    return has_come_since and not any(at >= person.since for at in returned)


def _broken_off(people: Mapping[str, OnShift], runs: Iterable[MoveRun]) -> Iterable[BreakOff]:
    for run in runs:
        person = people.get(run.employee_id)
        if not run.is_open or run.is_by_hand or person is None:
            continue
        if run.kind == "return" and person.is_off:
            yield BreakOff(run.id, "left_again")
        elif run.kind != "return" and person.is_on:
            yield BreakOff(run.id, "came_back")
