"""Whoever placed a call is gone: what became of it is found out or stays unknown, and nothing is ever placed twice."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.outbound.claim import claim
from gateway.pbx.capabilities import CannotTell, FindResult, Live, NotSeen, Over, PlaceUnknown
from gateway.store.outbound.attempts import AttemptRow, begin_placing
from routing.calls.model import Disposition, FailedSide
from routing.outbound.attempts import AttemptOutcome
from tests.integration.outbound.calling_office import ACCOUNT, MINUTE, SECOND, CallingOffice


async def _claimed(office: CallingOffice) -> AttemptRow:
    """As a worker that is killed right after it has committed."""
    await office.deal()
    await office.item()
    async with office.pool.acquire() as conn:
        claimed = await claim(conn, office.around, office.now)
    assert claimed.attempt is not None
    return claimed.attempt


async def _begun(office: CallingOffice) -> AttemptRow:
    """As a worker that is killed right before or right after its request."""
    attempt = await _claimed(office)
    async with office.pool.acquire() as conn:
        assert await begin_placing(
            conn, attempt, office.now, look_at=office.now + MINUTE, claimed_after=office.now - MINUTE
        )
    return attempt


async def test_case_17_what_was_claimed_and_never_begun_waits_again_and_its_worker_may_not_begin_it(
    pool: asyncpg.Pool,
) -> None:
    office = await CallingOffice(pool).open(rate=1)
    attempt = await _claimed(office)
    await office.run(after=59 * SECOND)
    assert (office.pbx.orders, office.pbx.asked, await office.state()) == ([], [], "dialling dial")
    await office.run(after=SECOND)
    assert await office.attempts() == [
        "+79161234567 over refused never_sent",
        "+79161234567 placing",
    ], "nothing was sent, so nothing is counted"
    async with pool.acquire() as conn:
        late = await begin_placing(
            conn, attempt, office.now, look_at=office.now, claimed_after=office.now - 5 * MINUTE
        )
    assert not late, "the worker that was only slow has lost it"
    assert [order.attempt_id for order in office.pbx.orders] != [attempt.attempt_id]


async def test_what_was_claimed_long_ago_is_not_begun_any_more(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    attempt = await _claimed(office)
    office.now += 6 * SECOND
    dialler = office.dialler()
    await dialler._placer.place(office.around, attempt, office.snapshot.accounts[ACCOUNT].settings.outbound)
    assert office.pbx.orders == []


@pytest.mark.parametrize(
    ("found", "after", "state"),
    [
        (CannotTell("-"), 3 * MINUTE, "unknown never_heard_of"),
        (NotSeen(), 11 * MINUTE, "unknown never_heard_of"),
        (NotSeen(), 9 * MINUTE, "dialling dial"),
        (Live("talking"), 60 * MINUTE, "dialling dial"),
        (Over(AttemptOutcome(side="talked", reason="talked")), MINUTE, "succeeded talked"),
        (Over(AttemptOutcome(side="client", reason="bad_number")), MINUTE, "failed bad_number"),
    ],
)
async def test_case_17_what_was_begun_is_looked_for_and_never_repeated(
    pool: asyncpg.Pool, found: FindResult, after: object, state: str
) -> None:
    office = await CallingOffice(pool).open()
    attempt = await _begun(office)
    office.pbx.found = found
    end = office.now + after  # type: ignore[operator]
    while office.now < end:
        await office.run(after=MINUTE)
    assert (await office.state(), office.pbx.orders) == (state, [])
    assert set(office.pbx.asked) == {attempt.attempt_id}
    assert len(office.pbx.asked) <= 61
    if state.startswith("unknown"):
        assert await office.effects() == []


async def test_case_32_a_call_that_is_told_late_settles_what_nobody_knew(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    office.pbx.answer = lambda order: PlaceUnknown("no answer")
    await office.deal()
    await office.item()
    await office.run()
    for _ in range(4):
        await office.run(after=MINUTE)
    assert await office.state() == "unknown never_heard_of"
    await office.told(office.latest, Disposition.NO_ANSWER, FailedSide.CLIENT_NOT_REACHED)
    await office.run(after=MINUTE)
    await office.run(after=MINUTE)
    assert await office.state() == "failed client_no_answer"
    assert (len(office.pbx.orders), len(await office.effects())) == (1, 1)


async def test_case_29_a_call_heard_before_the_answer_to_the_order_counts(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    attempt = await _begun(office)
    await office.told(attempt.attempt_id, Disposition.ANSWERED)
    await office.run(after=SECOND)
    assert await office.state() == "succeeded talked"
    assert office.pbx.asked == []
