"""Files of dialogues on the pages: seen by whoever sees the dialogue, sent with a text, and what is missing is said."""

from __future__ import annotations

from datetime import UTC, datetime

import aiohttp

from gateway.channels.files.fetching import FileFetcher
from runtime.vendors.named_addresses import NamedAddresses
from tests.fakes.channels.sandbox import client_message
from tests.integration.api.client import ACCOUNT
from tests.integration.channels.test_files_in import PNG, Holds
from tests.integration.web.browser import Answer, Browser, Site
from tests.integration.web.chatting import told
from tests.integration.web.test_dialogs import form_of, one, ours, shop, who

__all__ = ["shop"]


async def sent_with(
    browser: Browser, address: str, fields: dict[str, str], content: bytes, name: str
) -> Answer:
    """As a browser sends a form with a file."""
    form = aiohttp.FormData({"csrf": browser.person.csrf if browser.person else "", **fields})
    form.add_field("file", content, filename=name)
    return await browser._asked("POST", address, form, {})


async def test_files_are_shown_given_and_sent_and_a_gap_is_seen(shop: Site) -> None:
    parts = [
        {"kind": "image", "file": {"id": "picture", "name": "plan.png"}},
        {"kind": "document", "file": {"id": "page", "name": "x.html"}},
        {"kind": "video", "file": {"id": "film", "size": 10**9}},
    ]
    await told(shop.pool, client_message("f1", chat="20", name="Petrov", parts=parts))
    address = await one(shop, "20")
    anna = who(shop, "anna")
    assert "Файл загружается." in (await anna.get(address)).words
    async with NamedAddresses() as web:
        holds = Holds(picture=PNG, page=b"<html>")
        fetcher = FileFetcher(shop.pool, "c1", holds, web, lambda: datetime.now(UTC))
        while await fetcher.turn():
            pass
    page = await anna.get(address)
    picture = str(page.page.one("img", cls="cm-said-picture")["src"])
    assert "файл больше, чем мы принимаем" in page.words
    given = await anna.get(picture)
    assert (given.status, given.headers["Content-Type"], given.headers["X-Content-Type-Options"]) == (
        200,
        "image/png",
        "nosniff",
    )
    [saved] = [str(a["href"]) for a in page.page.all("a") if "x.html" in a.text]
    given = await anna.get(saved)
    assert given.headers["Content-Disposition"].startswith("attachment;")
    assert given.headers["Content-Type"] == "application/octet-stream"
    assert (await anna.get(address + "/files/0")).status == 404
    for somebody in (who(shop, "boss"), shop.as_("read_only")):
        assert (await somebody.get(picture)).status in (403, 404)

    assert (
        await sent_with(anna, address, {**form_of(page.page), "text": "Вот"}, PNG, "смета.png")
    ).status == 303
    [sent] = await ours(shop)
    assert (sent["parts"][0]["kind"], sent["parts"][0]["text"]) == ("image", "Вот")
    assert (
        await shop.pool.fetchval("SELECT content FROM chat_file WHERE message_id = $1", sent["message_id"])
        == PNG
    )
    nothing = {**form_of((await anna.get(address)).page), "text": ""}
    assert (await sent_with(anna, address, nothing, b"", "")).status == 422

    assert "может не хватать" not in page.words
    await shop.pool.execute(
        "INSERT INTO channel_gap (account_id, channel_id, from_at, to_at, state, created_at)"
        " VALUES ($1, 'c1', now() - interval '2 hours', now(), 'open', now())",
        ACCOUNT,
    )
    assert "может не хватать" in (await anna.get(address)).words
