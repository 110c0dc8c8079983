"""A shop that is written to in three messengers: set up as an administrator would, with the doubles listening."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp

from crm.sandbox.seed import OPEN_STAGES, PIPELINE
from gateway.store.admin.accounts import add_api_token
from gateway.store.admin.bindings import Bindings
from gateway.store.channels.access import set_rights
from gateway.store.channels.channels import add_channel
from routing.dialogues.rules import ChannelRules, CopyRule
from runtime.database.pool import Conn
from sms.channels.port import MessengerChannel
from tests.chaos.channels.clients import Clients
from tests.chaos.channels.doubles import SIGNED_WITH, SandboxDouble, TelegramDouble, WazzupDouble
from tests.chaos.channels.employees import Employees
from tests.chaos.channels.plan import EMPLOYEES
from tests.chaos.channels.records import ChannelName, MessengerTruth
from tests.chaos.channels.sends import ANSWER_SECONDS
from tests.chaos.outgoing.door import listening
from tests.chaos.outgoing.kill_points import KillPoints
from tests.chaos.outgoing.teller import Teller
from tests.chaos.site import Site
from tests.chaos.tenants import Tenant
from tests.e2e.stack import ACCOUNT
from tests.fakes.channels.telegram import TOKEN
from tests.fakes.channels.wazzup import API_KEY, CHANNEL

TENANT = Tenant(account=ACCOUNT, share=1.0, skews={"generic": 0.0})
IDS: Mapping[ChannelName, str] = {name: f"chaos-{name}" for name in ("sandbox", "telegram", "wazzup")}
_COPIES: Mapping[ChannelName, CopyRule] = {"sandbox": "hour", "telegram": "each", "wazzup": "day"}
_KEYS: Mapping[ChannelName, Mapping[str, str]] = {
    "sandbox": {"signing_secret": SIGNED_WITH},
    "telegram": {"token": TOKEN},
    "wazzup": {"api_key": API_KEY},
}
_SETTINGS: Mapping[ChannelName, Mapping[str, str]] = {
    "sandbox": {},
    "telegram": {"poll_seconds": "2"},
    "wazzup": {"channel_id": CHANNEL, "transport": "whatsapp"},
}
_SECRET = "hush"
_DOOR_KNOWS_SECONDS = 3.0


@dataclass
class Shop:
    site: Site
    truth: MessengerTruth
    teller: Teller
    points: KillPoints
    sandbox: SandboxDouble
    telegram: TelegramDouble
    wazzup: WazzupDouble
    clients: Clients
    employees: Employees

    @property
    def is_quiet(self) -> bool:
        """Whether the messengers have nothing to tell any more."""
        doubles = (self.sandbox, self.telegram, self.wazzup)
        return not self.teller.under_way and all(double.sends.is_quiet for double in doubles)

    @property
    def missing(self) -> list[str]:
        """Faults of the messengers that have not come yet."""
        doubles = (self.sandbox, self.telegram, self.wazzup)
        sends = [f"{fault} of sending" for double in doubles for fault in double.sends.faults.missing]
        return [*sends, *(f"{fault} of polling" for fault in self.telegram.poll_faults.missing)]


@contextlib.asynccontextmanager
async def open_shop(site: Site, session: aiohttp.ClientSession, seed: int) -> AsyncIterator[Shop]:
    truth, teller = MessengerTruth(), Teller(site.urls, session, seed)
    points = KillPoints(lambda: _workers(site), site.kill)
    sandbox, telegram = SandboxDouble(seed, truth, points, teller), TelegramDouble(seed, truth, points)
    wazzup = WazzupDouble(seed, truth, points, teller)
    async with contextlib.AsyncExitStack() as undo:
        urls: dict[ChannelName, str] = {}
        for name, double in (("sandbox", sandbox), ("telegram", telegram), ("wazzup", wazzup)):
            urls[name] = await undo.enter_async_context(listening(_app_of(double)))  # type: ignore[index]
            undo.callback(double.sends.stop)
        async with site.connection() as conn, conn.transaction():
            await _connect(conn, urls)
            tokens = await _tokens(conn)
        sandbox.path, wazzup.path = (f"/channels/{IDS[n]}/{_SECRET}" for n in ("sandbox", "wazzup"))
        await asyncio.sleep(_DOOR_KNOWS_SECONDS)
        clients = Clients(truth, sandbox, telegram, wazzup, teller)
        employees = Employees(site, session, truth, seed, tokens, IDS)
        yield Shop(site, truth, teller, points, sandbox, telegram, wazzup, clients, employees)


def _app_of(double: SandboxDouble | TelegramDouble | WazzupDouble) -> aiohttp.web.Application:
    app = aiohttp.web.Application()
    app.add_routes(double.routes())
    return app


async def _connect(conn: Conn, urls: Mapping[ChannelName, str]) -> None:
    for name, url in urls.items():
        settings = {**_SETTINGS[name], "base_url": url, "answer_seconds": str(ANSWER_SECONDS)}
        channel = MessengerChannel(
            account_id=ACCOUNT, id=IDS[name], name=name, kind=name, keys=_KEYS[name], settings=settings
        )
        rules = ChannelRules(
            pipeline_id=str(PIPELINE),
            stage_id=str(OPEN_STAGES[0]),
            copies=_COPIES[name],
            keeps_deleted_text=True,
        )
        assert await add_channel(conn, channel, rules, secret=_SECRET) is not None
        await set_rights(conn, ACCOUNT, IDS[name], dict.fromkeys(EMPLOYEES, "send"))


async def _tokens(conn: Conn) -> dict[str, str]:
    found = {}
    for employee in EMPLOYEES:
        bound = Bindings(account_id=ACCOUNT, employee=employee)
        found[employee] = await add_api_token(conn, name=f"chaos {employee}", role="manager", bound=bound)
    return found


def _workers(site: Site) -> dict[str, int]:
    pids = {}
    for name in ("worker0", "worker1"):
        process = site.process(name)
        if process.is_running and process.popen is not None:
            pids[name] = process.popen.pid
    return pids
