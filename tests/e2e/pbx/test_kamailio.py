"""A real Kamailio with our recipe: where an INVITE goes, and what the call leaves in the CRM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.data import OFFICE_LINE
from gateway.store.admin.accounts import add_connection
from tests.e2e.pbx.asterisk import free_udp_port
from tests.e2e.pbx.between import relay
from tests.e2e.pbx.kamailio import Kamailio, running_kamailio
from tests.e2e.pbx.office import KNOWN_CALLER, NEW_CALLER, OWNER, RESERVE
from tests.e2e.pbx.sipp import a_call, phones
from tests.e2e.stack import ACCOUNT, Stack, running_stack

pytestmark = pytest.mark.pbx

AT_MOST_SECONDS = 1.5


@dataclass
class Proxied:
    stack: Stack
    folder: Path
    phones_port: int

    def kamailio(self, url: str | None = None, **options: Any) -> Any:
        values = {
            "CALLMATRIX_URL": f"{url or self.stack.url}/pbx/kamailio",
            "RESERVE_URI": f"sip:{RESERVE}@127.0.0.1:{self.phones_port}",
        }
        return running_kamailio(self.folder, **{**values, **options})

    async def rings(
        self, kamailio: Kamailio, caller: str, talk_ms: int = 300, **more: Any
    ) -> tuple[str, float]:
        """Which phone rings first, and after how many seconds; the call is then finished."""
        with (
            phones(self.folder, self.phones_port) as sipp,
            a_call(self.folder, kamailio.sip_port, caller=caller, talk_ms=talk_ms, **more) as call,
        ):
            invited = (await asyncio.to_thread(sipp.until_invited))[0]
            assert await asyncio.to_thread(call.finish) == 0
            return invited.user, invited.at - call.asked_at


@pytest.fixture
async def proxied(tmp_path: Path, database_url: str) -> AsyncIterator[Proxied]:
    phones_port = free_udp_port()
    async with running_stack(tmp_path, database_url, workers=1) as stack:
        async with stack.pool.acquire() as conn:
            await add_connection(
                conn,
                account_id=ACCOUNT,
                name="kamailio",
                kind="kamailio",
                secret="demo",
                dialect="rtjson",
                lines=(OFFICE_LINE,),
                settings={"domain": f"127.0.0.1:{phones_port}"},
            )
        await stack.until_answers(f"{stack.url}/pbx/kamailio/lookup?phone=1&token=demo")
        yield Proxied(stack, tmp_path, phones_port)


async def test_the_invite_of_a_known_caller_is_relayed_to_the_owner_and_others_to_the_reserve(
    proxied: Proxied,
) -> None:
    with proxied.kamailio() as kamailio:
        for spelling in (KNOWN_CALLER, "89000000007", "79000000007"):
            assert (await proxied.rings(kamailio, spelling))[0] == OWNER, spelling
        assert (await proxied.rings(kamailio, NEW_CALLER))[0] == RESERVE


async def test_the_caller_is_redirected_where_the_recipe_says_so(proxied: Proxied) -> None:
    with proxied.kamailio(is_redirect=True) as kamailio:
        for caller, phone in ((KNOWN_CALLER, OWNER), (NEW_CALLER, RESERVE)):
            with a_call(proxied.folder, kamailio.sip_port, caller=caller) as call:
                assert await asyncio.to_thread(call.finish) == 0
                last = call.answers[-1]
                assert last.first.startswith("SIP/2.0 302"), last.first
                assert f"sip:{phone}@127.0.0.1:{proxied.phones_port}" in last.header("Contact")


async def test_a_busy_owner_is_followed_by_the_reserve(proxied: Proxied) -> None:
    # A proxy keeps the Call-ID, and one SIPp takes only one call of an id: the reserve is another.
    reserve_port = free_udp_port()
    with (
        proxied.kamailio(RESERVE_URI=f"sip:{RESERVE}@127.0.0.1:{reserve_port}") as kamailio,
        phones(proxied.folder, proxied.phones_port, "phone_busy") as owner,
        phones(proxied.folder, reserve_port) as reserve,
        a_call(proxied.folder, kamailio.sip_port, caller=KNOWN_CALLER, talk_ms=300) as call,
    ):
        assert await asyncio.to_thread(call.finish) == 0
        assert [m.user for m in owner.invited()] == [OWNER]
        assert [m.user for m in reserve.invited()] == [RESERVE]
        assert call.answers[-1].first == "SIP/2.0 200 OK"


async def test_the_reserve_rings_in_time_while_the_gateway_is_frozen_slow_or_gone(
    proxied: Proxied, record_property: Callable[[str, object], None]
) -> None:
    gateway = proxied.stack.process("gateway0")
    port = int(proxied.stack.url.rpartition(":")[2])
    seen: dict[str, tuple[str, float]] = {}
    async with relay(port, 3.0) as slow:
        with proxied.kamailio(f"http://127.0.0.1:{slow.port}") as kamailio:
            seen["slow"] = await proxied.rings(kamailio, KNOWN_CALLER)
    with proxied.kamailio() as kamailio:
        gateway.signal(signal.SIGSTOP)
        try:
            seen["frozen"] = await proxied.rings(kamailio, KNOWN_CALLER)
        finally:
            gateway.signal(signal.SIGCONT)
        await proxied.stack.until_answers(f"{proxied.stack.url}/healthz")
        assert (await proxied.rings(kamailio, KNOWN_CALLER))[0] == OWNER, "the gateway came back"
        gateway.kill()
        seen["stopped"] = await proxied.rings(kamailio, KNOWN_CALLER)
    for how, (phone, seconds) in seen.items():
        record_property(f"kamailio {how}", round(seconds, 3))
        print(f"kamailio, gateway {how}: {phone} rings after {seconds:.3f} s")
        assert phone == RESERVE, how
        assert seconds <= AT_MOST_SECONDS, how


async def test_what_calls_through_the_proxy_leave_in_the_crm(proxied: Proxied) -> None:
    stack = proxied.stack
    with proxied.kamailio(RESERVE_URI=f"sip:103@127.0.0.1:{proxied.phones_port}") as kamailio:
        with (
            phones(proxied.folder, proxied.phones_port),
            a_call(proxied.folder, kamailio.sip_port, caller=NEW_CALLER, talk_ms=2300) as call,
        ):
            assert await asyncio.to_thread(call.finish) == 0
        with (
            phones(proxied.folder, proxied.phones_port, "phone_rings"),
            a_call(
                proxied.folder, kamailio.sip_port, caller="+79261230046", talk_ms=600, gives_up=True
            ) as call,
        ):
            assert await asyncio.to_thread(call.finish) == 0
        await _until_over(stack, 2)
    await stack.until_idle()
    users = {u["email"].partition("@")[0]: u["id"] for u in await stack.rows("user")}
    answered, missed = await _left(stack, NEW_CALLER), await _left(stack, "+79261230046")
    assert [len(answered[kind]) for kind in ("contacts", "deals", "tasks", "calls")] == [1, 1, 0, 1], answered
    assert answered["calls"][0]["created_by"] == users["manager103"]
    assert answered["calls"][0]["params"]["duration"] in (2, 3)
    assert [len(missed[kind]) for kind in ("contacts", "deals", "tasks")] == [1, 1, 1], missed
    assert missed["tasks"][0]["responsible_user_id"] == users["senior100"]


async def test_events_wait_in_the_proxy_while_the_gateway_is_away(proxied: Proxied) -> None:
    gateway = proxied.stack.process("gateway0")
    with proxied.kamailio() as kamailio:
        gateway.kill()
        # A talk of less than a second is none: the proxy bills whole seconds.
        assert (await proxied.rings(kamailio, NEW_CALLER, talk_ms=1500))[0] == RESERVE
        gateway.start()
        await proxied.stack.until_answers(f"{proxied.stack.url}/readyz")
        async with asyncio.timeout(30):  # each is sent again by itself, so the answer may come after the end
            while (await _until_over(proxied.stack, 1))[0]["disposition"] != "answered":
                await asyncio.sleep(0.1)


async def _until_over(stack: Stack, count: int) -> list[Any]:
    rows: list[Any] = []
    for _ in range(200):
        rows = await stack.pool.fetch("SELECT * FROM call WHERE account_id = $1", ACCOUNT)
        if len(rows) == count and all(row["is_over"] for row in rows):
            return rows
        await asyncio.sleep(0.1)
    raise AssertionError(f"the calls are still {[dict(row) for row in rows]}")


async def _left(stack: Stack, number: str) -> dict[str, list[dict[str, Any]]]:
    contacts = await stack.rows("contact", phone=number.removeprefix("+"))
    ids = {c["id"] for c in contacts}
    deals = [d for d in await stack.rows("deal") if ids & set(d["contacts"])]
    ids |= {d["id"] for d in deals}
    return {
        "contacts": contacts,
        "deals": deals,
        "tasks": [t for t in await stack.rows("task") if t["entity_id"] in ids],
        "calls": [n for n in await stack.rows("call") if n["entity_id"] in ids],
    }
