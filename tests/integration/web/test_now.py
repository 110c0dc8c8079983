"""The page "now": what needs a hand, what goes on, who waits; for whoever reads it, with script and without."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import asyncpg
import pytest

from crm.store.cursors import record_failure, write_cursor
from crm.store.entries import mark_in_sync, mark_loaded
from gateway.app.gateway_report import GatewayReport, RecentLatency
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import Role
from gateway.store.calls.missed_calls import save_case
from gateway.store.crm_accounts.exchanges import report
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from gateway.web.now.parts import PARTS
from routing.calls.model import Disposition
from routing.calls.pbx_question import LookupOfCall
from routing.missed_calls import Case
from runtime.metrics import Latency
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site
from tests.integration.web.calls_on_pages import CLIENT, a_call, name_client, store
from tests.integration.web.html import Element

WAITS = "+79990001122"
_ROLES: tuple[Role, ...] = ("admin", "senior_manager", "read_only")


def under_way(id: str, ago: timedelta, **fields: Any) -> Any:
    row = a_call(id, ago, **fields)
    going = {"is_over": False, "ended_at": None, "disposition": Disposition.RINGING}
    if row.call.answered_at:
        going["disposition"] = Disposition.TALKING
    return type(row)(
        **{f: getattr(row, f) for f in row.__slots__} | {"call": row.call.model_copy(update=going)}
    )


def a_case(client: str, ago: timedelta, due: timedelta, **fields: Any) -> Case:
    now = datetime.now(UTC)
    base: dict[str, Any] = {
        "id": f"case-{client}", "client": client, "opened_at": now - ago, "last_missed_at": now - ago,
        "missed_calls": ("m1", "m2"), "owner_id": "11", "target": None, "task_text": "Call back",
        "task_due_at": now + due,
    }  # fmt: skip
    return Case(**{**base, **fields})


@pytest.fixture
async def busy(site: Site, pool: asyncpg.Pool) -> Site:
    """One call rings, one is talked, one was missed; somebody waits too long; the gateway tells of its lookups."""
    await store(
        pool,
        under_way("ringing", timedelta(seconds=6), lookup=LookupOfCall("look", "deal_owner", "time")),
        under_way("talking", timedelta(minutes=3), client=WAITS, answered_by="101", lookup=None),
        a_call("missed", timedelta(minutes=12), client=WAITS),
        a_call("answered", timedelta(minutes=20), answered_by="101"),
    )
    await name_client(pool, CLIENT, "Наталья Климова 79161234567")
    async with pool.acquire() as conn:
        await save_case(conn, ACCOUNT, a_case(WAITS, timedelta(days=4), -timedelta(days=3)))
        outcome = {"outcome": "manager", "entity": {"kind": "deal", "name": "Кухня"}, "responsible": {"name": "Anna"},
                   "targets": [{"kind": "extension", "address": "101"}]}  # fmt: skip
        step = {"rule": "deal", "verdict": "decided", "because": "deal_owner", "facts": {"kind": "deal"}}
        await add_decisions(conn, [DecisionRow(
            account_id=ACCOUNT, decision_id="look", kind="lookup", at=datetime.now(UTC), call_id=None, client=CLIENT,
            reason="deal_owner", outcome=outcome, steps=[step], inputs={"phone": CLIENT},
        )])  # fmt: skip
    latency = Latency()
    for seconds in [0.0008] * 99 + [0.004]:
        latency.observe(seconds)
    gateway = GatewayReport(pool, latency, lambda: {ACCOUNT: 24_318}, lambda: 0.0)
    await gateway.tell()
    latency.observe(0.0007)
    await gateway.tell()
    return site


async def test_one_look_tells_whether_everything_is_well(busy: Site) -> None:
    page = await busy.as_("senior_manager").get("/")
    assert page.status == 200
    words = page.words
    assert "2 говорят 1, звонят 1" in words
    assert "за час 4, отвечено 2" in words
    assert "просрочено 1" in words
    assert "+7 916 123-45-67" in words
    assert "ответственный за сделку" in page.page.by_id("now-calls").text
    assert "отвечено 2" in page.page.by_id("now-hour").text
    assert "1 пропущено" not in words
    strips = page.page.by_id("now-strips")
    assert "программа обработки не запущена" in strips.text
    assert "2 звонка" in page.page.by_id("now-waiting").text
    assert "office" in page.page.by_id("now-states").text


async def test_who_only_looks_sees_no_whole_number_wherever_it_stands(busy: Site) -> None:
    for path in ("/", "/wall", *(f"/now/{name}" for name in PARTS)):
        page = await busy.as_("read_only", language="en").get(path)
        assert page.status == 200
        assert not re.search(r"9161234567|123-45-67|9990001122|000-11-22", page.text), path
        assert not re.search(r" (style|on\w+)=\"", page.text), path


async def test_a_wall_shows_missed_calls_first_and_hides_numbers_from_everybody(busy: Site) -> None:
    page = await busy.as_("admin").get("/wall")
    assert page.status == 200
    assert not re.search(r"9161234567|123-45-67|9990001122|000-11-22", page.text)
    ids = [one["id"] for one in page.page.all("section") if one.get("id")]
    assert ids == ["now-waiting", "now-tiles", "now-calls", "now-strips"]
    part = await busy.as_("admin").fragment("/wall/waiting")
    assert "000-11-22" not in part.text
    assert "+7 999" in part.words


async def test_each_part_is_read_by_itself_as_topics_change(busy: Site) -> None:
    browser = busy.as_("senior_manager")
    whole = (await browser.get("/")).page
    for name, part in PARTS.items():
        section = whole.by_id(f"now-{name}")
        assert (section["data-topics"], section["hx-swap"]) == (" ".join(part.topics), "outerHTML")
        alone = await browser.fragment(section["hx-get"])
        assert [one["id"] for one in alone.page.children if not isinstance(one, str)] == [f"now-{name}"]
    assert (await browser.get("/now/nothing")).status == 404


async def test_an_action_is_offered_to_who_may_take_it(busy: Site) -> None:
    links = {
        role: [a["href"] for a in (await busy.as_(role).get("/")).page.by_id("now-strips").all("a")]
        for role in _ROLES
    }
    assert "/setup" in links["admin"]
    assert "/setup" not in links["senior_manager"]
    assert links["read_only"] == []


async def test_without_script_it_reads_itself_anew(busy: Site) -> None:
    page = await busy.as_("senior_manager").get("/")
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in page.text


async def test_an_empty_day_says_since_when_nobody_called(site: Site) -> None:
    words = (await site.as_("senior_manager", language="en").get("/")).words
    assert "Nobody is calling now." in words
    assert "Everybody was called back." in words
    assert "the program that answers PBXs is not running" in words


async def test_a_manager_is_led_to_their_desk(site: Site) -> None:
    answer = await site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee="anna")).get("/")
    assert (answer.status, answer.location) == (303, "/me")


async def test_what_is_the_whole_offices_answers_no_manager(busy: Site) -> None:
    manager = busy.as_("manager", bound=Bindings(account_id=ACCOUNT, employee="anna"))
    for path in ("/wall", *(f"/{base}/{name}" for base in ("now", "wall") for name in PARTS)):
        answer = await manager.get(path)
        assert answer.status == 403, path
        assert "Сюда нельзя" in answer.words


async def test_a_hundred_thousand_calls_do_not_slow_it(busy: Site, pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO call (account_id, call_id, connection_id, call_key, client, started_at, answered_at, is_over,"
        " direction, disposition, facts, heard_at, line)"
        " SELECT account_id, 'x' || n, connection_id, 'x' || n, client, started_at - n * interval '30 s', answered_at,"
        " true, direction, disposition, facts, heard_at, line FROM call, generate_series(1, 100000) n WHERE call_id = 'answered'"
    )
    await pool.execute("ANALYZE call")
    browser = busy.as_("senior_manager")
    await browser.get("/")
    took = []
    for _ in range(5):
        began = perf_counter()
        assert (await browser.get("/")).status == 200
        took.append(perf_counter() - began)
    print("now:", [f"{t * 1000:.0f}" for t in took])
    assert min(took) < 0.2


def test_the_hour_forgets_what_was_observed_before_it() -> None:
    latency = Latency()
    recent = RecentLatency(latency)
    latency.observe(0.9)
    assert recent.figures(0.0)["count"] == 0  # before the first look nothing is known to be recent
    latency.observe(0.001)
    told = recent.figures(10.0)
    assert (told["count"], told["p50_ms"], told["parts"]) == (1, 1.0, [1.0])
    for part in range(1, 14):
        latency.observe(0.01)
        told = recent.figures(part * 300.0)
    assert told["count"] == 12
    assert len(told["parts"]) == 13
    assert told["p99_ms"] == 10.0


def _colours(part: Element) -> list[str]:
    """Of the dots before each line of "does everything work?": the CRM, requests, changes, access, the PBX, what is stuck."""
    return [dot["class"].removeprefix("cm-dot").strip() for dot in part.all("span", cls="cm-dot")]


async def test_an_error_is_over_once_what_failed_answers_again(busy: Site) -> None:
    reads = busy.as_("senior_manager")
    well: dict[str, Any] = {"circuit": {"name": "closed", "refusals": 0, "reason": ""}}
    refused = {"circuit": {"name": "open", "refusals": 3, "reason": "crm-throttled"}}
    seen = []
    async with busy.pool.acquire() as conn:
        await mark_loaded(conn, ACCOUNT)
        for crm, link in ((well, True), (refused, False), (well, True)):
            await report(conn, ACCOUNT, "crm", crm)
            await report(conn, ACCOUNT, "ami:office", {"connected": link})
            if crm is refused:
                await record_failure(conn, ACCOUNT, "poll:contacts", "crm-unavailable: it does not answer")
            else:
                await write_cursor(
                    conn, ACCOUNT, "poll:events", {}
                )  # one feed was answered: the CRM is there
                await mark_in_sync(conn, ACCOUNT, datetime.now(UTC))
            seen.append((await reads.fragment("/now/states")).page.by_id("now-states"))
    before, failing, after = seen
    assert [_colours(failing)[n] for n in (0, 2, 4)] == ["cm-dot-bad", "cm-dot-warn", "cm-dot-bad"]
    assert "закрыла приём" in failing.text
    assert "нет связи" in failing.text
    assert [_colours(before)[n] for n in (0, 2, 4)] == ["cm-dot-good", "cm-dot-good", "cm-dot-warn"]
    assert _colours(after) == _colours(before)
    assert "закрыла приём" not in after.text
    assert "нет связи" not in after.text
