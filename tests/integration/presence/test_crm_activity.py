"""What people do in the CRM keeps them at work, over HTTP with amoCRM's rules; what is done in their names does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest

from crm.amocrm.adapter import AmoCrm
from crm.budget import Budget
from crm.doings import CrmDoing, DoingFeed
from crm.errors import CrmError
from crm.lane import Lane
from crm.port import Page
from crm.sandbox.control.acts import act
from crm.sandbox.faults import fault_rules
from crm.sandbox.profile import AMOCRM
from crm.sandbox.seed import manager
from crm.sandbox.server import Sandbox
from gateway.store.presence.watches import watch_of
from routing.attendance.trust import doubt
from tests.fakes.tokens import FixedToken
from tests.integration.presence.site import ACCOUNT, PresenceSite, people, policy

ANNA, BORIS, ROBOT = manager(101), manager(102), manager(103)
CRM_ONLY = policy(sources=("crm",), integration_users=(str(ROBOT),))


class CrmPresence(PresenceSite):
    """The sandbox's clock goes with the test's."""

    sandbox: Sandbox
    skew = 0.0

    async def look(self, *, reads: bool = True) -> None:
        self.set_clock()
        await super().look(reads=reads)

    def set_clock(self) -> None:
        self.sandbox.state.set_offset(self.now.timestamp() - time.time() + self.skew)

    def does(self, type: str, by: int, **more: Any) -> None:
        self.set_clock()
        act(self.sandbox.state, {"do": "event", "type": type, "by": by, "id": 500, **more})


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CrmPresence]:
    profile = AMOCRM.changed({"requests_per_second": 5000, "account_requests_per_second": 5000})
    async with Sandbox(contacts=1, profile=profile) as sandbox, aiohttp.ClientSession() as session:
        opened = CrmPresence(pool, database_url)
        opened.sandbox = sandbox
        opened.crm = AmoCrm(sandbox.url, FixedToken(sandbox.url, sandbox.token()), Budget(5000), session)
        staff = people({"anna": str(ANNA), "boris": str(BORIS), "robot": str(ROBOT)})
        await opened.open(CRM_ONLY, staff, sandbox.url)
        await opened.look()
        yield opened


class Pouring:
    """A feed into which more comes while it is read."""

    def __init__(self, feed: DoingFeed, more: Callable[[], None]) -> None:
        self._feed, self._more = feed, more

    async def doings(self, since: datetime, lane: Lane, *, page: int = 1) -> Page[CrmDoing]:
        read = await self._feed.doings(since, lane, page=page)
        self._more()
        return read


async def working(site: CrmPresence, until: float, *doers: int) -> None:
    """These do something every three minutes, so that the feed is not silent for everybody."""
    while site.now < site.at(until):
        for who in doers:
            site.does("common_note_added", who)
        await site.until(min(until, (site.now - site.began).total_seconds() / 60 + 3))


STRONG = (
    "outgoing_chat_message",
    "entity_direct_message",
    "common_note_added",
    "attachment_note_added",
    "geo_note_added",
    "common_note_deleted",
    "task_added",
    "task_text_changed",
    "task_type_changed",
    "task_deadline_changed",
    "task_result_added",
    "task_completed",
    "task_deleted",
    "lead_status_changed",
    "custom_field_value_changed",
    "sale_field_changed",
    "name_field_changed",
    "entity_tag_added",
    "entity_tag_deleted",
    "entity_linked",
    "contact_unlinked",
    "entity_merged",
    "lead_deleted",
    "contact_restored",
    "key_action_completed",
)
WEAK = (
    "incoming_chat_message",
    "incoming_sms",
    "incoming_call",
    "outgoing_call",
    "site_visit_note_added",
    "link_followed",
    "robot_replied",
    "intent_identified",
    "nps_rate_added",
    "targeting_in_note_added",
    "service_note_added",
    "message_to_cashier_note_added",
    "transaction_added",
    "ltv_field_changed",
    "entity_responsible_changed",
)


async def test_every_strong_event_is_a_sign_and_no_other_is(site: CrmPresence) -> None:
    """36, and the rest of the table: each type by itself, a minute after the other."""
    for place, type in enumerate((*STRONG, *WEAK), start=1):
        site.now = site.at(place)
        before = (await site.of("anna")).signs.get("crm")
        site.does(type, ANNA)
        await site.look()
        after = (await site.of("anna")).signs.get("crm")
        assert (after != before) is (type in STRONG), type


async def test_silence_in_the_crm_asks_and_the_next_doing_brings_back(site: CrmPresence) -> None:
    site.does("task_completed", ANNA)
    await working(site, 15.5, BORIS)
    assert await site.mark("anna") == "asked"
    await working(site, 18, BORIS)
    assert await site.mark("anna") == "off"
    assert await site.mark("boris") == "on"
    site.does("common_note_added", ANNA)
    await site.until(19)
    assert (await site.told("anna"))[-1] == ("on", "crm_activity")


async def test_a_program_with_their_key_and_a_robot_keep_nobody_at_work(site: CrmPresence) -> None:
    """34: users marked as integrations, and created_by 0."""
    while site.now < site.at(18):
        site.does("custom_field_value_changed", ROBOT)
        site.does("custom_field_value_changed", 0)
        site.does("common_note_added", BORIS)
        await site.until((site.now - site.began).total_seconds() / 60 + 3)
    assert await site.mark("robot") == "off"
    assert await site.mark("anna") == "off"


async def test_our_own_writes_in_their_names_keep_nobody_at_work(site: CrmPresence) -> None:
    """34: a note of ours every three minutes with Anna as its author."""
    while site.now < site.at(18):
        site.does("common_note_added", ANNA)
        site.does("common_note_added", BORIS, id=501)
        await site.pool.execute(
            'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state, sent_at, done_at)'
            " VALUES ($1, $2, 'd', '+79161234567', 1, 'add_note', $3, 'done', $4, $4)",
            ACCOUNT,
            f"e{site.now.timestamp()}",
            {"do": "add_note", "target": {"kind": "deal", "id": "500"}},
            site.now,
        )
        await site.until((site.now - site.began).total_seconds() / 60 + 3)
    assert await site.mark("anna") == "off"
    assert await site.mark("boris") == "on"


async def test_a_bulk_action_of_500_events_is_one_sign(site: CrmPresence) -> None:
    """39: five pages of the feed; the sign is of its first second."""
    for second in range(10):
        site.does("entity_tag_added", ANNA, count=50, seconds_ago=10 - second)
    began_at = site.now.timestamp() - 10
    await site.look()
    sign = (await site.of("anna")).signs["crm"]
    assert abs(sign.timestamp() - began_at) <= 1


@pytest.mark.parametrize("skew", [300.0, -300.0])
async def test_a_crm_whose_clock_is_five_minutes_off_moves_nobody(site: CrmPresence, skew: float) -> None:
    """38."""
    site.skew = site.offset = skew
    site.does("task_completed", ANNA)
    await working(site, 14, BORIS)
    assert await site.mark("anna") == "on"
    await working(site, 15.5, BORIS)
    assert await site.mark("anna") == "asked"


async def test_a_feed_without_anybody_for_ten_minutes_takes_nobody_off(site: CrmPresence) -> None:
    """37: empty (204) all the time, in working time."""
    site.does("task_completed", ANNA)
    await site.until(25)
    assert await site.mark("anna") == "on"
    site.does("task_completed", BORIS)  # it was late, or all were at lunch: now silence counts again
    await site.until(26)
    assert await site.mark("anna") == "asked"


@pytest.mark.parametrize("fault", ["429", "401", "502"])
async def test_a_crm_that_refuses_takes_nobody_off(site: CrmPresence, fault: str) -> None:
    """37: throttled, unauthorised, broken, for a quarter of an hour and more."""
    await working(site, 4, ANNA, BORIS)
    rule = {"match": {"path": "/api/v4/events"}, "always": True, "fault": fault}
    site.sandbox.world.faults = fault_rules({"rules": [rule]})
    crm = site.crm
    assert crm is not None
    while site.now < site.at(21):
        site.now += timedelta(minutes=1)
        site.set_clock()
        with pytest.raises((CrmError, TimeoutError)):  # a budget that is told to wait waits
            await asyncio.wait_for(site.activity.read(ACCOUNT, crm, lambda: None, site.now), 0.3)
        await site.look(reads=False)
    assert await site.mark("anna") == await site.mark("boris") == "on"
    async with site.pool.acquire() as conn:
        watch = await watch_of(conn, ACCOUNT)
    assert watch is not None
    assert doubt(watch, CRM_ONLY, site.now, is_working_time=False) == "feed_unread"


async def test_pages_that_shift_while_they_are_read_lose_nobody(site: CrmPresence) -> None:
    """37: while Anna's doing lies on the third page others pour in."""
    site.does("task_completed", ANNA, seconds_ago=20)
    for second in range(15):
        site.does("entity_tag_added", BORIS, count=17, seconds_ago=15 - second)
    crm = site.crm
    assert crm is not None

    site.crm = Pouring(crm, lambda: site.does("entity_tag_added", BORIS, count=30))
    await site.look()
    assert await site.mark("anna") == "on"


async def test_an_event_that_the_feed_tells_late_takes_the_off_back(site: CrmPresence) -> None:
    site.does("task_completed", ANNA)
    await working(site, 17, BORIS)
    assert await site.mark("anna") == "off"
    site.does("lead_status_changed", ANNA, seconds_ago=240)
    await working(site, 18, BORIS)
    assert await site.mark("anna") == "on"


async def test_reading_and_looking_at_once_wait_for_each_other(site: CrmPresence) -> None:
    """Both lock what the other needs: in one order."""
    crm = site.crm
    assert crm is not None
    for second in range(12):
        site.now = site.began + timedelta(seconds=second)
        site.does("task_completed", ANNA, id=second)
        site.does("task_completed", BORIS, id=second)
        reads = [site.activity.read(ACCOUNT, crm, lambda: None, site.now) for _ in range(2)]
        await asyncio.gather(*reads, site.watch.turn(site.now, timedelta()))
    assert await site.mark("anna") == await site.mark("boris") == "on"
