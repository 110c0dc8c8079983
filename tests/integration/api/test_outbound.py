"""What goes out, over the API and at the command line: its settings, the queue, and each item."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from crm.port import CrmField
from crm.store.metadata import store_fields
from gateway.store.outbound.attempts import AttemptRow, add_attempt, save_attempt
from routing.outbound.attempts import Attempt, AttemptOutcome
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.in_process import Said, typed

OLGA = "+79161234567"


async def queued(api: Api, id: str, **columns: Any) -> None:
    values: dict[str, Any] = {
        "account_id": ACCOUNT,
        "item_id": id,
        "kind": "callback",
        "source": "trigger",
        "deal_id": "7",
        "client": OLGA,
        '"order"': {
            "trigger": "big deals",
            "version": 2,
            "action": {"do": "callback", "connection": "office"},
        },
        **columns,
    }
    names, places = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await api.pool.execute(f"INSERT INTO outbound_item ({names}) VALUES ({places})", *values.values())


async def attempted(api: Api, item_id: str) -> None:
    now = datetime.now(UTC)
    row = AttemptRow(
        account_id=ACCOUNT,
        attempt_id="a1",
        item_id=item_id,
        kind="callback",
        client=OLGA,
        employee_id="anna",
        extension="101",
        group_number=None,
        connection="office",
        line=None,
        state="claimed",
        side=None,
        reason=None,
        raw="",
        claimed_at=now,
        placed_at=None,
        over_at=None,
        call_key=None,
        look_at=now + timedelta(minutes=1),
        looks=0,
    )
    over = Attempt(state="over", outcome=AttemptOutcome(side="client", reason="busy", raw="17/486"))
    async with api.pool.acquire() as conn:
        assert await add_attempt(conn, row)
        await save_attempt(conn, row, over, now)


async def test_the_rate_is_a_whole_number_and_holds_at_once(api: Api) -> None:
    for said, read in (("05", 5), (0, 0), ("600", 600)):
        assert (await api.ask("PUT", "{a}/outbound/rate", body={"rate": said}))["rate"] == read
    for said in ("+5", "5.0", "1.5", "abc", "", "١", "-1", -1, 601, " "):
        refused = await api.ask("PUT", "{a}/outbound/rate", body={"rate": said}, status=400)
        assert refused["field"] == "rate", said
    refused = await api.ask("PUT", "{a}/outbound/rate", body={"rate": 1.5}, status=400)
    assert (refused["field"], refused["title"]) == ("rate", "'1.5' is no number of calls a minute")
    assert "whole number from 0 to 600" in refused["detail"]
    for nonsense in (5.5, True, None, [1]):
        await api.ask("PUT", "{a}/outbound/rate", body={"rate": nonsense}, status=400)
    assert (await api.ask("GET", "{a}/outbound/settings", role="read_only"))["rate"] == 600
    await api.ask("PUT", "{a}/outbound/rate", body={"rate": 1}, role="manager", status=403)


async def test_settings_are_replaced_as_a_whole_and_what_cannot_be_is_refused(api: Api) -> None:
    now = await api.ask("GET", "{a}/outbound/settings")
    wanted = {**now, "hours": {**now["hours"], "opens": "10:00", "days": [1, 2]}, "recall_gap_minutes": 5}
    assert (await api.ask("PUT", "{a}/outbound/settings", body=wanted))["hours"]["days"] == [1, 2]
    for wrong in ({"hours": {"opens": "21:00", "closes": "09:00"}}, {"rate": 601}, {"zone_field": "price"}):
        await api.ask("PUT", "{a}/outbound/settings", body={**wanted, **wrong}, status=400)
    async with api.pool.acquire() as conn:
        await store_fields(conn, ACCOUNT, "contact", [CrmField(id="5", code=None, name="Zone", type="text")])
    said = await api.ask(
        "PUT", "{a}/outbound/settings", body={**wanted, "zone_field": "contact.cf_6"}, status=400
    )
    assert said["field"] == "zone_field"
    known = {**wanted, "zone_field": "contact.cf_5"}
    assert (await api.ask("PUT", "{a}/outbound/settings", body=known))["zone_field"] == "contact.cf_5"
    assert (await api.ask("GET", "{a}/outbound/settings")) == known
    changes = (await api.ask("GET", "/audit", what="settings"))["items"]
    assert changes[0]["after"] == {"outbound.zone_field": "contact.cf_5"}


async def test_clearing_takes_out_what_waits_and_counts_it_exactly(api: Api) -> None:
    """What is being called goes on, and texts and campaigns are not meant."""
    for id, columns in (
        ("w1", {}),
        ("w2", {"reason": "nobody_free"}),
        ("d1", {"state": "dialling"}),
        ("s1", {"kind": "sms"}),
        ("c1", {"kind": "campaign", "source": "campaign", "campaign": "autumn", "client": "+79161234560"}),
        ("c2", {"kind": "campaign", "source": "campaign", "campaign": "autumn", "state": "held"}),
        ("u1", {"state": "unknown", "reason": "never_heard_of"}),
    ):
        await queued(api, id, **columns)
    seen = await api.ask("GET", "{a}/outbound/queue", role="read_only", lang="en")
    assert (seen["waiting"], seen["under_way"], seen["unknown"]) == (
        {"callback": 2, "sms": 1, "campaign": 1},
        1,
        1,
    )
    said = {(p["state"], p["message"]) for p in seen["parts"] if p["kind"] == "callback"}
    assert ("waiting", "nobody who could take it is free") in said
    assert ("waiting", "nobody has looked at it yet") in said
    await api.ask("POST", "{a}/outbound/queue/clear", body={}, role="manager", status=403)
    no = await api.ask("POST", "{a}/outbound/queue/clear", body={"kind": "campaign"}, status=400)
    assert (no["code"], "campaign finish" in str(no)) == ("campaigns-not-cleared", True)
    assert await api.ask("POST", "{a}/outbound/queue/clear", body={}) == {"cleared": 2}
    assert await api.ask("POST", "{a}/outbound/queue/clear", body={}) == {"cleared": 0}
    rows = await api.pool.fetch("SELECT item_id, state, reason FROM outbound_item ORDER BY item_id")
    assert [(r["item_id"], r["state"]) for r in rows] == [
        ("c1", "waiting"),
        ("c2", "held"),
        ("d1", "dialling"),
        ("s1", "waiting"),
        ("u1", "unknown"),
        ("w1", "cleared"),
        ("w2", "cleared"),
    ]
    assert await api.pool.fetchval("SELECT count(*) FROM effect") == 0
    [change] = (await api.ask("GET", "/audit", what="queue"))["items"]
    assert (change["object"], change["after"]) == ("callback", {"items": 2})


async def test_items_are_listed_by_filters_and_one_is_shown_with_its_attempts(api: Api) -> None:
    await queued(api, "i1", reason="nobody_free")
    await queued(api, "i2", deal_id="8", client=None, state="failed", reason="expired")
    await queued(api, "i3", kind="campaign", campaign="autumn", source="campaign", firing_id="f")
    await attempted(api, "i1")
    asked: list[tuple[dict[str, Any], set[str]]] = [
        ({"state": "failed"}, {"i2"}),
        ({"kind": "campaign"}, {"i3"}),
        ({"campaign": "autumn"}, {"i3"}),
        ({"deal": "8"}, {"i2"}),
        ({"client": "8 916 123-45-67"}, {"i1", "i3"}),
        ({"trigger": "gone"}, set()),
        ({"reason": "expired"}, {"i2"}),
    ]
    for query, found in asked:
        listed = (await api.ask("GET", "{a}/outbound/items", role="manager", **query))["items"]
        assert {i["id"] for i in listed} == found, query
    first = await api.ask("GET", "{a}/outbound/items", limit=2)
    rest = await api.ask("GET", "{a}/outbound/items", limit=2, after=first["next"])
    assert len({i["id"] for i in first["items"] + rest["items"]}) == 3
    full = await api.ask("GET", "{a}/outbound/items/i1", lang="en")
    assert full["message"] == "waits: nobody who could take it is free"
    assert (full["trigger"], full["version"], full["order"]["version"]) == ("big deals", 2, 2)
    [attempt] = full["attempts"]
    assert attempt["message"] == "the client was not reached: busy"
    assert (attempt["extension"], attempt["raw"]) == ("101", "17/486")
    await api.ask("GET", "{a}/outbound/items/none", status=404)
    await api.ask("GET", "{a}/outbound/items", role="read_only", status=403)


async def test_the_command_line_sets_shows_and_clears(api: Api, database_url: str) -> None:
    async def at(*words: str) -> Said:
        return await typed(database_url, "outbound", *words, "--account", ACCOUNT)

    changed = await at(
        "set", "rate=05", "hours.days=5,1", "hours.is_strict=true", "retries.operator.most=0", "--json"
    )
    now = json.loads(changed.out)
    assert (now["rate"], now["hours"]["days"], now["hours"]["is_strict"]) == (5, [1, 5], True)
    assert now["retries"]["operator"]["most"] == 0
    assert "hours.days\t1,5" in (await at("settings")).out
    half = (await at("set", "rate=1.5")).err
    assert "'1.5' is no number of calls a minute" in half
    assert "whole number from 0 to 600" in half
    await queued(api, "i1", reason="paused")
    await attempted(api, "i1")
    assert "callback\twaiting\t1" in (await at("queue")).out
    [listed] = json.loads((await at("list", "--json")).out)
    assert listed["item_id"] == "i1"
    shown = await at("show", "i1", "--lang", "en")
    assert "the client was not reached: busy" in shown.out
    unsure = await at("clear")
    assert (unsure.code, "nobody answered" in unsure.err) == (1, True)
    assert (await at("clear", "--yes")).out == "1 are taken out of the queue.\n"
    assert (await at("clear")).out == "Nothing waits.\n"
    assert "campaign stop" in (await at("clear", "--kind", "campaign", "--yes")).err


async def test_what_nobody_looks_at_while_all_is_paused_says_so(api: Api, database_url: str) -> None:
    await queued(api, "c1")
    await queued(api, "s1", kind="sms")

    async def said() -> set[tuple[str, str]]:
        listed = (await api.ask("GET", "{a}/outbound/items", lang="en"))["items"]
        parts = (await api.ask("GET", "{a}/outbound/queue", lang="en"))["parts"]
        return {
            (one["kind"], one["message"].partition(": ")[2] or one["message"]) for one in (*listed, *parts)
        }

    nobody = "nobody has looked at it yet"
    assert await said() == {("callback", nobody), ("sms", nobody)}
    await api.ask("PUT", "{a}/outbound/rate", body={"rate": 0})
    paused = "calls a minute are set to 0, so that all calls are paused"
    assert await said() == {("callback", paused), ("sms", nobody)}
    for words in (["list"], ["queue"], ["show", "c1"]):
        shown = await typed(database_url, "outbound", *words, "--account", ACCOUNT, "--lang", "en")
        assert paused in shown.out, words


async def test_why_not_is_one_answer_by_api_and_command_line(api: Api, database_url: str) -> None:
    await queued(api, "i1", target={"kind": "responsible"}, connection="office")
    told = await api.ask("GET", "{a}/outbound/items/i1/why-not", role="manager", lang="en")
    typed_too = await typed(
        database_url, "outbound", "why-not", "i1", "--account", ACCOUNT, "--lang", "en", "--json"
    )
    by_hand = json.loads(typed_too.out)
    assert (by_hand["reason"], by_hand["message"]) == (told["reason"], told["message"])
    assert told["steps"][-1]["because"] == told["reason"]
    assert {step["message"] for step in told["steps"]} & {step["rule"] for step in told["steps"]} == set()
    await queued(api, "i2", state="unknown", reason="never_heard_of")
    known = await api.ask("GET", "{a}/outbound/items/i2/why-not", lang="en")
    assert (known["message"], known["steps"]) == ("nobody knows: nobody knows whether there was a call", [])
    settled = await typed(database_url, "outbound", "settle", "i2", "reached", "--account", ACCOUNT)
    assert settled.out == "Item 'i2' is succeeded.\n"
    said = await api.ask("POST", "{a}/outbound/items/i2/settle", body={"is_reached": False}, status=409)
    assert said["code"] == "not-unknown"
    await api.ask("POST", "{a}/outbound/items/none/settle", body={"is_reached": False}, status=404)
    stopped = await api.ask("POST", "{a}/outbound/connections/office/resume", status=409)
    assert stopped["code"] == "not-stopped"
