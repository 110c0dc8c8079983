"""Presence over the API and at the command line: the counter, the question, the page, the past, and who may what."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.store.admin import accounts
from gateway.store.admin.bindings import Bindings
from gateway.store.presence.attendance import attendances, save
from routing.attendance.machine import first_seen, judge
from routing.presence import NOBODY_SAID, PresenceState
from routing.settings import PresencePolicy
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix
from tests.waiting import until

ONE = "{a}/employees/anna/presence"
POLICY = PresencePolicy(is_on=True, sources=("page",))


@pytest.fixture
async def watched(api: Api) -> Api:
    """The account watches; Anna has a token of her own, with the weakest role."""
    settings = await api.ask("GET", "{a}/settings")
    body = {**settings, "presence": {"is_on": True, "sources": ["page"]}}
    await api.ask("PUT", "{a}/settings", body=body)
    async with api.pool.acquire() as conn:
        bound = Bindings(account_id=ACCOUNT, employee="anna")
        api.tokens["anna"] = await accounts.add_api_token(conn, name="anna's", role="read_only", bound=bound)
        api.tokens["senior"] = await accounts.add_api_token(conn, name="senior", role="senior_manager")
    known = api.gateway.configuration
    await until(
        lambda: len(known.now.tokens) >= 6 and known.now.accounts[ACCOUNT].settings.presence.is_on,
        "settings and tokens are in memory",
    )
    return api


async def asked(api: Api, employee: str, seconds_ago: float = 10) -> datetime:
    """As the watch asks, so long ago."""
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    silent = judge(first_seen(at - timedelta(minutes=20)), at, POLICY)
    async with api.pool.acquire() as conn, conn.transaction():
        before = (await attendances(conn, ACCOUNT)).get(employee)
        await save(conn, ACCOUNT, employee, before, silent, at)
    return at


async def on_board(api: Api, state: PresenceState) -> None:
    await until(
        lambda: api.gateway.presence.state_of(ACCOUNT, "anna") is state, f"the board says {state}", seconds=10
    )


async def test_an_account_that_does_not_watch_has_everybody_unknown_and_refuses_the_button(api: Api) -> None:
    found = await api.ask("GET", "{a}/presence")
    assert (found["is_on"], found["doubt"]) == (False, "")
    assert {row["state"] for row in found["items"]} == {"unknown"}
    assert api.gateway.presence.presence_of(ACCOUNT) is NOBODY_SAID
    for act, body in (
        ("start", None),
        ("stop", None),
        ("answer", {"is_here": True}),
        ("heartbeat", {"page": "p"}),
    ):
        said = await api.ask("POST", f"{ONE}/{act}", status=409, body=body)
        assert said["code"] == "presence-off"


async def test_the_counter_is_started_and_stopped_by_its_owner_and_everybody_sees_it(watched: Api) -> None:
    started = await watched.ask("POST", f"{ONE}/start", role="anna")
    assert (started["state"], started["reason"], started["switched_by"]) == (
        "available",
        "switched_on",
        "anna's",
    )
    await watched.ask("POST", f"{ONE}/stop", role="senior")
    shown = await watched.ask("GET", ONE, role="anna")
    assert (shown["state"], shown["switched_by"]) == ("offline", "senior")
    past = await watched.ask("GET", f"{ONE}/history", role="anna")
    assert [(row["state"], row["reason"], row["switched_by"]) for row in past["items"]] == [
        ("offline", "switched_off", "senior"),
        ("available", "switched_on", "anna's"),
    ]
    assert past["items"][1]["until"] == past["items"][0]["since"]
    audit = await watched.ask("GET", "/audit", what="presence")
    assert [(row["who"], row["object"], row["action"]) for row in audit["items"]] == [
        ("senior", "anna", "stopped"),
        ("anna's", "anna", "started"),
    ]


async def test_every_gateway_knows_within_a_moment(watched: Api) -> None:
    await watched.pool.execute(
        "INSERT INTO presence_watch (account_id, trusted_from, watched_at) VALUES ($1, now() - interval '1 h', now())",
        ACCOUNT,
    )
    await watched.ask("POST", f"{ONE}/stop")
    await on_board(watched, PresenceState.OFFLINE)
    assert not watched.gateway.presence.presence_of(ACCOUNT).can_be_rung("anna")
    await watched.ask("POST", f"{ONE}/start")
    await on_board(watched, PresenceState.AVAILABLE)
    assert watched.gateway.presence.online(ACCOUNT) == {"anna"}


async def test_ones_own_counter_is_nobody_elses(watched: Api) -> None:
    other = "{a}/employees/boss/presence"
    for act, body in (
        ("start", None),
        ("stop", None),
        ("answer", {"is_here": True}),
        ("heartbeat", {"page": "p"}),
    ):
        await watched.ask("POST", f"{other}/{act}", status=403, role="anna", body=body)
    await watched.ask("GET", f"{other}/history", status=403, role="anna")
    await watched.ask("POST", f"{other}/heartbeat", status=403, role="senior", body={"page": "p"})
    await watched.ask("POST", f"{ONE}/start", status=403, role="manager")
    assert await watched.pool.fetchval("SELECT count(*) FROM presence") == 0


async def test_the_question_is_shown_answered_once_and_then_over(watched: Api) -> None:
    at = await asked(watched, "anna")
    shown = (await watched.ask("GET", "{a}/presence"))["items"]
    question = next(row["question"] for row in shown if row["employee"] == "anna")
    assert datetime.fromisoformat(question["asked_at"]) == at
    assert datetime.fromisoformat(question["answer_by"]) == at + timedelta(seconds=60)
    body: dict[str, Any] = {"is_here": True, "asked_at": question["asked_at"]}
    done = await watched.ask("POST", f"{ONE}/answer", role="anna", body=body)
    assert (done["mark"], done["reason"], done["question"]) == ("available", "answered", None)
    again = await watched.ask("POST", f"{ONE}/answer", role="anna", status=409, body=body)
    assert again["code"] == "question-over"


async def test_an_answer_to_another_question_changes_nothing(watched: Api) -> None:
    await asked(watched, "anna")
    body = {"is_here": False, "asked_at": "2026-01-01T00:00:00Z"}
    await watched.ask("POST", f"{ONE}/answer", status=409, body=body)
    assert (await watched.ask("GET", ONE))["mark"] == "asked"


async def test_who_says_no_is_off(watched: Api) -> None:
    await asked(watched, "anna")
    done = await watched.ask("POST", f"{ONE}/answer", role="anna", body={"is_here": False})
    assert (done["state"], done["reason"]) == ("offline", "said_no")


async def test_a_page_beats_and_is_told_of_the_question(watched: Api) -> None:
    await asked(watched, "anna")
    body = {"page": "tab-1", "idle_seconds": 3}
    told = await watched.ask("POST", f"{ONE}/heartbeat", role="anna", body=body)
    assert told["question"] is not None
    assert told["next_seconds"] == 25
    await watched.ask(
        "POST", f"{ONE}/heartbeat", role="anna", body={**body, "page": "tab-2", "is_visible": False}
    )

    async def rows() -> list[Any]:
        return await watched.pool.fetch("SELECT page, input_at FROM presence_page ORDER BY page")

    kept = await until(rows, "the beats are where the worker sees them")
    assert [row["page"] for row in kept] == ["tab-1", "tab-2"]
    assert kept[0]["input_at"] is not None
    assert kept[1]["input_at"] is None  # nobody types in a page that is not seen


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"page": ""},
        {"page": "x" * 65},
        {"page": "a b"},
        {"page": "p", "idle_seconds": -1},
        {"page": "p", "idle_seconds": 10**9},
        {"page": "p", "is_visible": None},
        {"page": "p", "more": 1},
    ],
)
async def test_a_bad_beat_is_refused_and_keeps_nothing(watched: Api, body: dict[str, Any]) -> None:
    await watched.ask("POST", f"{ONE}/heartbeat", status=400, body=body)
    await watched.gateway.heartbeats.write()
    assert await watched.pool.fetch("SELECT * FROM presence_page") == []


async def test_somebody_unknown_is_404_everywhere(watched: Api) -> None:
    nobody = "{a}/employees/ghost/presence"
    await watched.ask("GET", nobody, status=404)
    for act, body in (
        ("start", None),
        ("stop", None),
        ("answer", {"is_here": True}),
        ("heartbeat", {"page": "p"}),
    ):
        await watched.ask("POST", f"{nobody}/{act}", status=404, body=body)
    assert (await watched.ask("GET", f"{nobody}/history"))["items"] == []


async def test_history_reads_on_counts_hours_and_refuses_no_span(watched: Api) -> None:
    for _ in range(3):
        await watched.ask("POST", f"{ONE}/start")
        await watched.ask("POST", f"{ONE}/stop")
    first = await watched.ask("GET", f"{ONE}/history", limit=4)
    assert len(first["items"]) == 4
    rest = await watched.ask("GET", f"{ONE}/history", limit=4, after=first["next"])
    assert len(rest["items"]) == 2
    assert rest["next"] is None
    assert first["online_seconds"] >= 0
    at = datetime.now(UTC).isoformat()
    await watched.ask("GET", f"{ONE}/history", status=400, since=at, until=at)


async def test_the_command_line_does_the_same(watched: Api, database_url: str) -> None:
    await asked(watched, "anna")
    done = await callmatrix(database_url, "presence", "answer", "anna", "--account", ACCOUNT, "--json")
    assert json.loads(done.stdout)["reason"] == "answered"
    again = await callmatrix(database_url, "presence", "answer", "anna", "--account", ACCOUNT)
    assert (again.returncode, "question-over" in again.stderr) == (1, True)
    assert (await callmatrix(database_url, "presence", "off", "anna", "--account", ACCOUNT)).returncode == 0
    listed = await callmatrix(database_url, "presence", "list", "--account", ACCOUNT, "--json")
    rows = {row["employee"]: row for row in json.loads(listed.stdout)["items"]}
    assert (rows["anna"]["state"], rows["boss"]["state"]) == ("offline", "unknown")
    assert rows["anna"]["switched_by"]
    assert (await callmatrix(database_url, "presence", "on", "anna", "--account", ACCOUNT)).returncode == 0
    past = await callmatrix(database_url, "presence", "history", "anna", "--account", ACCOUNT)
    assert "\toffline\tbutton\tвыключено кнопкой\t" in past.stdout
    assert "At work for" in past.stdout
    ghost = await callmatrix(database_url, "presence", "on", "ghost", "--account", ACCOUNT)
    assert ghost.returncode == 1
    assert "no employee 'ghost'" in ghost.stderr


async def test_a_telegram_code_is_made_for_oneself_shown_once_and_taken_back(watched: Api) -> None:
    path = f"{ONE}/telegram"
    assert (await watched.ask("GET", path, role="anna"))["is_linked"] is False
    made = await watched.ask("POST", path, status=201, role="anna")
    shown = await watched.ask("GET", path, role="anna")
    assert shown == {"is_linked": False, "linked_at": None, "code_until": made["code_until"]}
    stored = await watched.pool.fetchval("SELECT presence_chat::text FROM presence_chat")
    assert made["code"] not in stored
    await watched.ask("POST", "{a}/employees/boss/presence/telegram", status=403, role="anna")
    await watched.ask("POST", "{a}/employees/nobody/presence/telegram", status=404)
    await watched.ask("DELETE", path, status=204, role="anna")
    assert (await watched.ask("GET", path))["code_until"] is None


async def test_the_command_line_makes_the_code_only_where_there_is_a_bot(
    watched: Api, database_url: str
) -> None:
    words = ("presence", "telegram", "anna", "--account", ACCOUNT)
    none = await callmatrix(database_url, *words)
    assert none.returncode == 1
    assert "CALLMATRIX_TELEGRAM_TOKEN" in none.stderr
    made = await callmatrix(database_url, *words, CALLMATRIX_TELEGRAM_TOKEN="1:t")
    assert "\n/start " in made.stdout
    gone = await callmatrix(database_url, *words, "--unlink")
    assert "asked by Telegram no more" in gone.stdout
    assert await watched.pool.fetchval("SELECT count(*) FROM presence_chat") == 0
