"""A message that comes after those of its call were cleaned away changes nothing: alone it would be another call."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest

from gateway.store.intake import inbox
from routing.calls.model import Disposition, EventKind
from tests.integration.intake.office import START, Office, a_call, an_event

AFTERWARDS = START + timedelta(days=40)
LATE = (
    an_event(EventKind.STARTED),
    an_event(EventKind.ANSWERED, at=START + timedelta(seconds=5), party="102", leg="l2"),
    an_event(EventKind.ENDED, at=START + timedelta(seconds=20), cause=Disposition.NO_ANSWER),
    an_event(EventKind.ENDED, at=START + timedelta(minutes=9), cause=Disposition.BUSY),
)


@pytest.mark.parametrize("answered_by", ["101", None])
async def test_a_late_message_makes_no_other_call_of_one_whose_messages_are_gone(
    office: Office, answered_by: str | None
) -> None:
    await office.know_client()
    await office.tell_all(a_call(answered_by=answered_by))
    await office.settle()
    await office.sent()
    await office.pool.execute("UPDATE missed_case SET state = 'closed', closed_at = now()")
    before = [await office.call(), await office.cases(), await office.effects()]
    for late in (*((event,) for event in LATE), *combinations(LATE, 2)):
        async with office.pool.acquire() as conn:
            assert await inbox.delete_older_than(conn, AFTERWARDS) > 0
        for event in late:
            await office.tell(event, copy=f"late {late}")
            await (
                office.settle()
            )  # each is worked on by itself: what was left of the first is no message of the call
        assert [await office.call(), await office.cases(), await office.effects()] == before, late
        assert await office.rows("SELECT 1 FROM inbox WHERE state <> 'applied'") == []


async def test_a_late_message_of_a_call_whose_messages_are_kept_is_taken(office: Office) -> None:
    await office.know_client()
    await office.tell_all(a_call())
    await office.settle()
    await office.tell(LATE[1])
    await office.settle()
    assert (await office.call())["answered_at"] is not None
