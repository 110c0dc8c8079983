"""S0.28 to S0.31 and S1.2 to S1.5, S1.8: who is at work. One working day is played once; each row looks at what was seen in it.

Time passes by what is known growing older.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.features.sales import NEW, Sales, person, user
from tests.e2e.features.test_distribution_when import ALL_DAY, another_day

pytestmark = pytest.mark.asyncio(loop_scope="session")

BUSY, SHORT, DOING, ANSWERING, SILENT, ACTIVE, LEAVING = 102, 103, 104, 105, 106, 107, 108


@dataclass
class Day:
    """What the API said of everybody's presence, at each hour of the story."""

    sales: Sales
    seen: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)

    async def look(self, hour: str) -> None:
        items = (await self.sales.api("GET", "presence"))["items"]
        self.seen[hour] = {int(one["employee"][-3:]): one for one in items if one["employee"][-3:].isdigit()}

    async def until(self, hour: str, **wanted: str) -> None:
        """wanted: m104="asked" and so on, of the mark."""

        async def is_so() -> bool:
            await self.look(hour)
            return all(self.seen[hour][int(who[1:])]["mark"] == mark for who, mark in wanted.items())

        await self.sales.until(is_so, 30)

    async def until_on_shift(self, number: int) -> None:
        async def is_on() -> bool:
            found = await self.sales.stack.pool.fetchval(
                "SELECT on_shift FROM presence WHERE employee_id = $1", person(number)
            )
            return bool(found)

        await self.sales.until(is_on, 30)

    def of(self, hour: str, number: int) -> dict[str, Any]:
        return self.seen[hour][number]

    async def beat(self, number: int, **said: Any) -> None:
        path = f"employees/{person(number)}/presence/heartbeat"
        await self.sales.api("POST", path, body={"page": "tab", **said})

    async def idle_minutes(self, minutes: int) -> None:
        settings = await self.sales.api("GET", "settings")
        presence = {**settings["presence"], "idle_minutes": minutes}
        await self.sales.api("PUT", "settings", body={**settings, "presence": presence})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def day(sales: Sales) -> AsyncIterator[Day]:
    day = Day(sales)
    await sales.schedule("day", people={person(LEAVING): ALL_DAY})
    for number in (BUSY, SHORT, DOING, ANSWERING, SILENT, LEAVING):
        await sales.press(number, "start")
    await day.beat(ACTIVE)
    await day.until_on_shift(LEAVING)
    await day.look("with a page open")
    [deal] = await sales.deals(stage=NEW)
    await sales.move(deal, by=user(ACTIVE))
    await day.until("morning", m107="available")

    await sales.minutes_pass(16, DOING, ANSWERING, SILENT)
    await sales.minutes_pass(14, SHORT)
    await sales.schedule("day", people={person(LEAVING): another_day()})
    await day.until("noon", m104="asked", m105="asked", m106="asked", m108="offline")

    await sales.api("POST", f"employees/{person(ANSWERING)}/presence/answer", body={"is_here": True})
    await sales.act("event", type="task_completed", kind="contact", id=1, by=user(DOING))
    await sales.move(deal, NEW, by=user(LEAVING))
    await sales.minutes_pass(1.1, SILENT)
    await day.idle_minutes(13)
    await day.until("evening", m103="asked", m104="available", m105="available", m106="offline")
    yield day
    await day.idle_minutes(15)
    for number in (SHORT, SILENT, LEAVING):
        await sales.press(number, "start")


async def test_s0_28_the_counter_of_a_manager_says_whether_deals_come(sales: Sales) -> None:
    await sales.press(102, "stop")
    async with sales.template("counter", 101, 102, working_time={"mode": "online"}):
        await sales.press(101, "start")
        assert await sales.one_by_one(2) == [101, 101]
        await sales.press(102, "start")
        assert set(await sales.one_by_one(2)) == {101, 102}
        await sales.press(101, "stop")
        assert await sales.one_by_one(2) == [102, 102]
    await sales.press(101, "start")


async def test_s0_29_the_counter_matters_only_where_online_people_are_given(sales: Sales) -> None:
    await sales.press(101, "stop")
    async with sales.template("no-counter", 101, working_time={"mode": "always"}):
        assert await sales.given(await sales.deals()) == [101]
    await sales.press(101, "start")


async def test_s0_30_an_admin_lets_somebody_start_and_stop_the_counters_of_those_who_are_named(
    sales: Sales,
) -> None:
    token = await sales.token_of("lead", "read_only", employee=person(103), counters=[person(101)])
    for number, wanted in ((101, 200), (103, 200), (102, 403)):
        for button in ("stop", "start"):
            path = f"employees/{person(number)}/presence/{button}"
            status, _ = await sales.as_somebody("POST", path, token)
            assert status == wanted, (number, button)
    senior = await sales.token_of("senior", "senior_manager", counters=[person(101)])
    for number, wanted in ((101, 200), (102, 403)):
        status, _ = await sales.as_somebody("POST", f"employees/{person(number)}/presence/start", senior)
        assert status == wanted, "the list narrows down what a role may do, too"
    nobody = await sales.token_of("nobody", "manager")
    status, _ = await sales.as_somebody("POST", f"employees/{person(101)}/presence/start", nobody)
    assert status == 403
    history = await sales.api("GET", f"employees/{person(101)}/presence/history")
    assert any(one["switched_by"].startswith("lead") for one in history["items"])


async def test_s0_31_every_interval_of_a_person_is_kept_with_its_source_and_reason(day: Day) -> None:
    history = await day.sales.api("GET", f"employees/{person(SILENT)}/presence/history")
    newest = [(one["state"], one["source"], one["reason"]) for one in history["items"]][:3]
    assert newest == [
        ("offline", "idle", "no_answer"),
        ("asked", "idle", "silent"),
        ("available", "button", "switched_on"),
    ]
    assert history["online_seconds"] > 0
    edges = [(one["since"], one["until"]) for one in history["items"]]
    assert all(later[0] == earlier[1] for later, earlier in pairwise(edges))
    listed = day.sales.command("presence", "history", person(SILENT))
    assert "на вопрос никто не ответил" in listed


async def test_s1_02_what_somebody_does_in_the_crm_is_what_counts_and_not_an_open_page(day: Day) -> None:
    before, after = day.of("with a page open", ACTIVE), day.of("morning", ACTIVE)
    assert before["mark"] != "available"
    assert (after["mark"], after["source"], after["reason"]) == ("available", "crm", "crm_activity")


async def test_s1_03_after_15_minutes_without_anything_somebody_is_asked_whether_they_are_there(
    day: Day,
) -> None:
    asked = day.of("noon", SILENT)
    assert (asked["mark"], asked["reason"], asked["state"]) == ("asked", "silent", "available")
    assert asked["question"]["answer_by"] > asked["question"]["asked_at"]
    assert day.of("noon", SHORT)["mark"] == "available", "14 minutes are not 15"
    answered = day.of("evening", ANSWERING)
    assert (answered["mark"], answered["reason"]) == ("available", "answered")
    doing = day.of("evening", DOING)
    assert (doing["mark"], doing["reason"]) == ("available", "crm_activity"), "any sign is an answer"


async def test_s1_04_without_an_answer_within_60_seconds_somebody_is_offline(day: Day) -> None:
    off = day.of("evening", SILENT)
    assert (off["state"], off["reason"]) == ("offline", "no_answer")


async def test_s1_05_everybody_is_looked_at_again_and_again(day: Day) -> None:
    for hour in ("noon", "evening"):
        assert {n: one["mark"] for n, one in day.seen[hour].items() if one["mark"] is None} == {}
    asked = [day.of("noon", number)["mark"] for number in (DOING, ANSWERING, SILENT)]
    assert asked == ["asked"] * 3, "one look finds all of them"


async def test_s1_08_how_long_a_silence_may_be_is_a_setting(day: Day) -> None:
    assert day.of("evening", SHORT)["mark"] == "asked", "after 14 minutes, since it is 13 now"
    assert day.of("evening", ANSWERING)["mark"] == "available"


async def test_s1_02_the_end_of_a_shift_closes_whatever_somebody_does_after_it(day: Day) -> None:
    assert day.of("morning", LEAVING)["mark"] == "available"
    for hour in ("noon", "evening"):
        left = day.of(hour, LEAVING)
        assert (left["mark"], left["source"], left["reason"]) == ("offline", "schedule", "shift_ended")
        assert left["state"] == "off_shift"
