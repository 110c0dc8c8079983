"""Emptying what the CRM told of clients, and we told it: changes, exchanges, rows and webhooks that nobody could read.

The directory is not touched: it is the CRM's copy, and what is deleted there goes here too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote_to_bytes

from crm.store.entries import lock_directory
from runtime.database.pool import Conn
from runtime.masking import mask_number

_SHORTEST_NAME = 2
"""One letter stands in all texts; its rows are found by ids."""

# Numbers stand there as people wrote them in the CRM.
_SAME_NUMBER = r"right(regexp_replace(n, '\D', '', 'g'), 10) = right(regexp_replace($2, '\D', '', 'g'), 10)"
# All that is known to be this client's in the CRM, now or formerly: by number, by what we made or wrote to, by its deals.
_THEIRS = """
WITH own (kind, id) AS (
    SELECT kind, entity_id FROM directory_number WHERE account_id = $1 AND number = ltrim($2, '+')::bigint
    UNION SELECT entity_kind, entity_id FROM crm_event WHERE account_id = $1 AND aspect = 'numbers'
        AND EXISTS (SELECT FROM unnest(string_to_array(concat_ws(', ', old_value, new_value), ', ')) AS n WHERE {SAME})
    UNION SELECT entity_kind, entity_id FROM crm_entity_state WHERE account_id = $1 AND aspect = 'numbers'
        AND EXISTS (SELECT FROM unnest(string_to_array(value, ', ')) AS n WHERE {SAME})
    UNION SELECT replace(what, 'create_', ''), crm_id FROM effect WHERE account_id = $1 AND client = $2
        AND what LIKE 'create%' AND crm_id IS NOT NULL
    UNION SELECT "order"->'target'->>'kind', "order"->'target'->>'id' FROM effect WHERE account_id = $1 AND client = $2
    UNION SELECT 'task', "order"->>'task_id' FROM effect WHERE account_id = $1 AND client = $2
    UNION SELECT target->>'kind', target->>'id' FROM missed_case WHERE account_id = $1 AND client = $2
), theirs AS (
    SELECT * FROM own
    UNION SELECT 'deal', deal_id FROM directory_link l JOIN own ON own.kind = l.kind AND own.id = l.entity_id
        WHERE account_id = $1 AND l.kind = 'contact'
)
SELECT kind, id FROM theirs WHERE id IS NOT NULL
UNION SELECT 'task', entity_id FROM crm_entity_state s JOIN theirs ON s.value = theirs.kind || ':' || theirs.id
    WHERE account_id = $1 AND entity_kind = 'task' AND aspect = 'target'
""".replace("{SAME}", _SAME_NUMBER)
_WANTED = "unnest($2::text[], $3::text[]) AS w (kind, id)"
_NAMES = f"""
SELECT name FROM directory_entity d JOIN {_WANTED} ON d.kind = w.kind AND d.entity_id = w.id
    WHERE account_id = $1 AND d.kind IN ('contact', 'lead')
UNION SELECT unnest(ARRAY[old_value, new_value]) FROM crm_event e JOIN {_WANTED} ON e.entity_kind = w.kind AND e.entity_id = w.id
    WHERE account_id = $1 AND aspect = 'name' AND entity_kind IN ('contact', 'lead')
UNION SELECT unnest(ARRAY["order"->>'name', "order"->>'contact_name']) FROM effect
    WHERE account_id = $1 AND client = $4 AND what IN ('create_contact', 'create_lead')
"""  # noqa: S608 - of this module
_HOLD_TEXT = "aspect IN ('name', 'numbers', 'fields') AND new_value NOT IN ('', '{}')"
_EMPTIED = """old_value = CASE WHEN aspect = 'fields' AND old_value IS NOT NULL THEN '{}' END,
    new_value = CASE WHEN aspect = 'fields' THEN '{}' ELSE '' END"""
_NOT_AT_WORK = (
    "NOT EXISTS (SELECT FROM crm_event_work k WHERE k.account_id = e.account_id AND k.event_id = e.event_id)"
)


@dataclass(frozen=True, slots=True)
class ToldOfClient:
    """things: (kind, id) of what is theirs in the CRM. marks: what a text that may be about them has in it: others may be
    called so too. number: theirs, without the plus."""

    things: Sequence[tuple[str, str]]
    marks: Sequence[str]
    number: str

    @property
    def columns(self) -> tuple[list[str], list[str]]:
        return [kind for kind, _ in self.things], [id for _, id in self.things]

    @property
    def ids(self) -> list[str]:
        return sorted({id for _, id in self.things})

    @property
    def deals(self) -> list[str]:
        """As effects that are no client's name whom they are for."""
        return [f"deal:{id}" for kind, id in self.things if kind == "deal"]

    def is_theirs(self, form: str) -> bool:
        """Whether a form of the CRM, decoded, names one of their things, their number or their full name."""
        full_names = [mark for mark in self.marks if " " in mark]
        numbers = ("".join(filter(str.isdigit, pair.partition("=")[2])) for pair in form.split("&"))
        named = any(mark in form for mark in full_names) or any(self.number[-10:] in n for n in numbers)
        return named or any(f"[id]={id}&" in f"{form}&" for id in self.ids)


async def told_of(conn: Conn, account_id: str, client: str) -> ToldOfClient:
    """Find out what is this client's, before what tells it is emptied."""
    things = [(r["kind"], r["id"]) for r in await conn.fetch(_THEIRS, account_id, client)]
    kinds, ids = [kind for kind, _ in things], [id for _, id in things]
    rows = await conn.fetch(_NAMES, account_id, kinds, ids, client)
    names = {row["name"] for row in rows if len((row["name"] or "").strip()) >= _SHORTEST_NAME}
    number = client.removeprefix("+")
    escaped = {json.dumps(name, ensure_ascii=is_ascii)[1:-1] for name in names for is_ascii in (True, False)}
    marks = sorted({*names, *escaped, number, mask_number(number), mask_number(client)})
    return ToldOfClient(things, marks, number)


async def work_on_things(conn: Conn, account_id: str, told: ToldOfClient) -> int:
    """How many changes of what is theirs somebody has still to work on, or has set aside, and effects of their deals."""
    count: int = await conn.fetchval(
        "SELECT (SELECT count(DISTINCT event_id) FROM crm_event_work JOIN crm_event e USING (account_id, event_id)"  # noqa: S608
        f" JOIN {_WANTED} ON e.entity_kind = w.kind AND e.entity_id = w.id WHERE account_id = $1 AND {_HOLD_TEXT})"
        " + (SELECT count(*) FROM effect WHERE account_id = $1 AND client = ANY($4)"
        " AND state IN ('waiting', 'sending', 'unknown', 'held', 'dead'))",
        account_id,
        *told.columns,
        told.deals,
    )
    return count


async def empty_told(conn: Conn, account_id: str, told: ToldOfClient) -> None:
    """Empty the values of changes, the bodies of exchanges, and what was kept of rows and webhooks: of this client."""
    await lock_directory(conn, account_id)
    await conn.execute(
        f"UPDATE crm_event e SET {_EMPTIED} FROM {_WANTED} WHERE account_id = $1"  # noqa: S608 - of this module
        " AND e.entity_kind = w.kind AND e.entity_id = w.id AND aspect IN ('name', 'numbers', 'fields')",
        account_id,
        *told.columns,
    )
    await conn.execute(
        f"DELETE FROM crm_entity_state s USING {_WANTED} WHERE account_id = $1"  # noqa: S608 - of this module
        " AND s.entity_kind = w.kind AND s.entity_id = w.id AND aspect IN ('name', 'numbers', 'fields')",
        account_id,
        *told.columns,
    )
    has_mark = "(entity_id = ANY($2) OR EXISTS (SELECT FROM unnest($3::text[]) m WHERE strpos(raw, m) > 0))"
    await conn.execute(
        f"UPDATE crm_unread SET raw = '' WHERE account_id = $1 AND raw <> '' AND {has_mark}",  # noqa: S608
        account_id,
        told.ids,
        told.marks,
    )
    await _empty_exchanges(conn, account_id, told)
    await _drop_webhooks(conn, account_id, told)
    await conn.execute(
        "DELETE FROM long_work WHERE account_id = $1 AND state NOT IN ('waiting', 'running')"
        " AND strpos(result::text, $2) > 0",
        account_id,
        told.number,
    )


async def _empty_exchanges(conn: Conn, account_id: str, told: ToldOfClient) -> None:
    """One that names an id, a name or a masked number of theirs: rather too many than too few, they last for days only."""
    ids = "|".join(id for id in told.ids if id.isdecimal())
    pattern = f"(^|[^0-9])({ids})([^0-9]|$)" if ids else "^$a"
    texts = ("target", "sent", "received", "error")
    found = " OR ".join(f"{text} ~ $2" for text in texts)
    marked = " OR ".join(f"strpos({text}, m) > 0" for text in texts)
    await conn.execute(
        "UPDATE vendor_exchange SET sent = '', received = '', error = '', target = split_part(target, '?', 1)"  # noqa: S608
        f" WHERE account_id = $1 AND (({found}) OR EXISTS (SELECT FROM unnest($3::text[]) m WHERE {marked}))",
        account_id,
        pattern,
        told.marks,
    )


async def _drop_webhooks(conn: Conn, account_id: str, told: ToldOfClient) -> None:
    """Of those that were set aside; what still waits is worked on first."""
    rows = await conn.fetch(
        "SELECT webhook_id, body FROM crm_webhook WHERE account_id = $1 AND aside_at IS NOT NULL", account_id
    )
    theirs = [
        row["webhook_id"]
        for row in rows
        if told.is_theirs(unquote_to_bytes(row["body"].replace(b"+", b" ")).decode(errors="replace"))
    ]
    await conn.execute(
        "DELETE FROM crm_webhook WHERE account_id = $1 AND webhook_id = ANY($2)", account_id, theirs
    )


async def empty_changes(conn: Conn, account_id: str, before: datetime, *, limit: int) -> int:
    """Empty the values of changes that came earlier, once nobody has to work on them: names, numbers and custom fields."""
    done: str = await conn.execute(
        f"UPDATE crm_event SET {_EMPTIED} WHERE (account_id, event_id) IN (SELECT account_id, event_id FROM crm_event e"  # noqa: S608
        f" WHERE account_id = $1 AND received_at < $2 AND {_HOLD_TEXT} AND {_NOT_AT_WORK}"
        " LIMIT $3 FOR UPDATE SKIP LOCKED)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def drop_exchanges(conn: Conn, account_id: str, before: datetime, *, limit: int) -> int:
    """Of these nothing but texts would be left."""
    done: str = await conn.execute(
        "DELETE FROM vendor_exchange WHERE (account_id, exchange_id) IN (SELECT account_id, exchange_id"
        " FROM vendor_exchange WHERE account_id = $1 AND at < $2 LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def empty_unread(conn: Conn, account_id: str, before: datetime, *, limit: int) -> int:
    """Empty what the desk keeps of rows that nobody could read, and drop webhooks that were set aside: the CRM has both."""
    done: str = await conn.execute(
        "WITH dropped AS (DELETE FROM crm_webhook WHERE account_id = $1 AND received_at < $2 AND aside_at IS NOT NULL)"
        " UPDATE crm_unread SET raw = '' WHERE (account_id, seq) IN (SELECT account_id, seq FROM crm_unread"
        " WHERE account_id = $1 AND last_at < $2 AND raw <> '' LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])
