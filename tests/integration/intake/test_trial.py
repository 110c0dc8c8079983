"""A version on trial, through the real worker: a client's calls stay on one side, whatever happens to the trial meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from gateway.admin.matrix.trials import begin, compared, end
from gateway.decisions.recompute import recompute
from gateway.store.admin import matrices
from gateway.store.admin.matrices import MatrixStore
from gateway.store.decisions.decisions import decision
from routing.calls.model import Disposition, EventKind
from routing.matrix.actions import MakeNote
from routing.matrix.model import Matrix, MatrixTable
from routing.matrix.presets import recommended
from routing.matrix.versions.trial import Trial, side_of
from tests.integration.intake.office import ACCOUNT, LINE, START, Office, a_call, an_event, an_office, as_json

SECOND_LINE = "+74951230001"
HALF = Trial(2, percent=50)
PEOPLE = [f"+791612345{n:02}" for n in range(40)]
INSIDE = next(c for c in PEOPLE if side_of(HALF, ACCOUNT, c, LINE).is_on_trial)
OUTSIDE = next(c for c in PEOPLE if not side_of(HALF, ACCOUNT, c, LINE).is_on_trial)


def with_note() -> Matrix:
    """The recommended matrix; a missed call leaves a note besides."""
    table = recommended().tables["default"]
    cells = {
        cell: (*actions, MakeNote(text="trial")) if cell.startswith("inbound.missed.") else actions
        for cell, actions in table.cells.items()
    }
    return recommended().model_copy(update={"tables": {"default": MatrixTable(name=table.name, cells=cells)}})


@pytest.fixture
async def office(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    made = await an_office(pool, database_url, matrices=MatrixStore())
    await pool.execute("UPDATE connection SET lines = $1", [LINE, SECOND_LINE])
    made.inbox.start()
    await made.start()
    yield made
    await made.stop()
    await made.inbox.stop()


async def begun(office: Office, **part: Any) -> None:
    async with office.pool.acquire() as conn:
        seen = await matrices.draft(conn, ACCOUNT)
        await matrices.save_draft(conn, ACCOUNT, with_note(), revision=seen.revision, by="anna")
        part = {"percent": None, "line": None, **part}
        done = await begin(conn, ACCOUNT, **part, revision=None, by="anna", why="проверка")
    assert (done.version, done.trial) == (2, None)
    await office.pool.execute("UPDATE matrix_trial SET begun_at = $1", START)


async def ended(office: Office, outcome: Any) -> None:
    async with office.pool.acquire() as conn:
        await end(conn, ACCOUNT, outcome=outcome, by="anna", why="проверено")


async def versions(office: Office) -> dict[str, int]:
    return {c["call_key"]: c["matrix_version"] for c in await office.rows("SELECT * FROM call")}


async def test_a_share_of_clients_meets_the_trial_on_every_call_and_is_named_in_the_trace(
    office: Office,
) -> None:
    await begun(office, percent=50)
    for client, name in ((INSIDE, "in"), (OUTSIDE, "out")):
        await office.tell_all(a_call(f"{name}1", client=client))
    await office.settle()
    office.clock.forward(minutes=5)
    later = START + timedelta(minutes=5)
    for client, name in ((INSIDE, "in"), (OUTSIDE, "out")):
        await office.tell_all(a_call(f"{name}2", client=client, at=later, answered_by="101"))
    await office.settle()

    assert await versions(office) == {"in1": 2, "in2": 2, "out1": 1, "out2": 1}
    assert [e["client"] for e in await office.effects("add_note") if e["ordered"]["text"] == "trial"] == [
        INSIDE
    ]
    async with office.pool.acquire() as conn:
        for key, because in (("in1", "on_trial_share"), ("out1", "not_on_trial_share")):
            stored = await decision(conn, ACCOUNT, (await office.call(key))["moments"]["missed"])
            assert (stored.steps[0]["because"], stored.steps[0]["facts"]["percent"]) == (because, 50)
            assert (await recompute(conn, MatrixStore(), stored)).is_same
        found = await compared(conn, ACCOUNT)
    assert found is not None
    on_trial, published = found.figures.on_trial, found.figures.published
    assert (on_trial.calls, on_trial.clients, on_trial.answered, on_trial.missed) == (2, 1, 1, 1)
    assert (published.calls, published.waiting.get("add_note")) == (2, None)
    assert on_trial.waiting["add_note"] == 1


async def test_a_call_keeps_its_side_to_its_end_when_the_trial_is_taken_back_or_published(
    office: Office,
) -> None:
    await begun(office, percent=50)
    await office.tell(an_event(EventKind.STARTED, "running", client=INSIDE))
    await office.idle()
    await ended(office, "taken_back")
    await office.tell(
        an_event(
            EventKind.ENDED,
            "running",
            client=INSIDE,
            cause=Disposition.NO_ANSWER,
            at=START + timedelta(seconds=20),
        )
    )
    await office.settle()
    await office.tell_all(a_call("after", client=INSIDE, at=START + timedelta(minutes=1)))
    await office.settle()
    assert await versions(office) == {"running": 2, "after": 1}
    assert (await office.call("after"))["trial"] is None
    call_id = (await office.call("running"))["call_id"]
    [of_matrix] = await office.rows(
        "SELECT steps FROM decision WHERE call_id = $1 AND reason = 'ordered'", call_id
    )
    assert as_json(of_matrix["steps"])[0]["because"] == "on_trial_share"


async def test_who_called_the_line_on_trial_in_vain_stays_on_its_side_on_another_line(office: Office) -> None:
    await begun(office, line="8 (495) 123-00-00")
    await office.tell_all(a_call("first", client=INSIDE))
    await office.settle()
    await office.tell_all(
        [
            e.model_copy(update={"line": SECOND_LINE})
            for e in a_call("again", client=INSIDE, at=START + timedelta(minutes=1))
        ]
    )
    await office.tell_all(
        [
            e.model_copy(update={"line": SECOND_LINE})
            for e in a_call("other", client=OUTSIDE, at=START + timedelta(minutes=1))
        ]
    )
    await office.settle()
    assert await versions(office) == {"first": 2, "again": 2, "other": 1}
    assert ((await office.call("again"))["trial"]["because"]) == "case"
    assert len(await office.cases()) == 2

    await ended(office, "published")
    await office.tell_all(a_call("new", client=OUTSIDE, at=START + timedelta(minutes=2)))
    await office.settle()
    assert (await versions(office))["new"] == 2
    async with office.pool.acquire() as conn:
        assert await matrices.current_version(conn, ACCOUNT) == 2
        assert not (await matrices.draft(conn, ACCOUNT)).is_changed
