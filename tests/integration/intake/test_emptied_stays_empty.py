"""What was emptied of a call stays empty, in whatever order messages come and clients are forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.admin.operations.desk import ignore_events
from gateway.admin.protection.forget_client import ClientBusy, forget_client
from gateway.calls.client_job import ClientJob
from gateway.store.admin.personal_data import client_data
from gateway.store.calls.calls import save_call, stored_calls
from gateway.worker.retention import emptiers
from routing.calls.model import CallEvent, Disposition, EventKind
from routing.matrix.presets import recommended
from routing.settings import PersonalDataPolicy
from tests.fakes.matrices import PublishedMatrix
from tests.integration.intake.office import ACCOUNT, CLIENT, START, Office, an_event, an_office

LINK = "https://pbx.example/secret-recording.wav"
UTM = "a-campaign"
_SECONDS = {
    "started": 0,
    "answered": 5,
    "ended": 60,
    "recording": 65,
    "nameless recording": 66,
    "summary": 70,
}


def _message(what: str) -> CallEvent:
    at = START + timedelta(seconds=_SECONDS[what])
    match what:
        case "started":
            return an_event(EventKind.STARTED, at=at, params={"utm": UTM})
        case "answered":
            return an_event(EventKind.ANSWERED, at=at, party="101", leg="l1")
        case "ended":
            return an_event(EventKind.ENDED, at=at, cause=Disposition.ANSWERED)
        case "summary":
            return an_event(EventKind.SUMMARY, at=at, talk_seconds=55, recording=LINK, params={"utm": UTM})
        case _:
            named = CLIENT if what == "recording" else None
            return an_event(EventKind.RECORDING, at=at, client=named, recording=LINK)


class Story:
    """One call of one client, worked on by the job itself."""

    def __init__(self, office: Office) -> None:
        self.office, self.pool = office, office.pool
        self.job = ClientJob(office.pool, PublishedMatrix(recommended()), now=office.clock)
        self.is_forgotten = False

    async def step(self, what: str, copy: str) -> None:
        if what == "forget":
            await self.forget()
        elif what == "retention":
            await self.retention()
        else:
            await self.office.tell(_message(what), copy=copy)
        await self.work()

    async def work(self) -> None:
        for key in (CLIENT, f"call:{self.office.connection.id}:c1", CLIENT):
            await self.job.run(ACCOUNT, key)

    async def sent(self) -> None:
        """All orders are carried out, and the client was reached."""
        await self.office.sent()
        await self.pool.execute("UPDATE missed_case SET state = 'closed', closed_at = now()")

    async def forget(self) -> None:
        await self.sent()
        async with self.pool.acquire() as conn:
            try:
                await forget_client(conn, ACCOUNT, CLIENT)
            except ClientBusy:
                return
        assert await self.left() == 0
        await self.look()

    async def retention(self) -> None:
        await self.sent()
        policy = PersonalDataPolicy(number_days=3, name_days=3, recording_days=3, param_days=3)
        async with self.pool.acquire() as conn:
            for empty in emptiers(ACCOUNT, policy, datetime.now(UTC) + timedelta(days=4)):
                await empty(conn)
        await self.look()

    async def look(self) -> None:
        gone = "SELECT count(*) FROM call WHERE emptied @> '{number,params,recordings}'"
        self.is_forgotten = bool(await self.pool.fetchval(gone))

    async def left(self) -> int:
        async with self.pool.acquire() as conn:
            kept = await client_data(conn, ACCOUNT, CLIENT)
        return kept.calls + kept.messages + kept.decisions + kept.effects + kept.cases

    async def dump(self) -> str:
        found = await self.pool.fetch(
            "SELECT c::text FROM call c UNION ALL SELECT d::text FROM decision d UNION ALL SELECT e::text FROM effect e"
            " UNION ALL SELECT m::text FROM missed_case m UNION ALL SELECT i::text || encode(i.raw, 'escape') FROM inbox i"
        )
        return "\n".join(row[0] for row in found)

    async def must_be_empty(self) -> None:
        kept = await self.dump()
        assert [line for line in kept.splitlines() if any(w in line for w in (CLIENT[1:], LINK, UTM))] == []


async def _a_story(office: Office) -> Story:
    for table in ("inbox", "call", "decision", "effect", "missed_case", "procrastinate_jobs"):
        await office.pool.execute(f"DELETE FROM {table}")
    office.clock.now = START + timedelta(minutes=5)
    return Story(office)


@pytest.fixture
async def idle_office(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    """Whose workers do nothing by themselves."""
    office = await an_office(pool, database_url)
    async with office.inbox:
        yield office


STEPS = st.lists(st.sampled_from([*_SECONDS, "forget", "retention"]), min_size=2, max_size=9)


@given(steps=STEPS)
@example(steps=["started", "ended", "forget", "recording", "forget"])
@example(steps=["started", "answered", "ended", "retention", "nameless recording", "summary"])
@example(steps=["nameless recording", "started", "ended", "forget", "answered", "retention"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_in_any_order_of_messages_and_forgettings_what_was_emptied_stays_empty(
    idle_office: Office, steps: list[str]
) -> None:
    story = await _a_story(idle_office)
    for place, what in enumerate(steps):
        await story.step(what, str(place))
        if story.is_forgotten:
            await story.must_be_empty()
    assert await idle_office.rows("SELECT 1 FROM inbox WHERE state <> 'applied'") == []
    idle_office.clock.forward(hours=3)  # a hangup that never came
    await story.work()
    await story.forget()
    assert await story.left() == 0
    kept = await story.dump()
    assert CLIENT not in kept
    calls = await idle_office.rows("SELECT is_over, due_at FROM call")
    assert calls == [{"is_over": True, "due_at": None}] * bool(set(steps) & set(_SECONDS))


async def _a_forgotten_call(office: Office) -> Story:
    story = await _a_story(office)
    for what in ("started", "answered", "ended", "forget"):
        await story.step(what, "")
    assert story.is_forgotten
    return story


async def test_a_late_message_orders_nothing_and_figures_stay(idle_office: Office) -> None:
    story = await _a_forgotten_call(idle_office)
    effects, before = await idle_office.effects(), await idle_office.call()
    await story.step("summary", "late")
    await story.must_be_empty()
    after = await idle_office.call()
    assert (after["disposition"], after["client"], after["moments"]) == ("answered", None, before["moments"])
    assert after["facts"]["talk_seconds"] == 55
    assert await idle_office.effects() == effects


async def test_a_link_whose_days_were_over_is_not_told_to_the_crm_when_it_comes_again(
    idle_office: Office,
) -> None:
    await idle_office.know_client()
    story = await _a_story(idle_office)
    for what in ("started", "answered", "ended"):
        await story.step(what, "")
    idle_office.clock.forward(minutes=1)
    await story.work()
    await story.sent()
    async with idle_office.pool.acquire() as conn:
        for empty in emptiers(ACCOUNT, PersonalDataPolicy(recording_days=3), datetime.now(UTC)):
            assert await empty(conn) == 1
    effects = await idle_office.effects()
    assert effects != []
    await story.step("recording", "late")
    assert await idle_office.effects() == effects
    assert LINK not in await story.dump()
    assert (await idle_office.call())["client"] == CLIENT


async def test_a_job_that_read_the_call_before_it_was_forgotten_brings_nothing_back(
    idle_office: Office,
) -> None:
    story = await _a_story(idle_office)
    for what in ("started", "answered", "summary", "ended"):
        await story.step(what, "")
    async with idle_office.pool.acquire() as conn:
        (read,) = (await stored_calls(conn, ACCOUNT, [(idle_office.connection.id, "c1")])).values()
        await story.forget()
        assert set(await save_call(conn, read)) == {"number", "params", "recordings"}
    await story.must_be_empty()


async def test_a_message_that_is_given_up_at_the_desk_is_emptied_as_its_call_was(idle_office: Office) -> None:
    story = await _a_forgotten_call(idle_office)
    await idle_office.tell(_message("nameless recording"))
    (event,) = await idle_office.rows(
        "UPDATE inbox SET state = 'dead' WHERE state = 'pending' RETURNING event_id"
    )
    async with idle_office.pool.acquire() as conn:
        assert await ignore_events(conn, ACCOUNT, [event["event_id"]], "of no use") == 1
    await story.must_be_empty()


async def test_a_client_of_whom_a_message_without_number_waits_is_not_forgotten_half(
    idle_office: Office,
) -> None:
    story = await _a_story(idle_office)
    for what in ("started", "ended"):
        await story.step(what, "")
    await story.sent()
    await idle_office.tell(_message("nameless recording"))
    before = await story.dump()
    async with idle_office.pool.acquire() as conn:
        with pytest.raises(ClientBusy):
            await forget_client(conn, ACCOUNT, CLIENT)
    assert await story.dump() == before
