"""Who gets it, on a real Asterisk: owners who are off shift, talk or want no calls give way to a template; what a missed call
leaves goes to the one whose turn it is; and everybody who was considered is named."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from routing.matrix.actions import Attach, MakeContact, MakeDeal, MakeTask
from routing.matrix.model import Matrix, MatrixTable
from routing.matrix.presets import recommended
from tests.e2e.features.office import API
from tests.e2e.pbx.sip_phone import RINGS, Manner
from tests.e2e.pbx.stage import Stage, running_stage
from tests.e2e.stack import ACCOUNT
from tests.waiting import until

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="module")]

LINE = "74950000001"
OWNERS = {"79000000007": "108", "79000000004": "105"}
"""Contacts of the sample data, and whose they are."""
CONFIGURATION = {"queues.conf": "[sales]\nstrategy=ringall\nmember => PJSIP/105\nmember => PJSIP/103\n"}
DAY_AND_NIGHT = {str(day): "00:00-24:00" for day in range(1, 8)}
NEVER: dict[str, str] = {}
BY_SALES: Any = "template:sales"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("whogets")
    async with running_stage(postgres_url, template_database, folder, CONFIGURATION) as stage:
        await _set_up(stage)
        yield stage


async def _set_up(stage: Stage) -> None:
    """Two shifts, a template over three people of whom one is off, settings and a matrix: all of it through the API."""
    off = {"hours": NEVER}
    schedule = {"everybody": {"hours": DAY_AND_NIGHT}, "people": {"manager108": off, "manager101": off}}
    await _api(stage, "PUT", "/schedules/shifts", {"schedule": schedule})
    people = [{"employee_id": f"manager{n}"} for n in (101, 102, 103)]
    hours = {"mode": "individual", "schedule": "shifts", "wait": False}
    await _api(
        stage, "PUT", "/templates/sales", {"name": "sales", "employees": people, "working_time": hours}
    )
    settings = await _api(stage, "GET", "/settings")
    await _api(
        stage,
        "PUT",
        "/settings",
        {
            **settings,
            "lookup": {
                **settings["lookup"],
                "availability": "skip",
                "schedule": "shifts",
                "template": "sales",
            },
            "presence": {"is_on": True, "idle_minutes": None, "sources": ["pbx", "calls"]},
        },
    )
    await stage.crm.use(_by_template())


def _by_template() -> Matrix:
    table = recommended().tables["default"]
    missed = (
        MakeContact(responsible=BY_SALES),
        MakeDeal(responsible=BY_SALES),
        Attach(responsible=BY_SALES),
        MakeTask(text="Перезвонить", purpose="call_back", responsible=BY_SALES),
    )
    cells = {**table.cells, "inbound.missed.new/end": missed}
    return Matrix(version=1, tables={"default": MatrixTable(name="By turn", cells=cells)})


async def _api(stage: Stage, method: str, path: str, body: Any = None) -> Any:
    return await stage.office.stack.api(method, f"{API}{path}", body=body)


async def _explained(stage: Stage, of: str) -> str:
    """What `callmatrix explain` prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "explain", of),
        env={**os.environ, "CALLMATRIX_DATABASE_URL": stage.office.stack.database_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def _question(stage: Stage, client: str) -> str:
    """The decision by which the phone rang."""

    async def stored() -> list[Any]:
        found = await stage.office.stack.api(
            "GET", "/v1/decisions", account=ACCOUNT, client=f"+{client}", kind="lookup"
        )
        return list(found["items"])

    return str((await until(stored, "the question is stored"))[0]["decision_id"])


async def _would_ring(stage: Stage, client: str, *phones: str) -> None:
    """These, in whatever order their turns are."""

    async def is_so() -> bool:
        asked = await stage.office.stack.lookup(client, connection="asterisk")
        return {target["address"] for target in asked["targets"]} == set(phones)

    await until(is_so, f"{client} would ring {phones}", seconds=20)


async def _presence(stage: Stage, extension: str, state: str) -> None:
    async def is_so() -> bool:
        told = await _api(stage, "GET", f"/employees/manager{extension}/presence")
        return bool(told["state"] == state)

    await until(is_so, f"manager{extension} is {state}", seconds=20)


async def _rings(stage: Stage, client: str) -> str:
    """The only phone that rings; it takes the call."""
    stage.phones.behave({})
    caller = await stage.phones.call(client, LINE).until_up()
    await asyncio.sleep(0.5)
    await caller.hang_up()
    (rung,) = {talk.user for talk in stage.phones.talks if talk.invite is not None}
    return rung


async def test_a_phone_whose_owner_is_off_shift_gives_way_to_the_template(stage: Stage) -> None:
    client, owner = "79000000007", "108"
    await _would_ring(stage, client, "102", "103")
    assert await _rings(stage, client) == "102"
    told = await _explained(stage, await _question(stage, client))
    for person in (owner, "101", "102", "103"):
        assert f"manager{person}" in told or f"Менеджер {person}" in told, (person, told)
    assert "off_shift" in told or "смен" in told, told


async def test_what_a_missed_call_leaves_goes_by_turn_and_names_whoever_was_considered(stage: Stage) -> None:
    stage.phones.behave(dict.fromkeys(("100", "101", "102", "103"), RINGS))
    got: list[int] = []
    for _ in range(2):
        client = stage.client()
        caller = stage.phones.call(client, LINE)
        await stage.phones.rung("100")  # nobody owns the client: the recipe's reserve
        await asyncio.sleep(1)
        caller.give_up()
        call = await stage.missed(client)
        left = await stage.crm.left(client)
        owners = {row["responsible_user_id"] for row in (*left.contacts, *left.deals, *left.tasks)}
        assert len(owners) == 1, left
        got += owners
        stage.phones.talks.clear()
        told = await _explained(stage, call["call_id"])
        for person in ("101", "102", "103"):
            assert f"manager{person}" in told or f"Менеджер {person}" in told, (person, told)
    assert sorted(got) == sorted([stage.crm.user(102), stage.crm.user(103)]), (
        "one each: whoever is off shift got none"
    )


async def test_phones_of_asterisk_say_who_talks_and_who_wants_no_calls(stage: Stage) -> None:
    client, owner = "79000000004", "105"
    asterisk = stage.office.asterisk
    await _would_ring(stage, client, owner)
    asterisk.cli(f"devstate change Custom:DND{owner} BUSY")
    await _presence(stage, owner, "dnd")
    await _would_ring(stage, client, "102", "103")
    assert await _rings(stage, client) in ("102", "103")
    asterisk.cli(f"devstate change Custom:DND{owner} NOT_INUSE")
    await _would_ring(stage, client, owner)
    asterisk.cli(f"queue pause member PJSIP/{owner} queue sales")
    await _presence(stage, owner, "dnd")
    asterisk.cli(f"queue unpause member PJSIP/{owner} queue sales")
    await _would_ring(stage, client, owner)
    stage.phones.behave({owner: Manner(0.1)})
    other = stage.phones.call("103", owner)
    await stage.phones.answered(owner)
    await _presence(stage, owner, "busy")
    await _would_ring(stage, client, "102", "103")
    await other.hang_up()
    await _presence(stage, owner, "available")
    await _would_ring(stage, client, owner)
