"""The next call of an account: its item found, looked at, and its attempt written down, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from gateway.outbound.around import CallingAccount
from gateway.outbound.ending import end_with_effects
from gateway.outbound.facts import DialMoment, gather, moment_of
from gateway.outbound.people import GROUP, extension_of
from gateway.store.outbound import claiming as store
from gateway.store.outbound.attempts import AttemptRow, add_attempt
from gateway.store.outbound.items import OutboundItem
from gateway.store.outbound.pace import charge, hold_pace, pace_of
from routing.outbound.dialling import DialDecision, DialFacts, why_not
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

MOST_LOOKED_AT = 30
"""Of those that cannot be dialled now so many are passed over for one that can; the others come next time."""
MOST_PREPARED = 100
ASKED_AFTER = timedelta(seconds=60)
"""So long after it was claimed nobody works on an attempt any more: whoever did is gone."""

_LOOK_AGAIN = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(minutes=5)
"""What may change at any moment is not looked at less often."""


class ClaimedCall(NamedTuple):
    """attempt: None = nothing can be placed now. is_more: there may be others that can. wait: so long the pace lets none go, None =
    it stands in nobody's way."""

    attempt: AttemptRow | None = None
    is_more: bool = False
    wait: timedelta | None = None


def new_attempt_id() -> str:
    return str(uuid.uuid4())


async def claim(
    conn: Conn,
    around: CallingAccount,
    now: datetime,
    *,
    new_id: Callable[[], str] = new_attempt_id,
) -> ClaimedCall:
    """Claim the oldest item that can be dialled now. What it returns was committed: it is placed by whoever called, or by nobody."""
    async with conn.transaction():
        pace = await hold_pace(conn, around.id)
        if pace is None or not pace.is_on or pace.settings.outbound.rate <= 0:
            return ClaimedCall()
        moment = await moment_of(conn, around.id, pace, now)
        if moment.turn_at is None:
            return ClaimedCall()
        if moment.turn_at > now:
            return ClaimedCall(wait=moment.turn_at - now)
        return await _first(conn, around, moment, new_id)


async def _first(
    conn: Conn,
    around: CallingAccount,
    moment: DialMoment,
    new_id: Callable[[], str],
) -> ClaimedCall:
    """Most often the oldest can be dialled: the others are not held for it."""
    hopeless: set[str] = set()
    for most in (1, MOST_LOOKED_AT):
        items = await store.waiting_items(conn, around.id, moment.now, most)
        if attempt := await _first_of(conn, around, moment, items, hopeless, new_id):
            return ClaimedCall(attempt, is_more=True)
    return ClaimedCall(is_more=len(items) == MOST_LOOKED_AT)


async def _first_of(
    conn: Conn,
    around: CallingAccount,
    moment: DialMoment,
    items: Sequence[OutboundItem],
    hopeless: set[str],
    new_id: Callable[[], str],
) -> AttemptRow | None:
    """hopeless: targets of which nobody is free; it grows."""
    for item in items:
        if (target := _target(item)) in hopeless:
            await _waits(conn, item, "nobody_free", moment.now + _LOOK_AGAIN)
            continue
        facts = await gather(conn, around, moment, item)
        decision = why_not(facts)
        if decision.is_go:
            if attempt := await _begin(conn, around, moment, item, facts, decision, new_id()):
                return attempt
            await _waits(conn, item, "client_being_called", moment.now + _LOOK_AGAIN)
            continue
        if decision.reason == "nobody_free" and target is not None:
            hopeless.add(target)
        await _passed_over(conn, around, item, decision, moment.now)
    return None


def _target(item: OutboundItem) -> str | None:
    """Return what is the same for all items of this target; None where it hangs on the deal."""
    target = item.target or {}
    return (
        None if target.get("kind") in (None, "responsible") else f"{item.connection} {sorted(target.items())}"
    )


async def _begin(
    conn: Conn,
    around: CallingAccount,
    moment: DialMoment,
    item: OutboundItem,
    facts: DialFacts,
    decision: DialDecision,
    attempt_id: str,
) -> AttemptRow | None:
    """Write the attempt down, with the pace; None: somebody else calls this client or this employee."""
    assert facts.number is not None
    assert decision.employee is not None
    assert item.connection is not None
    is_group = decision.employee.startswith(GROUP)
    person = None if is_group else around.staff.by_id[decision.employee]
    attempt = AttemptRow(
        account_id=around.id,
        attempt_id=attempt_id,
        item_id=item.item_id,
        kind="campaign" if item.kind == "campaign" else "callback",
        client=facts.number,
        employee_id=person.id if person else None,
        extension=extension_of(person) if person else None,
        group_number=decision.employee.removeprefix(GROUP) if is_group else None,
        connection=item.connection,
        line=item.line,
        state="claimed",
        side=None,
        reason=None,
        raw="",
        claimed_at=moment.now,
        placed_at=None,
        over_at=None,
        call_key=None,
        look_at=moment.now + ASKED_AFTER,
        looks=0,
    )
    if not await add_attempt(conn, attempt):
        return None
    await store.dialling(conn, item, attempt.client, attempt.employee_id)
    await charge(conn, around.id, moment.now)
    return attempt


async def _passed_over(
    conn: Conn, around: CallingAccount, item: OutboundItem, decision: DialDecision, now: datetime
) -> None:
    if decision.end is None:
        again_at = min(decision.look_at or now + _LOOK_AGAIN, now + _LONGEST_PAUSE)
        await _waits(conn, item, decision.reason, again_at)
        return
    state = "expired" if decision.reason == "expired" else decision.end
    await end_with_effects(conn, around.staff, item, state, decision.reason, now)
    log.info(
        "outbound-not-dialled", account=around.id, item=item.item_id, state=state, reason=decision.reason
    )


async def _waits(conn: Conn, item: OutboundItem, reason: str, again_at: datetime) -> None:
    await store.looked_at(conn, item.account_id, [item.item_id], reason, again_at)


async def prepare(conn: Conn, around: CallingAccount, now: datetime) -> int:
    """Find out of new items whom they are for and until when they wait, and end what waited too long; how many. Goes on while
    everything is paused."""
    async with conn.transaction():
        pace = await pace_of(conn, around.id)
        if pace is None or not pace.is_on:
            return 0
        moment = await moment_of(conn, around.id, pace, now)
        new = await store.unprepared_items(conn, around.id, MOST_PREPARED)
        for item in new:
            facts = await gather(conn, around, moment, item)
            if not facts.is_deal_read:
                continue
            await store.prepared(
                conn, item, facts.expires_at or facts.since + timedelta(days=1), facts.number
            )
        over = await store.expired_items(conn, around.id, now, MOST_PREPARED)
        for item in over:
            await end_with_effects(conn, around.staff, item, "expired", "expired", now)
        return len(new) + len(over)
