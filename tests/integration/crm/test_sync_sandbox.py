"""The directory against a CRM over HTTP with amoCRM's rules, through the real adapter."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from crm.amocrm.adapter import AmoCrm
from crm.amocrm.webhooks import parse_webhook
from crm.budget import Budget
from crm.directory.feed import DirectoryFeed
from crm.errors import CrmError
from crm.lane import Lane
from crm.sandbox.control.acts import act
from crm.sandbox.control.endpoints import long_lived
from crm.sandbox.profile import AMOCRM
from crm.sandbox.seed import COMPANIES, CONTACTS, DEACTIVATED, LEADS, SPECIAL, UNSORTED, manager
from crm.sandbox.server import Sandbox
from crm.store.clients import client_of
from crm.store.metadata import users_of
from crm.sync.changes import apply_webhook
from crm.sync.first_load import load_step
from crm.sync.metadata import forbidden_to, read_metadata
from crm.sync.polls import poll_rereads, poll_unsorted
from crm.sync.recheck import recheck_step
from crm.sync.sync import Sync
from routing.settings import NumberPolicy
from runtime.lifecycle import background
from tests.fakes.tokens import FixedToken
from tests.waiting import until

CONTACTS_IN_SANDBOX = 60
FAST: Mapping[str, Any] = {"requests_per_second": 5000, "account_requests_per_second": 5000}


class Amo:
    """One account connected to one sandbox. `do` is what a person does in the CRM's own pages."""

    def __init__(self, sandbox: Sandbox, crm: AmoCrm, pool: asyncpg.Pool, feed: DirectoryFeed) -> None:
        self.sandbox, self.crm, self.pool, self.feed = sandbox, crm, pool, feed
        self.sync = self.new_sync()

    def new_sync(self, **more: Any) -> Sync:
        return Sync(self.crm, self.pool, "a", NumberPolicy(), **more)

    def do(self, what: str, **sent: Any) -> None:
        act(self.sandbox.state, {"do": what, **sent})

    def found(self, number: int) -> list[tuple[str, int]]:
        """(kind, extension of the owner), as memory has it."""
        return [(c.kind, int(c.owner) - 1_000_000) for c in self.feed.directory("a").find(number)]

    async def until(self, number: int, wanted: list[tuple[str, int]]) -> None:
        try:
            await asyncio.wait_for(self.feed.until(lambda: self.found(number) == wanted), 5)
        except TimeoutError:
            assert self.found(number) == wanted

    async def poll(self) -> None:
        await self.sync.poll_once()


@pytest.fixture(params=[False, True], ids=["filters-off", "filters-on"])
async def amo(request: pytest.FixtureRequest, pool: asyncpg.Pool, feed: DirectoryFeed) -> AsyncIterator[Amo]:
    profile = AMOCRM.changed({**FAST, "filters_on": request.param})
    async with (
        Sandbox(contacts=CONTACTS_IN_SANDBOX, profile=profile) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        crm = AmoCrm(sandbox.url, FixedToken(sandbox.url, sandbox.token()), Budget(5000), session)
        amo = Amo(sandbox, crm, pool, feed)
        yield amo


@pytest.fixture
async def loaded(amo: Amo) -> Amo:
    await amo.sync.load()
    await amo.poll()
    await amo.until(79000000001, [("contact", 102)])
    return amo


def number(i: int) -> int:
    return 79000000000 + i


def special(i: int) -> int:
    return 79010000000 + i


async def test_the_sample_data_are_loaded_as_the_contract_states_them(loaded: Amo) -> None:
    for i in range(1, CONTACTS_IN_SANDBOX + 1):
        wanted = [("contact", 101 + i % 10)]
        if i % 3 == 0:
            wanted.append(("deal", 101 + (i + 1) % 10))
        if i % 10 == 0:
            wanted.append(("lead", 101 + (i + 2) % 10))
        await loaded.until(number(i), wanted)
    assert loaded.found(special(1)) == [("contact", DEACTIVATED - 1_000_000), ("deal", 104)]
    assert loaded.found(special(3)) == [("company", 105)]
    assert loaded.found(special(4)) == [("contact", 107), ("contact", 106), ("deal", 107)]
    assert loaded.found(special(5)) == loaded.found(special(6)) == [("contact", 108)]
    assert loaded.found(special(7)) == [("contact", 109)]
    assert loaded.found(special(8)) == [("lead", 110)]
    async with loaded.pool.acquire() as conn:
        client = await client_of(conn, "a", f"+{special(7)}")
        assert [(e.ref.kind, e.is_open) for e in client.entities] == [("contact", True), ("deal", False)]
        assert {u.id: u.is_active for u in await users_of(conn, "a")}[str(DEACTIVATED)] is False


async def test_a_load_killed_half_way_is_finished_by_a_successor(amo: Amo) -> None:
    done = (await load_step(amo.sync.source)).done
    amo.sandbox.state.set_profile(AMOCRM.changed({**FAST, "subscription": "ended"}))
    with pytest.raises(CrmError):
        await load_step(amo.sync.source)
    amo.sandbox.state.set_profile(AMOCRM.changed(FAST))
    successor = amo.new_sync()
    progress = await successor.load()
    assert progress.done > done > 0
    await amo.until(number(30), [("contact", 101), ("deal", 102), ("lead", 103)])


async def test_a_changed_responsible_arrives_by_the_poll(loaded: Amo) -> None:
    loaded.do("set_responsible", kind="contact", id=CONTACTS + 3, user=manager(110))
    loaded.do("set_responsible", kind="deal", id=LEADS + 3, user=manager(109))
    await loaded.poll()
    await loaded.until(number(3), [("contact", 110), ("deal", 109)])


async def test_a_closed_deal_leaves_the_answer(loaded: Amo) -> None:
    loaded.do("set_status", id=LEADS + 3, status=142)
    await loaded.poll()
    await loaded.until(number(3), [("contact", 104)])


async def test_a_deletion_and_a_restore_arrive_by_events(loaded: Amo) -> None:
    loaded.do("delete", kind="deal", id=LEADS + 3)
    loaded.do("delete", kind="contact", id=CONTACTS + 4)
    loaded.do("delete", kind="company", id=COMPANIES + SPECIAL + 3)
    await loaded.poll()
    await loaded.until(number(3), [("contact", 104)])
    await loaded.until(number(4), [])
    await loaded.until(special(3), [])
    loaded.do("restore", kind="deal", id=LEADS + 3)
    loaded.do("restore", kind="contact", id=CONTACTS + 4)
    await loaded.poll()
    await loaded.until(number(3), [("contact", 104), ("deal", 105)])
    await loaded.until(number(4), [("contact", 105)])


async def test_a_merge_leaves_the_survivor_with_both_numbers(loaded: Amo) -> None:
    loaded.do("merge", kind="contact", id=CONTACTS + 1, **{"from": CONTACTS + 3})
    await loaded.poll()
    merged = [("contact", 102), ("deal", 105)]
    await loaded.until(number(1), merged)
    await loaded.until(number(3), merged)


async def test_a_link_and_an_unlink_arrive_by_events(loaded: Amo) -> None:
    await call(loaded, "POST", f"/api/v4/leads/{LEADS + 3}/link", [link(CONTACTS + 1)])
    await loaded.poll()
    await loaded.until(number(1), [("contact", 102), ("deal", 105)])
    await call(loaded, "POST", f"/api/v4/leads/{LEADS + 3}/unlink", [link(CONTACTS + 1)])
    await loaded.poll()
    await loaded.until(number(1), [("contact", 102)])


async def test_a_changed_number_and_a_second_one_are_followed(loaded: Amo) -> None:
    await set_numbers(loaded, CONTACTS + 1, "8 (495) 123-45-67", "+7 900 777-77-77")
    await loaded.poll()
    await loaded.until(number(1), [])
    await loaded.until(74951234567, [("contact", 102)])
    await loaded.until(79007777777, [("contact", 102)])


async def test_an_accepted_lead_becomes_a_contact_with_a_deal(loaded: Amo) -> None:
    uid = uid_of(loaded, special(8))
    loaded.do("accept", uid=uid, by=manager(110))
    await loaded.poll()
    await loaded.until(special(8), [("contact", 110), ("deal", 110)])


async def test_a_declined_lead_leaves_the_answer(loaded: Amo) -> None:
    loaded.do("decline", uid=uid_of(loaded, special(8)))
    await loaded.poll()
    await loaded.until(special(8), [])


async def test_a_deactivated_user_is_noticed_by_the_next_reading_of_users(loaded: Amo) -> None:
    loaded.do("deactivate_user", user=manager(105))
    assert await read_metadata(loaded.new_sync().source) == frozenset({"users"})


async def test_an_account_without_webhooks_is_followed_by_the_loop_alone(amo: Amo) -> None:
    profile = AMOCRM.changed({**FAST, "webhooks": "plan_402"})
    amo.sandbox.state.set_profile(profile)
    run = asyncio.create_task(amo.new_sync(poll_seconds=0.2).run())
    await asyncio.wait_for(amo.feed.until(lambda: amo.feed.directory("a").in_sync_at is not None), 20)
    amo.do("set_responsible", kind="contact", id=CONTACTS + 1, user=manager(110))
    amo.do("delete", kind="contact", id=CONTACTS + 2)
    await amo.until(number(1), [("contact", 110)])
    await amo.until(number(2), [])
    age = amo.feed.directory("a").age_ms(datetime.now(UTC).timestamp())
    assert age is not None
    assert age < 5000
    run.cancel()


# --- webhooks: what they carry counts at once, without any poll


@pytest.fixture
async def hooked(loaded: Amo) -> AsyncIterator[Amo]:
    """Webhooks arrive as in a gateway; of the sync only the rereads run, so that no poll can help."""

    async def receive(request: web.Request) -> web.Response:
        changes = parse_webhook(await request.read()).changes
        await apply_webhook(loaded.pool, "a", changes, NumberPolicy())
        return web.Response()

    async def reread() -> None:
        while True:
            await poll_rereads(loaded.sync.source, Lane.EVENTS)
            await asyncio.sleep(0.05)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await loaded.crm.register_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", Lane.EVENTS)
    rereads = asyncio.create_task(reread())
    yield loaded
    rereads.cancel()
    await runner.cleanup()


async def test_a_webhook_brings_owner_stage_number_and_deletion(hooked: Amo) -> None:
    hooked.do("set_responsible", kind="contact", id=CONTACTS + 3, user=manager(110))
    hooked.do("set_responsible", kind="deal", id=LEADS + 3, user=manager(109))
    await hooked.until(number(3), [("contact", 110), ("deal", 109)])
    hooked.do("set_status", id=LEADS + 3, status=143)
    await hooked.until(number(3), [("contact", 110)])
    await set_numbers(hooked, CONTACTS + 1, "8 (495) 123-45-67")
    await hooked.until(74951234567, [("contact", 102)])
    await hooked.until(number(1), [])
    hooked.do("delete", kind="contact", id=CONTACTS + 2)
    await hooked.until(number(2), [])
    hooked.do("set_responsible", kind="company", id=COMPANIES + SPECIAL + 3, user=manager(101))
    await hooked.until(special(3), [("company", 101)])


async def test_a_new_contact_with_a_deal_is_known_by_webhook(hooked: Amo) -> None:
    fields = [{"field_code": "PHONE", "values": [{"value": "8 495 765-43-21", "enum_code": "WORK"}]}]
    contact = {"name": "New", "responsible_user_id": manager(103), "custom_fields_values": fields}
    deal = {"name": "Deal", "responsible_user_id": manager(104), "_embedded": {"contacts": [contact]}}
    await call(hooked, "POST", "/api/v4/leads/complex", [deal])
    await hooked.until(74957654321, [("contact", 103), ("deal", 104)])


async def test_the_owner_of_a_lead_follows_the_deal_inside_it(hooked: Amo) -> None:
    hooked.do("set_responsible", kind="deal", id=LEADS + SPECIAL + 8, user=manager(102))
    await hooked.until(special(8), [("lead", 102)])
    await hooked.poll()  # the list of leads does not bring the old owner back
    await hooked.sync.poll_once()
    await hooked.until(special(8), [("lead", 102)])


async def test_an_accepted_lead_is_a_deal_at_once(hooked: Amo) -> None:
    hooked.do("accept", uid=uid_of(hooked, special(8)), by=manager(110))
    await hooked.until(special(8), [("contact", 110), ("deal", 110)])


async def test_a_new_lead_is_known_by_webhook(hooked: Amo) -> None:
    call_of_a_client = {
        "from": "+74950001122",
        "phone": "+74950001122",
        "call_responsible": manager(106),
        "duration": 0,
        "link": "",
        "service_code": "x",
        "uniq": "u1",
        "called_at": 1_760_000_000,
    }
    deal = {"name": "Call", "responsible_user_id": manager(107)}
    item = {
        "source_name": "x",
        "source_uid": "x-1",
        "metadata": call_of_a_client,
        "_embedded": {"leads": [deal], "contacts": [{"name": "Caller"}]},
    }
    await call(hooked, "POST", "/api/v4/leads/unsorted/sip", [item])
    await hooked.until(74950001122, [("lead", 107)])


async def test_what_no_event_tells_is_found_by_the_slow_walk(loaded: Amo) -> None:
    table = loaded.sandbox.state.table("contacts")
    table.drop(CONTACTS + 5)
    while not await recheck_step(loaded.sync.source):
        pass
    await loaded.until(number(5), [])
    await loaded.until(number(6), [("contact", 107), ("deal", 108)])


async def test_polling_costs_few_requests_when_nothing_happens(loaded: Amo) -> None:
    before = requests(loaded)
    await loaded.poll()
    await loaded.poll()
    assert requests(loaded) - before == 2 * 5  # three deltas, events, Unsorted


async def test_who_wrote_a_letter_is_known_once_it_is_accepted(loaded: Amo) -> None:
    letter = {"email": "ivan@client.example", "name": "Иван", "phone": "+79150000077"}
    made = act(loaded.sandbox.state, {"do": "receive_mail", **letter})
    for _ in range(3):
        await loaded.poll()
    loaded.do("accept", uid=made["uid"], by=manager(104))
    await loaded.poll()
    async with asyncio.timeout(5):
        await loaded.feed.until(lambda: ("contact", 104) in loaded.found(79150000077))


def link(contact: int) -> dict[str, Any]:
    return {"to_entity_id": contact, "to_entity_type": "contacts"}


def requests(amo: Amo) -> int:
    return len(amo.sandbox.world.ledger.since(0))


def uid_of(amo: Amo, number: int) -> str:
    rows = amo.sandbox.state.table("unsorted").select()
    return next(str(r["uid"]) for r in rows if str(r["id"]) == str(UNSORTED + SPECIAL + number - special(0)))


async def call(amo: Amo, method: str, path: str, body: Any) -> None:
    headers = {"Authorization": f"Bearer {amo.sandbox.token('person')}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, amo.sandbox.url + path, json=body) as answer,
    ):
        assert answer.status < 300, await answer.text()


async def set_numbers(amo: Amo, contact: int, *numbers: str) -> None:
    values = [{"value": n, "enum_code": "WORK"} for n in numbers]
    fields = [{"field_code": "PHONE", "values": values}]
    await call(amo, "PATCH", f"/api/v4/contacts/{contact}", {"custom_fields_values": fields})


async def test_a_crm_that_answers_504_to_large_pages_is_read_in_smaller_ones(amo: Amo) -> None:
    amo.sandbox.state.profile = amo.sandbox.state.profile.changed({"largest_page": 7})
    await amo.sync.load()
    await amo.poll()
    counted = "SELECT kind, count(*) AS n FROM directory_entity GROUP BY kind"
    small = {row["kind"]: row["n"] for row in await amo.pool.fetch(counted)}
    amo.sandbox.state.profile = amo.sandbox.state.profile.changed({"largest_page": 250})
    await amo.pool.execute("DELETE FROM directory_entity")
    await amo.pool.execute("DELETE FROM sync_cursor")
    large = amo.new_sync()
    await large.load()
    await large.poll_once()  # contacts of requests by mail are read by polls
    assert small == {row["kind"]: row["n"] for row in await amo.pool.fetch(counted)}
    assert small["contact"] >= CONTACTS_IN_SANDBOX


# --- owners of incoming leads


async def test_every_contact_is_answered_before_the_owner_of_any_lead_is_asked_for(
    pool: asyncpg.Pool, feed: DirectoryFeed
) -> None:
    contacts = 2000
    async with (
        Sandbox(contacts=contacts, profile=AMOCRM) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        crm = AmoCrm(sandbox.url, FixedToken(sandbox.url, sandbox.token()), Budget(7), session)
        amo = Amo(sandbox, crm, pool, feed)
        counted = "SELECT count(*) FROM directory_entity WHERE kind = 'contact'"
        async with background(amo.sync.run()):

            async def all_there() -> bool:
                return bool(await pool.fetchval(counted) >= contacts)

            await until(all_there, "every contact in the directory", seconds=20)
        paths = [row["path"] for row in sandbox.world.ledger.since(0)]
    pages = [n for n, path in enumerate(paths) if path == "/api/v4/contacts"]
    single = [n for n, path in enumerate(paths) if re.fullmatch(r"/api/v4/leads/[0-9]+", path)]
    assert not single or pages[contacts // 250 - 1] < single[0]


async def test_what_was_read_of_a_leads_owner_survives_a_restart_and_the_next_list(loaded: Amo) -> None:
    deal, number = await first_lead(loaded)
    loaded.do("set_responsible", kind="deal", id=int(deal), user=manager(105))
    await loaded.poll()
    await loaded.feed.until(lambda: ("lead", 105) in loaded.found(number))
    loaded.sync = loaded.new_sync()
    await poll_unsorted(loaded.sync.source, Lane.SYNC)
    owner = await loaded.pool.fetchval("SELECT owner_id FROM directory_entity WHERE deal_id = $1", deal)
    assert owner == str(manager(105))


async def first_lead(amo: Amo) -> tuple[str, int]:
    """(the deal inside it, its number)."""
    row = await amo.pool.fetchrow(
        "SELECT deal_id, number FROM directory_entity e JOIN directory_number n USING (account_id, kind, entity_id)"
        " WHERE kind = 'lead' AND deal_id IS NOT NULL ORDER BY entity_id LIMIT 1"
    )
    assert row is not None
    return row["deal_id"], row["number"]


async def test_a_key_that_may_not_see_the_users_reads_everything_else_and_it_is_noted(amo: Amo) -> None:
    url = amo.sandbox.url
    token = long_lived(amo.sandbox.state, "limited", url.removeprefix("http://"), manager(103))
    async with aiohttp.ClientSession() as session:
        crm = AmoCrm(url, FixedToken(url, token), Budget(5000), session)
        await Sync(crm, amo.pool, "a", NumberPolicy()).load()
        assert await forbidden_to(crm, Lane.SYNC) == ("users",)
    assert await amo.pool.fetchval("SELECT count(*) FROM crm_pipeline") > 0
    told = "SELECT cursor->'forbidden' FROM sync_cursor WHERE feed = 'metadata'"
    assert await amo.pool.fetchval(told) == ["users"]
    assert await forbidden_to(amo.crm, Lane.SYNC) == ()
