"""A month of dialogues over both changes of the clocks: each message stands in one note, and requests are as few as can be."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from routing.dialogues.rules import ChannelRules, CopyRule
from tests.fakes.channels.sandbox import client_message
from tests.integration.channels.copying import CopyBench, utc

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = utc(2025, 3, 22), utc(2025, 10, 18)
DAYS = 15
MESSAGES = {"each": 15, "hour": 45, "day": 45}
CLOSES, GATHERS = timedelta(minutes=2), timedelta(minutes=1)
CORNERS = (
    utc(2025, 3, 30, 0, 59, 59), utc(2025, 3, 30, 1), utc(2025, 3, 29, 22, 59, 59), utc(2025, 3, 30, 21, 59, 59),
    utc(2025, 10, 26, 0, 30), utc(2025, 10, 26, 1, 30), utc(2025, 10, 25, 21, 59, 59), utc(2025, 10, 26, 22, 59, 59),
)  # fmt: skip


@dataclass
class Said:
    """One message: told at these times, the first time as it is, then edited or taken back."""

    id: str
    chat: str
    at: datetime
    told_at: list[datetime] = field(default_factory=list)
    is_deleted: bool = False

    @property
    def last(self) -> str:
        edits = len(self.told_at) - 1 - int(self.is_deleted)
        return f"<{self.id}.{edits}>"

    def period(self, rule: CopyRule) -> object:
        """As people would name it, beside the change of the clocks that it belongs to."""
        there = self.at.astimezone(BERLIN)
        named = {"each": self.id, "hour": (there.date(), there.hour, there.utcoffset()), "day": there.date()}
        return self.chat, named[rule]

    def ends_at(self, rule: CopyRule) -> datetime:
        if rule == "each":
            return self.at - CLOSES
        if rule == "hour":
            return self.at.replace(minute=0, second=0) + timedelta(hours=1)
        tomorrow = self.at.astimezone(BERLIN).date() + timedelta(days=1)
        return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=BERLIN)


def a_month(chance: random.Random, messages: int) -> list[Said]:
    month = []
    ats = [*CORNERS]
    for start in (SPRING, AUTUMN):
        ats += [
            start + timedelta(days=chance.randrange(DAYS), seconds=chance.randrange(6 * 3600, 21 * 3600))
            for _ in range(messages)
        ]
    for n, at in enumerate(ats):
        late = chance.choice(
            [0] * 17 + [chance.randrange(180), chance.randrange(180), chance.randrange(2880)]
        )
        comes = _minute(at) + timedelta(minutes=late)
        said = Said(id=f"m{n}", chat=str(chance.randrange(1, 4)), at=at, told_at=[comes])
        for _ in range(chance.choice([0, 0, 0, 0, 1, 1, 2])):
            said.told_at.append(said.told_at[-1] + timedelta(minutes=chance.choice([1, 7, 90, 2000])))
        if chance.random() < 0.1:
            said.is_deleted = True
            said.told_at.append(said.told_at[-1] + timedelta(minutes=chance.choice([1, 60, 1500])))
        month.append(said)
    return month


def _minute(at: datetime) -> datetime:
    """The first whole one that is not before."""
    return at + timedelta(seconds=-at.second % 60)


def updates(month: list[Said]) -> dict[datetime, list[dict[str, object]]]:
    """What is told at each time, some of it twice."""
    by_time: dict[datetime, list[dict[str, object]]] = defaultdict(list)
    for said in month:
        for n, at in enumerate(said.told_at):
            if said.is_deleted and n == len(said.told_at) - 1:
                by_time[at].append({"told": "deleted", "ids": [said.id], "at": at.isoformat()})
                continue
            more = {"edit": {"id": f"{said.id}.{n}", "at": at.isoformat()}} if n else {}
            told = client_message(
                said.id,
                said.chat,
                f"<{said.id}.{n}>",
                phone=f"+7916123450{said.chat}",
                name=f"Client {said.chat}",
                at=said.at.isoformat(),
                **more,
            )
            by_time[at] += [told] * (1 + (n + len(said.id)) % 2)
    return by_time


def writes(month: list[Said], rule: CopyRule) -> tuple[list[datetime], list[datetime]]:
    """When notes must be added and changed: computed by hand, one entry for each note that is."""
    periods: dict[object, list[Said]] = defaultdict(list)
    for said in month:
        periods[said.period(rule)].append(said)
    added, changed = [], []
    for of in periods.values():
        news = sorted(at for said in of for at in said.told_at)
        written = max(news[0], of[0].ends_at(rule) + CLOSES)
        added.append(written)
        for at in news:
            if at > written:
                written = at + GATHERS
                changed.append(written)
    return added, changed


def lines_of(bench: CopyBench) -> Iterator[tuple[str, frozenset[str]]]:
    """Each note: the deal, and the messages that it shows as they are now."""
    for note in bench.notes():
        shown = re.findall(
            r"^\d\d:\d\d Client \d: (?:\[message deleted\] )?(<m\d+\.\d+>)", note.text or "", re.M
        )
        assert len(shown) == len(set(shown)) == len((note.text or "").splitlines()) - 1
        assert note.target_id is not None
        yield note.target_id, frozenset(shown)


@pytest.mark.parametrize("rule", ["each", "hour", "day"])
async def test_cases_12_16_18_20_21_a_month_over_both_changes_of_the_clocks(
    pool: asyncpg.Pool, rule: CopyRule
) -> None:
    month = a_month(random.Random(f"month {rule}"), MESSAGES[rule])
    told = updates(month)
    bench = CopyBench(pool, min(told) - timedelta(days=1))
    await bench.begin(ChannelRules(copies=rule, keeps_deleted_text=True), "Europe/Berlin", language="en")
    while told:
        due = await pool.fetchval("SELECT min(due_at) FROM chat_copy")
        bench.now = min(told) if due is None else min(min(told), due)
        if bench.now in told:
            await bench.told(*told.pop(bench.now))
        await bench.turn()
    while (due := await pool.fetchval("SELECT min(due_at) FROM chat_copy")) is not None:
        await bench.at(due)

    expected: dict[object, set[str]] = defaultdict(set)
    for said in month:
        expected[said.period(rule)].add(said.last)
    shown = list(lines_of(bench))
    assert sorted(map(sorted, (messages for _, messages in shown))) == sorted(map(sorted, expected.values()))
    chats = {said.last: said.chat for said in month}
    deals = {(deal, chats[message]) for deal, messages in shown for message in messages}
    assert len(deals) == len({deal for deal, _ in deals}) == 3
    added, changed = writes(month, rule)
    assert len(shown) == len(added)
    effects = await pool.fetch("SELECT what FROM effect WHERE what LIKE '%note' AND state = 'done'")
    assert Counter(row["what"] for row in effects) == {"add_note": len(added), "change_note": len(changed)}
    assert bench.counts() == (len(set(added)), len(set(changed)))
    assert await pool.fetchval("SELECT count(*) FROM effect WHERE what LIKE '%note' AND state <> 'done'") == 0
