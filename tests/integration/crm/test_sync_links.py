"""The feed tells of every link, those of our own new deals too: only what we do not have is read again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import asyncpg
import pytest

from crm.entity_changes import EntityChange
from crm.port import CrmEvent
from crm.sync.sync import Sync
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.integration.crm.sync_bench import Clock, contact, deal


@pytest.fixture
async def told(pool: asyncpg.Pool, account: str) -> tuple[FakeCrm, Clock, Sync]:
    """A loaded directory with contact 1, its deal 5, and contact 2 without one."""
    clock = Clock()
    crm = FakeCrm(clock=clock)
    crm.seed(contact(1), contact(2), deal(5, 1))
    sync = Sync(crm, pool, account, NumberPolicy(), now=clock)
    await sync.load()
    await sync.poll_once()
    return crm, clock, sync


def tell(crm: FakeCrm, at: datetime, kind: Literal["linked", "unlinked"], person: str) -> None:
    crm.feed.append(
        CrmEvent(
            id=f"e{len(crm.feed)}",
            kind=kind,
            at=at,
            entity_kind="deal",
            entity_id="5",
            by_user=None,
            other=("contact", person),
        )
    )


@pytest.mark.parametrize(
    ("kind", "person", "reads"),
    [("linked", "1", 0), ("linked", "2", 1), ("unlinked", "1", 1), ("unlinked", "2", 0)],
)
async def test_a_deal_is_read_again_only_for_a_link_that_differs(
    told: tuple[FakeCrm, Clock, Sync], kind: Literal["linked", "unlinked"], person: str, reads: int
) -> None:
    crm, clock, sync = told
    tell(crm, clock.tick(), kind, person)
    before = crm.count("by_ids")
    await sync.poll_once()
    assert crm.count("by_ids") - before == reads


async def test_a_link_that_came_and_went_is_read(told: tuple[FakeCrm, Clock, Sync]) -> None:
    crm, clock, sync = told
    tell(crm, clock.tick(), "unlinked", "1")
    tell(crm, clock.tick(1), "linked", "1")
    before = crm.count("by_ids")
    await sync.poll_once()
    assert crm.count("by_ids") - before == 1


async def test_a_webhook_about_a_deal_that_is_known_with_its_contact_asks_for_nothing(
    told: tuple[FakeCrm, Clock, Sync],
) -> None:
    _, clock, sync = told
    known = EntityChange(kind="deal", id="5", what="added", at=clock.tick())
    assert (await sync.apply_webhook([known])).to_reread == ()
    fresh = EntityChange(kind="deal", id="6", what="added", at=clock.tick())
    assert (await sync.apply_webhook([fresh])).to_reread == (("deal", "6"),)
