"""What a webhook says of what nobody knows, of what is gone or of the future is looked up before it is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from crm.entity_changes import EntityChange
from crm.sandbox.seed import CONTACTS, manager
from crm.sync.changes import apply_webhook
from routing.settings import NumberPolicy
from tests.integration.crm.test_sync_sandbox import Amo, amo, hooked, loaded
from tests.waiting import until

__all__ = ["amo", "hooked", "loaded"]


async def test_a_change_of_what_is_not_in_the_crm_is_looked_up_and_not_believed(hooked: Amo) -> None:
    at = datetime.now(UTC)
    ghost = EntityChange(
        kind="contact",
        what="updated",
        id="77777777",
        at=at,
        owner_id=str(manager(110)),
        numbers=("+79170000777",),
    )
    taken = await apply_webhook(hooked.pool, "a", [ghost], NumberPolicy())
    assert taken.to_reread == (("contact", "77777777"),)
    assert await hooked.pool.fetch("SELECT 1 FROM directory_number WHERE number = 79170000777") == []
    await until(lambda: _is_read(hooked), "it was looked up")
    assert await hooked.pool.fetch("SELECT 1 FROM directory_entity WHERE entity_id = '77777777'") == []


@pytest.mark.parametrize("amo", [True], indirect=True, ids=["filters-on"])
async def test_three_thousand_changes_of_the_unknown_are_looked_up_in_few_requests(hooked: Amo) -> None:
    at = datetime.now(UTC)
    ghosts = [
        EntityChange(kind="contact", what="updated", id=str(80_000_000 + i), at=at, owner_id="1")
        for i in range(3000)
    ]
    before = len(await requests_of(hooked))
    await apply_webhook(hooked.pool, "a", ghosts, NumberPolicy())
    await until(lambda: _is_read(hooked), "they were looked up")
    assert len(await requests_of(hooked)) - before <= 60


async def test_a_change_from_the_future_does_not_make_all_later_ones_old(hooked: Amo) -> None:
    ahead = EntityChange(
        kind="contact",
        what="updated",
        id=str(CONTACTS + 1),
        at=datetime.now(UTC) + timedelta(days=400),
        owner_id="1",
    )
    await apply_webhook(hooked.pool, "a", [ahead], NumberPolicy())
    await until(lambda: _is_read(hooked), "it was looked up")
    row = await hooked.pool.fetchrow(
        "SELECT owner_id, updated_at FROM directory_entity WHERE kind = 'contact' AND entity_id = $1",
        str(CONTACTS + 1),
    )
    assert row is not None
    assert row["owner_id"] != "1"
    assert row["updated_at"] < datetime.now(UTC) + timedelta(hours=1)


async def test_an_old_message_of_what_was_deleted_does_not_bring_it_back(loaded: Amo) -> None:
    known = await loaded.pool.fetchrow(
        "SELECT * FROM directory_entity WHERE entity_id = $1", str(CONTACTS + 1)
    )
    assert known is not None
    made = EntityChange(
        kind="contact",
        what="added",
        id=str(CONTACTS + 1),
        at=known["updated_at"],
        owner_id=known["owner_id"],
        numbers=("+79170000778",),
    )
    gone = EntityChange(kind="contact", what="deleted", id=str(CONTACTS + 1))
    await loaded.sync.apply_webhook([gone])
    taken = await loaded.sync.apply_webhook([made])
    assert ("contact", str(CONTACTS + 1)) in taken.to_reread
    assert await loaded.pool.fetch("SELECT 1 FROM directory_number WHERE number = 79170000778") == []


async def _is_read(amo: Amo) -> bool:
    return not await amo.pool.fetchval("SELECT EXISTS (SELECT 1 FROM directory_reread)")


async def requests_of(amo: Amo) -> list[object]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{amo.sandbox.url}/_sandbox/ledger") as reply,
    ):
        return list((await reply.json())["requests"])
