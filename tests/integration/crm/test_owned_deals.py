"""Open deals of a person, as the directory has them: with and without numbers, and whose they were when they were made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from crm.effects.order import order
from crm.lane import Lane
from crm.port import CrmEntity, CrmEvent, Observed
from crm.store.directory import apply_entities
from crm.store.news import record_news
from crm.store.owned_deals import HAND_OVER, KnownOwned, open_deals
from routing.client import Ref
from routing.effects import Effect, UpdateEntity
from routing.settings import NumberPolicy

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DEAL = CrmEntity(
    kind="deal",
    id="7",
    name="Сделка",
    owner_id="1",
    pipeline_id="10",
    stage_id="20",
    created_at=AT,
    updated_at=AT,
)


@pytest.fixture(autouse=True)
async def _account(account: str) -> None:
    """Every test has one."""


async def _know(pool: asyncpg.Pool, *entities: CrmEntity) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await apply_entities(conn, "a", entities, NumberPolicy())


async def _tell(pool: asyncpg.Pool, *events: CrmEvent) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await record_news(conn, "a", told_by="feed", heard=events)


async def _open(pool: asyncpg.Pool, user: str, pipelines: tuple[str, ...] = ("10",)) -> dict[str, KnownOwned]:
    async with pool.acquire() as conn:
        return {known.deal.id: known for known in await open_deals(conn, "a", user, pipelines)}


def _given(id: str, before: str, after: str, at: datetime) -> CrmEvent:
    return CrmEvent(
        id=id,
        kind="owner_changed",
        at=at,
        entity_kind="deal",
        entity_id="7",
        by_user="9",
        before=before,
        after=after,
    )


def _message(id: str, kind: str, at: datetime, subject: tuple[str, str] = ("deal", "7")) -> CrmEvent:
    return CrmEvent(
        id=id,
        kind="message",
        at=at,
        entity_kind=subject[0],  # type: ignore[arg-type]
        entity_id=subject[1],
        by_user=None,
        aspect=kind,
        after=id,
    )


async def test_a_deal_without_contact_and_number_is_there(pool: asyncpg.Pool) -> None:
    await _know(pool, DEAL, replace(DEAL, id="8", is_open=False), replace(DEAL, id="9", pipeline_id="11"))
    found = await _open(pool, "1")
    assert list(found) == ["7"]
    assert (found["7"].contacts, found["7"].companies) == ((), ())
    assert list(await _open(pool, "1", ("10", "11"))) == ["7", "9"]


async def test_whose_it_was_at_first_is_kept_whatever_comes_after(pool: asyncpg.Pool) -> None:
    await _know(pool, DEAL)
    await _know(pool, replace(DEAL, owner_id="2", updated_at=AT + timedelta(hours=1)))
    await _know(pool, replace(DEAL, owner_id="3", updated_at=AT + timedelta(hours=2)))
    assert (await _open(pool, "3"))["7"].created_for == "1"


async def test_what_the_feed_tells_of_the_time_before_stands_above_it(pool: asyncpg.Pool) -> None:
    await _know(pool, replace(DEAL, owner_id="2", updated_at=AT + timedelta(days=3)))
    await _tell(pool, _given("e1", "1", "2", AT + timedelta(days=1)))
    assert (await _open(pool, "2"))["7"].created_for == "1"


@pytest.mark.parametrize(
    ("key", "owner_was", "whose"),
    [("k", None, "2"), ("k", "1", "2"), (f"{HAND_OVER}run:deal:7:0", "1", "1")],
    ids=["a matrix", "a template", "a change of shift"],
)
async def test_who_was_given_it_by_us_right_after_it_was_made_has_it_from_the_beginning(
    pool: asyncpg.Pool, key: str, owner_was: str | None, whose: str
) -> None:
    await _know(pool, DEAL)
    change = UpdateEntity(target=Ref(kind="deal", id="7"), owner_id="2", owner_was=owner_was)
    effect = Effect(key=key, order=change)
    async with pool.acquire() as conn, conn.transaction():
        await order(
            conn,
            account_id="a",
            decision_id="d",
            call_id=None,
            client="deal:7",
            lane=Lane.EVENTS,
            effects=[effect],
        )
    seen = Observed(
        kind="deal",
        id="7",
        at=AT + timedelta(minutes=1),
        values={"responsible": "2"},
        is_changed=frozenset({"responsible"}),
    )
    async with pool.acquire() as conn, conn.transaction():
        await record_news(conn, "a", told_by="webhook", observed=[seen])
    await _know(pool, replace(DEAL, owner_id="2", updated_at=AT + timedelta(minutes=1)))
    assert (await _open(pool, "2"))["7"].created_for == whose


async def test_a_client_who_wrote_and_was_not_answered_waits(pool: asyncpg.Pool) -> None:
    await _know(pool, replace(DEAL, contact_ids=("5",), main_contact_id="5"), replace(DEAL, id="8"))
    later = AT + timedelta(minutes=5)
    await _tell(
        pool, _message("m1", "incoming", AT, ("contact", "5")), _message("m2", "incoming", AT, ("deal", "8"))
    )
    await _tell(pool, _message("m3", "outgoing", later, ("deal", "8")))
    waiting = {id: known.deal.waiting_since for id, known in (await _open(pool, "1")).items()}
    assert waiting == {"7": AT, "8": None}
