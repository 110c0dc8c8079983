"""Copies of dialogues in the deal: each message stands there once, whatever comes late, is edited, taken back or broken off."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
import pytest

from crm.errors import CrmOutcomeUnknown
from routing.dialogues.rules import ChannelRules, CopyRule
from tests.integration.channels.copying import CopyBench, utc

NOON = utc(2025, 3, 3, 13, 5)  # 16:05 in Moscow
HOUR = ChannelRules()


async def a_bench(
    pool: asyncpg.Pool, rules: ChannelRules = HOUR, now: datetime = NOON, zone: str = "Europe/Moscow"
) -> CopyBench:
    bench = CopyBench(pool, now)
    await bench.begin(rules, zone)
    return bench


async def test_cases_11_12_15_16_18_late_edited_and_deleted_messages_stand_in_the_note_of_their_hour(
    pool: asyncpg.Pool,
) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "Здравствуйте")
    await bench.says("m2", "тайна")
    await bench.says("m3", "опечатко")
    await bench.edits("m3", "опечатка", NOON)  # case 11: before it is written
    await bench.deletes("m2")  # case 16: before
    await bench.at(utc(2025, 3, 3, 14, 1, 59))
    assert bench.texts() == []
    await bench.at(utc(2025, 3, 3, 14, 2))
    heading = "WhatsApp · Клиент 7 · 03.03.2025 16:00–17:00"
    lines = [
        "16:05 Клиент 7: Здравствуйте",
        "16:05 Клиент 7: [сообщение удалено]",
        "16:05 Клиент 7: опечатка (изменено 16:05; было: опечатко)",
    ]
    assert bench.texts() == ["\n".join([heading, *lines])]
    (deal,) = bench.crm.all("deal")
    assert [(n.target_kind, n.target_id) for n in bench.notes()] == [("deal", deal.id)]
    await bench.at(utc(2025, 3, 3, 14, 5))
    late = utc(2025, 3, 3, 13, 59, 59)
    await bench.says("m4", "успел", late)  # case 18
    await bench.edits("m1", "Привет", NOON)  # case 12
    await bench.passes(seconds=30)
    await bench.edits("m1", "Доброго дня", NOON)
    await bench.deletes("m3")  # case 16: after
    await bench.passes(seconds=31)
    lines[0] = "16:05 Клиент 7: Доброго дня (изменено 17:05; было: Здравствуйте | Привет)"
    lines[2] = "16:05 Клиент 7: [сообщение удалено]"
    assert bench.texts() == ["\n".join([heading, *lines, "16:59 Клиент 7: успел"])]
    assert bench.counts() == (1, 1)
    await bench.edits("m1", "Доброго дня", NOON)  # case 15
    await bench.says("m1", "Здравствуйте", NOON)  # told again as it was
    await bench.passes(hours=1)
    assert bench.counts() == (1, 1)


async def test_case_13_what_changes_in_a_note_that_is_gone_or_old_becomes_an_addition(
    pool: asyncpg.Pool,
) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    await bench.says("m2", "два")
    await bench.at(NOON + timedelta(hours=1))
    await bench.passes(days=3)
    await bench.edits("m1", "один", NOON)  # three days after: changed where it stands
    await bench.passes(minutes=2)
    assert len(bench.notes()) == 1
    await bench.passes(minutes=2)
    bench.crm.remove_note(bench.notes()[0].id)
    await bench.edits("m2", "второе", NOON)
    for _ in range(4):
        await bench.passes(minutes=2)
    heading = "Дополнение: WhatsApp · Клиент 7 · 03.03.2025 16:00–17:00\n"
    (addition,) = bench.texts()
    assert addition == f"{heading}16:05 Клиент 7: второе (изменено 06.03.2025 17:09; было: два)"
    await bench.says("m3", "позже", NOON + timedelta(minutes=1))  # it is changed itself now
    await bench.passes(minutes=2)
    assert bench.texts() == [f"{addition}\n16:06 Клиент 7: позже"]
    await bench.passes(days=31)
    await bench.says("m4", "намного позже", NOON + timedelta(minutes=2))
    await bench.passes(minutes=2)
    assert bench.texts()[1:] == [f"{heading}16:07 Клиент 7: намного позже"]


async def test_what_is_no_longer_kept_is_not_written_over_in_the_note(pool: asyncpg.Pool) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    await bench.says("m2", "два")
    await bench.at(NOON + timedelta(hours=1))
    await pool.execute("UPDATE chat_message SET parts = '[]' WHERE outside_id = 'm1'")
    await bench.passes(minutes=2)
    assert bench.counts() == (1, 0)
    await bench.edits("m2", "второе", NOON)
    for _ in range(3):
        await bench.passes(minutes=2)
    first, addition = bench.texts()
    assert "раз" in first
    assert "второе" in addition
    assert "раз" not in addition


@pytest.mark.parametrize("after", ["each", "hour", "day", "none"])
@pytest.mark.parametrize("before", ["each", "hour", "day", "none"])
async def test_case_22_a_rule_that_is_changed_within_the_hour_loses_and_doubles_nothing(
    pool: asyncpg.Pool, before: CopyRule, after: CopyRule
) -> None:
    bench = await a_bench(pool, ChannelRules(copies=before))
    await bench.says("m1", "<раз>")
    await bench.passes(minutes=10)
    await bench.change(copies=after)
    await bench.passes(seconds=2)
    if before not in ("none", after):
        assert [text.count("<раз>") for text in bench.texts()] == [1]  # the period is over with what it has
    await bench.says("m2", "<два>")
    await bench.says("m3", "<три>", NOON)  # late, and it came after the change
    await bench.edits("m1", "<раз!>", NOON)
    await bench.passes(minutes=10)
    await bench.change(copies=before)
    await bench.says("m4", "<четыре>")
    await bench.passes(days=2)
    await bench.passes(minutes=5)
    whole = "\n".join(bench.texts())
    by = {"<раз!>": before, "<два>": after, "<три>": after, "<четыре>": before}
    assert {said: whole.count(said) for said in by} == {
        said: int(rule != "none") for said, rule in by.items()
    }


@pytest.mark.parametrize("is_applied", [True, False])
async def test_case_23_a_worker_killed_after_its_request_before_the_commit_writes_no_second_note(
    pool: asyncpg.Pool, is_applied: bool
) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    bench.now = NOON + timedelta(hours=1)
    await bench.send()  # contact and deal are there
    await bench.copier.turn()
    bench.crm.fail("add_notes", CrmOutcomeUnknown("lost"), has_effect=is_applied)
    await bench.send()
    assert len(bench.notes()) == int(is_applied)
    await pool.execute("UPDATE effect SET state = 'sending' WHERE what = 'add_note'")  # it saw no answer
    bench.copier, bench.writer = bench.new_copier(), bench.new_writer()
    await bench.writer.recover_in_flight()
    for _ in range(6):
        await bench.passes(minutes=5)
    assert [text.count("раз") for text in bench.texts()] == [1]


async def test_a_copier_that_is_broken_off_has_ordered_all_or_nothing(pool: asyncpg.Pool) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    bench.now = NOON + timedelta(hours=1)
    await pool.execute("ALTER TABLE chat_copy ADD CONSTRAINT breaks CHECK (written_at IS NULL)")
    await bench.turn()
    assert bench.texts() == []
    assert await pool.fetchval("SELECT count(*) FROM effect WHERE what = 'add_note'") == 0
    await pool.execute("ALTER TABLE chat_copy DROP CONSTRAINT breaks")
    await bench.passes(minutes=11)
    assert [text.count("раз") for text in bench.texts()] == [1]
