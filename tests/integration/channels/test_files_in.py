"""Files that clients send are brought here once, within limits, from the web only; what cannot be had says why and stops nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.channels.files.fetching import FileFetcher
from gateway.store.channels.files import delete_chat_files
from runtime.vendors.named_addresses import NamedAddresses, NotFetched
from sms.channels.model import FileTold
from sms.channels.port import FetchedFile, SilentChannel
from tests.fakes.channels.sandbox import client_message
from tests.integration.channels.shop import ChatShop
from tests.integration.intake.office import ACCOUNT

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
MOST = 100_000


@dataclass
class Store:
    """A vendor's store of files on the web. sent: bytes of the endless one that went out. asked: paths, in order."""

    port: int = 0
    sent: int = 0
    asked: list[str] = field(default_factory=list)
    troubles: int = 0
    leads_to: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.asked.append(name)
        match name:
            case "gone":
                return web.Response(status=404)
            case "expired":
                return web.Response(status=403, text="<Error>Request has expired</Error>")
            case "page":
                return web.Response(text="<!DOCTYPE html><script>alert(1)</script>", content_type="image/png")
            case "empty":
                return web.Response(body=b"", content_type="image/png")
            case "large":
                return web.Response(body=bytes(MOST + 1))
            case "endless":
                return await self._endless(request)
            case "moved":
                return web.Response(status=302, headers={"Location": self.leads_to})
            case "silent":
                await asyncio.sleep(5)
            case "trouble" if self.troubles:
                self.troubles -= 1
                return web.Response(status=503)
        return web.Response(body=PNG, content_type="text/html")

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while self.sent < 200 * 1024 * 1024:
                await response.write(bytes(16_384))
                self.sent += 16_384
        return response


@dataclass
class Names(AbstractResolver):
    """Where names lead, each time to the next one; the last one stays."""

    leads: Mapping[str, list[str]]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.leads[host]
        address = found.pop(0) if len(found) > 1 else found[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


class Holds(SilentChannel):
    """A messenger that gives out files by their id."""

    def __init__(self, **files: bytes) -> None:
        self.files = files

    async def send(self, message: object) -> Any:
        raise NotImplementedError

    async def state(self) -> Any:
        raise NotImplementedError

    async def fetch(self, file: FileTold, most_bytes: int) -> FetchedFile:
        return FetchedFile(content=self.files[file.id], name="seen.bin")


@asynccontextmanager
async def a_store() -> AsyncIterator[Store]:
    store = Store()
    app = web.Application()
    app.router.add_get("/{name}", store.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    store.port = runner.addresses[0][1]
    try:
        yield store
    finally:
        await runner.cleanup()


def with_file(id: str, kind: str = "image", /, **told: Any) -> dict[str, Any]:
    return client_message(id, parts=[{"kind": kind, "text": id, "file": told}])


async def bring(
    shop: ChatShop, addresses: NamedAddresses, *, at: datetime | None = None, **files: bytes
) -> None:
    """As a worker does, until nothing waits that is due."""
    async with addresses as there:
        fetcher = FileFetcher(
            shop.pool,
            "c1",
            Holds(**files),
            there,
            lambda: at or datetime.now(UTC),
            most_bytes=MOST,
            seconds=1.0,
        )
        while await fetcher.turn():
            pass


async def fared(shop: ChatShop) -> dict[str, str]:
    """Return of each message how its file fares, and the reason."""
    rows = await shop.rows(
        "SELECT m.outside_id, f.state, f.reason FROM chat_file f JOIN chat_message m USING (account_id, message_id)"
    )
    return {row["outside_id"]: f"{row['state']} {row['reason']}".strip() for row in rows}


async def test_case_27_what_cannot_be_had_says_why_and_no_dialogue_waits_for_it(shop: ChatShop) -> None:
    async with a_store() as store:
        store.troubles = 1
        base = f"http://files.example:{store.port}"
        over = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        names = ("good", "gone", "expired", "page", "empty", "large", "endless", "silent", "trouble")
        await shop.told(
            *(with_file(name, url=f"{base}/{name}", name=f"{name}.png") for name in names),
            with_file("told-large", url=f"{base}/good", size=MOST + 1),
            with_file("over", url=f"{base}/good", expires_at=over),
            with_file("by-id", "document", id="held"),
            client_message("after", text="after all of them"),
        )
        assert "after all of them" in await shop.texts()
        await bring(
            shop,
            NamedAddresses(["files.example"], resolver=Names({"files.example": ["127.0.0.1"]})),
            held=b"<html>",
        )
        assert await fared(shop) == {
            "good": "kept",
            "gone": "refused gone",
            "expired": "refused expired",
            "page": "refused other-kind",
            "empty": "refused empty",
            "large": "refused too-large",
            "endless": "refused too-large",
            "silent": "waiting not-reached",
            "trouble": "waiting vendor-trouble",
            "told-large": "refused too-large",
            "over": "refused expired",
            "by-id": "kept",
        }
        assert store.sent < 20 * 1024 * 1024  # of 200 MB: nobody read on
        later = datetime.now(UTC) + timedelta(minutes=1)
        await bring(
            shop,
            NamedAddresses(["files.example"], resolver=Names({"files.example": ["127.0.0.1"]})),
            at=later,
        )
        assert (await fared(shop))["trouble"] == "kept"
        # A day later nobody tries any more.
        await shop.pool.execute(
            "UPDATE chat_file SET try_at = now() - interval '1 hour' WHERE state = 'waiting'"
        )
        await shop.pool.execute(
            "UPDATE chat_file SET created_at = now() - interval '25 hours' WHERE state = 'waiting'"
        )
        await bring(shop, NamedAddresses(["files.example"], resolver=Names({"files.example": ["127.0.0.1"]})))
        assert (await fared(shop))["silent"] == "refused not-reached"
        kept = await shop.rows(
            "SELECT media_type, size, told FROM chat_file WHERE state = 'kept' ORDER BY file_id"
        )
        assert sorted((row["media_type"], row["size"], row["told"]["name"]) for row in kept) == [
            ("image/png", len(PNG), "good.png"),
            ("image/png", len(PNG), "trouble.png"),
            ("text/html", 6, "seen.bin"),
        ]
        asked = len(store.asked)
        await shop.told(
            with_file("good", url=f"{base}/good", name="good.png")
        )  # told again: it is not fetched again
        await bring(shop, NamedAddresses(["files.example"], resolver=Names({"files.example": ["127.0.0.1"]})))
        assert len(store.asked) == asked


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("http://127.0.0.1:{port}/good", {}),
        ("http://2130706433:{port}/good", {}),
        ("http://127.1:{port}/good", {}),
        ("http://[::ffff:127.0.0.1]:{port}/good", {}),
        ("http://10.0.0.7/good", {}),
        ("http://192.168.1.1/good", {}),
        ("http://100.64.0.1/good", {}),
        ("http://169.254.169.254/latest/meta-data", {}),
        ("file:///etc/passwd", {}),
        ("http://user:secret@files.example/good", {}),
        ("http://inner.example:{port}/good", {"inner.example": ["127.0.0.1"]}),
        ("http://inner.example:{port}/good", {"inner.example": ["192.168.0.10"]}),
        # The name is asked for once: what it led to then is what is connected to.
        ("http://turns.example:{port}/good", {"turns.example": ["127.0.0.1", "93.184.216.34"]}),
    ],
)
async def test_case_27_nothing_is_fetched_from_where_only_we_can_reach(
    url: str, leads: dict[str, list[str]]
) -> None:
    async with a_store() as store:
        async with NamedAddresses(resolver=Names(leads)) as there:
            with pytest.raises(NotFetched) as refused:
                await there.fetch(url.format(port=store.port), most_bytes=MOST, seconds=2.0)
        assert refused.value.why == "forbidden"
        assert store.asked == []


async def test_case_27_a_redirect_gains_nothing_and_the_operator_lets_a_host_through(shop: ChatShop) -> None:
    async with a_store() as store:
        store.leads_to = f"http://127.0.0.1:{store.port}/good"
        await shop.told(with_file("m1", url=f"http://files.example:{store.port}/moved"))
        leads = Names({"files.example": ["127.0.0.1"]})
        await bring(shop, NamedAddresses(resolver=leads))
        assert (await fared(shop), store.asked) == ({"m1": "refused forbidden-place"}, [])
        await shop.told(with_file("m2", url=f"http://files.example:{store.port}/moved", name="again"))
        await bring(shop, NamedAddresses(["files.example"], resolver=leads))
        assert (await fared(shop))[
            "m2"
        ] == "refused forbidden-place"  # the host is let through, where it leads is not
        await shop.told(with_file("m3", url=f"http://files.example:{store.port}/moved", name="and again"))
        await bring(shop, NamedAddresses(["files.example", "127.0.0.1"], resolver=leads))
        assert (await fared(shop))["m3"] == "kept"


async def test_case_26_an_edited_message_keeps_its_file_and_days_end_for_files_as_for_texts(
    shop: ChatShop,
) -> None:
    first = with_file("m1", "voice", id="v")
    await shop.told(first)
    await bring(shop, NamedAddresses(), v=b"OggS....")
    edited = {**first, "parts": [{"kind": "voice", "text": "new words", "file": {"id": "v"}}]}
    await shop.told({**edited, "edit": {"at": "2026-03-02T07:03:00Z"}})
    await bring(shop, NamedAddresses())
    assert await shop.rows("SELECT state, media_type FROM chat_file") == [
        {"state": "kept", "media_type": "audio/ogg"}
    ]
    async with shop.pool.acquire() as conn:
        soon = datetime.now(UTC) + timedelta(minutes=1)
        assert await delete_chat_files(conn, account_id=ACCOUNT, before=soon, limit=10) == 1
    assert await shop.texts() == ["new words"]
