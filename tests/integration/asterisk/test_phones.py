"""Phones of an Asterisk as presence sees them: by one worker's own link, with what was true before it listened."""

from __future__ import annotations

from typing import Any

import asyncpg

from gateway.pbx.asterisk.wire import message
from gateway.pbx.kinds import KINDS
from gateway.pbx_links.phones import PhoneWatchers, watched_of
from gateway.store.admin import accounts
from routing.presence import PresenceState
from runtime.database.lease import Leases
from runtime.lifecycle import background
from tests.integration.asterisk.fake_ami import FakeAmi, fake_ami
from tests.integration.presence.site import ACCOUNT, PresenceSite, people, policy
from tests.unit.gateway.pbx.test_asterisk_phones import device, member
from tests.waiting import until

PHONES = policy(sources=("pbx", "calls"))


async def an_office(pool: asyncpg.Pool, dsn: str, ami: FakeAmi) -> PresenceSite:
    site = PresenceSite(pool, dsn)
    await site.open(PHONES, people({"anna": "11", "boris": "12"}))
    async with pool.acquire() as conn:
        await accounts.add_connection(
            conn,
            account_id=ACCOUNT,
            name="asterisk",
            kind="asterisk",
            secret="s",
            settings={"ami_host": "127.0.0.1", "ami_port": ami.port},
            keys={"ami_user": "callmatrix", "ami_secret": ami.secret},
        )
    await site.configuration.reload()
    return site


async def told(site: PresenceSite) -> list[tuple[Any, ...]]:
    rows = await site.pool.fetch("SELECT address, is_busy, is_dnd FROM presence_phone ORDER BY address")
    return [tuple(row) for row in rows]


async def test_what_was_true_before_and_what_changes(pool: asyncpg.Pool, database_url: str) -> None:
    async with fake_ami() as ami:
        site = await an_office(pool, database_url, ami)
        leases = [Leases(database_url), Leases(database_url)]
        watchers = [PhoneWatchers(site.configuration, pool, one, KINDS, again_seconds=0.2) for one in leases]
        async with background(*(watcher.run() for watcher in watchers)):
            await ami.until_links(1)
            await until(lambda: _has(ami.actions, 3), "the lists are asked for")
            ami.say(
                message(device("PJSIP/201", "INUSE")), message(member("PJSIP/202", "1", event="QueueMember"))
            )
            for end in ("DeviceStateList", "ExtensionStateList", "QueueStatus"):
                ami.say(message({"Event": f"{end}Complete", "ActionID": end, "EventList": "Complete"}))

            async def is_told(wanted: list[tuple[Any, ...]]) -> bool:
                return await told(site) == wanted

            await until(lambda: is_told([("201", True, False), ("202", False, True)]), "both are told")
            await site.look()
            assert await site.on_board("anna") is PresenceState.BUSY
            assert await site.on_board("boris") is PresenceState.DND
            ami.say(message(device("PJSIP/201", "NOT_INUSE")))
            await until(lambda: is_told([("202", False, True)]), "who hung up is free")
            ami.drop()
            await ami.until_links(1)  # it comes back, or the other worker does
            assert ami.links == 1


async def _has(actions: list[str], count: int) -> bool:
    return sum(action.endswith(("StateList", "QueueStatus")) for action in actions) >= count


async def test_accounts_that_do_not_ask_for_it_are_not_listened_to(
    pool: asyncpg.Pool, database_url: str
) -> None:
    async with fake_ami() as ami:
        site = await an_office(pool, database_url, ami)
        assert len(watched_of(site.configuration.now, KINDS)) == 1
        await site.set(policy(sources=("crm",)))
        assert watched_of(site.configuration.now, KINDS) == set()
        await site.set(PHONES.model_copy(update={"is_on": False}))
        assert watched_of(site.configuration.now, KINDS) == set()
        assert ami.logins == 0
