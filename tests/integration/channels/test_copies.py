"""Copies of dialogues in the deal: each message stands there once, whatever comes late, is edited, taken back or broken off."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import pytest

from crm.errors import CrmOutcomeUnknown
from crm.lane import Lane
from gateway.store.calls.calls import lock_client
from gateway.store.channels.channels import change_channel, remove_channel
from gateway.store.channels.messages import message_known_as, raise_status
from gateway.store.channels.old import delete_empty_copies, empty_copied_texts
from gateway.store.channels.outgoing import take_in_echo
from routing.dialogues.rules import ChannelRules, CopyRule
from sms.channels.model import MessageStatus
from tests.fakes.channels.sandbox import SentIntoChat, client_message, echo_of
from tests.integration.channels.copying import CopyBench, utc
from tests.integration.intake.office import ACCOUNT, CLIENT
from tests.waiting import until

NOON = utc(2025, 3, 3, 13, 5)  # 16:05 in Moscow
HOUR = ChannelRules()
_WAITS = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


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
    await bench.send()  # its deal is in the CRM: the next messages name it by its id
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


async def test_two_workers_at_once_write_one_note(pool: asyncpg.Pool) -> None:
    bench = await a_bench(pool, ChannelRules(copies="none"))
    await bench.says("m0", "deal")
    await bench.change(copies="hour")
    told = [client_message(f"m{n}", "7", f"<{n}>", at=NOON.isoformat()) for n in range(1, 20)]
    others = [bench.new_copier() for _ in range(4)]
    bench.copier = others[0]
    await asyncio.gather(bench.told(*told), *(copier.turn() for copier in others))
    bench.now = NOON + timedelta(hours=1)
    await asyncio.gather(*(copier.turn() for copier in others))
    await bench.send()
    (text,) = bench.texts()
    assert [text.count(f"<{n}>") for n in range(1, 20)] == [1] * 19


async def test_a_copier_waits_for_whoever_works_on_the_client(pool: asyncpg.Pool) -> None:
    """Two of them with different messages of one hour would else begin two notes."""
    bench = await a_bench(pool, ChannelRules(copies="each"))
    copier = bench.new_copier()
    await bench.says("m1", "раз", chat="7")
    await pool.execute("UPDATE chat_copy_message SET is_pending = true")

    async def waits() -> bool:
        return bool(await pool.fetchval(_WAITS))

    async with pool.acquire() as conn, conn.transaction():
        await lock_client(conn, ACCOUNT, f"{CLIENT[:-2]}07")
        turn = asyncio.create_task(copier.turn())
        await until(waits, "the copier waits for the lock of the client")
        assert not turn.done()
    await turn
    await bench.send()
    assert len(bench.texts()) == 1


async def test_rule_5_a_deal_that_is_closed_within_the_hour_keeps_what_was_said_until_then(
    pool: asyncpg.Pool,
) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    await bench.send()
    (deal,) = bench.crm.all("deal")
    bench.crm.seed(replace(deal, is_open=False, stage_id="143"))
    await bench.catch_up(Lane.SYNC, ["contact", "deal"])
    await bench.says("m2", "два")
    await bench.says("m3", "опоздало", NOON - timedelta(minutes=1))
    await bench.at(NOON + timedelta(hours=1))
    by_deal = {note.target_id: note.text or "" for note in bench.notes()}
    assert len(by_deal) == 2
    assert "раз" in by_deal[deal.id]
    assert "два" not in by_deal[deal.id]
    assert "опоздало" not in by_deal[deal.id]  # a message keeps the deal it had when it came


async def test_case_24_of_a_long_day_only_the_part_that_changes_is_written_anew(pool: asyncpg.Pool) -> None:
    bench = await a_bench(pool)
    for n in range(1, 5):
        await bench.says(f"m{n}", f"<{n}>" + "ы" * 15_000, sequence=n)
    await bench.at(NOON + timedelta(hours=1))
    assert ["часть" in text and text.count("<") for text in bench.texts()] == [1, 1, 1, 1]
    assert bench.counts() == (1, 0)
    await bench.edits("m4", "коротко", NOON)
    await bench.passes(minutes=2)
    assert [key for asked in bench.crm.requests if asked.method == "change_notes" for key in asked.keys] == [
        "copy:1:4:2"
    ]
    for n in (2, 3):
        await bench.deletes(f"m{n}")
    await bench.passes(minutes=2)
    first, second, *rest = bench.texts()
    assert "часть 1 из 2" in first
    assert first.count("[сообщение удалено]") == 2
    assert "коротко" in second
    assert rest == ["Сообщения этой части теперь в предыдущих"] * 2


async def test_a_message_whose_time_becomes_known_later_moves_into_its_own_hour(pool: asyncpg.Pool) -> None:
    """Its edit came first, and told another time than the message was written at."""
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    await bench.says("m2", "второе", edit={"id": "e", "at": NOON.isoformat()})
    await bench.at(NOON + timedelta(hours=1))
    await bench.says("m2", "два", NOON - timedelta(hours=1))
    await bench.passes(minutes=2)
    later, earlier = bench.texts()
    assert "второе" not in later
    assert earlier.startswith("WhatsApp · Клиент 7 · 03.03.2025 15:00–16:00\n15:05 Клиент 7: второе")


async def test_case_10_what_belongs_to_no_deal_or_came_while_the_channel_was_off_is_not_copied(
    pool: asyncpg.Pool,
) -> None:
    bench = await a_bench(pool, ChannelRules(copies="each"))
    await bench.told(echo_of(SentIntoChat("s1", "", "7", "мы первые"), "phone"))
    await bench.told(client_message("g1", "9", "в группе", kind="group"))
    await bench.says("m1", "ответ")
    saved = await bench.channel()
    async with pool.acquire() as conn:
        await change_channel(conn, saved, {"is_on": False})
    await bench.says("m2", "пока выключен")
    async with pool.acquire() as conn:
        await change_channel(conn, saved, {"is_on": True})
    await bench.edits("m2", "и после", bench.now)
    await bench.passes(minutes=2)
    assert [text.splitlines()[1:] for text in bench.texts()] == [["16:05 Клиент 7: ответ"]]


async def test_of_ours_stands_there_what_was_sent_and_the_echo_of_it_is_no_second_message(
    pool: asyncpg.Pool,
) -> None:
    bench = await a_bench(pool, ChannelRules(copies="each"))
    await bench.says("m1", "вопрос")
    await bench.passes(seconds=2)
    own = await bench.writes("k1", "ответ")
    await bench.passes(seconds=2)
    assert len(bench.texts()) == 1  # it waits to be sent
    await pool.execute("UPDATE chat_message SET status = 'sending' WHERE own_key = 'k1'")
    await bench.told(echo_of(SentIntoChat("s1", "", "7", "ответ"), "unknown", at=bench.now.isoformat()))
    await bench.passes(seconds=2)
    assert len(bench.texts()) == 2  # the vendor's word of it, which is not known to be ours yet
    async with pool.acquire() as conn, conn.transaction():
        await take_in_echo(conn, own, "s1")
        await raise_status(conn, own, MessageStatus.SENT, outside_id="s1")
    await bench.passes(seconds=2)
    await bench.passes(minutes=2)
    assert [text.splitlines()[1] for text in bench.texts()] == [
        "16:05 Клиент 7: вопрос",
        "16:05 Анна Менеджер: ответ",
    ]
    doubtful = await bench.writes("k2", "дошло ли")
    async with pool.acquire() as conn:
        await raise_status(conn, doubtful, MessageStatus.UNKNOWN)
    await bench.passes(seconds=2)
    assert bench.texts()[2].endswith("Анна Менеджер: дошло ли [неизвестно, дошло ли]")
    async with pool.acquire() as conn:
        known = await message_known_as(conn, "c1", own_key="k2")
        assert known is not None
        await raise_status(conn, known, MessageStatus.DELIVERED)
    await bench.passes(seconds=2)
    await bench.passes(minutes=2)
    assert bench.texts()[2].endswith("Анна Менеджер: дошло ли")


async def test_of_a_channel_that_was_removed_nothing_is_left_to_copy(pool: asyncpg.Pool) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    async with pool.acquire() as conn:
        await remove_channel(conn, ACCOUNT, "c1")
    await bench.passes(hours=2)
    assert bench.texts() == []
    assert await pool.fetchval("SELECT count(*) FROM chat_copy") == 0


async def test_what_is_known_of_a_note_goes_with_the_last_of_its_messages(pool: asyncpg.Pool) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    await bench.at(NOON + timedelta(hours=1))
    await bench.says("m2", "два")
    await bench.passes(hours=1, minutes=3)
    assert len(bench.notes()) == 2
    later = bench.now + timedelta(days=1)

    async def deleted() -> int:
        async with pool.acquire() as conn:
            return await delete_empty_copies(conn, account_id=ACCOUNT, before=later, limit=10)

    assert await deleted() == 0
    await pool.execute("DELETE FROM chat_message WHERE outside_id = 'm1'")
    assert [await deleted(), await deleted()] == [1, 0]
    assert len(bench.notes()) == 2


async def test_what_notes_were_ordered_with_is_emptied_with_the_messages(pool: asyncpg.Pool) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "раз")
    await bench.at(NOON + timedelta(hours=1))
    await bench.edits("m1", "два", NOON)
    await bench.copier.turn()
    bench.now += timedelta(minutes=2)
    await bench.copier.turn()  # the change waits to be sent

    async def emptied() -> int:
        async with pool.acquire() as conn:
            before = bench.now + timedelta(seconds=1)
            return await empty_copied_texts(conn, account_id=ACCOUNT, before=before, limit=10)

    async def kept() -> list[str]:
        rows = await pool.fetch(
            """SELECT "order"->>'text' AS text FROM effect WHERE what LIKE '%note' ORDER BY seq"""
        )
        return [row["text"].rpartition(": ")[2] for row in rows]

    assert await emptied() == 0
    assert await kept() == ["", "раз)"]
    await bench.send()
    assert [await emptied(), await emptied()] == [1, 0]
    assert await kept() == ["", ""]
    assert "два" in bench.texts()[0]
    await bench.edits("m1", "три", NOON)  # what is still to be seen is changed for all that
    await bench.passes(minutes=2)
    assert "три" in bench.texts()[0]
    assert await emptied() == 1
