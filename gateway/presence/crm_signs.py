"""Which doings in the CRM show that an employee is at work. Pure.

Not everything that carries a person's id is that person's: what we wrote ourselves, what another program writes with their
key, and what one press of a button does to five hundred deals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crm.doings import CrmDoing, DoingKind
from gateway.store.presence.watches import OwnWrite

OWN_WRITE_SECONDS = 60
"""So far the CRM's time of a change may lie from ours of the effect that made it."""

_CREATING = frozenset({"create_contact", "create_deal", "create_lead"})
_MADE_BY: Mapping[DoingKind, frozenset[str]] = {
    "noted": frozenset({"add_note", "change_note", "attach_call", "create_lead"}),
    "task_added": frozenset({"create_task"}),
    "task_changed": frozenset({"change_task", "create_task"}),
    "task_completed": frozenset({"change_task"}),
    "moved": frozenset({"update_entity", "create_deal", "create_lead"}),
    "changed": frozenset({"update_entity"}) | _CREATING,
    "tagged": frozenset({"update_entity"}) | _CREATING,
    "linked": frozenset({"update_entity", "attach_call"}) | _CREATING,
}
"""By which effects of ours such a doing may have come about."""

_SECOND = timedelta(seconds=1)


def ours_left_out(doings: Iterable[CrmDoing], writes: Sequence[OwnWrite]) -> list[CrmDoing]:
    """Return those that no effect of ours explains: the same thing, done to the same, within a minute. Times by our clock."""
    return [one for one in doings if not any(_explains(write, one) for write in writes)]


def _explains(write: OwnWrite, doing: CrmDoing) -> bool:
    return (
        write.what in _MADE_BY.get(doing.kind, frozenset())
        and doing.entity_id in write.ids
        and abs(write.at - doing.at) <= timedelta(seconds=OWN_WRITE_SECONDS)
    )


def by_our_clock(doings: Iterable[CrmDoing], offset_seconds: float | None) -> list[CrmDoing]:
    """offset_seconds: the CRM's clock minus ours, None = not known."""
    offset = timedelta(seconds=offset_seconds or 0.0)
    return [replace(one, at=one.at - offset) for one in doings]


def signs_of(doings: Iterable[CrmDoing], integrations: Collection[str], burst: int) -> dict[str, datetime]:
    """Return when each CRM user was last seen doing something. burst: more of one kind in a second are one action, which
    was begun by hand and runs on by itself, however long."""
    rows: dict[tuple[str, DoingKind], list[datetime]] = {}
    for one in {doing.id: doing for doing in doings}.values():
        if one.by_user is not None and one.by_user not in integrations:
            rows.setdefault((one.by_user, one.kind), []).append(one.at)
    found: dict[str, datetime] = {}
    for (user, _), times in rows.items():
        at = _latest(sorted(times), burst)
        found[user] = max(at, found.get(user, at))
    return found


def _latest(times: Sequence[datetime], burst: int) -> datetime:
    """Return the latest action's beginning. times: in order, of one person and kind."""
    runs: list[list[datetime]] = []
    for at in times:
        if runs and at - runs[-1][-1] <= _SECOND:
            runs[-1].append(at)
        else:
            runs.append([at])
    latest = runs[-1]
    return latest[0] if _is_bulk(latest, burst) else latest[-1]


def _is_bulk(run: Sequence[datetime], burst: int) -> bool:
    """More within some second than a hand does. run: without a longer pause than a second."""
    return any(run[place + burst] - run[place] < _SECOND for place in range(len(run) - burst))
