"""A kind of PBX that the product does not know: given to the processes, it works from end to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import asyncpg
import pytest

from gateway.admin.connections import ConnectionOrder, add_connection
from gateway.admin.refused import InputRefused
from gateway.calls.client_job import ClientJob
from gateway.calls.queue import Jobs
from gateway.pbx.capabilities import AskLookup, QuestionPort, SettingType, TellRefused
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from gateway.pbx.port import Inbound, LookupRequest, Parsed
from gateway.pbx.reading.payload import canonical, read_fields
from gateway.store.admin.accounts import add_api_token
from routing.calls.model import CallEvent, EventKind
from routing.matrix.presets import recommended
from tests.fakes.matrices import PublishedMatrix
from tests.integration.pbx.running_gateway import ACCOUNT, Running, form, prepare, running_gateway

_EVENTS = {"ring": EventKind.STARTED, "bye": EventKind.ENDED}


class Drums:
    """Questions beaten on a port of the kind's own: a number a line, an address a line."""

    def __init__(self, connections: Any, ask: AskLookup, _tell_refused: TellRefused) -> None:
        self._connections, self._ask = connections, ask

    async def run(self, host: str, port: int) -> None:
        async with await asyncio.start_server(self._answer, host, port) as server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name, _, number = (await reader.readline()).decode().strip().partition(" ")
        answer = self._ask(self._connections()[name], LookupRequest(number))
        writer.write("".join(t["address"] for t in answer["targets"][:1]).encode() + b"\n")
        writer.close()

    def samples(self) -> Any:
        yield "counter", "drums_heard", "Drums heard", {}, 1


class SmokeKind(PbxKind):
    """Smoke signals: `puff=ring|bye&fire=<call>&who=<client>&where=<our line>`."""

    kind = "smoke"
    default_dialect = "puffs"
    own_dialects = ("puffs",)
    keys = ("blanket",)
    settings: ClassVar[Mapping[str, SettingType]] = {"hill": "text", "wind": "whole"}

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        told = read_fields(request)
        event = CallEvent(
            kind=_EVENTS[told["puff"]],
            call_key=told["fire"],
            at=request.received_at,
            direction="inbound",
            client=told["who"],
            line=told["where"],
        )
        return Parsed(canonical=canonical(told), events=(event,))

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        return LookupRequest(request.query.get("who"))

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        puffs = "o" * sum(int(t["address"]) for t in answer["targets"][:1])
        return "text/x-smoke", f"{connection.settings.get('hill')}:{puffs}".encode()

    def instructions(self, name: str, secret: str, url: str) -> str:
        return f"Climb the hill and puff to {url} with {secret}"

    def question_port(self) -> QuestionPort:
        return QuestionPort("fastagi_port", Drums)  # any setting that holds a port


SMOKE: Mapping[str, PbxKind] = {**KINDS, "smoke": SmokeKind()}


@pytest.fixture
async def hill(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Running]:
    await prepare(pool)
    kinds = {name: kind for name, kind in SMOKE.items() if name != "asterisk"}  # its port is the drums' here
    async with running_gateway(pool, database_url, kinds) as running:
        yield running


async def ordered(hill: Running, status: int, **order: Any) -> dict[str, Any]:
    """What the admin API says to an order of a connection."""
    async with hill.pool.acquire() as conn:
        token = await add_api_token(conn, name="test", role="admin", token="a-token-of-the-test")
    await asyncio.sleep(0)
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{hill.url}/api/v1/accounts/{ACCOUNT}/connections"
    async with asyncio.timeout(10):
        while True:
            async with hill.http.post(
                url, json={"name": "hill", "kind": "smoke", **order}, headers=headers
            ) as got:
                if got.status != 401:  # the gateway hears of a new token a moment later
                    told: dict[str, Any] = await got.json(content_type=None)
                    assert got.status == status, told
                    return told
            await asyncio.sleep(0.05)


async def test_a_made_up_kind_is_connected_answered_heard_and_kept(hill: Running, database_url: str) -> None:
    made = await ordered(hill, 201, keys={"blanket": "grey"}, settings={"hill": "north", "wind": 3})
    assert (made["connection"]["dialect"], made["connection"]["keys"]) == ("puffs", ["blanket"])
    assert made["instructions"] == f"Climb the hill and puff to {_base(hill)}/pbx/hill with {made['secret']}"
    bearer = {"Authorization": f"Bearer {made['secret']}"}

    async with asyncio.timeout(10):
        while (answer := await hill.ask("hill", params={"who": "79001234567"}, headers=bearer))[0] == 401:
            await asyncio.sleep(0.05)
    assert answer == (200, "text/x-smoke", b"north:" + b"o" * 101)

    for puff in ("ring", "bye"):
        told = form(puff=puff, fire="f1", who="+79001234567", where="+74951230000")
        told["headers"] = {**told["headers"], **bearer}
        status, _, said = await hill.tell("hill", **told)
        assert status == 200, said
    jobs = Jobs(database_url, hill.pool, ClientJob(hill.pool, PublishedMatrix(recommended())))
    working = asyncio.create_task(jobs.run())
    try:
        (call,) = await hill.until(
            "SELECT connection_id, client, direction FROM call WHERE ended_at IS NOT NULL"
        )
    finally:
        working.cancel()
    assert call == {"connection_id": "hill", "client": "+79001234567", "direction": "inbound"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"settings": {"hil": "north"}}, "'hil' is not known here"),
        ({"settings": {"wind": "strong"}}, "'strong' is no value of wind"),
        ({"keys": {"towel": "x"}}, "'towel' is not known here"),
        ({"dialect": "rings"}, "'rings' is not known here"),
    ],
)
async def test_what_a_made_up_kind_does_not_describe_is_refused_by_every_door(
    hill: Running, wrong: dict[str, Any], words: str
) -> None:
    refused = await ordered(hill, 400, **wrong)
    assert refused["title"] == words
    async with hill.pool.acquire() as conn:
        with pytest.raises(InputRefused) as by_service:
            await add_connection(
                conn, ACCOUNT, ConnectionOrder(name="hill", kind="smoke", **wrong), "s", SMOKE
            )
    assert (by_service.value.message, by_service.value.field) == (words, refused["field"])
    assert await hill.rows("SELECT 1 FROM connection") == []


async def test_a_made_up_kind_is_asked_on_a_port_of_its_own(hill: Running) -> None:
    await ordered(hill, 201)
    drums = hill.gateway.question_servers["fastagi_port"]
    started = asyncio.create_task(drums.run("127.0.0.1", port := 42_137))
    try:
        async with asyncio.timeout(10):
            while True:
                await asyncio.sleep(0.05)
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
                writer.write(b"hill 79001234567\n")
                if (heard := await reader.readline()) == b"101\n":
                    break
    finally:
        started.cancel()
    assert heard == b"101\n"


def _base(hill: Running) -> str:
    settings = hill.gateway.settings
    return f"http://{settings.host}:{settings.port}"
