"""Calls whose events were lost come back from the PBX's own list, once, through the same inbox."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.health.account_checks import account_findings
from gateway.health.findings import in_words
from gateway.health.shared_metrics import status_samples
from gateway.health.status import installation_status
from gateway.pbx.call_log import PbxError
from gateway.pbx.mango.client import MangoClient, MangoPauses
from gateway.pbx.mango.commands import STATS_EVERY
from gateway.store.crm_accounts.exchanges import exchanges
from gateway.texts.sentences import TEXTS
from routing.calls.fold import fold
from tests.integration.pbx.site import ACCOUNT, CLIENT, NOON, QUICK, Site
from tests.waiting import until

FORM = "application/x-www-form-urlencoded"


def _ago(**delta: float) -> timedelta:
    return timedelta(**delta)


async def _pushed(site: Site, row: dict[str, str]) -> None:
    """Ringostat's webhook after the call, as it names things there."""
    body = {
        "call_id": row["uniqueid"],
        "caller": row["caller"],
        "destination": row["dst"],
        "calldate": row["calldate"],
        "status": row["disposition"],
        "call_duration": row["duration"],
        "billsec": row["billsec"],
        "waittime": row["waittime"],
        "call_type": row["call_type"],
    }
    await site.webhook("ringostat", "after", urlencode(body).encode(), FORM)


def _several(site: Site, count: int, *, first: int = 0) -> list[dict[str, str]]:
    return [
        site.ringostat.call(f"ua-{n}", NOON - _ago(minutes=5 + 10 * n), caller=f"7916{n:07d}")
        for n in range(first, first + count)
    ]


async def test_calls_of_an_outage_are_imported_and_exactly_they(site: Site) -> None:
    rows = _several(site, 20)
    for row in rows[:8] + rows[15:]:
        await _pushed(site, row)
    await site.settle(0)
    swept = await site.sweep("ringostat")
    assert (swept.compared, swept.missing, swept.imported, swept.error) == (20, 7, 7, None)
    imported = await site.rows("SELECT call_key FROM inbox ORDER BY event_id DESC LIMIT 7")
    assert {r["call_key"] for r in imported} == {f"ua-{n}" for n in range(8, 15)}
    await site.settle()
    assert await site.call_keys() == {f"ua-{n}" for n in range(20)}


async def test_sweeping_again_imports_nothing(site: Site) -> None:
    _several(site, 10)
    await site.sweep("ringostat")
    before_jobs = await site.sweep("ringostat")
    await site.settle(0)
    afterwards = await site.sweep("ringostat")
    assert (before_jobs.missing, before_jobs.imported) == (0, 0)
    assert (afterwards.compared, afterwards.missing, afterwards.imported) == (10, 0, 0)
    assert await site.messages() == 10


async def test_an_event_that_arrives_after_its_import_makes_no_second_call(site: Site) -> None:
    (row,) = _several(site, 1)
    await site.sweep("ringostat")
    await site.settle()
    await _pushed(site, row)
    await site.settle()
    calls = await site.rows("SELECT * FROM call")
    assert len(calls) == 1
    assert len(await site.rows("SELECT 1 FROM effect WHERE what = 'create_deal'")) == 1


async def test_a_full_answer_is_asked_again_in_halves_until_every_call_is_seen(site: Site) -> None:
    site.ringostat.most = 6500
    for n in range(9000):
        site.ringostat.call(f"ua-{n}", NOON - _ago(hours=20, seconds=-(n * 7)), caller=f"7916{n:07d}")
    swept = await site.sweep("ringostat")
    assert (swept.compared, swept.imported) == (9000, 9000)
    assert all(found <= 6500 for _, _, found in site.ringostat.windows)
    assert sum(found == 6500 for _, _, found in site.ringostat.windows) >= 1


async def test_at_start_it_looks_back_three_days_and_later_only_a_little(site: Site) -> None:
    site.ringostat.call("old", NOON - _ago(days=3, minutes=5))
    site.ringostat.call("within", NOON - _ago(days=2, hours=23))
    await site.sweep("ringostat")
    await site.settle(0)
    assert await site.call_keys() == {"within"}
    site.ringostat.windows.clear()
    site.clock.forward(minutes=10)
    again = await site.sweep("ringostat")
    assert len(site.ringostat.windows) == 1
    assert again.since == NOON - _ago(hours=2, minutes=2)


async def test_calls_before_the_connection_was_made_are_none_of_ours(site: Site) -> None:
    await site.pool.execute("UPDATE connection SET created_at = $1", NOON - _ago(hours=1))
    site.ringostat.call("before", NOON - _ago(hours=2))
    site.ringostat.call("since", NOON - _ago(minutes=30))
    swept = await site.sweep("ringostat")
    assert (swept.compared, swept.imported) == (1, 1)
    site.clock.forward(minutes=10)
    assert (await site.sweep("ringostat")).since == NOON - _ago(hours=1)


async def test_a_call_on_the_border_of_two_windows_is_one_call(site: Site) -> None:
    since = NOON - _ago(days=3)
    site.ringostat.call("border", since + timedelta(hours=24))
    swept = await site.sweep("ringostat")
    assert sum(found for _, _, found in site.ringostat.windows) == 2
    assert (swept.compared, swept.missing, swept.imported) == (1, 1, 1)


async def test_an_absence_longer_than_three_days_is_told_as_a_gap(site: Site) -> None:
    await site.sweep("ringostat")
    left_off = site.clock()
    site.clock.forward(days=5)
    await site.sweep("ringostat")
    gap = (await site.report("ringostat"))["gap"]
    assert gap["since"].startswith(f"{left_off - _ago(minutes=2):%Y-%m-%dT%H:%M}")


async def test_a_call_that_has_just_ended_is_left_to_its_events(site: Site) -> None:
    site.ringostat.call("fresh", NOON - _ago(seconds=150), wait=100)
    first = await site.sweep("ringostat")
    assert (first.compared, first.waiting, first.imported) == (1, 1, 0)
    site.clock.forward(minutes=10)
    second = await site.sweep("ringostat")
    assert (second.missing, second.imported) == (1, 1)


async def test_a_call_whose_end_was_lost_is_completed(site: Site) -> None:
    row = site.ringostat.call("ua-1", NOON - _ago(minutes=30), status="ANSWERED", talk=60, employee="101")
    start = {"call_id": "ua-1", "caller": row["caller"], "destination": row["dst"], "call_type": "in"}
    await site.webhook("ringostat", "before", urlencode(start).encode(), FORM)
    await site.settle(0)
    swept = await site.sweep("ringostat")
    await site.settle()
    (call,) = await site.rows("SELECT is_over, disposition FROM call")
    assert (swept.missing, swept.incomplete, swept.imported) == (0, 1, 1)
    assert (call["is_over"], call["disposition"]) == (True, "answered")


async def test_a_lost_answer_beats_the_missed_call_that_we_took_it_for(site: Site) -> None:
    row = site.ringostat.call("ua-1", NOON - _ago(minutes=30), status="ANSWERED", talk=60, employee="101")
    await _pushed(site, {**row, "disposition": "NO ANSWER", "billsec": "0"})
    await site.settle()
    swept = await site.sweep("ringostat")
    again = await site.sweep("ringostat")
    assert (swept.differing, swept.imported) == (1, 1)
    assert again.imported == 0


async def test_a_call_known_under_another_id_within_seconds_is_not_imported_twice(site: Site) -> None:
    row = site.ringostat.call("log-id", NOON - _ago(minutes=30))
    await _pushed(site, {**row, "uniqueid": "webhook-id", "calldate": "2026-03-04 11:30:03"})
    await site.settle(0)
    swept = await site.sweep("ringostat")
    assert (swept.missing, swept.same_time, swept.imported) == (0, 1, 0)
    assert "call_id_field" in (await site.report("ringostat"))["hint"]


async def test_two_listed_calls_of_one_client_close_together_are_two(site: Site) -> None:
    known = site.ringostat.call("first", NOON - _ago(minutes=30), wait=1)
    site.ringostat.call("redial", NOON - _ago(minutes=30, seconds=-3))
    await _pushed(site, known)
    await site.settle(0)
    swept = await site.sweep("ringostat")
    assert (swept.missing, swept.imported) == (1, 1)


async def test_a_missed_call_that_was_returned_during_the_outage_opens_no_task(site: Site) -> None:
    site.ringostat.call("missed", NOON - _ago(hours=3))
    site.ringostat.call(
        "returned", NOON - _ago(hours=2), kind="out", status="ANSWERED", talk=90, employee="101"
    )
    await site.sweep("ringostat")
    await site.settle()
    assert await site.call_keys() == {"missed", "returned"}
    assert await site.rows("SELECT * FROM missed_case WHERE state = 'open'") == []
    tasks = await site.rows(
        """SELECT 1 FROM effect WHERE what = 'create_task' AND "order"->>'purpose' = 'call_back'"""
        " AND state <> 'skipped'"
    )
    assert tasks == []


async def test_a_missed_call_that_nobody_returned_opens_its_task(site: Site) -> None:
    site.ringostat.call("missed", NOON - _ago(hours=3))
    await site.sweep("ringostat")
    await site.settle()
    cases = await site.rows("SELECT client FROM missed_case WHERE state = 'open'")
    assert [c["client"] for c in cases] == [CLIENT]


async def test_a_lost_call_back_closes_the_case_that_is_open(site: Site) -> None:
    row = site.ringostat.call("missed", NOON - _ago(hours=3))
    await _pushed(site, row)
    await site.settle()
    site.ringostat.call(
        "returned", NOON - _ago(hours=2), kind="out", status="ANSWERED", talk=90, employee="101"
    )
    await site.sweep("ringostat")
    await site.settle()
    assert [c["state"] for c in await site.rows("SELECT state FROM missed_case")] == ["closed"]


async def test_times_of_the_log_are_read_in_the_projects_zone(site: Site) -> None:
    await site.change("ringostat", settings={"base_url": site.ringostat.url, "time_zone": "Europe/Kyiv"})
    at = NOON - _ago(minutes=30)
    site.ringostat.call("ua-1", at, zone="Europe/Kyiv")
    swept = await site.sweep("ringostat")
    await site.settle(0)
    (call,) = await site.rows("SELECT started_at FROM call")
    assert (swept.imported, call["started_at"]) == (1, at)


async def test_one_unreadable_entry_spoils_no_other_and_is_told(site: Site) -> None:
    _several(site, 2)
    site.ringostat.rows.append(
        {"calldate": f"{NOON - _ago(minutes=9):%Y-%m-%d %H:%M:%S}", "caller": "79160000001"}
    )
    swept = await site.sweep("ringostat")
    assert (swept.imported, swept.refused) == (2, 1)
    assert "sweep" in await site.report("ringostat")
    assert (await site.report("ringostat"))["sweep"]["refusals"] == swept.refusals


async def test_a_pbx_that_is_down_loses_nothing_and_says_so(site: Site) -> None:
    _several(site, 3)
    site.ringostat.down = 503
    for _ in range(3):
        swept = await site.sweep("ringostat")
        assert swept.error is not None
        assert swept.error.startswith("pbx-unreachable")
    told = await site.report("ringostat")
    assert (told["failures"], told["read_until"]) == (3, None)
    assert "cannot be read" in told["alarm"]
    site.ringostat.down = 0
    swept = await site.sweep("ringostat")
    told = await site.report("ringostat")
    assert (swept.imported, told["failures"], told["error"]) == (3, 0, None)


async def test_a_wrong_key_is_refused_and_named(site: Site) -> None:
    site.ringostat.auth_key = "another"
    swept = await site.sweep("ringostat")
    assert swept.error is not None
    assert swept.error.startswith("pbx-refused")
    assert not swept.is_retryable


async def test_what_was_read_before_a_failure_is_kept_and_not_read_again(site: Site) -> None:
    site.ringostat.call("early", NOON - _ago(days=2, hours=20))
    site.ringostat.call("late", NOON - _ago(hours=3))
    site.ringostat.down_after = 1
    swept = await site.sweep("ringostat")
    assert (swept.imported, swept.read_until) == (1, NOON - _ago(days=2))
    site.ringostat.down_after = None
    swept = await site.sweep("ringostat")
    assert swept.since == NOON - _ago(days=2, hours=2)
    assert swept.imported == 1


async def test_missing_calls_are_an_alarm_for_a_day(site: Site) -> None:
    _several(site, 1)
    await site.sweep("ringostat")
    assert "only through" in (await site.report("ringostat"))["alarm"]
    site.clock.forward(hours=25)
    await site.sweep("ringostat")
    told = await site.report("ringostat")
    assert (told["alarm"], told["missing"], told["imported"]) == (None, 1, 1)


async def test_exchanges_are_kept_without_key_and_without_whole_numbers(site: Site) -> None:
    kept = ExchangeLog(site.pool)
    site.ringostat.auth_key = "demo"
    site.ringostat.call("ua-1", NOON - _ago(minutes=30))
    await site.reconciliation(exchanges=kept).sweep("ringostat")
    site.mango.call("m1", NOON - _ago(minutes=30))
    await site.reconciliation(exchanges=kept).sweep("mango")
    await kept.write()
    async with site.pool.acquire() as conn:
        rows = await exchanges(conn, ACCOUNT, before=None, limit=50)
    text = json.dumps([dict(r) for r in rows], default=str)
    assert {r["vendor"] for r in rows} == {"ringostat", "mango"}
    assert "9161234567" not in text
    assert '"sign' not in text
    assert "calls/list" in text


async def test_mango_is_read_in_pages_and_waited_for_until_it_is_ready(site: Site) -> None:
    site.page = 5
    site.mango.not_ready = 2
    for n in range(12):
        site.mango.call(f"m{n}", NOON - _ago(minutes=5 + n), caller=f"7916{n:07d}")
    swept = await site.sweep("mango")
    assert (swept.compared, swept.imported, swept.error) == (12, 12, None)
    assert [page for page in site.mango.pages if page[1]] == [(0, 5), (5, 5), (10, 2)]


async def test_mango_is_never_asked_more_often_than_it_allows(site: Site) -> None:
    site.page = 1
    for n in range(4):
        site.mango.call(f"m{n}", NOON - _ago(minutes=5 + n), caller=f"7916{n:07d}")
    await site.sweep("mango")
    times = site.mango.accepted["stats/calls/request"]
    assert len(times) >= 5
    assert site.mango.throttled == 0
    assert min(b - a for a, b in itertools.pairwise(times)) >= site.mango.interval


def test_the_real_pause_is_the_vendors() -> None:
    assert MangoPauses().start == STATS_EVERY.total_seconds() == 2
    assert MangoPauses().result >= 5


async def test_mango_that_somebody_else_keeps_busy_is_asked_again(site: Site) -> None:
    site.mango.interval = 0.25  # longer than our own pause: as if another program used the product's share
    for n in range(3):
        site.mango.call(f"m{n}", NOON - _ago(hours=20 * n + 1), caller=f"7916{n:07d}")
    swept = await site.sweep("mango")
    assert site.mango.throttled > 0
    assert (swept.imported, swept.error) == (3, None)


async def test_statistics_that_mango_forgot_are_asked_for_anew(site: Site) -> None:
    site.mango.forgets = 1
    site.mango.call("m1", NOON - _ago(minutes=30))
    swept = await site.sweep("mango")
    assert (swept.imported, swept.error) == (1, None)


async def test_mango_refuses_a_wrong_signature_and_we_say_so(site: Site) -> None:
    await site.change("mango", keys={"api_key": "demo", "api_salt": "wrong"})
    swept = await site.sweep("mango")
    assert site.mango.refused == 1
    assert swept.error is not None
    assert swept.error.startswith("pbx-refused")


async def test_statistics_that_never_become_ready_are_given_up(site: Site) -> None:
    site.mango.not_ready = 10_000
    log = MangoClient(
        site.http,
        site.configuration.now.connections["mango"],
        pauses=MangoPauses(start=0, result=0.01, patience=0.1, throttled=0.1),
    )
    with pytest.raises(PbxError, match="not ready"):
        [piece async for piece in log.read(NOON - _ago(hours=1), NOON)]


async def test_mangos_report_tells_the_same_call_as_its_notifications(site: Site) -> None:
    site.mango.call("m1", NOON - _ago(minutes=30), talk=40)
    log = MangoClient(site.http, site.configuration.now.connections["mango"], pauses=QUICK)
    (piece,) = [p async for p in log.read(NOON - _ago(hours=1), NOON)]
    call = fold(piece.calls[0].events)
    assert (call.is_answered, call.answered_by, call.talk_seconds, call.client) == (
        True,
        "101",
        40,
        "79161234567",
    )


async def test_a_listed_call_is_the_same_message_whenever_it_is_read(site: Site) -> None:
    site.mango.call("m1", NOON - _ago(minutes=30), talk=40)
    log = MangoClient(site.http, site.configuration.now.connections["mango"], pauses=QUICK)
    told = []
    for hours in (1, 2):
        pieces = [p async for p in log.read(NOON - _ago(hours=hours), NOON)]
        told.append([c.parsed().canonical for p in pieces for c in p.calls])
    assert told[0] == told[1]


async def test_one_process_sweeps_at_start_and_the_other_waits(site: Site) -> None:
    _several(site, 3)
    both = [asyncio.create_task(site.reconciliation().run()) for _ in range(2)]
    try:
        both_swept = "SELECT 1 FROM pbx_reconciliation OFFSET 1"
        await until(lambda: site.rows(both_swept), "both connections were swept", seconds=20)
        assert await site.messages() == 3
        assert len(set(site.ringostat.windows)) == len(site.ringostat.windows)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)


async def test_a_connection_that_says_no_is_not_asked(site: Site) -> None:
    await site.change("ringostat", settings={"base_url": site.ringostat.url, "reconcile": False})
    await site.change("mango", is_on=False)
    task = asyncio.create_task(site.reconciliation().run())
    await asyncio.sleep(0.5)
    assert not task.done(), "it watches for connections that may be asked"
    assert (site.ringostat.windows, site.mango.pages) == ([], [])
    await site.change("ringostat", settings={"base_url": site.ringostat.url})
    await until(lambda: site.ringostat.windows, "asked once it no longer says no", seconds=20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert site.mango.pages == []


async def test_findings_stand_in_the_status_in_the_metrics_and_in_check(site: Site) -> None:
    _several(site, 2)
    await site.sweep("ringostat")
    status = await installation_status(site.pool, site.clock())
    (account,) = status.accounts
    samples = {
        (name, labels.get("connection")): value
        for _, name, _, labels, value in status_samples(status, site.clock())
    }
    assert samples["reconciliation_missing", "ringostat"] == 2
    assert samples["reconciliation_imported", "ringostat"] == 2
    assert samples["reconciliation_alarm", "ringostat"] == 1
    assert samples["reconciliation_success_age_seconds", "ringostat"] == 0
    assert any(
        "only through the PBX's list" in in_words(finding, TEXTS["en"]).message
        for finding in account_findings(account, NOON)
    )


async def test_a_pbx_that_comes_back_is_noticed_without_anybodys_help(site: Site) -> None:
    _several(site, 3)
    site.ringostat.down = 503
    site.mango.call("m1", NOON - _ago(minutes=30), caller="79160000777")
    work = asyncio.create_task(site.reconciliation(first_pause=0.05).run())
    try:
        failing = "SELECT 1 FROM pbx_reconciliation WHERE failures >= 2"
        await until(lambda: site.rows(failing), "one fails twice", seconds=20)
        served = "SELECT 1 FROM pbx_reconciliation WHERE imported = 1"
        await until(lambda: site.rows(served), "the other connection is served all the same", seconds=20)
        site.ringostat.down = 0
        well = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pbx_reconciliation WHERE failures > 0)"
        await until(lambda: site.rows(well), "the first is well again", seconds=20)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert await site.messages() == 4


async def test_the_pause_grows_with_failures_up_to_an_hour(site: Site) -> None:
    reconciliation = site.reconciliation(minutes=10)
    pauses = [reconciliation._pause(failures) for failures in (0, 1, 2, 3, 20)]
    assert pauses == [600, 30, 60, 120, 3600]


async def test_a_database_that_takes_nothing_leaves_the_cursor_where_it_was(site: Site) -> None:
    _several(site, 3)
    await site.inbox.stop()
    swept = await site.sweep("ringostat")
    assert swept.error is not None
    assert swept.error.startswith("inbox-unavailable")
    assert (await site.report("ringostat"))["read_until"] is None
    site.inbox.start()
    assert (await site.sweep("ringostat")).imported == 3


async def test_more_overlap_finds_calls_that_lasted_longer(site: Site) -> None:
    await site.sweep("ringostat")
    site.clock.forward(hours=5)
    # Listed when it ended, under the time when it began: four hours before the latest sweep.
    site.ringostat.call("long", NOON - _ago(hours=4), status="ANSWERED", talk=3600 * 8, employee="101")
    assert (await site.sweep("ringostat")).compared == 0
    await site.change(
        "ringostat", settings={"base_url": site.ringostat.url, "reconcile_overlap_minutes": "600"}
    )
    assert (await site.sweep("ringostat")).imported == 1
