"""The server: one request from arrival to ledger, and how to start it (CLI, tests)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from crm.sandbox.control import chats, endpoints
from crm.sandbox.faults import FaultRule, fault_rules
from crm.sandbox.profile import Profile, profile_of
from crm.sandbox.state import State
from crm.sandbox.webhooks import delivery
from crm.sandbox.world import World


def build_app(
    state: str | None = None,
    profile: Profile | str | Mapping[str, Any] = "amocrm",
    *,
    contacts: int = 1000,
    users: int = 10,
) -> web.Application:
    """Return the application. state: file that keeps everything; None = memory."""
    world = World(State(state, profile_of(profile)), contacts, users)
    world.prepare()
    app = web.Application(client_max_size=_LARGEST)
    app[WORLD] = world
    endpoints.add_routes(app, world)
    chats.add_routes(app, world)
    app.router.add_route("*", "/{tail:.*}", world.handle)
    app.cleanup_ctx.append(delivery.running(world.state))
    app.on_cleanup.append(_close)
    return app


WORLD: web.AppKey[World] = web.AppKey("world", World)


async def _close(app: web.Application) -> None:
    app[WORLD].state.db.close()


class Sandbox:
    """A running sandbox for tests: `async with Sandbox(contacts=50) as sandbox: sandbox.url`."""

    def __init__(
        self,
        *,
        contacts: int = 50,
        users: int = 10,
        profile: Profile | str | Mapping[str, Any] = "amocrm",
        state: str | Path | None = None,
        port: int = 0,
    ) -> None:
        self._app = build_app(str(state) if state else None, profile, contacts=contacts, users=users)
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1)
        self._port = port
        self.url = ""

    @property
    def world(self) -> World:
        return self._app[WORLD]

    @property
    def state(self) -> State:
        return self.world.state

    def token(self, integration: str = "check") -> str:
        """Return a long-lived token of this integration, as /_sandbox/token gives it."""
        return endpoints.long_lived(self.world.state, integration, self.url.removeprefix("http://"))

    async def __aenter__(self) -> Sandbox:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()


async def serve(
    port: int,
    contacts: int = 1000,
    users: int = 10,
    profile: Profile | str | Mapping[str, Any] = "amocrm",
    faults_file: str | Path | None = None,
    state_file: str | Path | None = None,
    started: Callable[[str], None] = lambda url: None,
) -> None:
    """Run on 127.0.0.1:port until cancelled. started: called with the address once it listens. Raises ValueError for a profile or fault plan that is wrong."""
    rules = _rules_in(Path(faults_file)) if faults_file else []
    sandbox = Sandbox(contacts=contacts, users=users, profile=profile, state=state_file, port=port)
    sandbox.world.faults = rules
    async with sandbox:
        started(sandbox.url)
        await asyncio.Event().wait()


def _rules_in(path: Path) -> list[FaultRule]:
    with open(path, "rb") as file:
        body = file.read(_LONGEST_PLAN + 1)
    if len(body) > _LONGEST_PLAN:
        raise ValueError(f"{path} is longer than {_LONGEST_PLAN} bytes")
    return fault_rules(json.loads(body))


_LARGEST = 64 * 1024 * 1024
_LONGEST_PLAN = 1024 * 1024
