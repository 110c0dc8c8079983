"""`callmatrix demo`: database, CRM sandbox, gateway and worker together, with sample data and one sample call."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import structlog

from crm.borrowed_budget import BorrowedBudget
from crm.lane import Lane
from gateway.admin.protection.secrets_at_rest import prepare_secrets
from gateway.admin.refused import InputRefused
from gateway.crm_accounts.access import CrmAccess
from gateway.crm_accounts.secret_address import webhook_address
from gateway.db.embedded import EmbeddedPostgres
from gateway.db.migrate import migrate
from gateway.demo import callbacks, data, dialogues, distribution
from gateway.demo.callbacks import DemoCallBacks
from gateway.demo.day_of_rules import somebody_leaves
from gateway.demo.distribution import DemoStages
from gateway.demo.folder import clear, prepare_folder
from gateway.demo.living import bring_to_life, calls_go_on, order_first, prepare_crm, tell_calls, tell_returns
from gateway.demo.pbx import DemoPbx, serving
from gateway.demo.people import doors, prepare_people
from gateway.store.admin.accounts import account as account_of
from routing.settings import NumberPolicy
from runtime.database.pool import open_pool
from runtime.database.sealing import SealingError, key_ring
from runtime.failure import Failure
from runtime.lifecycle import refuse_taken
from runtime.supervisor import Child, run_children, stop_on_signals

log = structlog.get_logger(__name__)

_READY_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    data_dir: Path
    port: int = 8080
    sandbox_port: int = 8090
    contacts: int = 1000
    is_fresh: bool = False
    plays_call: bool = True
    has_past: bool = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"


def default_data_dir() -> Path:
    """Under the user's data directory; for root /var/lib/callmatrix, since the database runs as another user."""
    if os.geteuid() == 0:
        return Path("/var/lib/callmatrix")
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/callmatrix"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "callmatrix"


def run_demo(demo: Demo) -> None:
    """Until Ctrl-C or SIGTERM. Raises Failure when it cannot start."""
    refuse_taken(
        "127.0.0.1",
        {"--port": demo.port, "--sandbox-port": demo.sandbox_port},
        "end what uses it, or choose others with --port and --sandbox-port",
    )
    os.umask(0o077)
    prepare_folder(demo.data_dir)
    with _sole_user_of(demo.data_dir):
        if demo.is_fresh:
            clear(demo.data_dir)
        server = EmbeddedPostgres(demo.data_dir)
        with contextlib.suppress(
            KeyboardInterrupt
        ):  # Ctrl-C before or after `_run`, which hears it by itself
            try:
                asyncio.run(_run(demo, server.start()))
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # pressed again: the database is being stopped
                server.stop()


async def _run(demo: Demo, dsn: str) -> None:
    stop = stop_on_signals()
    await migrate(dsn)
    token = data.admin_token(demo.data_dir)
    key_file = data.secrets_key_file(demo.data_dir)
    await _seal(dsn, key_file)
    sandbox = Child(
        "sandbox",
        ["sandbox", "--port", str(demo.sandbox_port), "--contacts", str(demo.contacts),
         "--state", str(demo.data_dir / "sandbox.sqlite"), "--quiet"],
    )  # fmt: skip
    env = {
        "CALLMATRIX_DATABASE_URL": dsn,
        "CALLMATRIX_HOST": "127.0.0.1",
        "CALLMATRIX_PORT": str(demo.port),
        "CALLMATRIX_PUBLIC_URL": demo.url,
        "CALLMATRIX_PBX_HOSTS": "127.0.0.1,localhost,::1",
        "CALLMATRIX_SECRETS_KEY": "",
        "CALLMATRIX_SECRETS_KEY_FILE": str(key_file),
        "CALLMATRIX_LOG_LEVEL": os.environ.get("CALLMATRIX_LOG_LEVEL", "warning"),
    }
    gateway = Child("gateway", ["serve", "--role", "gateway"], env)
    worker = Child("worker", ["serve", "--role", "worker"], env)
    await _unless_stopped(_start(demo, dsn, token, sandbox, gateway, worker, stop), stop)


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Do it until we are asked to stop: then it is broken off wherever it is, and ends what it has begun."""
    running, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _seal(dsn: str, key_file: Path) -> None:
    """Seal what an earlier version left in plain text; with a lost key the demo says so and changes nothing."""
    pool = await open_pool(dsn, max_size=1, keys=key_ring(None, key_file))
    try:
        await prepare_secrets(pool)
    except SealingError as err:
        raise Failure(
            "the demo's secrets cannot be read", str(err), f"bring back {key_file}, or use --fresh"
        ) from err
    finally:
        await pool.close()


async def _start(
    demo: Demo, dsn: str, token: str, sandbox: Child, gateway: Child, worker: Child, stop: asyncio.Event
) -> None:
    inner_stop = asyncio.Event()
    crm = asyncio.create_task(run_children([sandbox], inner_stop))
    ours: asyncio.Task[None] | None = None
    try:
        async with (
            aiohttp.ClientSession() as session,
            serving(DemoPbx(session, f"{demo.url}/pbx/generic/events")) as pbx,
        ):
            if not await _answers(session, f"{demo.sandbox_url}/_sandbox/token", stop):
                return
            crm_token = (await _json(session, f"{demo.sandbox_url}/_sandbox/token?integration=callmatrix"))[
                "access_token"
            ]
            pool = await open_pool(dsn, max_size=2, keys=key_ring(None, data.secrets_key_file(demo.data_dir)))
            is_new = await data.has_no_calls(pool)
            if is_new:
                await prepare_crm(session, demo.sandbox_url, demo.contacts)
            await data.prepare(
                pool,
                sandbox_url=demo.sandbox_url,
                crm_token=crm_token,
                token=token,
                people=data.named_employees(),
            )
            stages = await distribution.prepare_pipeline(session, demo.sandbox_url)
            await distribution.prepare_distribution(pool, stages)
            called = await callbacks.prepare_calls(session, demo.sandbox_url)
            await callbacks.prepare_trigger(pool, called, pbx.url)
            await dialogues.prepare_channels(pool)
            await _register_webhook(session, pool, demo)
            links = await prepare_people(pool)
            await pool.close()
            ours = asyncio.create_task(run_children([gateway, worker], stop))
            if not await _answers(session, f"{demo.url}/readyz", stop):
                return
            print(_welcome(demo, dsn, token, links, stages, called), flush=True)
            if demo.plays_call:
                await _play(session, demo, stop)
            if demo.has_past and is_new:
                await _live(session, demo, dsn, stages, called)
            if demo.has_past:
                await _calls_go_on(session, demo, stop)
            await stop.wait()
    finally:
        stop.set()
        if ours is not None:
            await ours
        inner_stop.set()
        await crm


async def _register_webhook(session: aiohttp.ClientSession, pool: asyncpg.Pool, demo: Demo) -> None:
    async with pool.acquire() as conn:
        account = await account_of(conn, data.ACCOUNT)
    crm = CrmAccess(pool, session).open(account, BorrowedBudget(pool, account.id), NumberPolicy).crm
    await crm.register_webhook(webhook_address(demo.url, account), Lane.REALTIME)


async def _answers(session: aiohttp.ClientSession, url: str, stop: asyncio.Event) -> bool:
    """Wait for 200. False when we are asked to stop meanwhile. Raises Failure when it takes too long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _READY_SECONDS
    last = "no answer"
    while not stop.is_set():
        try:
            async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as response:
                if response.status == 200:
                    return True
                last = (await response.text())[:300]
        except (aiohttp.ClientError, TimeoutError) as err:
            last = str(err)
        if loop.time() > deadline:
            raise Failure(
                "the demo did not become ready",
                last,
                "see the lines above; 'callmatrix demo --fresh' starts afresh",
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.15):
                await stop.wait()
    return False


async def _json(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as response:
        response.raise_for_status()
        return await response.json()


def _welcome(
    demo: Demo, dsn: str, token: str, links: Mapping[str, str], stages: DemoStages, called: DemoCallBacks
) -> str:
    url, auth = demo.url, "-H 'Authorization: Bearer demo'"
    return f"""
Pages        {url}   each of these lets a person in, once:
{doors(url, links)}
Gateway      {url}
CRM sandbox  {demo.sandbox_url}   (an amoCRM account with sample data, nothing real)
Database     CALLMATRIX_DATABASE_URL='{dsn}'
Its key      CALLMATRIX_SECRETS_KEY_FILE='{data.secrets_key_file(demo.data_dir)}'
Admin token  {token}
Data         {demo.data_dir}   (Ctrl-C ends the demo, the next start goes on; --fresh starts over)
Commands     export CALLMATRIX_DATABASE_URL, CALLMATRIX_SECRETS_KEY_FILE and CALLMATRIX_PORT={demo.port} first, as above

Things to try, each line as it stands:
  who is responsible for this caller?
    curl -s {auth} '{url}/pbx/generic/lookup?phone=8(900)000-00-07'
  a call comes in, nobody answers, it ends: a contact, a deal and a task appear in the CRM some 10 s later
    curl -s {auth} {url}/pbx/generic/events -d event=newCall -d callId=try-1 -d from=79031112233 -d to=74950000001 -d direction=in
    curl -s {auth} {url}/pbx/generic/events -d event=hangup -d callId=try-1 -d from=79031112233 -d to=74950000001 -d direction=in -d cause=noAnswer
  what did the CRM get?
    curl -s '{demo.sandbox_url}/_sandbox/state?kind=task'
  why was it decided so?
    curl -s -H 'Authorization: Bearer {token}' '{url}/api/v1/decisions?limit=5'
{distribution.things_to_try(url, demo.sandbox_url, token, stages)}
{callbacks.things_to_try(url, demo.sandbox_url, token, called)}
{dialogues.things_to_try(url)}
  the admin API
    {url}/api/openapi.json

Callmatrix is ready
"""


async def _live(
    session: aiohttp.ClientSession, demo: Demo, dsn: str, stages: DemoStages, called: DemoCallBacks
) -> None:
    """Tell a week of calls and do a day of work, for the pages to show."""
    tell = partial(_send, session, demo)
    pool = await open_pool(dsn, max_size=1, keys=key_ring(None, data.secrets_key_file(demo.data_dir)))
    try:
        began = datetime.now(UTC)
        await order_first(session, pool, demo.sandbox_url)
        count = await tell_calls(began, tell)
        await bring_to_life(session, pool, demo.sandbox_url, tell, stages, called)
        await tell_returns(pool, began, tell)
        await dialogues.tell_dialogues(session, pool, demo.url, began)
        await somebody_leaves(pool)
    except (aiohttp.ClientError, TimeoutError, InputRefused) as err:
        log.warning("sample-day-failed", error=str(err))
        return
    finally:
        await pool.close()
    print(f"A week of {count} sample calls, and a day of work, are on the pages.", flush=True)


async def _calls_go_on(session: aiohttp.ClientSession, demo: Demo, stop: asyncio.Event) -> None:
    try:
        await calls_go_on(session, demo.url, partial(_send, session, demo), stop)
    except (aiohttp.ClientError, TimeoutError) as err:
        log.warning("sample-calls-failed", error=str(err))


_SAMPLE_NUMBER = "79161234567"


async def _play(session: aiohttp.ClientSession, demo: Demo, stop: asyncio.Event) -> None:
    """One answered call of an unknown client, and what it left in the CRM."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await stop.wait()
    if stop.is_set():
        return
    call_id = f"sample-{os.getpid()}"
    common = {
        "callId": call_id,
        "from": _SAMPLE_NUMBER,
        "to": data.OFFICE_LINE.lstrip("+"),
        "direction": "in",
    }
    print(
        f"A sample call: +{_SAMPLE_NUMBER} rings, manager 103 answers, they talk for 2 seconds …", flush=True
    )
    try:
        await _send(session, demo, {**common, "event": "newCall", "utm_source": "demo"})
        await _send(session, demo, {**common, "event": "answer", "extension": "103"})
        await asyncio.sleep(2)
        await _send(session, demo, {**common, "event": "hangup", "cause": "normalClearing"})
        for line in await _left_in_crm(session, demo, stop):
            print(f"  {line}", flush=True)
    except (aiohttp.ClientError, TimeoutError) as err:
        log.warning("sample-call-failed", error=str(err))


async def _send(session: aiohttp.ClientSession, demo: Demo, event: Mapping[str, str]) -> None:
    url = f"{demo.url}/pbx/generic/events"
    async with session.post(url, json=event, headers={"Authorization": "Bearer demo"}) as response:
        response.raise_for_status()


async def _left_in_crm(session: aiohttp.ClientSession, demo: Demo, stop: asyncio.Event) -> list[str]:
    """Return what the sandbox holds of the sample client, once its call note is there or 20 s have passed."""
    found: list[str] = []
    for _ in range(40):
        contacts = await _rows(session, demo, f"contact&phone={_SAMPLE_NUMBER}")
        of_client = {c["id"] for c in contacts}
        deals = [d for d in await _rows(session, demo, "deal") if of_client & set(d["contacts"])]
        of_client |= {d["id"] for d in deals}
        notes = [n for n in await _rows(session, demo, "call") if n["entity_id"] in of_client]
        found = [f"contact {c['id']} «{c['name']}», responsible {c['responsible_user_id']}" for c in contacts]
        found += [f"deal {d['id']} «{d['name']}», responsible {d['responsible_user_id']}" for d in deals]
        found += [f"call note {n['id']} ({n['note_type']}), created by {n['created_by']}" for n in notes]
        if notes or stop.is_set():
            break
        await asyncio.sleep(0.5)
    return ["In the CRM now:", *found] if found else ["The CRM does not show it yet."]


async def _rows(session: aiohttp.ClientSession, demo: Demo, kind: str) -> list[dict[str, Any]]:
    return list((await _json(session, f"{demo.sandbox_url}/_sandbox/state?kind={kind}"))["rows"])


@contextlib.contextmanager
def _sole_user_of(data_dir: Path) -> Iterator[None]:
    with open(data_dir / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            raise Failure(
                f"another demo runs in {data_dir}", "", "end it, or use another --data-dir"
            ) from err
        yield
