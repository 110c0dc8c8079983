"""A recording is played through our own address, part by part, and only from where a PBX may keep it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from aiohttp import web

from gateway.store.admin.bindings import Bindings
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site
from tests.integration.web.calls_on_pages import a_call, store

SOUND = bytes(range(256)) * 40


@pytest.fixture
async def keeper() -> AsyncIterator[str]:
    """The PBX's own server of recordings, at an address of this machine."""

    async def answer(request: web.Request) -> web.Response:
        assert request.query["token"] == "s3cret"
        kind = "text/html" if request.path == "/page" else "audio/mpeg"
        if "Range" in request.headers:
            part = request.http_range
            return web.Response(
                status=206,
                body=SOUND[part],
                content_type=kind,
                headers={"Content-Range": f"bytes {part.start}-{part.stop - 1}/{len(SOUND)}"},
            )
        return web.Response(body=SOUND, content_type=kind, headers={"Accept-Ranges": "bytes"})

    app = web.Application()
    app.router.add_get("/{file}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def _allow(site: Site, pool: asyncpg.Pool) -> None:
    await pool.execute(
        "UPDATE connection SET connection_id = 'office', settings = $1", {"recording_hosts": ["127.0.0.1"]}
    )
    await site.process.configuration.reload()


async def test_the_browser_gets_the_sound_and_not_the_link(
    site: Site, pool: asyncpg.Pool, keeper: str
) -> None:
    await store(
        pool, a_call("c1", timedelta(minutes=5), answered_by="101", recording=f"{keeper}/a.mp3?token=s3cret")
    )
    person = site.as_("read_only")
    assert (
        await person.get("/calls/c1/recording/1")
    ).status == 404  # an address of this machine that nobody named
    await _allow(site, pool)
    async with site.http.get(
        "http://localhost/calls/c1/recording/1",
        headers={"X-Test-Person": person.person.login if person.person else "", "Range": "bytes=10-19"},
    ) as part:
        assert (part.status, await part.read()) == (206, SOUND[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(SOUND)}"
        assert part.headers["Content-Type"] == "audio/mpeg"
        assert "s3cret" not in str(part.headers)
    assert (await person.get("/calls/c1/recording/2")).status == 404
    other = site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee="boss"))
    assert (await other.get("/calls/c1/recording/1")).status == 404


async def test_what_is_no_sound_is_not_passed_on(site: Site, pool: asyncpg.Pool, keeper: str) -> None:
    await store(
        pool, a_call("c1", timedelta(minutes=5), answered_by="101", recording=f"{keeper}/page?token=s3cret")
    )
    await _allow(site, pool)
    answer = await site.as_("admin").get("/calls/c1/recording/1")
    assert answer.status == 404
    assert "Запись не открылась" in answer.words
