"""Each kind of PBX that takes orders, before a double of it that plays the same scenes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from gateway.pbx.asterisk.originate.originator import AmiOriginator
from gateway.pbx.asterisk.wire import message
from gateway.pbx.capabilities import Originator
from gateway.pbx.connection import Connection
from gateway.pbx.freeswitch.originate.originator import EslOriginator
from gateway.pbx.generic.originator import HttpOriginator
from gateway.pbx.mango.originator import MangoOriginator
from gateway.pbx.ringostat.originator import RingostatOriginator
from tests.fakes import http_pbx, mango
from tests.fakes.esl import fake_esl
from tests.fakes.http_pbx import FakeHttpPbx
from tests.fakes.mango import FakeMango
from tests.integration.asterisk.fake_ami import fake_ami
from tests.unit.gateway.pbx.builders import a_connection

ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"
SOON = 0.3

Scene = Literal["taken", "silent", "cut", "wrong_key", "refused", "throttled"]


@dataclass(frozen=True, slots=True)
class Stage:
    """orders: how many orders to call the PBX has read. connections: where each request came from, of HTTP only."""

    originator: Originator
    connection: Connection
    orders: Callable[[], int]
    connections: Sequence[object] = ()


MakeStage = Callable[[Scene], AbstractAsyncContextManager[Stage]]


@asynccontextmanager
async def _asterisk(scene: Scene) -> AsyncIterator[Stage]:
    told = {"Response": "Success", "ActionID": ATTEMPT, "Message": "Originate successfully queued"}
    channel = {"Event": "Newchannel", "Uniqueid": ATTEMPT, "Linkedid": ATTEMPT}
    error = {"Response": "Error", "ActionID": ATTEMPT, "Message": "Invalid channel"}
    says: dict[str, Any] = {"silent": [], "cut": None, "refused": [message(error)]}
    async with fake_ami(originates=says.get(scene, [message(told), message(channel)])) as ami:
        settings = {"ami_host": "127.0.0.1", "ami_port": ami.port, "originate_context": "callmatrix-client"}
        secret = "another" if scene == "wrong_key" else ami.secret
        connection = a_connection(
            "asterisk", settings=settings, keys={"ami_user": "callmatrix", "ami_secret": secret}
        )
        yield Stage(AmiOriginator(SOON, 0.1), connection, lambda: ami.actions.count("Originate"))


@asynccontextmanager
async def _freeswitch(scene: Scene) -> AsyncIterator[Stage]:
    says: dict[str, str | None] = {"silent": None, "cut": "cut", "refused": "-ERR no such command"}
    reply = says.get(scene, "+OK Job-UUID: {job}")
    async with fake_esl(reply=reply) as esl:
        settings = {"esl_host": "127.0.0.1", "esl_port": esl.port, "originate_gateway": "provider"}
        password = "another" if scene == "wrong_key" else esl.password
        connection = a_connection("freeswitch", settings=settings, keys={"esl_password": password})
        yield Stage(EslOriginator(SOON, 0.1), connection, lambda: len(esl.orders))


@asynccontextmanager
async def _mango(scene: Scene) -> AsyncIterator[Stage]:
    says: dict[str, int | str] = {"refused": 3300}
    fake = FakeMango(order_says=says.get(scene, "taken" if scene == "wrong_key" else scene))
    async with mango.serving(fake):
        salt = "another" if scene == "wrong_key" else fake.salt
        connection = a_connection(
            "mango", keys={"api_key": fake.api_key, "api_salt": salt}, settings={"base_url": fake.url}
        )
        yield Stage(MangoOriginator(SOON), connection, lambda: len(fake.orders))


@asynccontextmanager
async def _ringostat(scene: Scene) -> AsyncIterator[Stage]:
    error = {"code": 4, "message": "no such number"}
    says: dict[str, Any] = {
        "silent": "silent",
        "cut": "cut",
        "refused": (200, {"jsonrpc": "2.0", "error": error}),
        "throttled": (429, {}),
    }
    fake = FakeHttpPbx("Auth-key", "right", says.get(scene, (200, {"jsonrpc": "2.0", "result": "ok"})))
    async with http_pbx.serving(fake):
        key = "another" if scene == "wrong_key" else "right"
        settings = {"base_url": fake.url, "project_id": "77"}
        connection = a_connection("ringostat", keys={"auth_key": key}, settings=settings)
        yield Stage(RingostatOriginator(SOON), connection, lambda: _posts(fake), fake.connections)


@asynccontextmanager
async def _generic(scene: Scene) -> AsyncIterator[Stage]:
    says: dict[str, Any] = {
        "silent": "silent",
        "cut": "cut",
        "refused": (422, {"reason": "no_such_employee"}),
        "throttled": (429, {}),
    }
    fake = FakeHttpPbx(says=says.get(scene, (202, {})))
    async with http_pbx.serving(fake):
        key = "another" if scene == "wrong_key" else "right"
        settings = {"originate_url": f"{fake.url}/calls"}
        connection = a_connection("generic", keys={"originate_token": key}, settings=settings)
        yield Stage(HttpOriginator(SOON), connection, lambda: _posts(fake), fake.connections)


def _posts(fake: FakeHttpPbx) -> int:
    return sum(method == "POST" for method, *_ in fake.asked)


STAGES: dict[str, MakeStage] = {
    "asterisk": _asterisk,
    "freeswitch": _freeswitch,
    "mango": _mango,
    "ringostat": _ringostat,
    "generic": _generic,
}
