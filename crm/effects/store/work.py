"""SQL of the writer's work: what is ready, what is being sent, what became of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from pydantic import TypeAdapter

from crm.effects.model import ENTITY_GONE, EffectOutcome, KnownEntities, OwnedNow, Ready, StoredEffect
from crm.effects.owners import as_handed_on, refused_owners
from crm.effects.refs import filled, lead_of, opened
from crm.effects.store import given
from crm.effects.store.degrade import free_tasks, keep_all, keep_live, keep_what_needs
from crm.lane import Lane
from crm.port import CrmEntity
from crm.store.clients import directory_keys
from crm.store.directory import EntityRef, apply_entities, remove_entities
from routing.effects import Order
from routing.orders import changed_by
from routing.settings import AccountSettings, NumberPolicy, stored_settings
from runtime.database import locks
from runtime.database.errors import storable
from runtime.database.pool import Conn
from runtime.effects import store as rows

_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
_FULL = 'effect_key, seq, lane, client, "order", attempts, doubts, created_at, sent_at, after, crm_extra'

# What an effect of a live lane needs goes first with it, out of `held` too: the client is on the line now.
_LIFT = """
WITH RECURSIVE need (key, lane) AS (
    SELECT d.effect_key, e.lane FROM effect e
    JOIN effect d ON d.account_id = e.account_id AND d.effect_key = ANY(e.after)
    WHERE e.account_id = $1 AND e.system = 'crm' AND e.state = 'waiting' AND e.lane < $2
      AND (d.state = 'held' OR (d.state = 'waiting' AND d.lane > e.lane))
    UNION
    SELECT d.effect_key, n.lane FROM need n
    JOIN effect e ON e.account_id = $1 AND e.effect_key = n.key
    JOIN effect d ON d.account_id = $1 AND d.effect_key = ANY(e.after)
    WHERE d.state = 'held' OR (d.state = 'waiting' AND d.lane > n.lane)
)
UPDATE effect e SET state = 'waiting', lane = n.lane
FROM (SELECT key, min(lane) AS lane FROM need GROUP BY key) n
WHERE e.account_id = $1 AND e.effect_key = n.key AND e.state IN ('held', 'waiting')
"""

# A live call that completes a task which was never sent makes that task needless: both wait for the backfill to skip it.
_WITHHOLD = """
UPDATE effect e SET state = 'held' FROM effect d
WHERE e.account_id = $1 AND e.system = 'crm' AND e.state = 'waiting' AND e.lane < $2 AND e.what = 'change_task'
  AND e."order"->>'is_completed' = 'true' AND d.account_id = e.account_id AND d.effect_key = e."order"->>'task'
  AND d.state = 'held'
"""

_READY = """
SELECT e.effect_key, e.seq, e.lane, e.what, e.client, e.doubts, e."order"->'target'->>'kind' AS target,
       e."order"->>'number' AS number, pending.key AS contact
FROM effect e
CROSS JOIN LATERAL (
    SELECT count(*) AS n, min(d.effect_key) AS key,
           bool_and(d.what = 'create_contact' AND d.state = 'waiting') AS is_contact
    FROM effect d WHERE d.account_id = e.account_id AND d.effect_key = ANY(e.after) AND d.state <> 'done'
) pending
WHERE e.account_id = $1 AND e.system = 'crm' AND e.state = 'waiting' AND e.lane = ANY($2)
  AND (e.not_before IS NULL OR e.not_before <= $3) AND (e.next_try_at IS NULL OR e.next_try_at <= $3)
  AND (pending.n = 0 OR (pending.n = 1 AND pending.is_contact AND e.what = 'create_deal'
                         AND e."order"->'contact'->>'effect' = pending.key))
  -- changes of one client's things keep their order
  AND (e.what NOT IN ('update_entity', 'change_task', 'change_note') OR NOT EXISTS (
      SELECT 1 FROM effect p WHERE p.account_id = e.account_id AND p.client = e.client AND p.what = e.what
        AND p.seq < e.seq AND p.state IN ('waiting', 'sending', 'unknown')))
ORDER BY e.lane, e.seq
LIMIT $4
"""

_MANY = """
SELECT count(*) > $3 FROM (SELECT FROM effect WHERE account_id = $1 AND system = 'crm' AND state = 'waiting' AND lane < $2
    LIMIT $3 + 1) AS first_ones
"""
_MANY_LIVE = 1000
_REST = 20  # times as long as it took

# One probe of an index for each account, however much waits.
_WITH_WORK = """
SELECT a.account_id FROM unnest($1::text[]) AS a (account_id)
WHERE EXISTS (SELECT 1 FROM effect e WHERE e.account_id = a.account_id AND e.system = 'crm'
    AND e.state IN ('waiting', 'unknown') AND (e.not_before IS NULL OR e.not_before <= now())
    AND (e.next_try_at IS NULL OR e.next_try_at <= now()))
  OR EXISTS (SELECT 1 FROM backfill_run r WHERE r.account_id = a.account_id AND r.state = 'running')
"""

_TAKE = f"""
UPDATE effect SET state = 'sending', attempts = attempts + 1, sent_at = $3, next_try_at = NULL
WHERE account_id = $1 AND effect_key = ANY($2) AND state = 'waiting' AND system = 'crm'
RETURNING {_FULL}
"""  # noqa: S608

# What was sent along with something else is known by its id: while that is in doubt, nothing can be told of it.
_UNVERIFIED = f"""
WITH due AS (
    SELECT e.effect_key, e.lane, e.what, e.seq FROM effect e
    WHERE e.account_id = $1 AND e.system = 'crm' AND e.state = 'unknown' AND e.next_try_at <= $2
      AND NOT EXISTS (SELECT 1 FROM effect n WHERE n.account_id = e.account_id AND n.effect_key = ANY(e.after)
                      AND n.state = 'unknown')
)
SELECT {_FULL} FROM effect e WHERE e.account_id = $1 AND e.effect_key IN (
    SELECT effect_key FROM due WHERE (lane, what) = (SELECT lane, what FROM due ORDER BY lane, seq LIMIT 1)
    ORDER BY seq LIMIT $3)
ORDER BY e.seq
"""  # noqa: S608

_ENDED_NEEDS = """
SELECT DISTINCT n.effect_key FROM effect e JOIN effect n ON n.account_id = e.account_id AND n.effect_key = ANY(e.after)
WHERE e.account_id = $1 AND e.effect_key = ANY($2) AND e.state = 'waiting' AND n.state IN ('dead', 'skipped', 'expired')
"""

_RECORD = """
UPDATE effect e SET
    state = o.state, crm_id = coalesce(o.crm_id, e.crm_id), crm_extra = e.crm_extra || o.extra,
    was_found = e.was_found OR o.was_found, error_code = o.code, error_field = o.field, error_detail = o.detail,
    next_try_at = o.next_try_at, doubts = e.doubts + o.is_unknown::int,
    done_at = CASE WHEN o.state = 'done' THEN $3::timestamptz ELSE e.done_at END
FROM jsonb_to_recordset($2::text::jsonb) AS o (key text, attempt int, state text, crm_id text, extra jsonb,
    was_found boolean, code text, field text, detail text, next_try_at timestamptz, is_unknown boolean)
WHERE e.account_id = $1 AND e.effect_key = o.key AND e.attempts = o.attempt
  AND e.state IN ('waiting', 'sending', 'unknown') AND e.system = 'crm'
RETURNING e.effect_key, e.state
"""

_COMPANY = """
UPDATE effect e SET "order" = jsonb_set(e."order", ARRAY[place.name, 'kind'], '"company"')
FROM (VALUES ('target'), ('contact')) place (name)
WHERE e.account_id = $1 AND e.after && $2::text[] AND e."order"->place.name->>'effect' = ANY($2)
  AND e.state IN ('waiting', 'held', 'unknown')
"""

_DEALS_IN_LEADS = """
SELECT crm_id AS lead, crm_extra->>'deal' AS deal FROM effect
WHERE account_id = $1 AND crm_id = ANY($2) AND what = 'create_lead' AND crm_extra ? 'deal'
UNION
SELECT entity_id, deal_id FROM directory_entity
WHERE account_id = $1 AND kind = 'lead' AND entity_id = ANY($2) AND deal_id IS NOT NULL
"""

_KNOWN = """
SELECT n.number, n.kind, n.entity_id,
       coalesce(jsonb_agg(jsonb_build_array(d.entity_id, d.created_at) ORDER BY d.created_at DESC NULLS LAST)
                FILTER (WHERE d.is_open), '[]') AS deals
FROM directory_number n
JOIN directory_entity e ON e.account_id = n.account_id AND e.kind = n.kind AND e.entity_id = n.entity_id
LEFT JOIN directory_link l ON l.account_id = n.account_id AND l.kind = n.kind AND l.entity_id = n.entity_id
LEFT JOIN directory_entity d ON d.account_id = l.account_id AND d.kind = 'deal' AND d.entity_id = l.deal_id
WHERE n.account_id = $1 AND n.number = ANY($2) AND n.kind IN ('contact', 'company')
GROUP BY n.number, n.kind, n.entity_id, e.updated_at
ORDER BY n.number, count(*) FILTER (WHERE d.is_open) > 0 DESC, e.updated_at DESC NULLS LAST, n.entity_id
"""


class PgEffects:
    """`EffectStore` in PostgreSQL. policy: how the account's numbers are read now. on_broken: told the reason in the
    transaction in which the account breaks."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        account_id: str,
        policy: Callable[[], NumberPolicy],
        on_broken: Callable[[Conn, str], Awaitable[None]] | None = None,
    ) -> None:
        self._on_broken = on_broken
        self._pool = pool
        self._account = account_id
        self._policy = policy
        self._settled_until = 0.0

    async def ready(self, now: datetime, lanes: Collection[Lane], limit: int) -> list[Ready]:
        async with self._pool.acquire() as conn, conn.transaction():
            if not await is_on(conn, self._account):
                await rows.hold(conn, self._account, "crm")
                return []
            if time.monotonic() >= self._settled_until:
                await self._settle(conn)
            ready = await conn.fetch(_READY, self._account, [int(x) for x in lanes], now, limit)
        return [_ready(row) for row in ready]

    async def _settle(self, conn: Conn) -> None:
        """Look at what live effects need. Nothing of what is still to be found here could go out; so where very many wait, it
        is done in a twentieth of the time."""
        began = time.monotonic()
        await keep_live(conn, self._account, int(Lane.BACKFILL))
        await rows.cascade_to_live(conn, self._account, "crm", int(Lane.BACKFILL))
        await conn.execute(_WITHHOLD, self._account, int(Lane.BACKFILL))
        await conn.execute(_LIFT, self._account, int(Lane.BACKFILL))
        if await conn.fetchval(_MANY, self._account, int(Lane.BACKFILL), _MANY_LIVE):
            now = time.monotonic()
            self._settled_until = now + (now - began) * _REST

    async def take(self, keys: Sequence[str], now: datetime) -> list[StoredEffect]:
        async with self._pool.acquire() as conn, conn.transaction():
            taken = await conn.fetch(_TAKE, self._account, list(keys), now)
            stored = {s.key: s for s in await self._stored(conn, taken)}
        return [stored[key] for key in keys if key in stored]

    async def record(
        self,
        outcomes: Sequence[EffectOutcome],
        entities: Sequence[CrmEntity],
        now: datetime,
        gone: Collection[EntityRef] = (),
    ) -> None:
        payload = orjson.dumps([_outcome_json(o) for o in outcomes]).decode()
        undone = [o.key for o in outcomes if o.code == ENTITY_GONE]
        async with self._pool.acquire() as conn, conn.transaction():
            if undone:
                await self._decide_anew(conn, undone, now)
            recorded = await conn.fetch(_RECORD, self._account, payload, now)
            written = {row["effect_key"] for row in recorded}
            companies = [o.key for o in outcomes if o.extra.get("kind") == "company" and o.key in written]
            if companies:
                await conn.execute(_COMPANY, self._account, companies)
            ended = [row["effect_key"] for row in recorded if row["state"] in rows.ENDED]
            freed = await free_tasks(conn, self._account, ended)
            ended = [key for key in ended if key not in freed]
            again = [row["effect_key"] for row in recorded if row["state"] == "waiting"]
            if again:  # what they need may have ended while they were in doubt
                needs = await conn.fetch(_ENDED_NEEDS, self._account, again)
                ended += [row["effect_key"] for row in needs if row["effect_key"] not in ended]
            await rows.cascade(conn, self._account, ended, keep_what_needs)
            await given.take_over(
                conn, self._account, [r["effect_key"] for r in recorded if r["state"] == "done"]
            )
            if entities:
                await apply_entities(conn, self._account, list(entities), self._policy())
            if gone:
                await remove_entities(conn, self._account, gone)

    async def _decide_anew(self, conn: Conn, keys: Sequence[str], now: datetime) -> None:
        """Make their calls due. No job of these clients that read what was before may end after us."""
        rows = await conn.fetch(
            "SELECT DISTINCT client, call_id FROM effect WHERE account_id = $1 AND effect_key = ANY($2)"
            " AND call_id IS NOT NULL",
            self._account,
            list(keys),
        )
        for client in sorted({r["client"] for r in rows}):
            await locks.take(conn, locks.client(self._account, client))
        await conn.execute(
            "UPDATE call SET due_at = least(due_at, $3) WHERE account_id = $1 AND call_id = ANY($2)",
            self._account,
            [r["call_id"] for r in rows],
            now,
        )

    async def recover_in_flight(self, look_at: datetime) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            await keep_all(conn, self._account)
            return await rows.recover_in_flight(conn, self._account, "crm", look_at)

    async def unverified(self, now: datetime, limit: int) -> list[StoredEffect]:
        async with self._pool.acquire() as conn, conn.transaction():
            if not await is_on(conn, self._account):
                return []
            due = await conn.fetch(_UNVERIFIED, self._account, now, limit)
            return await self._stored(conn, due)

    async def known(self, numbers: Collection[str]) -> dict[str, KnownEntities]:
        keys = {key: n for n in numbers if n.lstrip("+").isdigit() for key in directory_keys(n)}
        known = await self._pool.fetch(_KNOWN, self._account, list(keys))
        found: dict[str, KnownEntities] = {}
        for row in known:
            number = keys[row["number"]]
            first = found.get(number)
            found[number] = KnownEntities(
                contact=first.contact if first else (row["kind"], row["entity_id"]),
                deals=first.deals if first else tuple(_deal(d) for d in row["deals"]),
                is_alone=first is None,
            )
        return found

    async def owned_now(self, effects: Sequence[StoredEffect]) -> dict[str, OwnedNow]:
        async with self._pool.acquire() as conn:
            return await given.owned_now(conn, self._account, effects)

    async def claimed(self, ids: Collection[str]) -> set[str]:
        claimed = await self._pool.fetch(
            "SELECT crm_id FROM effect WHERE account_id = $1 AND crm_id = ANY($2) AND state = 'done' AND system = 'crm'",
            self._account,
            list(ids),
        )
        return {row["crm_id"] for row in claimed}

    async def break_account(self, reason: str) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            done = await conn.execute(
                "UPDATE account SET state = 'broken', state_reason = $2, state_since = now()"
                " WHERE account_id = $1 AND state = 'on'",
                self._account,
                storable(reason),
            )
            await rows.hold(conn, self._account, "crm")
            if done != "UPDATE 0" and self._on_broken is not None:
                await self._on_broken(conn, storable(reason))

    async def next_due(self, now: datetime) -> datetime | None:
        async with self._pool.acquire() as conn:
            return await rows.next_due(conn, self._account, "crm", now)

    async def _stored(self, conn: Conn, rows: Sequence[asyncpg.Record]) -> list[StoredEffect]:
        needed = sorted({key for row in rows for key in row["after"]})
        done = await conn.fetch(
            "SELECT effect_key, what, crm_id, crm_extra, was_found FROM effect"
            " WHERE account_id = $1 AND effect_key = ANY($2) AND state = 'done' AND crm_id IS NOT NULL",
            self._account,
            needed,
        )
        ids = {r["effect_key"]: (r["crm_extra"].get("kind"), r["crm_id"]) for r in done}
        found = {r["effect_key"] for r in done if r["was_found"] and r["what"] == "create_contact"}
        orders = [
            as_handed_on(filled(_ORDER.validate_python(row["order"]), ids), row["crm_extra"]) for row in rows
        ]
        deals = await self._deals_in(conn, {lead for order in orders if (lead := lead_of(order))})
        return [_stored_row(*pair, ids, found, deals) for pair in zip(rows, orders, strict=True)]

    async def _deals_in(self, conn: Conn, leads: Collection[str]) -> dict[str, str]:
        """Lead -> the deal inside it, as its creation told us or the directory knows."""
        if not leads:
            return {}
        found = await conn.fetch(_DEALS_IN_LEADS, self._account, list(leads))
        return {row["lead"]: row["deal"] for row in found}


async def accounts_with_work(conn: Conn, account_ids: Sequence[str]) -> list[str]:
    """Those of these whose writer has something to look at now: to send, to look into, to release."""
    return [row["account_id"] for row in await conn.fetch(_WITH_WORK, list(account_ids))]


async def is_on(conn: Conn, account_id: str) -> bool:
    """Say whether the account is on; one without a row (in tests of parts) is."""
    state = await conn.fetchval("SELECT state FROM account WHERE account_id = $1", account_id)
    return state in (None, "on")


async def settings_of(conn: Conn, account_id: str) -> AccountSettings:
    raw = await conn.fetchval("SELECT settings FROM account WHERE account_id = $1", account_id)
    return stored_settings(raw)


def _ready(row: asyncpg.Record) -> Ready:
    return Ready(
        key=row["effect_key"],
        seq=row["seq"],
        lane=Lane(row["lane"]),
        what=row["what"],
        client=row["client"],
        target=row["target"],
        contact=row["contact"],
        number=row["number"],
        unknown_attempts=row["doubts"],
    )


def _stored_row(
    row: asyncpg.Record,
    order: Order,
    ids: dict[str, tuple[str | None, str]],
    found_contacts: set[str],
    deals: dict[str, str],
) -> StoredEffect:
    changed = ids.get(changed_by(order) or "")
    return StoredEffect(
        key=row["effect_key"],
        seq=row["seq"],
        lane=Lane(row["lane"]),
        client=row["client"],
        order=opened(order, deals),
        attempt=row["attempts"],
        unknown_attempts=row["doubts"],
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        changed_id=getattr(order, "task_id", None) or (changed[1] if changed else None),
        contact_found=not found_contacts.isdisjoint(row["after"]) if found_contacts else False,
        in_lead=lead_of(order) is not None,
        refused_owners=refused_owners(row["crm_extra"]),
    )


def _outcome_json(outcome: EffectOutcome) -> dict[str, Any]:
    told = {name: getattr(outcome, name) for name in EffectOutcome.__slots__} | {"extra": dict(outcome.extra)}
    return told | {name: storable(text) for name in ("field", "detail") if (text := told[name])}


def _deal(raw: list[Any]) -> tuple[str, datetime | None]:
    return raw[0], datetime.fromisoformat(raw[1]) if raw[1] else None
