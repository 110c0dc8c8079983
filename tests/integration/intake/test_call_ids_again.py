"""A PBX gives an id again: each call is its own, whatever order its messages come in."""

from __future__ import annotations

import random
import string
from collections import Counter
from datetime import timedelta

import pytest

from gateway.pbx.port import MessageUnstorable
from gateway.store.admin import accounts
from routing.calls.model import CallEvent, EventKind
from tests.integration.intake.office import ACCOUNT, CLIENT, LINE, START, Office, a_call, an_event

OTHER, THIRD = "+79160002002", "+79160004004"
_CALLS = "SELECT client, started_at, disposition FROM call ORDER BY started_at, client"


async def test_the_id_of_a_missed_call_of_another_client_is_a_call_of_its_own(office: Office) -> None:
    await office.tell_all(a_call("17"))
    await office.settle()
    office.clock.forward(minutes=1)
    await office.tell_all(a_call("17", at=office.clock(), client=OTHER))
    await office.settle()
    assert {c["client"] for c in await office.cases()} == {CLIENT, OTHER}
    assert len(await office.rows(_CALLS)) == 2
    assert await office.rows("SELECT 1 FROM inbox WHERE state <> 'applied'") == []


async def test_both_told_before_a_worker_looks_are_two_calls_all_the_same(office: Office) -> None:
    await office.stop()
    events = [*a_call("17"), *a_call("17", at=START + timedelta(minutes=1), client=OTHER)]
    for event in reversed(events):
        await office.tell(event)
    await office.start()
    await office.settle(seconds=100)
    assert {c["client"] for c in await office.cases()} == {CLIENT, OTHER}


@pytest.mark.parametrize("seed", range(4))
async def test_a_counter_that_begins_anew_each_day_on_two_connections(office: Office, seed: int) -> None:
    """Ids 1 to 3 on each of three days, everything doubled and shuffled within its day."""
    async with office.pool.acquire() as conn:
        second = await accounts.add_connection(
            conn, account_id=ACCOUNT, name="second", kind="generic", secret="demo", lines=(LINE,)
        )
    first, dice = office.connection, random.Random(seed)
    numbers = [CLIENT, OTHER, "+79160003003"]
    expected: Counter[tuple[str, str]] = Counter()
    for day in range(3):
        office.clock.now = START + timedelta(days=day, minutes=30)
        told: list[tuple[bool, CallEvent]] = []
        for is_second in (False, True):
            for key in range(1, 4):
                client, answered = dice.choice(numbers), dice.random() < 0.5
                at = START + timedelta(days=day, minutes=5 * key + is_second)
                told += [
                    (is_second, e)
                    for e in a_call(str(key), at=at, client=client, answered_by="101" if answered else None)
                ]
                expected[client, "answered" if answered else "no_answer"] += 1
        told = told * 2
        dice.shuffle(told)
        for is_second, event in told:
            office.connection = second if is_second else first
            await office.tell(event, copy=str(dice.random()) if dice.random() < 0.3 else "")
        await office.settle()
    found = Counter((c["client"], c["disposition"]) for c in await office.rows(_CALLS))
    assert found == expected
    assert await office.rows("SELECT 1 FROM inbox WHERE state <> 'applied'") == []


async def test_a_link_that_comes_late_is_of_the_latest_call(office: Office) -> None:
    await office.tell_all(a_call("17", answered_by="101"))
    await office.settle()
    office.clock.forward(days=1)
    await office.tell_all(a_call("17", at=office.clock(), client=OTHER, answered_by="101"))
    await office.settle()
    await office.tell(
        an_event(EventKind.RECORDING, key="17", at=office.clock(), client=None, recording="https://pbx/2")
    )
    await office.settle()
    rows = await office.rows("SELECT client FROM call WHERE facts->>'recording' IS NOT NULL")
    assert rows == [{"client": OTHER}]


async def test_a_repeated_start_and_a_late_end_are_of_the_same_call(office: Office) -> None:
    started, answered, ended = a_call("17", answered_by="101")
    await office.tell_all([started, answered, ended])
    await office.settle()
    await office.tell(started, copy="again")
    office.clock.forward(hours=5)
    await office.tell(replace_at(ended, hours=5))
    await office.settle()
    assert len(await office.rows(_CALLS)) == 1


@pytest.mark.parametrize("spoilt", ["q␟99999999999999999999", "␟"])
async def test_our_own_mark_in_an_id_of_a_pbx_is_a_letter_like_others(office: Office, spoilt: str) -> None:
    await office.tell_all(a_call(spoilt))
    await office.tell_all(a_call("q", client=OTHER))
    await office.settle()
    await office.tell_all(a_call("q", at=office.clock(), client=THIRD))
    await office.settle()
    assert {c["client"] for c in await office.cases()} == {CLIENT, OTHER, THIRD}
    assert await office.rows("SELECT 1 FROM inbox WHERE state <> 'applied'") == []
    (kept,) = await office.rows("SELECT call_key FROM call WHERE client = $1", CLIENT)
    assert kept["call_key"] == spoilt.replace("␟", "\ufffd241F")


@pytest.mark.parametrize("spoilt", ["q␟99999999999999999999", "q␟abc"])
async def test_an_id_with_our_mark_that_was_kept_earlier_stops_no_client(office: Office, spoilt: str) -> None:
    await office.stop()
    await office.tell_all(a_call("kept"))
    await office.pool.execute(
        "UPDATE inbox SET call_key = $1, events = jsonb_set(events, '{0,call_key}', to_jsonb($1::text))",
        spoilt,
    )
    await office.tell_all(a_call("q", client=OTHER))
    await office.tell_all(a_call("q", at=START + timedelta(minutes=1), client=THIRD))
    await office.start()
    await office.settle(seconds=100)
    assert {c["client"] for c in await office.cases()} >= {OTHER, THIRD}
    assert await office.rows("SELECT 1 FROM inbox WHERE state = 'pending'") == []


async def test_an_id_that_cannot_be_told_apart_stands_on_the_desk_and_its_client_goes_on(
    office: Office,
) -> None:
    """One so long that it fits its index, but not once it is numbered."""
    longest = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=2720))
    while True:
        try:
            await office.tell_all(a_call(longest))
            break
        except MessageUnstorable:
            longest = longest[:-1]
    await office.settle()
    await office.tell_all(a_call(longest, at=office.clock(), client=OTHER))
    await office.tell_all(a_call("fresh", at=office.clock(), client=OTHER))
    await office.settle()
    assert {c["client"] for c in await office.cases()} == {CLIENT, OTHER}
    left = await office.rows("SELECT DISTINCT client, state, error FROM inbox WHERE state <> 'applied'")
    assert [(row["client"], row["state"]) for row in left] == [(OTHER, "dead")]
    assert left[0]["error"].startswith("event-unprocessable: ProgramLimitExceededError")


def replace_at(event: CallEvent, **later: float) -> CallEvent:
    return event.model_copy(update={"at": event.at + timedelta(**later)})
