"""A note that is rewritten: the last text stays, whatever is killed, held or in doubt meanwhile, and what is gone is let go."""

from __future__ import annotations

import asyncpg
import pytest

from crm.errors import CrmNotFound, CrmOutcomeUnknown, CrmUnavailable
from crm.port import CrmEntity
from routing.client import Ref
from routing.effects import AddNote, ChangeNote, CreateDeal, Effect
from tests.fakes.crm import FakeCrm
from tests.integration.crm.writer_bench import WriterBench

_CONTACT = Ref(kind="contact", id="5")
_DEAL = Ref(kind="deal", effect="deal")
_NOTE = Effect(key="note", order=AddNote(target=_DEAL, text="one"))


def _text(text: str) -> Effect:
    return Effect(key=f"note:{text}", order=ChangeNote(note="note", target=_DEAL, text=text))


@pytest.fixture
async def bench(pool: asyncpg.Pool) -> WriterBench:
    made = WriterBench(pool, FakeCrm(clock=lambda: made.now))
    made.crm.seed(CrmEntity(kind="contact", id="5"))
    await made.order(Effect(key="deal", order=CreateDeal(name="deal", contact=_CONTACT)), _NOTE)
    return made


async def test_a_note_is_rewritten_where_it_stands_and_the_latest_text_takes_the_place_of_what_waits(
    bench: WriterBench,
) -> None:
    await bench.order(_text("two"))
    await bench.order(_text("three"))
    assert (await bench.row("note:two"))["error_code"] == "superseded"
    await bench.order(_text("two"))  # told again: known already
    await bench.settle()
    assert [(n.target_kind, n.text) for n in bench.crm.all_notes()] == [("deal", "three")]
    assert await bench.states() == {
        "deal": "done",
        "note": "done",
        "note:two": "skipped",
        "note:three": "done",
    }


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_text_in_doubt_is_sent_again_before_the_later_one(
    bench: WriterBench, is_killed: bool
) -> None:
    await bench.writer.drain()
    await bench.order(_text("two"))
    if is_killed:  # between the request and its answer
        await bench.pool.execute(
            "UPDATE effect SET state = 'sending', attempts = 1, sent_at = $1 WHERE effect_key = 'note:two'",
            bench.now,
        )
        bench.writer = bench.new_writer()
        await bench.writer.recover_in_flight()
    else:
        bench.crm.fail("change_notes", CrmOutcomeUnknown("lost"))
        await bench.writer.drain()
    await bench.order(_text("three"))
    await bench.writer.drain()
    assert (await bench.states())["note:two"] == "unknown"
    assert (await bench.states())["note:three"] == "waiting"
    await bench.settle()
    assert [n.text for n in bench.crm.all_notes()] == ["three"]
    assert set((await bench.states()).values()) == {"done"}


async def test_what_was_held_does_not_come_after_a_later_text(bench: WriterBench) -> None:
    await bench.writer.drain()
    await bench.order(_text("two"), held=True)
    await bench.order(_text("three"))
    assert (await bench.states())["note:two"] == "skipped"
    await bench.settle()
    assert [n.text for n in bench.crm.all_notes()] == ["three"]


@pytest.mark.parametrize("answer", ["refused", "not-found"])
async def test_a_note_that_somebody_deleted_is_let_go(bench: WriterBench, answer: str) -> None:
    await bench.writer.drain()
    [note] = bench.crm.all_notes()
    if answer == "refused":
        bench.crm.remove_note(note.id)
    else:
        bench.crm.fail("change_notes", CrmNotFound("no such note"))
    await bench.order(_text("two"))
    await bench.settle()
    row = await bench.row("note:two")
    assert (row["state"], row["error_code"]) == ("skipped", "note-gone")


async def test_of_a_deal_that_is_gone_the_note_is_let_go_too(bench: WriterBench) -> None:
    await bench.writer.drain()
    deal = (await bench.row("deal"))["crm_id"]
    [note] = bench.crm.all_notes()
    bench.crm.remove("deal", deal)
    bench.crm.remove_note(note.id)
    await bench.order(_text("two"))
    await bench.settle()
    assert (await bench.row("note:two"))["error_code"] == "note-gone"


async def test_a_change_waits_for_its_note_and_goes_where_that_went(bench: WriterBench) -> None:
    """The CRM will not have the deal: the note stands on the contact, and is rewritten there."""
    bench.crm.fail("add_notes", CrmUnavailable("away"))
    bench.crm.refuse("deal", "NotSupportedChoice")
    await bench.order(_text("two"))
    await bench.settle()
    assert [(n.target_kind, n.text) for n in bench.crm.all_notes()] == [("contact", "two")]
