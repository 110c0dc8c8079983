"""What a messenger told and could not be read or carried out: looked at, tried again, let be."""

from __future__ import annotations

import asyncpg

from gateway.admin.operations import desk_entries
from tests.fakes.channels.sandbox import client_message
from tests.integration.channels.shop import SECRET, ChatShop
from tests.integration.intake.office import ACCOUNT


async def _aside(pool: asyncpg.Pool) -> list[desk_entries.DeskEntry]:
    async with pool.acquire() as conn:
        return list((await desk_entries.listed(conn, ACCOUNT, kind="update")).entries)


async def _retried(shop: ChatShop) -> int:
    async with shop.pool.acquire() as conn:
        count = await desk_entries.retry(conn, ACCOUNT, None)
    await shop.idle()
    return count


async def test_what_could_not_be_read_is_read_anew_and_its_neighbours_were_never_held_up(
    shop: ChatShop,
) -> None:
    bad = {**client_message("m2"), "parts": [{"kind": "smell"}]}
    await shop.tell(client_message("m1", text="first"), bad)
    elsewhere = client_message("m3", text="third", chat="8", channel="retail")
    await shop.tell(elsewhere)  # of a channel that nobody has connected yet
    async with shop.session.post(f"{shop.url}/channels/c1/{SECRET}", data=b"+79161234567 no JSON") as answer:
        assert answer.status == 200
    await shop.office.idle()
    assert await shop.texts() == ["first"]
    assert [(e.what, e.code) for e in await _aside(shop.pool)] == [
        ("WhatsApp «Опт»", "sms-wire-invalid"),
        ("WhatsApp «Опт» message", "unknown-channel"),
        ("WhatsApp «Опт»", "sms-wire-invalid"),
    ]
    # Whoever comes later can read the part, and has connected the channel.
    await shop.pool.execute(
        "UPDATE channel_update SET raw = convert_to(replace(convert_from(raw, 'UTF8'), '\"smell\"', '\"text\",\"text\":\"second\"'), 'UTF8')"
        " WHERE state = 'dead' AND raw LIKE '%smell%'::bytea"
    )
    await shop.connect("c2", "Retail", outside_id="retail")
    assert await _retried(shop) == 3
    assert sorted(await shop.texts()) == ["first", "second", "third"]
    assert {d["channel_id"] for d in await shop.dialogues()} == {"c1", "c2"}
    [left] = await _aside(shop.pool)
    assert "+79161234567" not in left.why
    async with shop.pool.acquire() as conn:
        assert await desk_entries.ignore(conn, ACCOUNT, [left.key], "somebody's trial") == 1
    assert await _aside(shop.pool) == []
    assert await _retried(shop) == 0


async def test_what_could_not_be_carried_out_is_carried_out_once_the_cause_is_gone(shop: ChatShop) -> None:
    await shop.pool.execute(
        "ALTER TABLE chat_message ADD CONSTRAINT no_hello CHECK (parts::text NOT LIKE '%Hello%')"
    )
    await shop.tell(client_message("m1"), client_message("m2", text="Next"))
    await shop.office.idle()
    assert await shop.texts() == ["Next"]
    [entry] = await _aside(shop.pool)
    assert (entry.what, entry.can) == ("WhatsApp «Опт» message", ("retry", "ignore"))
    await shop.pool.execute("ALTER TABLE chat_message DROP CONSTRAINT no_hello")
    assert await _retried(shop) == 1
    assert sorted(await shop.texts()) == ["Hello", "Next"]
    assert await _aside(shop.pool) == []
