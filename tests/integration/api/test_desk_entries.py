"""Everything that was set aside stands in one list, by API and command line, with its reason and what can be done."""

from __future__ import annotations

import json

import asyncpg
import pytest

from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix
from tests.integration.api.test_channels import anna

NUMBER = "+79161234567"
KEYS = {
    "effect": "0123456789abcdef:end:note",
    "event": "event:1",
    "update": "update:1",
    "call": "undecided:k1",
    "case": "missed-case:m1",
    "change": "change:1",
    "webhook": "webhook:1",
    "row": "row:1",
}

# One of each kind, a minute apart, in the order of KEYS.
_ASIDE = (
    """INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state, error_code, sent_at)
       VALUES ('main', '0123456789abcdef:end:note', 'd', '+79161234567', 1, 'add_note', '{"do": "add_note",
       "target": {"kind": "deal", "id": "7"}, "text": "t"}', 'dead', 'not-found', now() - interval '9 minutes')""",
    """INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events, state, error,
       applied_at) VALUES ('main', 'office', 'x', 'c9', '+79161234567', now(), '{}', '[]', 'dead', 'event-unprocessable: no',
       now() - interval '8 minutes')""",
    """INSERT INTO channel (channel_id, account_id, name, kind, secret) VALUES ('c1', 'main', 'Shop', 'sandbox', 's')""",
    """INSERT INTO channel_update (account_id, channel_id, client_key, told_at, received_at, state, error, told)
       VALUES ('main', 'c1', '+79161234567', now(), now() - interval '450 seconds', 'dead', 'sms-wire-invalid: no',
       '{"told": "message", "id": "m1", "chat": {"id": "7"}, "direction": "in", "author": {"kind": "client"}, "parts": []}')""",
    """INSERT INTO call (account_id, call_id, connection_id, call_key, client, direction, disposition, is_over, started_at,
       facts, failures, failed_moment, failure, aside_at) VALUES ('main', 'k1', 'office', 'c1', '+79161234567', 'inbound',
       'no_answer', true, now(), '{}', 4, 'missed', 'event-unprocessable: ArithmeticError: no', now() - interval '7 minutes')""",
    """INSERT INTO missed_case (account_id, case_id, client, state, opened_at, last_missed_at, missed_calls, task_text,
       task_due_at, failures, failure, aside_at) VALUES ('main', 'm1', '+79161234567', 'open', now(), now(), '{k1}', 't', now(),
       4, 'event-unprocessable: KeyError: no', now() - interval '6 minutes')""",
    """INSERT INTO crm_event (account_id, subject, entity_kind, entity_id, aspect, what, new_value, at, told_at, first_told_by)
       VALUES ('main', 'task:9', 'task', '9', 'completed', 'completed', '1', now() - interval '5 minutes', now(), 'feed')""",
    """INSERT INTO crm_event_work (account_id, consumer, event_id, subject, tries, is_aside, error)
       VALUES ('main', 'missed-call-tasks', 1, 'task:9', 5, true, 'ValueError: no')""",
    """INSERT INTO crm_webhook (account_id, body, tries, error, aside_at)
       VALUES ('main', 'x', 2, 'CheckViolationError: no', now() - interval '4 minutes')""",
    """INSERT INTO crm_unread (account_id, kind, entity_id, field, why, raw, is_lost, found_at, next_try_at)
       VALUES ('main', 'contact', '5', 'name', 'text expected', '7', true, now() - interval '3 minutes',
       now() + interval '1 hour')""",
)
_LEFT = """
SELECT (SELECT count(*) FROM call WHERE aside_at IS NULL AND due_at <= now() AND failures = 0) AS call,
    (SELECT count(*) FROM missed_case WHERE aside_at IS NULL AND escalate_at <= now()) AS case,
    (SELECT count(*) FROM crm_event_work WHERE NOT is_aside) AS change,
    (SELECT count(*) FROM crm_webhook WHERE aside_at IS NULL) AS webhook,
    (SELECT count(*) FROM crm_unread WHERE next_try_at <= now()) AS row,
    (SELECT count(*) FROM effect WHERE state = 'waiting') AS effect,
    (SELECT count(*) FROM inbox WHERE state = 'pending') AS event,
    (SELECT count(*) FROM channel_update WHERE state = 'pending') AS update
"""


@pytest.fixture
async def aside(pool: asyncpg.Pool, account: str) -> None:
    for statement in _ASIDE:
        await pool.execute(statement)


async def test_each_kind_is_listed_with_its_reason_and_found_by_filters(api: Api, aside: None) -> None:
    items = (await api.ask("GET", "{a}/desk/entries"))["items"]
    assert {i["kind"]: i["key"] for i in items} == KEYS
    assert [i["kind"] for i in items] == list(KEYS)  # oldest first
    assert all(i["why"] and i["since"] for i in items)
    assert {i["kind"]: i["tries"] for i in items} | {"effect": 0} == {
        **dict.fromkeys(KEYS, 1),
        "effect": 0,
        "call": 4,
        "case": 4,
        "change": 5,
        "webhook": 2,
    }
    assert all(i["can"] == ["retry", "ignore"] for i in items)
    assert await api.ask("GET", "{a}/desk/entries/count") == dict.fromkeys(KEYS, 1)
    of_a_kind = (await api.ask("GET", "{a}/desk/entries", kind="call"))["items"]
    assert [(i["key"], i["what"]) for i in of_a_kind] == [("undecided:k1", "missed")]
    of_a_client = (await api.ask("GET", "{a}/desk/entries", client=NUMBER))["items"]
    assert [i["kind"] for i in of_a_client] == ["effect", "event", "update", "call", "case"]
    found, after = [], None
    while True:
        page = await api.ask("GET", "{a}/desk/entries", limit=3, **({"after": after} if after else {}))
        found += [i["kind"] for i in page["items"]]
        if (after := page["next"]) is None:
            break
    assert found == list(KEYS)
    refused = await api.ask("GET", "{a}/desk/entries", after="nowhere", status=400)
    assert refused["field"] == "after"


async def test_everything_is_tried_again_by_one_request(api: Api, aside: None) -> None:
    assert await api.ask("POST", "{a}/desk/entries/retry", body={"keys": list(KEYS.values())}) == {"count": 8}
    assert [dict(row) for row in await api.pool.fetch(_LEFT)] == [dict.fromkeys(KEYS, 1)]
    assert await api.ask("POST", "{a}/desk/entries/retry", body={"keys": None}) == {
        "count": 1
    }  # the row stays
    wrong = await api.ask("POST", "{a}/desk/entries/retry", body={"keys": ["webhook:x"]}, status=400)
    assert "number must follow" in wrong["title"]


async def test_everything_is_ignored_with_a_note(api: Api, aside: None) -> None:
    body = {"keys": list(KEYS.values()), "note": "a test"}
    assert await api.ask("POST", "{a}/desk/entries/ignore", body=body) == {"count": 8}
    assert await api.ask("GET", "{a}/desk/entries/count") == dict.fromkeys(KEYS, 0)
    assert (await api.ask("GET", "{a}/desk/entries"))["items"] == []
    kept = "SELECT aside_note FROM call UNION ALL SELECT aside_note FROM missed_case UNION ALL SELECT note FROM crm_unread"
    kept += " UNION ALL SELECT note FROM channel_update"
    assert [r[0] for r in await api.pool.fetch(kept)] == ["a test"] * 4


async def test_the_command_line_shows_and_does_the_same(
    pool: asyncpg.Pool, database_url: str, aside: None
) -> None:
    listed = await callmatrix(database_url, "desk", "list", "--account", ACCOUNT)
    assert all(key in listed.stdout for key in KEYS.values()), listed.stdout + listed.stderr
    told = json.loads((await callmatrix(database_url, "desk", "list", "--account", ACCOUNT, "--json")).stdout)
    assert told["counts"] == dict.fromkeys(KEYS, 1)
    assert len(told["effects"]) == len(told["events"]) == len(told["updates"]) == 1
    assert [e["kind"] for e in told["others"]] == ["call", "case", "change", "webhook", "row"]
    only = await callmatrix(database_url, "desk", "list", "--account", ACCOUNT, "--kind", "webhook")
    assert "webhook:1" in only.stdout
    assert "undecided" not in only.stdout
    strange = await callmatrix(database_url, "desk", "list", "--account", ACCOUNT, "--kind", "moon")
    assert (strange.returncode, "none of effect" in strange.stderr) == (2, True)
    ignored = await callmatrix(
        database_url, "desk", "ignore", "webhook:1", "row:1", "--note", "n", "--account", ACCOUNT
    )
    assert "2 are set aside" in ignored.stdout, ignored.stderr
    tried = await callmatrix(database_url, "desk", "retry", "--all", "--account", ACCOUNT)
    assert "6 are tried again" in tried.stdout, tried.stderr


async def test_check_and_metrics_tell_what_could_not_be_decided(api: Api, aside: None) -> None:
    status = await api.ask("GET", "{a}/status")
    assert status["status"]["desk"] == dict.fromkeys(KEYS, 1)
    finding = next(f for f in status["findings"] if f["code"] == "set-aside")
    assert "callmatrix desk list" in finding["remedy"]


async def test_what_a_messenger_told_is_shown_whole_only_to_those_who_may_read_the_channel(
    api: Api, aside: None
) -> None:
    [whole] = (await api.ask("GET", "{a}/desk/updates"))["items"]
    assert (whole["id"], whole["channel"], whole["why"]) == ("1", "Shop", "sms-wire-invalid: no")
    assert whole["told"]["id"] == "m1"
    who = await anna(api, role="senior_manager")
    [masked] = (await api.ask("GET", "{a}/desk/updates", role=who))["items"]
    assert (masked["why"], masked["told"], masked["raw"]) == (whole["why"], None, None)
    await api.ask("PUT", "{a}/channels/c1/rights", body={"rights": {"anna": "read"}})
    assert (await api.ask("GET", "{a}/desk/updates", role=who))["items"] == [whole]
