"""What an attempt came to: its end, what becomes of its item, of the pace and of the PBX, in one transaction and once."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from gateway.outbound.around import CallingAccount
from gateway.outbound.ending import end_with_effects
from gateway.outbound.facts import next_number
from gateway.store.campaigns.turns import terms_of
from gateway.store.outbound.attempts import AttemptRow, attempt_of, save_attempt
from gateway.store.outbound.connections import set_away, stop_connection
from gateway.store.outbound.items import OutboundItem, lock, put_back
from gateway.store.outbound.pace import HeldPace, give_back, hold_pace, slow_down
from routing.outbound.attempts import AttemptOutcome, AttemptState, ended
from routing.outbound.retries import (
    AfterAttempt,
    AttemptTries,
    RetryTable,
    after_attempt,
    with_try,
    without_clients,
)
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

_SLOW_FOR = timedelta(minutes=5)


async def settle(
    conn: Conn,
    around: CallingAccount,
    known: AttemptRow,
    outcome: AttemptOutcome,
    now: datetime,
    *,
    call_key: str | None = None,
    code: str = "",
    only_if: AttemptState | None = None,
) -> bool:
    """Write it down; False: it was known before, or is less sure than what is known. code: of a refusal, ours. only_if: the state
    in which it must still be.

    The order in which everybody takes them: the pace, the item, the attempt.
    """
    async with conn.transaction():
        pace = await hold_pace(conn, around.id)
        item = await lock(conn, around.id, known.item_id)
        row = await attempt_of(conn, around.id, known.attempt_id, lock=True)
        if pace is None or item is None or row is None:
            return False
        if only_if is not None and row.state != only_if:
            return False
        attempt = ended(row.attempt, outcome)
        if row.state == "over" and attempt.outcome == row.attempt.outcome:
            return False
        assert attempt.outcome is not None
        await save_attempt(conn, row, attempt, now, call_key=call_key)
        if attempt.outcome.side == "refused":
            await give_back(conn, around.id, row.claimed_at)
        await _item(conn, around, pace, item, row, attempt.outcome, now, code)
    log.info(
        "outbound-attempt-over",
        account=around.id,
        attempt=row.attempt_id,
        item=item.item_id,
        side=attempt.outcome.side,
        reason=attempt.outcome.reason,
    )
    return True


async def _item(
    conn: Conn,
    around: CallingAccount,
    pace: HeldPace,
    item: OutboundItem,
    row: AttemptRow,
    outcome: AttemptOutcome,
    now: datetime,
    code: str,
) -> None:
    tries = AttemptTries(by_rule=item.counters)
    after = after_attempt(
        outcome, await _retries(conn, pace, item), tries, is_withdrawn=row.withdrawn_at is not None
    )
    if after.stops_connection and await stop_connection(
        conn, around.id, row.connection, now, code or outcome.reason, outcome.raw
    ):
        log.error("outbound-connection-stopped", account=around.id, connection=row.connection, code=code)
    if outcome.reason == "pbx_away":
        await set_away(conn, around.id, row.connection, now + after.after, code, outcome.raw)
    if after.slower:
        await slow_down(conn, around.id, now + _SLOW_FOR)
    if item.state == "unknown":
        await _told_late(conn, around, item, after, now)
    elif item.state == "dialling":
        await _under_way(conn, around, item, tries, after, now)


async def _retries(conn: Conn, pace: HeldPace, item: OutboundItem) -> RetryTable:
    """Return the campaign's own where it is of one."""
    terms = await terms_of(conn, item.account_id, item.campaign) if item.campaign else None
    return terms.retries if terms else pace.settings.outbound.retries


async def _under_way(
    conn: Conn,
    around: CallingAccount,
    item: OutboundItem,
    tries: AttemptTries,
    after: AfterAttempt,
    now: datetime,
) -> None:
    match after.do:
        case "succeed":
            await end_with_effects(conn, around.staff, item, "succeeded", "talked", now)
        case "ask":
            await end_with_effects(conn, around.staff, item, "unknown", "never_heard_of", now)
        case "fail":
            await _given_up(conn, around, item, tries, after, now)
        case "retry":
            await _again(conn, around, item, tries, after, now)


async def _again(
    conn: Conn,
    around: CallingAccount,
    item: OutboundItem,
    tries: AttemptTries,
    after: AfterAttempt,
    now: datetime,
) -> None:
    """Put it back; where its time is over before the next try, nobody waits for that."""
    again_at = now + after.after
    is_counted = after.counts_against != "nobody"
    if is_counted and item.expires_at is not None and again_at >= item.expires_at:
        await _given_up(conn, around, item, tries, after, now)
        return
    counters = with_try(tries, after.rule).by_rule if is_counted else tries.by_rule
    await put_back(conn, item, again_at, after.rule, counters)


async def _given_up(
    conn: Conn,
    around: CallingAccount,
    item: OutboundItem,
    tries: AttemptTries,
    after: AfterAttempt,
    now: datetime,
) -> None:
    """Go on with the contact's next number, with tries of its own; with none left, or no time, the item has failed."""
    has_time = item.expires_at is None or now < item.expires_at
    if after.counts_against == "client" and has_time and (number := await next_number(conn, around, item)):
        await put_back(conn, item, now, after.rule, without_clients(tries).by_rule, client=number)
        return
    await end_with_effects(conn, around.staff, item, "failed", after.rule, now)


async def _told_late(
    conn: Conn, around: CallingAccount, item: OutboundItem, after: AfterAttempt, now: datetime
) -> None:
    """Settle what nobody knew. It is not tried again by itself: a person was told of it."""
    if after.do == "succeed":
        await end_with_effects(conn, around.staff, item, "succeeded", "talked", now)
    elif after.do != "ask":
        await end_with_effects(conn, around.staff, item, "failed", after.rule, now)


async def settle_by_person(
    conn: Conn, around: CallingAccount, item_id: str, now: datetime, *, is_reached: bool
) -> bool:
    """Take a person's word for an item of which nobody knows; False: it is none."""
    async with conn.transaction():
        item = await lock(conn, around.id, item_id)
        if item is None or item.state != "unknown":
            return False
        if is_reached:
            return await end_with_effects(conn, around.staff, item, "succeeded", "reached_says_person", now)
        return await end_with_effects(conn, around.staff, item, "failed", "not_reached_says_person", now)
