"""What was forgotten stands in no table: read whole, in whatever spelling; only the directory is the CRM's own copy."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

import asyncpg
import pytest

from gateway.admin.protection.forget_client import ClientBusy, forget_client
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.worker.retention import clean
from routing.settings import AccountSettings, PersonalDataPolicy
from runtime.masking import mask_number

ACCOUNT = "main"
OTHER = ("+79160000000", "Лидия Другова", "900")
_BYTES = re.compile(r"\\\\x([0-9a-f]+)")


@pytest.fixture
async def kept(pool: asyncpg.Pool) -> asyncpg.Pool:
    async with pool.acquire() as conn:
        await rows.add_account(conn, account_id=ACCOUNT, name="Main", base_url="http://crm.example")
    await pool.execute("INSERT INTO crm_event_consumer (name) VALUES ('somebody')")
    await _tell_all(pool, *OTHER)
    return pool


def _as_people_write(number: str) -> str:
    return f"8 ({number[2:5]}) {number[5:8]}-{number[8:10]}-{number[10:]}"


async def _tell_all(pool: asyncpg.Pool, number: str, name: str, id: str) -> None:
    """Everything that the CRM tells of a client, and what we told it: contact `id`, deal `id`1, task `id`2."""
    deal, task, at = f"{id}1", f"{id}2", datetime.now(UTC) - timedelta(days=40)
    fields = json.dumps({"5": f"{name}, ул. Ленина"}, ensure_ascii=False)
    events = [
        ("contact", id, "name", "", name),
        ("contact", id, "numbers", None, f"+70000000000, {_as_people_write(number)}"),
        ("contact", id, "fields", "{}", fields),
        ("deal", deal, "name", name, f"Сделка {name}"),
        ("deal", deal, "stage", "1/2", "1/3"),
    ]
    for kind, entity, aspect, old, new in events:
        await pool.execute(
            "INSERT INTO crm_event (account_id, subject, entity_kind, entity_id, aspect, what, old_value, new_value, at,"
            " told_at, first_told_by, received_at) VALUES ($1, $2, $3, $4, $5, 'x', $6, $7, $8, $8, 'poll', $8)",
            ACCOUNT, f"{kind}:{entity}", kind, entity, aspect, old, new, at,
        )  # fmt: skip
    for kind, entity, aspect, value in (
        ("contact", id, "fields", fields),
        ("contact", id, "numbers", number),
        ("task", task, "target", f"contact:{id}"),
        ("task", task, "name", f"Позвонить {name}"),
    ):
        await pool.execute(
            "INSERT INTO crm_entity_state VALUES ($1, $2, $3, $4, $5, $6)",
            ACCOUNT, kind, entity, aspect, value, at,
        )  # fmt: skip
    await pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state, crm_id, created_at)'
        " VALUES ($1, $2, 'd', $3, 1, 'create_contact', $4, 'done', $5, $6),"
        " ($1, $2 || 't', 'd', $7, 1, 'create_task', $8, 'done', $9, $6)",
        ACCOUNT, f"e{id}", number, {"do": "create_contact", "name": name, "number": number}, id, at,
        f"deal:{deal}", {"do": "create_task", "text": f"{name} ждёт"}, task,
    )  # fmt: skip
    await pool.execute("INSERT INTO directory_link VALUES ($1, $2, 'contact', $3)", ACCOUNT, deal, id)
    sent, received = {"name": name}, {"id": int(id), "name": name, "phone": mask_number(number)}
    for target, out, into in (
        ("/api/v4/contacts", json.dumps(sent), "{}"),
        ("/api/v4/contacts", json.dumps(sent, ensure_ascii=False), ""),
        (f"/api/v4/contacts?query={name}", "", ""),
        (f"/api/v4/contacts/{id}", "", "the name was cut off"),
        (f"/api/v4/leads/{deal}", "", f'{{"id":{deal},"custom":"ул. Ленина, {id}"}}'),
        ("/api/v4/contacts", "", json.dumps(received)),
    ):
        await pool.execute(
            "INSERT INTO vendor_exchange (account_id, vendor, at, method, target, took_ms, lane, sent, received)"
            " VALUES ($1, 'crm', now() - interval '5 days', 'GET', $2, 1, 'x', $3, $4)",
            ACCOUNT, target, out, into,
        )  # fmt: skip
    await pool.execute(
        "INSERT INTO crm_unread (account_id, kind, entity_id, field, why, raw, is_lost, last_at, next_try_at)"
        " VALUES ($1, 'contact', $2, 'x', 'why', $3, false, $4, $4), ($1, 'webhook', $5, 'x', 'why', $3, true, $4, $4)",
        ACCOUNT, id, f"ул. Ленина, {name}", at, f"?{id}",
    )  # fmt: skip
    body = f"contacts[update][0][id]={id}&contacts[update][0][name]={quote_plus(name)}&x=1".encode()
    await pool.execute(
        "INSERT INTO crm_webhook (account_id, body, aside_at, received_at) VALUES ($1, $2, now(), $3)",
        ACCOUNT, body, at,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO long_work (account_id, work_id, kind, state, asked, asked_by, result)"
        " VALUES ($1, $2, 'replay', 'done', '{}', 'boss', $3)",
        ACCOUNT, f"w{id}", {"different": [{"client": number}]},
    )  # fmt: skip


async def _everything(pool: asyncpg.Pool) -> str:
    """All tables as text, but the directory; bytes as what they spell."""
    tables = await pool.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname NOT LIKE 'directory%' ORDER BY 1"
    )
    assert len(tables) > 50
    found = []
    for (table,) in tables:
        for (row,) in await pool.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" t'):
            found.append(_BYTES.sub(lambda m: bytes.fromhex(m[1]).decode(errors="replace"), row))
    return "\n".join(found)


def _spellings(number: str, name: str) -> set[str]:
    """As it is, in JSON of both kinds, in such JSON within JSON, and in a form."""
    found, spelled = {name}, {name}
    for _ in range(2):
        spelled = {
            json.dumps(text, ensure_ascii=is_ascii)[1:-1] for text in spelled for is_ascii in (True, False)
        }
        found |= spelled
    return {*found, quote_plus(name), number.lstrip("+"), _as_people_write(number)}


async def test_a_forgotten_client_stands_nowhere_and_everybody_else_stays(kept: asyncpg.Pool) -> None:
    others = [text for text in _spellings(*OTHER[:2]) if text in await _everything(kept)]
    assert len(others) >= 3
    for place, name in enumerate(
        ("Иван Петров", "Anna-Maria O'Brien", 'Шут "100%_" \\d+ (мл.)', "Ян", "张伟明")
    ):
        number, id = f"+7916123456{place}", f"70{place}"
        await _tell_all(kept, number, name, id)
        before = await _everything(kept)
        assert len([text for text in _spellings(number, name) if text in before]) >= 3
        async with kept.acquire() as conn:
            await forget_client(conn, ACCOUNT, number)
        left = await _everything(kept)
        assert [text for text in _spellings(number, name) if text in left] == []
        assert left.count(mask_number(number)) == 1, "the record of who had it forgotten"
        assert left.count("ул. Ленина") == before.count("ул. Ленина") - 5
        assert (
            await kept.fetchval(
                "SELECT new_value FROM crm_event WHERE entity_id = $1 AND aspect = 'stage'", f"{id}1"
            )
            == "1/3"
        )
        assert [text for text in others if text not in left] == []
    figures = await kept.fetchrow(
        "SELECT (SELECT count(*) FROM crm_event), (SELECT count(*) FROM vendor_exchange)"
    )
    assert tuple(figures or ()) == (30, 36)


async def test_who_is_told_of_while_somebody_works_on_it_is_not_forgotten_half(kept: asyncpg.Pool) -> None:
    await kept.execute(
        "INSERT INTO crm_event_work (account_id, consumer, event_id, subject, is_aside)"
        " SELECT account_id, 'somebody', event_id, subject, true FROM crm_event WHERE aspect = 'fields'"
    )
    before = await _everything(kept)
    async with kept.acquire() as conn:
        with pytest.raises(ClientBusy):
            await forget_client(conn, ACCOUNT, OTHER[0])
    assert await _everything(kept) == before


@pytest.mark.parametrize("field", ["number_days", "name_days"])
async def test_what_the_crm_told_is_emptied_when_the_days_are_over(kept: asyncpg.Pool, field: str) -> None:
    settings = Settings(_env_file=None, crm_event_days=365, exchange_days=365, decision_days=365)
    async with kept.acquire() as conn:
        await rows.save_settings(
            conn, ACCOUNT, AccountSettings(personal_data=PersonalDataPolicy(**{field: 41}))
        )
    await clean(kept, settings)
    assert await kept.fetchval("SELECT count(*) FROM crm_event WHERE new_value LIKE '%Лидия%'") == 3
    assert await kept.fetchval("SELECT raw FROM crm_unread WHERE kind = 'contact'") != ""
    async with kept.acquire() as conn:
        await rows.save_settings(
            conn, ACCOUNT, AccountSettings(personal_data=PersonalDataPolicy(**{field: 4}))
        )
    await clean(kept, settings)
    told = await kept.fetch("SELECT old_value, new_value, entity_kind FROM crm_event ORDER BY event_id")
    assert [tuple(row)[:2] for row in told] == [
        (None, ""),
        (None, ""),
        ("{}", "{}"),
        (None, ""),
        ("1/2", "1/3"),
    ]
    for table in ("crm_webhook", "vendor_exchange"):
        assert await kept.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert {row["raw"] for row in await kept.fetch("SELECT raw FROM crm_unread")} <= {""}
