"""One row of the CRM that makes no sense: it costs itself, is told of, and is forgotten when it reads well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import aiohttp
import asyncpg
import pytest

from crm.amocrm.adapter import AmoCrm
from crm.amocrm.webhooks import parse_webhook
from crm.budget import Budget
from crm.errors import CrmUnavailable
from crm.lane import Lane
from crm.port import CrmEntity
from crm.sandbox.profile import AMOCRM
from crm.sandbox.seed import CONTACTS, LEADS
from crm.sandbox.server import Sandbox
from crm.store.clients import client_of
from crm.store.cursors import ask_reread, feed_states, record_failure
from crm.store.listing import all_ids
from crm.store.metadata import users_of
from crm.store.unread import unread_rows
from crm.sync.events import poll_events
from crm.sync.metadata import read_metadata
from crm.sync.polls import poll_rereads, retry_unread
from crm.sync.sync import Sync
from routing.settings import NumberPolicy
from tests.fakes.changed_answers import ChangedAnswers, unchanged
from tests.fakes.crm import FakeCrm
from tests.fakes.tokens import FixedToken
from tests.integration.crm.sync_bench import Clock, contact, found, tell

A_MAIL = {
    "uid": "mail1",
    "source_uid": "info@example.com",
    "source_name": "info@example.com",
    "category": "mail",
    "pipeline_id": 1,
    "created_at": 1780000000,
    "metadata": {
        "from": {"email": "anna@example.com", "name": "Anna"},
        "received_at": 1780000000,
        "subject": "A question",
        "thread_id": 11774,
        "message_id": "23698",
        "content_summary": "Good day",
    },
    "_embedded": {"contacts": [], "leads": [], "companies": []},
}
A_CHAT = {
    **A_MAIL,
    "uid": "chat1",
    "category": "chats",
    "metadata": {
        "from": {"name": "Anna", "id": "7"},
        "to": "Shop",
        "received_at": 1780000000,
        "service": "telegram",
        "client": {"name": "Anna"},
        "origin": {"chat_id": "c"},
        "last_message_text": "Good day",
    },
}


class Odd:
    """An account whose CRM is well but for what `transport.change` makes of its answers."""

    def __init__(self, crm: AmoCrm, transport: ChangedAnswers, sync: Sync, pool: asyncpg.Pool) -> None:
        self.crm, self.transport, self.sync, self.pool = crm, transport, sync, pool

    async def unread(self) -> list[tuple[str, str, str, bool]]:
        async with self.pool.acquire() as conn:
            return [(r.kind, r.id, r.field, r.is_lost) for r in await unread_rows(conn, "a")]

    async def owners(self, number: int) -> list[tuple[str, str | None]]:
        async with self.pool.acquire() as conn:
            client = await client_of(conn, "a", f"+{number}")
        return [(entity.ref.kind, entity.owner_id) for entity in client.entities]


@pytest.fixture
async def odd(account: str, pool: asyncpg.Pool) -> AsyncIterator[Odd]:
    profile = AMOCRM.changed({"requests_per_second": 5000, "account_requests_per_second": 5000})
    async with Sandbox(contacts=60, profile=profile) as sandbox, aiohttp.ClientSession() as session:
        transport = ChangedAnswers(session)
        tokens = FixedToken(sandbox.url, sandbox.token())
        crm = AmoCrm(sandbox.url, tokens, Budget(5000), session, transport=transport)
        yield Odd(crm, transport, Sync(crm, pool, account, NumberPolicy()), pool)


def rows_of(part: str, plural: str, change: Callable[[list[Any]], None]) -> Callable[[str, Any], Any]:
    """Changes the rows of lists whose address holds `part`."""

    def of(path: str, body: Any) -> Any:
        if part in path and isinstance(body, dict) and plural in body.get("_embedded", {}):
            change(body["_embedded"][plural])

    return of


def number(i: int) -> int:
    return 79000000000 + i


async def test_mail_and_chats_in_unsorted_are_read_like_calls(odd: Odd, pool: asyncpg.Pool) -> None:
    odd.transport.change = rows_of("/leads/unsorted?", "unsorted", lambda rows: rows.extend([A_MAIL, A_CHAT]))
    await odd.sync.load()
    await odd.sync.poll_once()
    async with pool.acquire() as conn:
        assert {"mail1", "chat1"} <= await all_ids(conn, "a", "lead")
    assert await odd.unread() == []


async def test_a_lead_that_cannot_be_read_is_told_of_and_its_neighbours_are_there(
    odd: Odd, pool: asyncpg.Pool
) -> None:
    await odd.sync.load()
    async with pool.acquire() as conn:
        before = await all_ids(conn, "a", "lead")
    odd.transport.change = rows_of(
        "/leads/unsorted?", "unsorted", lambda rows: rows.extend(["nonsense", {"uid": None}])
    )
    await odd.sync.poll_once()
    async with pool.acquire() as conn:
        assert await all_ids(conn, "a", "lead") == before
    told = await odd.unread()
    assert [(kind, field, is_lost) for kind, _, field, is_lost in told] == [
        ("lead", "", True),
        ("lead", "uid", True),
    ]
    odd.transport.change = unchanged
    await odd.sync.poll_once()
    assert await odd.unread() == []


async def test_a_lead_whose_name_is_gone_from_the_list_is_not_forgotten(odd: Odd, pool: asyncpg.Pool) -> None:
    await odd.sync.load()
    async with pool.acquire() as conn:
        before = await all_ids(conn, "a", "lead")
    odd.transport.change = rows_of("/leads/unsorted?", "unsorted", lambda rows: rows[0].update(uid=[7]))
    await odd.sync.poll_once()
    async with pool.acquire() as conn:
        assert await all_ids(conn, "a", "lead") == before


async def test_an_owner_that_cannot_be_read_is_the_one_it_was(odd: Odd) -> None:
    await odd.sync.load()
    was = await odd.owners(number(1))

    def spoil(rows: list[Any]) -> None:
        for row in rows:
            row["responsible_user_id"] = [1]

    odd.transport.change = rows_of("/contacts?", "contacts", spoil)
    await odd.sync.poll_once()
    assert await odd.owners(number(1)) == was
    assert ("contact", str(CONTACTS + 1), "responsible_user_id", False) in await odd.unread()


async def test_one_bad_re_read_does_not_hold_the_others(odd: Odd, pool: asyncpg.Pool) -> None:
    """Nor is what cannot be read taken for what is gone."""
    await odd.sync.load()
    before = await odd.owners(number(1))
    bad, good = str(CONTACTS + 1), str(CONTACTS + 2)

    def spoil_row(row: dict[str, Any]) -> None:
        if row["id"] == int(bad):
            row.update(id={"id": bad}, responsible_user_id=7)
        elif row["id"] == int(good):
            row["responsible_user_id"] = 1000104

    def spoil(path: str, body: Any) -> Any:
        """Whether they are asked for one by one or together."""
        for row in body["_embedded"].get("contacts", [body]) if body and "/contacts" in path else ():
            spoil_row(row)

    odd.transport.change = spoil
    async with pool.acquire() as conn:
        await ask_reread(conn, "a", [("contact", bad), ("contact", good)])
    await poll_rereads(odd.sync.source, Lane.EVENTS)
    assert ("contact", "1000104") in await odd.owners(number(2))
    assert await odd.owners(number(1)) == before
    assert await odd.unread() == [("contact", bad, "id", True)]
    odd.transport.change = unchanged
    async with pool.acquire() as conn:
        await ask_reread(conn, "a", [("contact", bad)])
    await poll_rereads(odd.sync.source, Lane.EVENTS)
    assert await odd.unread() == []


async def test_users_pipelines_and_fields_cost_themselves_only(odd: Odd, pool: asyncpg.Pool) -> None:
    async def users() -> dict[str, tuple[str, bool]]:
        async with pool.acquire() as conn:
            return {user.id: (user.name, user.is_active) for user in await users_of(conn, "a")}

    await read_metadata(odd.sync.source)
    before = await users()

    def spoil_users(rows: list[Any]) -> None:
        rows[0]["rights"], rows[1]["name"] = None, None

    def spoil(path: str, body: Any) -> Any:
        rows_of("/users", "users", spoil_users)(path, body)
        rows_of("/pipelines", "pipelines", lambda rows: rows.append({"id": None}))(path, body)
        rows_of("/custom_fields", "custom_fields", lambda rows: rows.extend([7, dict(rows[0])]))(path, body)

    odd.transport.change = spoil
    await read_metadata(odd.sync.source)
    after = await users()
    assert after.keys() == before.keys()
    assert {kind for kind, *_ in await odd.unread()} == {
        "user",
        "pipeline",
        "contact field",
        "company field",
        "deal field",
    }
    odd.transport.change = unchanged
    await read_metadata(odd.sync.source)
    assert await odd.unread() == []
    assert await users() == before


async def test_an_event_that_cannot_be_read_sends_us_to_what_it_is_about(odd: Odd) -> None:
    await odd.sync.load()
    bad = str(CONTACTS + 3)
    event = {
        "id": "e1",
        "type": "contact_deleted",
        "entity_type": "contact",
        "entity_id": int(bad),
        "created_at": "?",
    }

    def tell(path: str, body: Any) -> Any:
        if "/events?" in path and "page=1" in path:
            embedded = (body or {}).get("_embedded", {"events": []})
            return {"_embedded": {"events": [event, None, *embedded["events"]]}, "_links": {}}
        return None

    odd.transport.change = tell
    await odd.sync.poll_once()
    assert ("event", "e1", "created_at", True) in await odd.unread()
    odd.transport.asked.clear()
    await poll_rereads(odd.sync.source, Lane.EVENTS)
    assert any(bad in path for path in odd.transport.asked)


async def test_an_item_of_a_webhook_that_makes_no_sense_sends_us_to_its_entity(odd: Odd) -> None:
    await odd.sync.load()
    deal = str(LEADS + 3)
    body = (
        f"leads[update][0][id]={deal}&leads[update][0][responsible_user_id][x]=1"
        "&contacts[update][0][name]=Nobody&account[id]=1"
    )
    delivery = parse_webhook(body.encode())

    async def at_once() -> None:
        return None

    await odd.sync.apply_webhooks(delivery.changes, at_once, delivery.observed, delivery.unread)
    told = await odd.unread()
    assert ("deal", deal, "leads.update.0.responsible_user_id", False) in told
    assert ("webhook", "contacts.update.0.id") in [(kind, field) for kind, _, field, _ in told]
    await poll_rereads(odd.sync.source, Lane.EVENTS)
    assert [kind for kind, *_ in await odd.unread()] == ["webhook"]


async def test_what_is_deleted_in_the_crm_is_no_longer_told_of(odd: Odd, pool: asyncpg.Pool) -> None:
    await odd.sync.load()
    odd.crm.unread.tell("contact", "404404", [])
    delivery = parse_webhook(b"contacts[update][0][id]=404404&contacts[update][0][name][x]=1")

    async def at_once() -> None:
        return None

    await odd.sync.apply_webhooks([], at_once, (), delivery.unread)
    assert len(await odd.unread()) == 1
    await poll_rereads(odd.sync.source, Lane.EVENTS)
    assert await odd.unread() == []


async def test_what_could_not_be_read_is_asked_for_again_by_itself(odd: Odd, pool: asyncpg.Pool) -> None:
    await odd.sync.load()
    odd.transport.change = rows_of(
        "/contacts?", "contacts", lambda rows: rows[0].update(responsible_user_id=[1])
    )
    await odd.sync.poll_once()
    unread = await odd.unread()
    odd.transport.change = unchanged
    assert await retry_unread(odd.sync.source, Lane.SYNC) == 0  # not yet
    await pool.execute("UPDATE crm_unread SET next_try_at = now()")
    assert await retry_unread(odd.sync.source, Lane.SYNC) == len(unread) >= 1
    assert await odd.unread() == []


async def test_a_failure_that_is_over_is_forgotten_though_there_was_nothing_to_write(
    account: str, pool: asyncpg.Pool
) -> None:
    """Of every feed, and also what a process before this one left behind."""
    crm = FakeCrm()
    sync = Sync(crm, pool, account, NumberPolicy(), poll_seconds=0.05, reread_seconds=0.05)
    async with pool.acquire() as conn:
        for feed in ("reread", "load", "recheck", "unread", "metadata", "events", "unsorted", "delta:deal"):
            await record_failure(conn, account, feed, "crm-unreadable: odd")
    running = asyncio.create_task(sync.run())

    async def failures() -> list[str]:
        async with pool.acquire() as conn:
            return [state.feed for state in await feed_states(conn, account) if state.last_error]

    try:
        for _ in range(100):
            if not await failures():
                break
            await asyncio.sleep(0.1)
        assert await failures() == []
    finally:
        running.cancel()


async def test_an_entity_that_the_crm_fails_on_holds_neither_re_reads_nor_the_feed_of_events(
    account: str, pool: asyncpg.Pool
) -> None:
    """As it answers 500 whenever it is asked for one of them."""
    clock, crm = Clock(), Failing({"3"})
    sync = Sync(crm, pool, account, NumberPolicy(), now=clock)
    crm.seed(*(contact(i) for i in range(1, 40)))
    await sync.load()
    for i in range(1, 40):
        crm.seed(contact(i, owner_id="99"))
    async with pool.acquire() as conn:
        await ask_reread(conn, account, [("contact", str(i)) for i in range(1, 40)])
    await poll_rereads(sync.source, Lane.EVENTS)
    assert [i for i in range(1, 40) if await found(pool, i) != [("contact", str(i), "99")]] == [3]
    async with pool.acquire() as conn:
        [row] = await unread_rows(conn, account)
    assert (row.kind, row.id, row.why) == ("contact", "3", "crm-unavailable: GET: 500")
    tell(crm, clock, "restored", ("contact", "3"))
    tell(crm, clock, "deleted", ("contact", "4"))
    await poll_events(sync.source, Lane.SYNC)
    assert await found(pool, 4) == []
    crm.bad = set()
    await pool.execute("UPDATE crm_unread SET next_try_at = now()")
    assert await retry_unread(sync.source, Lane.SYNC) == 1
    assert await found(pool, 3) == [("contact", "3", "99")]


class Failing(FakeCrm):
    def __init__(self, bad: set[str]) -> None:
        super().__init__()
        self.bad = bad

    async def by_ids(self, kind: Any, ids: Sequence[str], lane: Lane) -> list[CrmEntity]:
        if self.bad & set(ids):
            raise CrmUnavailable("GET: 500")
        return await super().by_ids(kind, ids, lane)
