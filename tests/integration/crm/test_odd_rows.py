"""Every value of the CRM's rows, made odd in turn, through the feeds, loads, re-reads and webhooks into the database."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg
import pytest

from crm.amocrm.webhooks import parse_webhook
from crm.lane import Lane
from crm.store.cursors import ask_reread
from crm.store.directory import EntityRef
from crm.store.listing import known_refs
from crm.sync.metadata import read_metadata
from crm.sync.polls import poll_rereads
from tests.integration.crm.test_unread_rows import Odd, odd  # noqa: F401
from tests.paths import CASES
from tests.unit.crm.amocrm.test_odd_answers import HOOKS, ODD, changed, paths_of

# What the database has its own opinion of, besides what the reader is tried with.
VALUES: Sequence[Any] = (*ODD, 253402300799, -62135596800, "\\ud83d" + "x" * 3000)


def variants(row: dict[str, Any], id_key: str, first: int) -> Iterator[dict[str, Any]]:
    """The row with one value odd each, under ids of their own; of the id itself as well."""
    for path in paths_of(row):
        for value in VALUES:
            if path and path != (id_key,):
                first += 1
                yield {**changed(row, path, value), id_key: first}
            elif path:
                yield changed(row, path, value)


KINDS = (("contacts", "contact"), ("companies", "company"), ("leads", "deal"), ("unsorted", "lead"))


@pytest.mark.parametrize(("plural", "kind"), KINDS, ids=[kind for _, kind in KINDS])
async def test_a_load_polls_and_re_reads_go_on_whatever_a_row_holds(
    odd: Odd,  # noqa: F811
    pool: asyncpg.Pool,
    plural: str,
    kind: Any,
) -> None:
    """All oddities together in one page, with a row at its end that is well."""
    id_key = "uid" if kind == "lead" else "id"
    well: EntityRef = (kind, "77000001")
    await read_metadata(odd.sync.source)

    def spoil(path: str, body: Any) -> Any:
        listed = body.get("_embedded", {}).get(plural) if isinstance(body, dict) else None
        if listed and f"/{plural}?" in path and "page=1" in path:
            rows = [
                *variants(listed[0], id_key, 88_000_000),
                {**copy.deepcopy(listed[0]), id_key: int(well[1])},
            ]
            return {**body, "_embedded": {plural: rows}}
        return None

    odd.transport.change = spoil
    assert (await odd.sync.load()).is_done
    await odd.sync.poll_once()
    async with pool.acquire() as conn:
        assert await known_refs(conn, "a", [well]) == {well}
    told = await odd.unread()
    assert len(told) > 10
    some = [(kind, id) for told_kind, id, *_ in told if told_kind == kind and not id.startswith("?")][:5]
    async with pool.acquire() as conn:
        await ask_reread(conn, "a", some)
    await poll_rereads(odd.sync.source, Lane.EVENTS)
    assert await pool.fetchval("SELECT max(octet_length(raw)) FROM crm_unread") <= 4096
    assert await pool.fetchval("SELECT count(*) FROM crm_unread WHERE raw ~ '[0-9]{10}'") == 0


async def test_the_feed_of_events_goes_on_whatever_an_event_holds(odd: Odd, pool: asyncpg.Pool) -> None:  # noqa: F811
    await odd.sync.load()
    samples = json.loads((CASES / "amocrm" / "events.json").read_text())["response"]["body"]
    rows = [row for sample in samples["_embedded"]["events"] for row in variants(sample, "id", 88_000_000)]
    tag = {
        **samples["_embedded"]["events"][0],
        "id": "tagged",
        "type": "entity_tag_added",
        "value_after": [{"tag": {"name": "t" * 10_000}}],
    }

    def tell(path: str, body: Any) -> Any:
        if "/events?" in path and "page=1&" in path + "&":
            return {"_embedded": {"events": [*rows, tag]}, "_links": {}}
        return None

    await pool.execute("DELETE FROM sync_cursor WHERE feed = 'events'")
    await pool.execute(
        "INSERT INTO sync_cursor (account_id, feed, cursor) VALUES ('a', 'events', $1)",
        {"at": "2001-01-01T00:00:00+00:00"},
    )
    odd.transport.change = tell
    await odd.sync.poll_once()
    assert {kind for kind, *_ in await odd.unread()} >= {"event"}
    assert await pool.fetchval("SELECT count(*) FROM crm_event WHERE aspect LIKE 'tag:%'") >= 1


METADATA = (("users", "/users"), ("pipelines", "/pipelines"), ("custom_fields", "/contacts/custom_fields"))


@pytest.mark.parametrize(("plural", "place"), METADATA, ids=[plural for plural, _ in METADATA])
async def test_metadata_goes_on_whatever_a_row_holds(
    odd: Odd,  # noqa: F811
    pool: asyncpg.Pool,
    plural: str,
    place: str,
) -> None:
    await read_metadata(odd.sync.source)
    before = await pool.fetchval("SELECT count(*) FROM crm_user WHERE is_active")

    def spoil(path: str, body: Any) -> Any:
        listed = body.get("_embedded", {}).get(plural) if isinstance(body, dict) else None
        if listed and place in path and "page=2" not in path:
            return {**body, "_embedded": {plural: [*variants(listed[0], "id", 88_000_000), *listed]}}
        return None

    odd.transport.change = spoil
    await read_metadata(odd.sync.source)
    assert await odd.unread()
    assert await pool.fetchval("SELECT count(*) FROM crm_user WHERE is_active") >= before


async def test_webhooks_go_on_whatever_an_item_holds(odd: Odd, pool: asyncpg.Pool) -> None:  # noqa: F811
    await odd.sync.load()

    async def at_once() -> None:
        return None

    for name in HOOKS:
        pairs = json.loads((CASES / "amocrm" / f"{name}.json").read_text())["request"]["body"]
        for index, (key, _) in enumerate(pairs):
            for value in ("", "-1", "odd", "9" * 17, "9" * 40, "x" * 5000, "nul%00", "%ED%A0%80"):
                other = [*pairs[:index], [key, value], *pairs[index + 1 :]]
                body = "&".join(f"{name_of_key}={text}" for name_of_key, text in other)
                delivery = parse_webhook(body.encode())
                await odd.sync.apply_webhooks(delivery.changes, at_once, delivery.observed, delivery.unread)
    well = parse_webhook(b"contacts[add][0][id]=77000001&contacts[add][0][name]=Anna")
    await odd.sync.apply_webhooks(well.changes, at_once, well.observed, well.unread)
    async with pool.acquire() as conn:
        assert await known_refs(conn, "a", [("contact", "77000001")])
