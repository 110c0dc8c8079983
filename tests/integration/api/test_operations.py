"""What operators do through the API: the status, the desk, cases, the backfill, the load, connecting a CRM."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from crm.amocrm.store import store_long_lived_token
from crm.store.unread import keep_unread
from crm.unread import Unread
from gateway.health.checks import check_all
from gateway.health.findings import in_words
from gateway.health.reports import INSTALLATION, PREFIX
from gateway.settings import Settings
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.accounts import set_account_state
from gateway.store.calls.missed_calls import save_case
from gateway.store.crm_accounts.exchanges import report
from gateway.texts.sentences import TEXTS
from routing.missed_calls import Case
from runtime.database import channels
from tests.integration.api.client import ACCOUNT, Api, add_effect
from tests.integration.api.command_line import callmatrix

CRM_REPORT: dict[str, Any] = {
    "budget": {
        "rate": 7,
        "in_flight": 1,
        "paused_seconds": 0.0,
        "throttled": 2,
        "lanes": {
            str(lane): {"requests": 10 + lane, "waiting": 0, "waited_seconds": 0.0, "last_second": 1}
            for lane in range(4)
        },
    },
    "circuit": {"name": "closed", "since": None, "probe_at": None, "refusals": 0, "reason": ""},
    "token": {"kind": "oauth", "expires_at": None, "days_left": 40.0, "warning": None, "message": ""},
    "writer": {
        "last_success": None,
        "last_error": "",
        "last_error_at": None,
        "closed_until": None,
        "reason": "",
        "reason_since": None,
        "is_alarm": False,
        "requests_under_way": 0,
    },
}
WORKER_REPORT = {
    "started_at": "2026-03-02T10:00:00Z",
    "jobs": {"done": 5, "failed": 1, "revived": 0, "last_success": None, "last_error": None},
    "loops": {"housekeeping": {"last_success": None, "error": "disk full"}},
    "exchanges_lost": 3,
}


async def a_worker_reports(pool: asyncpg.Pool, **crm: Any) -> None:
    async with pool.acquire() as conn:
        await report(conn, INSTALLATION, f"{PREFIX}host-1", WORKER_REPORT)
        await report(conn, ACCOUNT, "crm", {**CRM_REPORT, **crm})


def line_of(findings: list[dict[str, Any]], what: str) -> dict[str, Any]:
    return next(f for f in findings if f["subject"] == what)


async def test_the_status_shows_what_workers_report(api: Api) -> None:
    await a_worker_reports(api.pool)
    await add_effect(api.pool, "e1", state="waiting")
    await add_effect(api.pool, "e2", state="dead", error_code="validation")
    answer = await api.ask("GET", "/status", role="read_only")
    account = answer["status"]["accounts"][0]
    assert account["crm"]["budget"]["lanes"]["realtime"]["requests"] == 10
    assert account["crm"]["budget"]["lanes"]["backfill"]["requests"] == 13
    assert account["token"]["days_left"] == 40.0
    assert (account["effects"]["waiting"], account["effects"]["dead"]) == (1, 1)
    assert answer["status"]["workers"][0]["jobs"]["done"] == 5
    dead = line_of(answer["findings"], "main effects")
    assert not dead["is_ok"]
    assert "callmatrix desk list" in dead["remedy"]


async def test_a_token_of_one_account_sees_nothing_of_another(api: Api) -> None:
    answer = await api.ask("GET", "/status", role="other")
    assert [a["id"] for a in answer["status"]["accounts"]] == ["other"]
    for path in ("status", "desk", "cases", "config", "backfill/preview", "exchanges", "sync"):
        await api.ask("GET", f"{{a}}/{path}", role="other", status=404)
    body = {"id": ACCOUNT, "url": "http://crm.example", "token": "t"}
    await api.ask("POST", "/accounts", body=body, role="other", status=403)


async def test_problems_of_matrix_and_pbx_are_findings_and_metrics(api: Api) -> None:
    compared = {
        "at": "2026-03-02T10:00:00Z",
        "last_success": None,
        "failures": 0,
        "error": None,
        "alarm": "calls reached us only through the PBX's list",
        "hint": None,
        "compared": 50,
        "missing": 2,
        "imported": 2,
    }
    problem = {
        "cell": "default/x",
        "message": "этап удалён",
        "remedy": "выберите другой",
        "message_en": "the stage was deleted",
        "remedy_en": "choose another",
    }
    checked = {"version": 3, "errors": 1, "warnings": 0, "problems": [problem]}
    async with api.pool.acquire() as conn:
        await report(conn, ACCOUNT, "reconciliation:office", compared)
        await report(conn, ACCOUNT, "matrix_checks", checked)
        await report(
            conn, ACCOUNT, "ami:office", {"connected": False, "address": "pbx:5038", "error": "refused"}
        )
    await a_worker_reports(api.pool)
    findings = (await api.ask("GET", "/status"))["findings"]
    assert "the stage was deleted" in line_of(findings, "main matrix")["message"]
    assert "refused" in line_of(findings, "main connection office")["message"]
    assert line_of(findings, "worker host-1 housekeeping")["is_warning"]
    async with api.pool.acquire() as conn:
        await report(conn, ACCOUNT, "ami:office", {"connected": True, "address": "pbx:5038", "error": None})
    again = (await api.ask("GET", "/status"))["findings"]
    assert "only through" in line_of(again, "main connection office")["message"]
    await api.gateway.shared.read()
    async with api.http.get(f"{api.url}/metrics") as response:
        text = await response.text()
    for line in (
        'callmatrix_reconciliation_missing_total{account="main",connection="office"} 2.0',
        'callmatrix_matrix_errors{account="main"} 1.0',
        'callmatrix_listener_connected{account="main",connection="office"} 1.0',
        'callmatrix_worker_loop_failing{loop="housekeeping",worker="host-1"} 1.0',
        'callmatrix_exchanges_lost_total{worker="host-1"} 3.0',
    ):
        assert line in text, line


async def test_what_consumers_of_crm_events_left_is_told_of_each(api: Api) -> None:
    await api.pool.execute("INSERT INTO crm_event_consumer (name) VALUES ('tasks'), ('stages')")
    for n, is_aside in enumerate((False, True)):
        event_id = await api.pool.fetchval(
            "INSERT INTO crm_event (account_id, subject, entity_kind, entity_id, aspect, what, new_value, at, told_at,"
            " first_told_by, received_at) VALUES ($1, 'deal:1', 'deal', '1', 'price', 'price_changed', $2, now(), now(),"
            " 'poll', now() - interval '5 minutes') RETURNING event_id",
            ACCOUNT,
            str(n),
        )
        await api.pool.execute(
            "INSERT INTO crm_event_work (account_id, consumer, event_id, subject, is_aside)"
            " VALUES ($1, CASE WHEN $3 THEN 'tasks' ELSE 'stages' END, $2, 'deal:1', $3)",
            ACCOUNT,
            event_id,
            is_aside,
        )
    findings = (await api.ask("GET", "/status"))["findings"]
    aside, late = (line_of(findings, f"CRM events for {name}") for name in ("tasks", "stages"))
    assert aside["is_warning"]
    assert aside["message"].startswith("1 failed too often")
    assert "crm-event-failed" in aside["remedy"]
    assert late["is_warning"]
    assert late["message"].startswith("1 wait, the oldest for 5")
    other = (await api.ask("GET", "/status", role="other"))["status"]["crm_event_consumers"]
    assert {(c["name"], c["waiting"], c["aside"]) for c in other} == {("tasks", 0, 0), ("stages", 0, 0)}
    await api.gateway.shared.read()
    async with api.http.get(f"{api.url}/metrics") as response:
        text = await response.text()
    assert 'callmatrix_crm_events_aside{consumer="tasks"} 1.0' in text
    assert 'callmatrix_crm_events_waiting{consumer="stages"} 1.0' in text


async def test_many_may_ask_for_the_status_at_once(api: Api) -> None:
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*(api.ask("GET", "/status") for _ in range(30)))
    assert len(answers) == 30


async def test_a_worker_that_fell_silent_is_told(api: Api) -> None:
    await a_worker_reports(api.pool)
    await api.pool.execute("UPDATE worker_report SET at = now() - interval '2 minutes'")
    answer = await api.ask("GET", "{a}/status")
    assert not line_of(answer["findings"], "main CRM")["is_ok"]
    everything = await api.ask("GET", "/status")
    assert not line_of(everything["findings"], "worker")["is_ok"]


async def test_a_broken_authorisation_says_how_to_reconnect(api: Api) -> None:
    broken = {**CRM_REPORT["token"], "warning": "broken", "message": "The CRM refuses the refresh token."}
    await a_worker_reports(api.pool, token=broken)
    async with api.pool.acquire() as conn:
        await set_account_state(conn, ACCOUNT, "broken", "refresh token refused")
    findings = (await api.ask("GET", "{a}/status"))["findings"]
    for what in ("main state", "main authorisation"):
        line = line_of(findings, what)
        assert not line["is_ok"]
        assert "callmatrix account add main" in line["remedy"]
        assert "callmatrix backfill" in line["remedy"]


async def test_an_account_that_its_crm_shuts_out_is_not_let_in_by_off_and_on(
    api: Api, database_url: str
) -> None:
    far = datetime.now(UTC) + timedelta(days=30)
    async with api.pool.acquire() as conn:
        await store_long_lived_token(conn, ACCOUNT, "key", far)
        await set_account_state(conn, ACCOUNT, "broken", "refresh token refused")
    await api.ask("PUT", "{a}/state", body={"state": "off", "reason": "moving"})
    said = await callmatrix(database_url, "account", "on", ACCOUNT)
    assert (said.returncode, "refresh token refused" in said.stderr) == (1, True)
    now = await api.ask("GET", "/accounts/main")
    assert (now["state"], now["state_reason"]) == ("broken", "refresh token refused")
    await api.ask("PUT", "{a}/state", body={"state": "off"})
    await api.ask("PUT", "{a}/state", body={"state": "off"})
    assert (await api.ask("PUT", "{a}/state", body={"state": "on"}, status=409))["code"] == "account-shut"
    async with api.pool.acquire() as conn:
        await set_account_state(conn, ACCOUNT, "on")  # as a new key does
    await api.ask("PUT", "{a}/state", body={"state": "off"})
    assert (await api.ask("PUT", "{a}/state", body={"state": "on"}))["state"] == "on"


async def test_a_closed_circuit_is_an_alarm(api: Api) -> None:
    await a_worker_reports(api.pool, circuit={"name": "open", "refusals": 3, "reason": "403 HTML page"})
    line = line_of((await api.ask("GET", "{a}/status"))["findings"], "main CRM")
    assert not line["is_ok"]
    assert "403 HTML page" in line["message"]


async def test_metrics_carry_the_figures_of_workers(api: Api) -> None:
    await a_worker_reports(api.pool)
    await add_effect(api.pool, "e1", state="held")
    await api.gateway.shared.read()
    async with api.http.get(f"{api.url}/metrics") as response:
        text = await response.text()
    assert 'callmatrix_crm_requests_total{account="main",lane="events"} 11.0' in text
    assert 'callmatrix_effects{account="main",state="held"} 1.0' in text
    assert 'callmatrix_token_days_left{account="main"} 40.0' in text
    assert 'callmatrix_crm_circuit_open{account="main"} 0.0' in text
    assert "callmatrix_workers_alive 1.0" in text


async def test_check_finds_a_database_that_is_not_there() -> None:
    settings = Settings(_env_file=None, database_url="postgresql://nobody@127.0.0.1:1/none")
    findings = [in_words(f, TEXTS["en"]) for f in await check_all(settings)]
    database = next(f for f in findings if f.subject == "database")
    assert not database.is_ok
    assert "CALLMATRIX_DATABASE_URL" in database.remedy


async def test_check_asks_the_crm_itself_where_no_worker_runs(database_url: str, account: str) -> None:
    settings = Settings(_env_file=None, database_url=database_url)
    findings = [in_words(f, TEXTS["en"]) for f in await check_all(settings)]
    asked = next(f for f in findings if f.subject == "main CRM asked from here")
    assert not asked.is_ok
    assert next(f for f in findings if f.subject == "clock").is_ok


async def test_check_finds_a_schema_that_lacks_migrations(database_url: str, pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM schema_migration WHERE number = 80")
    settings = Settings(_env_file=None, database_url=database_url)
    findings = [in_words(f, TEXTS["en"]) for f in await check_all(settings)]
    assert next(f for f in findings if f.subject == "database").remedy == "run 'callmatrix migrate'"


async def test_check_pings_redis() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = b""
        while not asked.endswith(b"PING\r\n"):
            asked += await reader.readline()
            if asked.endswith(b"geheim\r\n"):
                writer.write(b"+OK\r\n")
        writer.write(b"+PONG\r\n" if b"geheim" in asked else b"-NOAUTH Authentication required.\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for password, is_ok in ((":geheim@", True), ("", False)):
            settings = Settings(_env_file=None, redis_url=f"redis://{password}127.0.0.1:{port}/0")
            finding = next(f for f in await check_all(settings) if f.code.startswith("redis-"))
            assert finding.is_ok is is_ok, finding
            assert "geheim" not in str(in_words(finding, TEXTS["en"]))


async def test_what_is_on_the_desk_can_be_retried_mended_and_set_aside(api: Api) -> None:
    for key in ("a", "b", "c"):
        await add_effect(api.pool, key, state="dead", error_code="validation", error_field="text")
    items = (await api.ask("GET", "{a}/desk"))["items"]
    assert [i["key"] for i in items] == ["a", "b", "c"]
    assert items[0]["field"] == "text"
    first = await api.ask("GET", "{a}/desk", limit=2)
    assert [i["key"] for i in (await api.ask("GET", "{a}/desk", after=first["next"]))["items"]] == ["c"]
    assert await api.ask("POST", "{a}/desk/retry", body={"keys": ["a"]}) == {"count": 1}
    bad = {"key": "b", "order": {**items[1]["order"], "due_at": "soon"}}
    refused = await api.ask("POST", "{a}/desk/edit", body=bad, status=422)
    assert (refused["field"], refused["title"]) == (
        "order.due_at",
        "due_at: must be a moment as 2026-12-31T10:00:00+03:00",
    )
    good = {"key": "b", "order": {**items[1]["order"], "text": "Позвонить"}, "note": "shorter"}
    assert await api.ask("POST", "{a}/desk/edit", body=good) == {"count": 1}
    assert await api.ask("POST", "{a}/desk/ignore", body={"keys": ["c"], "note": "a test"}) == {"count": 1}
    rows = await api.pool.fetch('SELECT effect_key, state, "order" FROM effect ORDER BY effect_key')
    assert [(r["effect_key"], r["state"]) for r in rows] == [
        ("a", "waiting"),
        ("b", "waiting"),
        ("c", "skipped"),
    ]
    assert rows[1]["order"]["text"] == "Позвонить"
    await api.ask("GET", "{a}/desk", role="read_only", status=403)


async def test_events_that_cannot_be_processed_are_on_the_desk_too(api: Api) -> None:
    for key in ("k1", "k2"):
        await api.pool.execute(
            "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events,"
            " state, error, applied_at) VALUES ($1, 'office', $2, 'c', '+79161234567', now(), '{\"a\":1}', '[]',"
            " 'dead', 'event-unprocessable: no', now())",
            ACCOUNT,
            key.encode(),
        )
    items = (await api.ask("GET", "{a}/desk/events"))["items"]
    assert [i["raw"] for i in items] == ['{"a":1}'] * 2
    body = {"ids": [items[0]["id"]], "note": "provider's test"}
    assert await api.ask("POST", "{a}/desk/events/ignore", body=body) == {"count": 1}
    assert await api.ask("POST", "{a}/desk/events/retry", body={"ids": None}) == {"count": 1}
    assert await api.pool.fetchval("SELECT count(*) FROM procrastinate_jobs") == 1


async def test_cases_are_listed_by_what_is_due(api: Api) -> None:
    now = datetime.now(UTC)
    for id, client, due in (
        ("c1", "+79161110001", now - timedelta(hours=1)),
        ("c2", "+79161110002", now + timedelta(hours=1)),
    ):
        case = Case(
            id=id,
            client=client,
            opened_at=now - timedelta(hours=2),
            last_missed_at=now,
            missed_calls=(id,),
            owner_id="1",
            target=None,
            task_text="Перезвонить",
            task_due_at=due,
        )
        async with api.pool.acquire() as conn:
            await save_case(conn, ACCOUNT, case)
    assert {c["id"] for c in (await api.ask("GET", "{a}/cases", role="manager"))["items"]} == {"c1", "c2"}
    overdue = (await api.ask("GET", "{a}/cases", state="overdue"))["items"]
    assert [(c["id"], c["is_overdue"]) for c in overdue] == [("c1", True)]
    found = await api.ask("GET", "{a}/cases", client="8 916 111-00-02")
    assert [c["id"] for c in found["items"]] == ["c2"]
    await api.ask("GET", "{a}/cases", client="nonsense", status=400)
    figures = await api.ask("GET", "{a}/case-figures")
    assert (figures["open"], figures["overdue"], figures["median_seconds"]) == (2, 1, None)
    assert (await api.ask("GET", "{a}/cases/c1"))["client"] == "+79161110001"
    await api.ask("GET", "{a}/cases/c9", status=404)


async def test_a_backfill_is_previewed_run_paused_and_reported(api: Api) -> None:
    await api.pool.execute(
        "INSERT INTO call (account_id, call_id, connection_id, call_key, client, direction, disposition, is_over,"
        " started_at, facts) VALUES ($1, 'call-1', 'office', 'k', '+79161234567', 'inbound', 'no_answer', true,"
        " now(), '{}')",
        ACCOUNT,
    )
    await add_effect(api.pool, "e1", state="held", call_id="call-1")
    plan = await api.ask("GET", "{a}/backfill/preview")
    assert (plan["calls"], plan["tasks"]) == (1, 1)
    await api.ask("GET", "{a}/backfill", status=404)
    run = await api.ask("POST", "{a}/backfill", body={"days": 3}, status=201)
    assert (run["state"], run["calls_total"]) == ("running", 1)
    await api.ask("POST", "{a}/backfill", body={}, status=409)
    assert (await api.ask("POST", "{a}/backfill/pause"))["state"] == "paused"
    assert (await api.ask("POST", "{a}/backfill/resume"))["state"] == "running"
    await api.ask("POST", "{a}/backfill/resume", status=409)
    calls = (await api.ask("GET", "{a}/backfill/report"))["items"]
    assert [(c["call_id"], c["outcome"]) for c in calls] == [("call-1", "waiting")]
    assert (await api.ask("POST", "{a}/backfill/stop"))["state"] == "stopped"
    body = {"note": "not wanted"}
    assert await api.ask("POST", "{a}/backfill/discard", body=body) == {"effects": 1}


async def test_a_backfill_of_an_account_that_is_off_is_refused(api: Api) -> None:
    async with api.pool.acquire() as conn:
        await set_account_state(conn, ACCOUNT, "off")
    refused = await api.ask("POST", "{a}/backfill", body={}, status=409)
    assert refused["code"] == "account-not-on"


async def test_asking_for_a_load_wakes_the_worker_and_begins_again(api: Api, database_url: str) -> None:
    await api.pool.execute(
        "INSERT INTO sync_cursor (account_id, feed, cursor) VALUES ($1, 'load', $2)",
        ACCOUNT,
        {"kind": None, "page": 1, "done": 500, "is_done": True, "began": "2026-03-02T10:00:00+00:00"},
    )
    woken: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database_url)
    try:
        await listener.add_listener(channels.LOAD_DIRECTORY, lambda *args: woken.put_nowait(args[3]))
        assert (await api.ask("GET", "{a}/sync"))["done"] == 500
        asked = await api.ask("POST", "{a}/sync", body={"full": False}, status=202)
        assert asked["is_done"]
        begun = await api.ask("POST", "{a}/sync", body={"full": True}, status=202)
        assert (begun["done"], begun["is_done"]) == (0, False)
        assert [await asyncio.wait_for(woken.get(), 5) for _ in range(2)] == [ACCOUNT, ACCOUNT]
    finally:
        await listener.close()
    async with api.pool.acquire() as conn:
        await set_account_state(conn, ACCOUNT, "off")
    await api.ask("POST", "{a}/sync", body={}, status=409)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"id": "new", "url": "http://127.0.0.1:1", "token": "t"}, 502, "connecting-failed"),
        ({"id": "new", "url": "http://127.0.0.1:1"}, 422, "connecting-failed"),
        (
            {"id": "new", "url": "http://127.0.0.1:1", "client_id": "i", "client_secret": "s"},
            422,
            "connecting-failed",
        ),
        ({"id": "new", "url": "ftp://x", "token": "t"}, 400, "invalid-input"),
        ({"id": "new", "url": "http://x.example", "token": "t"}, 400, "invalid-input"),
        ({"id": "new", "url": "http://[::1]:1", "token": "t", "time_zone": "Mars/X"}, 400, "invalid-input"),
        ({"id": "New!", "url": "http://[::1]:1", "token": "t"}, 400, "invalid-input"),
    ],
)
async def test_a_crm_that_cannot_be_connected_says_why(
    api: Api, body: dict[str, str], status: int, code: str
) -> None:
    refused = await api.ask("POST", "/accounts", body=body, status=status)
    assert refused["code"] == code
    if code == "connecting-failed":
        assert refused["detail"]


async def test_a_bad_key_takes_the_place_of_nothing(api: Api) -> None:
    async with api.pool.acquire() as conn:
        await store_long_lived_token(conn, ACCOUNT, "the good one")
        before = (await account_of(conn, ACCOUNT), await conn.fetchrow("SELECT * FROM crm_token"))
        bad = {"id": ACCOUNT, "url": "http://127.0.0.1:1", "token": "bad"}
        refused = await api.ask("POST", "/accounts", body=bad, status=422)
        assert "http://crm.example" in refused["title"]
        await conn.execute("UPDATE account SET base_url = 'http://127.0.0.1:1'")
        await api.ask("POST", "/accounts", body=bad, status=502)
        after = (await account_of(conn, ACCOUNT), await conn.fetchrow("SELECT * FROM crm_token"))
    assert (after[0].state, after[0].state_reason, after[1]) == (before[0].state, "", before[1])


async def test_exchanges_are_listed_newest_first(api: Api) -> None:
    for n in range(3):
        await api.pool.execute(
            "INSERT INTO vendor_exchange (account_id, vendor, at, method, target, status, took_ms, lane, sent,"
            " received) VALUES ($1, 'amocrm', now(), 'GET', $2, 200, 12, 'sync', '', '{}')",
            ACCOUNT,
            f"/api/v4/users?page={n}",
        )
    page = await api.ask("GET", "{a}/exchanges", limit=2)
    assert [e["target"][-1] for e in page["items"]] == ["2", "1"]
    rest = await api.ask("GET", "{a}/exchanges", limit=2, after=page["next"])
    assert [e["target"][-1] for e in rest["items"]] == ["0"]


async def test_what_the_crm_told_in_an_odd_way_is_listed_and_counted(api: Api) -> None:
    async with api.pool.acquire() as conn:
        faults = [Unread(field="rights", why="rights: object expected, got text", raw='"all"')]
        await keep_unread(conn, ACCOUNT, {("user", "7"): faults, ("user", "8"): faults})
        await keep_unread(conn, ACCOUNT, {("user", "7"): faults})
    first = await api.ask("GET", "{a}/crm/unread", limit=1)
    rest = await api.ask("GET", "{a}/crm/unread", after=first["next"])
    [row] = first["items"]
    assert (row["kind"], row["id"], row["field"], row["raw"], row["times"]) == (
        "user",
        "7",
        "rights",
        '"all"',
        2,
    )
    assert [other["id"] for other in rest["items"]] == ["8"]
    status = (await api.ask("GET", "{a}/status"))["status"]
    assert status["unread"] == {"rows": 2, "by_kind": {"user": 2}, "first": "user 7, rights"}
    await api.ask("GET", "{a}/crm/unread", role="read_only", status=403)


async def _set_aside(pool: asyncpg.Pool, contact: str, *consumers: str) -> int:
    """A change of the contact's numbers that these consumers failed on."""
    event_id: int = await pool.fetchval(
        "INSERT INTO crm_event (account_id, subject, entity_kind, entity_id, aspect, what, old_value, new_value,"
        " at, told_at, first_told_by) VALUES ($1, 'contact:' || $2, 'contact', $2, 'numbers', 'numbers_changed', NULL,"
        " '+79161234567', now(), now(), 'poll') RETURNING event_id",
        ACCOUNT,
        contact,
    )
    await pool.execute(
        "INSERT INTO crm_event_work (account_id, consumer, event_id, subject, tries, is_aside, error)"
        " SELECT $1, unnest($2::text[]), $3, 'contact:' || $4, 5, true, 'ValueError: no'",
        ACCOUNT,
        list(consumers),
        event_id,
        contact,
    )
    return event_id


async def test_a_change_that_two_consumers_set_aside_is_on_one_page_with_numbers_masked(
    api: Api, database_url: str
) -> None:
    first, second = (
        await _set_aside(api.pool, "7", "tasks", "cases"),
        await _set_aside(api.pool, "8", "tasks"),
    )
    page = await api.ask("GET", "{a}/crm/events/aside", limit=1)
    assert [(i["id"], i["consumer"]) for i in page["items"]] == [(str(first), "cases"), (str(first), "tasks")]
    rest = await api.ask("GET", "{a}/crm/events/aside", limit=1, after=page["next"])
    assert [(i["id"], i["consumer"]) for i in rest["items"]] == [(str(second), "tasks")]
    told = await callmatrix(database_url, "crm", "aside", "--account", ACCOUNT, "--json")
    assert "+7916***67" in told.stdout
    assert "+79161234567" not in told.stdout


async def test_a_change_that_nobody_could_work_on_is_put_back(api: Api) -> None:
    event_id = await _set_aside(api.pool, "7", "tasks")
    [item] = (await api.ask("GET", "{a}/crm/events/aside"))["items"]
    assert (item["id"], item["consumer"], item["new"]) == (str(event_id), "tasks", "+7916***67")
    assert await api.ask("POST", "{a}/crm/events/retry", body={"ids": [item["id"]]}) == {"count": 1}
    assert (await api.ask("GET", "{a}/crm/events/aside"))["items"] == []
    async with api.pool.acquire() as conn:
        jobs = await conn.fetchval(
            "SELECT count(*) FROM procrastinate_jobs WHERE lock = $1 AND status = 'todo'",
            f"{ACCOUNT} crm contact:7",
        )
    assert jobs == 1


async def test_an_empty_order_of_settings_resets_none(api: Api) -> None:
    settings = await api.ask("GET", "{a}/settings")
    settings["numbers"]["own_numbers"] = ["+74951239999"]
    await api.ask("PUT", "{a}/settings", body=settings)
    refused = await api.ask("PUT", "{a}/settings", body={}, status=400)
    assert refused["code"] == "invalid-input"
    assert await api.ask("GET", "{a}/settings") == settings


async def test_the_status_tells_operators_how_secrets_are_kept_and_who_guesses(api: Api) -> None:
    plain = await api.ask("GET", "/status")
    keys = [
        {"key": None, "is_known": True, "is_newest": False, "secrets": 2}
    ]  # each account's webhook address
    assert plain["status"]["secrets"] == {"keys": keys, "unreadable": []}
    found = {f["code"]: f for f in plain["findings"]}
    assert found["secrets-unsealed"]["is_warning"]
    assert "strangers-few" in found
    await api.pool.execute("UPDATE account SET webhook_secret = 'sealed:1:0a1b2c3d:AAAA'")
    lost = {f["code"]: f for f in (await api.ask("GET", "/status"))["findings"]}
    assert "0a1b2c3d" in lost["secrets-key-missing"]["message"]
    bound = await api.ask("GET", "/status", role="other")
    assert bound["status"]["secrets"] is None
    assert not [f["code"] for f in bound["findings"] if f["code"].startswith(("secrets", "strangers"))]
