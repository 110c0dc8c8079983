"""Who could take a call that goes out, and who of them is free now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.outbound.around import CallingAccount
from gateway.store.distribution.turns import turns_now
from gateway.store.outbound.items import OutboundItem
from gateway.store.outbound.known import called_lately
from routing.dialable import is_extension
from routing.distribution.decide import ladder
from routing.distribution.item import WorkItem
from routing.distribution.roster import roster_of
from routing.outbound.dialling import KeptBy
from routing.staff import Employee
from runtime.database.pool import Conn

GROUP = "group:"
"""Before the number of a group that the PBX itself rings, where else an employee's id stands."""

_LATELY = timedelta(days=1)


class Takers(NamedTuple):
    """people: ids of employees who could take it at all, or one `group:<number>`. free: those who can now, whom to ask first
    first. kept: what keeps each of the others."""

    people: tuple[str, ...]
    free: tuple[str, ...]
    kept: Mapping[str, KeptBy]


async def takers_of(
    conn: Conn,
    around: CallingAccount,
    item: OutboundItem,
    owner_id: str | None,
    busy: frozenset[str],
    now: datetime,
) -> Takers:
    """owner_id: CRM user whose deal it is. busy: addresses in use."""
    target = item.target or {"kind": "responsible"}
    pbx = around.pbxs.get(item.connection or "")
    if target["kind"] == "group" and pbx is not None and pbx.originator.skills.takes_group:
        group = f"{GROUP}{target['group']}"
        return Takers((group,), (group,), {})
    if target["kind"] == "template":
        people, order = await _of_template(conn, around, str(target["name"]), now)
    else:
        people = order = _people(around, target, owner_id)
    kept = {id: _kept_by(around, around.staff.by_id[id], busy, now) for id in people}
    free = [id for id in order if kept[id] is None]
    others: dict[str, KeptBy] = {id: by or "no_turn" for id, by in kept.items() if id not in free}
    return Takers(tuple(people), tuple(await _in_turn(conn, around, free, now)), others)


def _people(around: CallingAccount, target: object, owner_id: str | None) -> list[str]:
    assert isinstance(target, dict)
    match target["kind"]:
        case "employee":
            found: Iterable[Employee | None] = [around.staff.by_id.get(target["employee_id"])]
        case "group":
            found = [p for p in around.staff.employees if p.group == target["group"]]
        case _:
            found = [around.staff.by_crm_user.get(owner_id or "")]
    return [p.id for p in found if p is not None and p.is_active and extension_of(p)]


async def _of_template(
    conn: Conn, around: CallingAccount, name: str, now: datetime
) -> tuple[list[str], Sequence[str]]:
    """Return everybody of the template who can be rung at all, and those whom it would give something now, in its order."""
    turns = (await turns_now(conn, around.id, [name], around.staff, now)).get(name)
    if turns is None:
        return [], ()
    roster = roster_of(turns.template, around.staff)
    everybody = [person.id for person in around.staff.employees]
    standings = around.at_work.counted(around.id, turns, everybody, now)
    item = WorkItem(kind="ring", id="", entered_at=now)
    order = ladder(roster, item, turns.ledgers, standings, now, around.zone)
    people = [id for id in dict.fromkeys((*roster.people, *order)) if extension_of(around.staff.by_id[id])]
    return people, [id for id in order if id in people]


def _kept_by(around: CallingAccount, person: Employee, busy: frozenset[str], now: datetime) -> KeptBy | None:
    """By every address: whoever shares a phone with somebody who talks cannot be rung either."""
    if {*person.extensions, *person.sip, *person.numbers} & busy or _is_named(around, person, busy):
        return "in_call"
    if around.at_work.is_on_shift(around.id, person.id, now) is False:
        return "off_shift"
    return None if around.at_work.presence_of(around.id).can_be_rung(person.id) else "not_there"


def _is_named(around: CallingAccount, person: Employee, busy: frozenset[str]) -> bool:
    return any(found is person for address in busy if (found := around.staff.employee_at(address)))


def extension_of(person: Employee) -> str | None:
    """Return what is rung for them; None: a call of ours cannot reach them."""
    return next((address for address in person.extensions if is_extension(address)), None)


async def _in_turn(conn: Conn, around: CallingAccount, free: list[str], now: datetime) -> list[str]:
    """Put first whoever was rung longest ago, so that one person does not get all; who just failed to take it is asked last.
    Of equals the order stays."""
    if len(free) < 2:
        return free
    latest = await called_lately(conn, around.id, free, now - _LATELY)
    return sorted(free, key=lambda id: latest[id].timestamp() if id in latest else 0.0)
