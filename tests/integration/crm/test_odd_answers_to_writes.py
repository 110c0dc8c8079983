"""Every value of the answers to writes, made odd in turn: the writer goes on, nothing is there twice, and what cannot be
decided waits on the desk."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import pytest

from crm.amocrm.adapter import AmoCrm
from crm.amocrm.transport import Transport
from crm.amocrm.wire import Reply, Request
from crm.budget import Budget
from crm.effects.writer import Writer, WriterSettings
from crm.lane import Lane
from crm.port import CrmEntity
from crm.sandbox.control.inspection import rows_for
from crm.sandbox.profile import Profile
from crm.sandbox.seed import CONTACTS, LEADS, SPECIAL
from crm.sandbox.server import Sandbox
from routing.client import Ref
from routing.effects import AddNote, ChangeTask, CreateLead, Effect, Order, UpdateEntity
from tests.fakes.effects import FakeEffects
from tests.fakes.lease import FakeLease
from tests.fakes.tokens import FixedToken
from tests.integration.crm.writer_bench import a_note, new_call
from tests.unit.crm.amocrm.test_odd_answers import changed, paths_of

KNOWN = "+79000000001"
Alter = Callable[[Reply], Reply]
VALUES: tuple[Any, ...] = (None, True, -1, 10**30, "", "odd", "x" * 20_000, [], {}, [[None]])


class AlteredOnce(Transport):
    """Lets every request through, and alters the answer to the first of a method and path."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__(session)
        self.alter: tuple[str, str, Alter] | None = None
        self.alter_reads: Callable[[str, Any], Any] | None = None
        self.answers: dict[tuple[str, str], Reply] = {}

    async def exchange(self, base_url: str, request: Request, headers: Mapping[str, str]) -> Reply:
        reply = await super().exchange(base_url, request, headers)
        if request.is_write:
            self.answers.setdefault((request.method, request.path), reply)
            if self.alter is not None and self.alter[:2] == (request.method, request.path):
                alter, self.alter = self.alter[2], None
                return alter(reply)
        elif self.alter_reads is not None and reply.body:
            body = self.alter_reads(request.path, json.loads(reply.body))
            return replace(reply, body=json.dumps(body).encode())
        return reply


@dataclass
class Desk:
    """A writer that begins anew with each turn, as after a pause or a restart, and never waits."""

    sandbox: Sandbox
    session: aiohttp.ClientSession
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1_000_000))

    def __post_init__(self) -> None:
        self.transport = AlteredOnce(self.session)
        self.token = FixedToken(self.sandbox.url, self.sandbox.token())

    def crm(self, transport: Transport | None = None) -> AmoCrm:
        return AmoCrm(
            self.sandbox.url, self.token, Budget(100_000), self.session, transport=transport or self.transport
        )

    async def write(
        self, effects: FakeEffects, *, turns: int = 600, gives_up_after: int = 4
    ) -> dict[str, Any]:
        """Until nothing is open; the rows by the part of their key behind the colon."""

        async def catch_up(lane: Lane, kinds: Any) -> bool:
            return True

        for _ in range(turns):
            settings = WriterSettings(quiet_seconds=0.004, unknown_attempts_limit=gives_up_after)
            writer = Writer(self.crm(), effects, "a", FakeLease(), catch_up, settings=settings)
            writer._sender.last_success = datetime.now(UTC)
            await writer.drain()
            if effects.is_settled:
                break
            await asyncio.sleep(0.006)
        return {key.partition(":")[2]: row for key, row in effects.rows.items()}

    def a_call(self) -> tuple[str, FakeEffects]:
        number = f"+7916{next(self.numbers)}"
        effects = FakeEffects()
        call = f"c{number}"
        orders = [
            e.model_copy(update={"order": e.order.model_copy(update={"owner_id": None})})
            for e in new_call(call, number, datetime.now(UTC))
        ]
        orders.append(
            Effect(
                key=f"{call}:text",
                order=AddNote(target=Ref(kind="contact", effect=f"{call}:contact"), text=call),
            )
        )
        orders.append(
            Effect(key=f"{call}:change", order=ChangeTask(task=f"{call}:task", text=f"Call {number}"))
        )
        effects.order(number, Lane.EVENTS, datetime.now(UTC), *orders)
        return number, effects

    def one_write(self, part: str) -> tuple[str, FakeEffects]:
        """What calls of known clients and the Unsorted matrix order: a change, a call by number, or an incoming lead."""
        call, now, effects = f"k{next(self.numbers)}", datetime.now(UTC), FakeEffects()
        contact, deal = (
            Ref(kind="contact", id=str(CONTACTS + 1)),
            Ref(kind="deal", id=str(LEADS + SPECIAL + 1)),
        )
        orders: dict[str, Order] = {
            "contact": UpdateEntity(target=contact, tags=(call,)),
            "deal": UpdateEntity(target=deal, tags=(call,)),
            "note": a_note(call, KNOWN, None, now).model_copy(update={"owner_id": None}),
            "lead": CreateLead(
                source_uid=call,
                source_name="x",
                name=call,
                contact_name="x",
                number="+79165550077",
                called_at=now,
            ),
        }
        effects.learn([CrmEntity(kind="contact", id=str(CONTACTS + 1), numbers=(KNOWN,), updated_at=now)])
        effects.order(KNOWN, Lane.EVENTS, now, Effect(key=f"{call}:{part}", order=orders[part]))
        return call, effects

    def found(self, call: str) -> dict[str, int]:
        """How often each of the other writes of this call is in the CRM, by its own rows."""
        rows = partial(rows_for, self.sandbox.state)
        kinds = Counter(row["entity_type"] for row in rows("tag", {"name": call}))
        leads, calls = rows("lead", {"source_uid": call}), rows("call", {})
        notes = [row for row in calls if (row.get("params") or {}).get("uniq") == call]
        return {"contact": kinds["contacts"], "deal": kinds["leads"], "lead": len(leads), "note": len(notes)}

    async def counted(self, number: str) -> dict[str, int]:
        """How often each thing of this call is in the CRM, by a reader whom nobody deceives."""
        crm = self.crm(Transport(self.session))
        people = await crm.find_by_number("contact", number, Lane.EVENTS)
        contacts, deals = [p.id for p in people], [id for p in people for id in p.deal_ids]
        found = Counter(contact=len(contacts), deal=len(deals))
        notes = await crm.notes("deal", deals, Lane.EVENTS) if deals else []
        found["note"] = sum(n.uniq == f"c{number}" for n in notes)
        texts = await crm.notes("contact", contacts, Lane.EVENTS) if contacts else []
        found["text"] = sum(n.text == f"c{number}" for n in texts)
        found["task"] = len(await crm.tasks("deal", deals, Lane.EVENTS)) if deals else 0
        return dict(found)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    profile = Profile(requests_per_second=100_000, account_requests_per_second=100_000)
    async with Sandbox(contacts=3, profile=profile) as sandbox, aiohttp.ClientSession() as session:
        yield Desk(sandbox, session)


def spoilt(reply: Reply) -> Iterator[tuple[str, Reply]]:
    """The answer with one thing odd each."""
    yield "html", replace(reply, content_type="text/html", body=b"<html>Be right back</html>")
    yield "nothing", replace(reply, status=204, body=b"", content_type="")
    yield "empty", replace(reply, body=b"")
    yield "cut", replace(reply, body=reply.body[: len(reply.body) // 2])
    body = json.loads(reply.body)
    for path in paths_of(body):
        if "_links" in path:
            continue
        for value in VALUES:
            yield f"{path} = {str(value)[:20]}", _with(reply, changed(body, path, value))
        if path:
            yield f"{path} missing", _with(reply, _without(body, path))
        if path and path[-1] == "request_id":
            yield f"{path} of another", _with(reply, changed(body, path, "7"))
            yield f"{path} of the next", _with(reply, changed(body, path, ["0", "1"]))
    rows = _rows_of(body)
    rows.append(copy.deepcopy(rows[0]))
    yield "one row too many", _with(reply, body)
    rows.clear()
    yield "no row", _with(reply, body)


def _rows_of(body: Any) -> list[Any]:
    rows = body if isinstance(body, list) else next(iter(body["_embedded"].values()))
    assert isinstance(rows, list)
    return rows


def _with(reply: Reply, body: Any) -> Reply:
    return replace(reply, body=json.dumps(body).encode())


def _without(body: Any, path: tuple[str | int, ...]) -> Any:
    other = copy.deepcopy(body)
    place = other
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return other


WRITES = (
    ("POST", "/api/v4/leads/complex"),
    ("POST", "/api/v4/leads/notes"),
    ("POST", "/api/v4/contacts/notes"),
    ("POST", "/api/v4/tasks"),
    ("PATCH", "/api/v4/tasks"),
)
PARTS = ("contact", "deal", "note", "text", "task")


@pytest.mark.parametrize(("method", "path"), WRITES, ids=[" ".join(w) for w in WRITES])
async def test_whatever_is_answered_to_a_write_nothing_is_there_twice_and_nothing_waits_for_ever(
    desk: Desk, method: str, path: str
) -> None:
    number, effects = desk.a_call()
    assert {row.state for row in (await desk.write(effects)).values()} == {"done"}
    assert await desk.counted(number) == dict.fromkeys(PARTS, 1)
    for what, _ in list(spoilt(desk.transport.answers[method, path])):
        number, effects = desk.a_call()

        def alter(reply: Reply, what: str = what) -> Reply:
            return next((other for name, other in spoilt(reply) if name == what), reply)

        desk.transport.alter = (method, path, alter)
        rows = await desk.write(effects)
        told = {part: (row.state, row.code) for part, row in rows.items()}
        assert desk.transport.alter is None, what
        assert {state for state, _ in told.values()} <= {"done", "dead"}, (what, told)
        found = await desk.counted(number)
        assert max(found.values()) <= 1, (what, found, told)
        lost = [part for part in PARTS if found[part] == 0 and rows[part].state == "done"]
        assert lost == [], (what, found, told)


OTHER_WRITES = (
    ("PATCH", "/api/v4/contacts", "contact"),
    ("PATCH", "/api/v4/leads", "deal"),
    ("POST", "/api/v4/calls", "note"),
    ("POST", "/api/v4/leads/unsorted/sip", "lead"),
)


@pytest.mark.parametrize(
    ("method", "path", "part"), OTHER_WRITES, ids=[" ".join(w[:2]) for w in OTHER_WRITES]
)
async def test_a_change_a_call_by_number_and_an_incoming_lead_are_not_there_twice_either(
    desk: Desk, method: str, path: str, part: str
) -> None:
    call, effects = desk.one_write(part)
    assert (await desk.write(effects))[part].state == "done"
    assert desk.found(call)[part] == 1
    for what, _ in list(spoilt(desk.transport.answers[method, path])):
        call, effects = desk.one_write(part)

        def alter(reply: Reply, what: str = what) -> Reply:
            return next((other for name, other in spoilt(reply) if name == what), reply)

        desk.transport.alter = (method, path, alter)
        row = (await desk.write(effects))[part]
        assert desk.transport.alter is None, what
        assert row.state in ("done", "dead"), (what, row)
        found = desk.found(call)[part]
        assert found == 1 or (found == 0 and row.state == "dead"), (what, found, row)


def _newest(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return max(rows, key=lambda row: int(row["id"]))


OWN = (
    ("/api/v4/leads/notes", "notes", ("id", "entity_id", "note_type", "params", "created_at")),
    ("/api/v4/contacts/notes", "notes", ("id", "entity_id", "note_type", "params", "created_at")),
    ("/api/v4/tasks", "tasks", ("id", "entity_id", "entity_type", "text", "complete_till", "created_at")),
    ("/api/v4/leads/complex", "contacts", ("id", "name", "custom_fields_values", "created_at")),
)


@pytest.mark.parametrize(("path", "plural", "keys"), OWN, ids=[path for path, *_ in OWN])
async def test_what_was_written_and_cannot_be_read_is_not_written_again(
    desk: Desk, path: str, plural: str, keys: tuple[str, ...]
) -> None:
    """Its answer was lost, and the row that would tell is odd; later it reads well, or a person looks."""

    def lost(reply: Reply) -> Reply:
        return replace(reply, body=b"{")

    for key, value in itertools.product(keys, (None, [[None]])):

        def spoil(path: str, body: Any, plural: str = plural, key: str = key, value: Any = value) -> Any:
            rows = body.get("_embedded", {}).get(plural) if isinstance(body, dict) else None
            if rows:
                _newest(rows)[key] = value
            return body

        number, effects = desk.a_call()
        desk.transport.alter, desk.transport.alter_reads = ("POST", path, lost), spoil
        await desk.write(effects, turns=2, gives_up_after=1000)  # however often it looks on a busy machine
        assert max((await desk.counted(number)).values()) <= 1, (key, value)
        desk.transport.alter_reads = None
        rows = await desk.write(effects)
        told = {part: (row.state, row.code) for part, row in rows.items()}
        assert set((await desk.counted(number)).values()) == {1}, (key, value, told)
        assert {state for state, _ in told.values()} == {"done"}, (key, value, told)
