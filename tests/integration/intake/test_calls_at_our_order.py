"""A call that the gateway ordered is no call of the client: it opens no missed-call case, and one of our own number is nobody's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from routing.calls.model import CallEvent, FailedSide
from tests.integration.intake.office import ACCOUNT, CLIENT, LINE, START, Office, a_call

ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"
SECOND = timedelta(seconds=1)


async def _order(office: Office, *, kind: str, placed_after: timedelta = -SECOND) -> None:
    """The gateway had asked this PBX to call the client."""
    await office.pool.execute("UPDATE connection SET kind = $1", kind)
    await office.pool.execute(
        "INSERT INTO outbound_item (account_id, item_id, kind, source, client, target, connection, priority, not_before,"
        """ created_at, "order") VALUES ($1, 'i1', 'callback', 'api', $2, '{}', 'pbx', 0, $3, $3, '{}')""",
        ACCOUNT,
        CLIENT,
        START,
    )
    await office.pool.execute(
        "INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, connection, claimed_at, placed_at,"
        " look_at) VALUES ($1, $2, 'i1', 'callback', $3, 'pbx', $4, $4, $4)",
        ACCOUNT,
        ATTEMPT,
        CLIENT,
        START + placed_after,
    )


def _callback(**fields: object) -> list[CallEvent]:
    told = {"is_callback": True, "failed_side": FailedSide.EMPLOYEE_NOT_REACHED, **fields}
    return [event.model_copy(update=told) for event in a_call()]


@pytest.mark.parametrize(
    ("kind", "placed_after", "direction"),
    [
        ("ringostat", -SECOND, "outbound"),
        ("ringostat", -89 * SECOND, "outbound"),
        ("ringostat", -5 * timedelta(minutes=1), "inbound"),
        ("ringostat", timedelta(minutes=1), "inbound"),
        ("generic", -SECOND, "inbound"),
    ],
)
async def test_a_call_back_that_was_ordered_without_an_id_is_not_the_clients(
    office: Office, kind: str, placed_after: timedelta, direction: str
) -> None:
    await office.know_client()
    await _order(office, kind=kind, placed_after=placed_after)
    await office.tell_all(_callback())
    await office.settle()
    assert (await office.call())["direction"] == direction
    assert len(await office.cases()) == (direction == "inbound")


async def test_a_call_that_carries_the_attempts_id_opens_no_case(office: Office) -> None:
    await office.know_client()
    await _order(office, kind="generic")
    await office.tell_all(_callback(attempt=ATTEMPT, direction="outbound"))
    await office.settle()
    assert await office.cases() == []
    assert (await office.call())["attempt_id"] == ATTEMPT


async def test_a_call_of_our_own_number_leaves_nothing(office: Office) -> None:
    events = [e.model_copy(update={"client": LINE, "attempt": ATTEMPT}) for e in a_call(direction="outbound")]
    await office.tell_all(events)
    await office.settle()
    assert (await office.whats(), await office.cases()) == ([], [])
    (decision,) = await office.rows("SELECT reason FROM decision")
    assert decision["reason"] == "own_number"
