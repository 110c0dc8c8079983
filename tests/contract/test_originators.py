"""What every PBX that calls at our order keeps to, whatever its protocol: nothing is ordered twice, and what is not known is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import aiohttp
import pytest

from gateway.pbx.capabilities import (
    Cancelled,
    CannotTell,
    Live,
    NotSeen,
    Over,
    Placed,
    PlaceOrder,
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.pbx.kinds import KINDS
from tests.contract.originators import ATTEMPT, STAGES, Scene, Stage

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ORDER = PlaceOrder(attempt_id=ATTEMPT, extension="101", number="+79161234567", line="+74951234567")
PORTLESS = {"ami_port": 9, "esl_port": 9}

# kind: knows_operator_side, is_cancellable, shows_line, takes_group, has_own_id
SKILLS = {
    "asterisk": (True, True, True, False, True),
    "freeswitch": (True, True, True, False, True),
    "mango": (True, True, True, True, True),
    "ringostat": (True, False, False, False, False),
    "generic": (True, True, True, True, True),
}
KIND = pytest.mark.parametrize("kind", STAGES)
THROTTLES = pytest.mark.parametrize("kind", ["mango", "ringostat", "generic"])


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def placed(session: aiohttp.ClientSession, stage: Stage, **changed: Any) -> object:
    return await stage.originator.place(session, stage.connection, replace(ORDER, **changed))


def test_every_kind_that_takes_orders_is_looked_at_here() -> None:
    able = {name for name, kind in KINDS.items() if "originator" in vars(type(kind))}
    assert able == STAGES.keys() == SKILLS.keys()


@KIND
async def test_its_skills_are_those_that_are_told(kind: str) -> None:
    async with STAGES[kind]("taken") as stage:
        skills = stage.originator.skills
        told = (skills.knows_operator_side, skills.is_cancellable, skills.shows_line)
        assert (*told, skills.takes_group, skills.has_own_id) == SKILLS[kind]
        assert isinstance(KINDS[kind].originator(stage.connection), type(stage.originator))
        assert KINDS[kind].orders_carry_ids is skills.has_own_id


@KIND
@pytest.mark.parametrize(
    ("scene", "becomes"),
    [("taken", Placed), ("silent", PlaceUnknown), ("cut", PlaceUnknown)],
)
async def test_what_was_read_is_placed_or_unknown_and_never_sent_again(
    session: aiohttp.ClientSession, kind: str, scene: Scene, becomes: type
) -> None:
    async with STAGES[kind](scene) as stage:
        assert isinstance(await placed(session, stage), becomes)
        assert stage.orders() == 1


@pytest.mark.parametrize("kind", ["ringostat", "generic"])
async def test_each_order_over_http_has_a_connection_of_its_own(
    session: aiohttp.ClientSession, kind: str
) -> None:
    """On one that is kept and just then closed, an order that was never read would count as unknown."""
    async with STAGES[kind]("taken") as stage:
        for _ in range(3):
            assert await placed(session, stage) == Placed()
        assert len(set(stage.connections)) == 3


@KIND
@pytest.mark.parametrize(("scene", "concerns"), [("wrong_key", "connection"), ("refused", "this_call")])
async def test_a_refusal_says_what_else_it_concerns(
    session: aiohttp.ClientSession, kind: str, scene: Scene, concerns: str
) -> None:
    async with STAGES[kind](scene) as stage:
        told = await placed(session, stage)
    assert isinstance(told, RefusedByPbx)
    assert told.concerns == concerns
    assert told.code
    assert told.words


@THROTTLES
async def test_too_many_at_once_is_a_limit(session: aiohttp.ClientSession, kind: str) -> None:
    async with STAGES[kind]("throttled") as stage:
        told = await placed(session, stage)
    assert isinstance(told, RefusedByPbx)
    assert told.concerns == "limit"


@KIND
async def test_a_pbx_that_is_away_has_rung_nobody(session: aiohttp.ClientSession, kind: str) -> None:
    async with STAGES[kind]("taken") as stage:
        moved: dict[str, Any] = {
            name: value for name, value in PORTLESS.items() if name in stage.connection.settings
        }
        for name in ("base_url", "originate_url"):
            if name in stage.connection.settings:
                moved[name] = "http://127.0.0.1:9/x"
        away = replace(stage.connection, settings={**stage.connection.settings, **moved})
        told = await stage.originator.place(session, away, ORDER)
        assert isinstance(told, RefusedByPbx)
        assert (told.concerns, stage.orders()) == ("link", 0)


@KIND
@pytest.mark.parametrize(
    "wrong",
    [
        {"attempt_id": "1"},
        {"attempt_id": f"{ATTEMPT}\n"},
        {"number": "79161234567"},
        {"number": "+79161234567,101"},
        {"number": '+7916"}'},
        {"number": "+7916\r\nAction: Logoff"},
        {"extension": None},
        {"extension": "101&102"},
        {"extension": "101\n\nbgapi system x"},
        {"extension": "101}&x"},
        {"extension": "101", "group": "200"},
    ],
)
async def test_what_would_be_another_order_is_never_sent(
    session: aiohttp.ClientSession, kind: str, wrong: dict[str, Any]
) -> None:
    async with STAGES[kind]("taken") as stage:
        told = await placed(session, stage, **wrong)
        assert isinstance(told, RefusedByPbx)
        assert (told.code, told.concerns, stage.orders()) == ("order-invalid", "this_call", 0)


@KIND
async def test_a_name_cannot_say_more_than_a_name(session: aiohttp.ClientSession, kind: str) -> None:
    evil = 'Анна\', "x" {a=b} &system(rm) ]} \r\nAction: Logoff\n\nbgapi exit' + "я" * 300
    async with STAGES[kind]("taken") as stage:
        assert await placed(session, stage, display_name=evil) == Placed()
        assert stage.orders() == 1


@KIND
@pytest.mark.parametrize("scene", get_args(Scene))
async def test_asking_and_hanging_up_never_fail(
    session: aiohttp.ClientSession, kind: str, scene: Scene
) -> None:
    async with STAGES[kind](scene) as stage:
        known = await stage.originator.find(session, stage.connection, ATTEMPT, NOW)
        assert isinstance(known, Live | Over | NotSeen | CannotTell)
        done = await stage.originator.cancel(session, stage.connection, ATTEMPT)
        assert isinstance(done, Cancelled | NotSeen | CannotTell)
