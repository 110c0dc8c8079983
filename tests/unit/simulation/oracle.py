"""What the CRM must hold when a simulated world has come to rest, against what it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from routing.client_work.call import call_id_of
from routing.orders import CREATING
from tests.chaos.facts import CallFacts
from tests.chaos.oracle import expected, is_known, note_counts
from tests.unit.simulation.more_traffic import TALKED
from tests.unit.simulation.office import ACCOUNT
from tests.unit.simulation.world import SENIORS, STAFF, World

_APART = timedelta(seconds=6)
"""Calls that are further apart than this cannot overtake each other: longer than the settle time."""


def id_of(facts: CallFacts) -> str:
    """Our id of the call."""
    return call_id_of(ACCOUNT, facts.call.connection, facts.call.key)


def violations(world: World) -> list[str]:
    """What the oracle says against what the CRM has; empty when all is well."""
    found = []
    for number, wanted in expected(world.facts).items():
        contacts = [c for c in world.crm.all("contact") if number in c.numbers]
        ids = {c.id for c in contacts}
        deals = [d for d in world.crm.all("deal") if ids & set(d.contact_ids)]
        places = ids | {d.id for d in deals}
        tasks = [
            t
            for t in world.crm.all_tasks()
            if t.target_id in places and not t.is_completed and t.text.startswith("Перезвонить")
        ]
        least, most = open_tasks(wanted.calls)
        if len(contacts) != wanted.contacts or len(deals) != wanted.new_deals:
            found.append(f"{number}: {len(contacts)} contacts, {len(deals)} deals; expected {wanted}")
        if not least <= len(tasks) <= most:
            found.append(f"{number}: {len(tasks)} open tasks, expected {least}…{most}")
    return [
        *found,
        *_notes(world),
        *_recordings(world),
        *_lost_hangups(world),
        *_waiting_longest(world),
        *_claimed_twice(world),
        *left_over(world),
    ]


def open_tasks(ordered: Sequence[CallFacts]) -> tuple[int, int]:
    """(least, most): one while the last who called in vain was not talked to since. ordered: as they were first told."""
    if not any(c.is_missed for c in ordered):
        return 0, 0
    if not all(c.is_plain for c in ordered) or not _are_apart(ordered):
        return 0, 1
    last = next(c for c in reversed(ordered) if c.is_missed or c.is_answered)
    return (1, 1) if last.is_missed else (0, 0)


def _are_apart(ordered: Sequence[CallFacts]) -> bool:
    spans = [(min(e.at for e in c.events), max(e.at for e in c.events)) for c in ordered]
    return all(begins - ended > _APART for (_, ended), (begins, _) in pairwise(spans))


def _notes(world: World) -> list[str]:
    written = Counter(note.uniq for note in world.crm.all_notes() if note.uniq)
    found = []
    for one in world.facts:
        if one.call.number is None:
            continue
        least, most = note_counts(one, one.call.number)
        if not least <= written[id_of(one)] <= most:
            found.append(f"call {one.call.key}: {written[id_of(one)]} notes, expected {least}…{most}")
        is_traced = id_of(one) in world.office.in_cases | world.office.reached_already
        if one.is_missed and (one.has_ended or "legs" in one.call.spoilt) and not is_traced:
            found.append(f"missed call {one.call.key} left no case")
    return found


def left_over(world: World) -> list[str]:
    """Every effect is done, on the desk or not needed; everything created stands for exactly one of them."""
    found = [
        f"effect {key} is {row.state} ({row.code})"
        for key, row in world.effects.rows.items()
        if row.state not in ("done", "skipped")
    ]
    made = {
        "create_task": [t.id for t in world.crm.all_tasks()],
        "attach_call": [n.id for n in world.crm.all_notes() if n.uniq],
    }
    for what, ids in made.items():
        claimed = [
            r.crm_id for r in world.effects.rows.values() if r.effect.order.do == what and r.state == "done"
        ]
        if sorted(ids) != sorted(i for i in claimed if i):
            found.append(f"{what}: {sorted(ids)} in the CRM, {claimed} of effects")
    return found


def _recordings(world: World) -> list[str]:
    """Every link that was told of a call in the CRM stands there: in its note or beside it."""
    orders = {order.uniq: order for order in world.crm.calls.values()}
    texts = [note.text or "" for note in world.crm.all_notes()]
    found = []
    for one in world.facts:
        links = {e.event.fields["recording"] for e in one.events if e.event.name == "recording"}
        order = orders.get(id_of(one))
        for link in links if order else ():
            if (order and order.recording) != link and not any(link in text for text in texts):
                found.append(f"call {one.call.key}: nobody finds the recording {link}")
    return found


def _lost_hangups(world: World) -> list[str]:
    """Where the legs are known to have left, the talk's length is known too."""
    found = []
    orders = {order.uniq: order for order in world.crm.calls.values()}
    for one in world.facts:
        row = world.office.calls.get(id_of(one))
        if "legs" not in one.call.spoilt or row is None:
            continue
        order = orders.get(row.call_id)
        if row.call.is_end_lost or not row.call.is_over:
            found.append(f"call {one.call.key}: its legs left, its end is not known")
        if one.is_answered and (order is None or order.talk_seconds != TALKED):
            found.append(f"call {one.call.key}: {order and order.talk_seconds} s of talk, expected {TALKED}")
    return found


def _waiting_longest(world: World) -> list[str]:
    """Nobody was reached for as long as it takes: the next senior manager has the task in the CRM, if there is a next."""
    people = [STAFF.by_id[id].crm_user_id for id in SENIORS]
    tasks = {task.id: task for task in world.crm.all_tasks()}
    found = []
    for case in world.office.open_cases.values():
        row = world.effects.rows.get(case.task_key)
        task = tasks.get(row.crm_id or "") if row else None
        owner = task.owner_id if task else None
        if owner not in people or (case.escalations != 1 and owner != people[-1]):
            found.append(f"case of {case.client}: waits with {owner}, {case.escalations} escalations")
    return found


def violations_of_waiting(world: World) -> list[str]:
    """Under a matrix that waits for another integration: a note where its entities came in time, else nothing."""
    written = Counter(note.uniq for note in world.crm.all_notes() if note.uniq)
    found = []
    for one in world.facts:
        number = one.call.number
        if number is None or not (one.is_plain and one.has_ended):
            continue
        has_entities = is_known(number) or number in world.arrivals
        if written[id_of(one)] != has_entities:
            found.append(f"call {one.call.key}: {written[id_of(one)]} notes, entities came: {has_entities}")
    return found + left_over(world)


def _claimed_twice(world: World) -> list[str]:
    """Nothing is ordered twice, not even where the CRM's writer finds that it is there already."""
    claims = Counter(
        (row.effect.order.do, row.crm_id)
        for row in world.effects.rows.values()
        if row.state == "done" and row.crm_id and row.effect.order.do in CREATING
    )
    return [f"{do} {id} was ordered {times} times" for (do, id), times in claims.items() if times > 1]
