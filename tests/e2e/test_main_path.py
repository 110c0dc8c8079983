"""The product's main path with its real processes: lookup, call events, what they leave in the CRM, restarts."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from routing.settings import LookupPolicy
from tests.conftest import database_of_its_own
from tests.e2e.stack import ACCOUNT, ADMIN, AUTH, Stack, running_stack

SPECIAL = {
    "+79010000001": ("104", "deal_owner"),
    "+79010000002": (None, "owner_unmapped"),
    "+79010000003": ("105", "contact_owner"),
    "+79010000004": ("107", "contact_owner"),
    "+79010000005": ("108", "contact_owner"),
    "+79010000006": ("108", "contact_owner"),
    "+79010000007": ("109", "contact_owner"),
    "+79010000008": ("110", "lead_owner"),
    "+79010000009": (None, "owner_inactive"),
}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One for all tests of this file; each uses numbers of its own and leaves the processes running."""
    async with (
        database_of_its_own(postgres_url, template_database) as url,
        running_stack(tmp_path_factory.mktemp("main"), url, workers=2) as running,
    ):
        yield running


def told(answer: dict[str, Any]) -> tuple[str | None, str]:
    person = answer["responsible"]
    return (person["extension"] if person else None, answer["reason"])


async def test_a_known_caller_rings_his_manager_in_every_spelling_of_his_number(stack: Stack) -> None:
    for spelling in ("8(900)000-00-07", "+79000000007", "79000000007", "9000000007", "8 900 000 00 07"):
        answer = await stack.lookup(spelling)
        assert told(answer) == ("108", "contact_owner"), spelling
        assert answer["outcome"] == "manager"
        assert answer["caller"] == "+79000000007"
        assert answer["entity"]["kind"] == "contact"
        assert answer["targets"] == [{"kind": "extension", "address": "108", "ring_seconds": 20}]


async def test_an_address_that_is_written_in_full_or_escaped_is_the_same_address(stack: Stack) -> None:
    host = stack.url.removeprefix("http://")
    for target in (
        f"{stack.url}/pbx/generic/lookup?phone=79000000007",
        "/pbx/gener%69c/lookup?phone=79000000007",
    ):
        reader, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer demo\r\nConnection: close\r\n\r\n".encode()
        )
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert b'"reason":"contact_owner"' in answer, (target, answer)


async def test_every_special_number_is_answered_as_stated_in_three_orders(stack: Stack) -> None:
    for number, expected in SPECIAL.items():
        assert told(await stack.lookup(number)) == expected, number
    for order, changed in (
        (("deal", "contact", "lead"), {"+79010000004": ("107", "deal_owner")}),
        (("contact", "deal", "lead"), {}),
    ):
        settings = stack.settings.model_copy(update={"lookup": LookupPolicy(priority=order)})
        await stack.api("PUT", f"/v1/accounts/{ACCOUNT}/settings", body=settings.model_dump(mode="json"))
        await _until(lambda settings=settings: _settings_are(stack, settings))
        for number, expected in {**SPECIAL, **changed}.items():
            assert told(await stack.lookup(number)) == expected, (order, number)
    await stack.api("PUT", f"/v1/accounts/{ACCOUNT}/settings", body=stack.settings.model_dump(mode="json"))


async def _settings_are(stack: Stack, settings: Any) -> bool:
    """The gateway decides by them: its dry question says which kind was looked for first."""
    answer = await stack.api("GET", "/v1/lookup", phone="+79010000001")
    first = next(s["rule"] for s in answer["steps"] if s["rule"] in ("lead", "contact", "deal"))
    return bool(first == settings.lookup.priority[0])


async def _order_is(stack: Stack, number: str, expected: tuple[str | None, str]) -> bool:
    return told(await stack.lookup(number)) == expected


async def test_a_changed_responsible_changes_the_answer_within_two_seconds(stack: Stack) -> None:
    assert told(await stack.lookup("+79000000017")) == ("108", "contact_owner")
    contact = (await stack.rows("contact", phone="79000000017"))[0]
    users = {u["email"]: u["id"] for u in await stack.rows("user")}
    await stack.register_webhook()
    await stack.act(
        "act",
        {
            "do": "set_responsible",
            "kind": "contact",
            "id": contact["id"],
            "user": users["manager102@demo.example"],
        },
    )
    await _until(lambda: _order_is(stack, "+79000000017", ("102", "contact_owner")), seconds=2)


async def test_the_last_number_that_is_removed_from_a_contact_is_forgotten_within_two_seconds(
    stack: Stack,
) -> None:
    """Its webhook carries no fields at all then."""
    number = "+79151000001"
    await stack.register_webhook()
    token = (await stack.sandbox("token?integration=another"))["access_token"]
    contacts, as_another = f"{stack.sandbox_url}/api/v4/contacts", {"Authorization": f"Bearer {token}"}
    phone = {"field_code": "PHONE", "values": [{"value": f"{number} Мария"}]}
    async with stack.http.post(
        contacts, json=[{"name": "Мария", "custom_fields_values": [phone]}], headers=as_another
    ) as made:
        contact = (await made.json())["_embedded"]["contacts"][0]["id"]

    async def is_known() -> bool:
        return (await stack.lookup(number))["entity"] is not None

    async def is_forgotten() -> bool:
        return not await is_known()

    await _until(is_known)
    removed = {"custom_fields_values": [{**phone, "values": None}]}
    async with stack.http.patch(f"{contacts}/{contact}", json=removed, headers=as_another) as changed:
        assert changed.status == 200, await changed.text()
    await _until(is_forgotten, seconds=2)


async def test_a_missed_call_of_a_new_client_leaves_contact_deal_and_task_on_the_senior(stack: Stack) -> None:
    await stack.event(event="newCall", callId="m1", from_="79035550001", to="74950000001", direction="in")
    await stack.event(
        event="hangup", callId="m1", from_="79035550001", to="74950000001", direction="in", cause="noAnswer"
    )
    await stack.until_idle()
    contacts, deals, tasks, calls = await _left_by(stack, "79035550001")
    senior = {u["email"]: u["id"] for u in await stack.rows("user")}["senior100@demo.example"]
    assert [c["responsible_user_id"] for c in contacts] == [senior]
    assert [d["responsible_user_id"] for d in deals] == [senior]
    assert [t["responsible_user_id"] for t in tasks] == [senior]
    assert [c["params"]["call_status"] for c in calls] == [6]
    assert await stack.busiest_second() <= 7


async def test_an_answered_call_of_a_new_client_belongs_to_who_answered(stack: Stack) -> None:
    base = {"callId": "a1", "from_": "79035550002", "to": "74950000001", "direction": "in"}
    await stack.event(event="newCall", **base)
    await stack.event(event="answer", extension="104", **base)
    await stack.until_idle()
    contacts, deals, tasks, calls = await _left_by(stack, "79035550002")
    user = {u["email"]: u["id"] for u in await stack.rows("user")}["manager104@demo.example"]
    assert [c["responsible_user_id"] for c in contacts] == [user], "created while they talk"
    assert [d["responsible_user_id"] for d in deals] == [user]
    assert (tasks, calls) == ([], [])
    await stack.event(
        event="hangup", cause="normalClearing", billsec=42, recording="https://pbx.example/1.mp3", **base
    )
    await stack.until_idle()
    contacts, deals, tasks, calls = await _left_by(stack, "79035550002")
    assert (len(contacts), len(deals), tasks) == (1, 1, [])
    assert [(c["created_by"], c["params"]["duration"], c["params"]["link"]) for c in calls] == [
        (user, 42, "https://pbx.example/1.mp3")
    ]
    await _counts_are_explained(stack, "79035550002")


async def _counts_are_explained(stack: Stack, number: str) -> None:
    decisions = (await stack.api("GET", "/v1/decisions", kind="matrix", client=number))["items"]
    assert decisions, "each decision of the matrix can be read"
    shown = await stack.api("GET", f"/v1/decisions/{decisions[-1]['decision_id']}")
    assert [s["verdict"] for s in shown["steps"]][-1] == "decided"
    assert all(e["state"] == "done" and e["crm_id"] for e in shown["effects"])


@pytest.mark.parametrize("seed", [1, 2])
async def test_two_calls_of_a_new_number_at_once_each_event_thrice_in_any_order_make_one_contact_and_one_deal(
    stack: Stack, seed: int
) -> None:
    dice, number = random.Random(seed), f"7903555100{seed}"
    events = []
    for call in ("t1", "t2"):
        base = {"callId": f"{call}-{seed}", "from_": number, "to": "74950000001", "direction": "in"}
        events += [{"event": "newCall", **base}] * 3
        events += [{"event": "hangup", "cause": "noAnswer", **base}] * 3
    dice.shuffle(events)
    await asyncio.gather(*(_later(stack, 0.02 * i, e) for i, e in enumerate(events)))
    await stack.until_idle()
    contacts, deals, tasks, calls = await _left_by(stack, number)
    assert (len(contacts), len(deals), len(tasks), len(calls)) == (1, 1, 1, 2)
    assert await stack.busiest_second() <= 7


async def _later(stack: Stack, seconds: float, event: dict[str, Any]) -> None:
    await asyncio.sleep(seconds)
    await stack.event(**dict(event))


async def test_lookups_and_events_are_taken_while_the_crm_is_down(stack: Stack) -> None:
    stack.process("sandbox").kill()
    assert told(await stack.lookup("+79000000007")) == ("108", "contact_owner")
    base = {"callId": "d1", "from_": "79035550004", "to": "74950000001", "direction": "in"}
    await stack.event(event="newCall", **base)
    await stack.event(event="hangup", cause="noAnswer", **base)
    stack.process("sandbox").start()
    await stack.until_answers(f"{stack.sandbox_url}/_sandbox/token")
    await stack.until_idle()
    contacts, deals, tasks, _ = await _left_by(stack, "79035550004")
    assert (len(contacts), len(deals), len(tasks)) == (1, 1, 1)


async def test_a_killed_worker_is_replaced_and_a_killed_gateway_is_complete_again_before_it_says_ready(
    stack: Stack,
) -> None:
    base = {"callId": "k1", "from_": "79035550005", "to": "74950000001", "direction": "in"}
    await stack.event(event="newCall", **base)
    await stack.event(event="hangup", cause="noAnswer", **base)
    stack.process("worker0").kill()
    await stack.until_idle()
    assert [len(rows) for rows in await _left_by(stack, "79035550005")] == [1, 1, 1, 1]
    stack.process("worker0").start()
    stack.process("gateway0").kill()
    stack.process("gateway0").start()
    await stack.until_answers(f"{stack.url}/readyz")
    assert told(await stack.lookup("+79000000007")) == ("108", "contact_owner")


async def test_a_gateway_that_has_just_started_answers_nobody_before_it_knows_the_callers(
    stack: Stack,
) -> None:
    await stack.pool.execute(
        "INSERT INTO directory_entry (account_id, number, seq, candidates)"
        " SELECT account_id, 79100000000 + n, seq, candidates FROM directory_entry, generate_series(1, 300000) n"
        " WHERE account_id = $1 AND number = 79000000007",
        ACCOUNT,
    )
    stack.process("gateway0").kill()
    stack.process("gateway0").start()
    answer = None
    async with asyncio.timeout(60):
        while answer is None:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                answer = await stack.lookup("+79000000007")
            await asyncio.sleep(0.01)
    assert told(answer) == ("108", "contact_owner")
    await stack.pool.execute("DELETE FROM directory_entry WHERE number > 79100000000")


async def test_bad_input_is_refused_by_name_and_changes_nothing(stack: Stack) -> None:
    before = await stack.pool.fetchval("SELECT count(*) FROM inbox")

    async def status(path: str, headers: dict[str, str], **options: Any) -> tuple[int, Any]:
        async with stack.http.post(f"{stack.url}{path}", headers=headers, **options) as response:
            return response.status, await response.json(content_type=None)

    async with stack.http.get(
        f"{stack.url}/pbx/generic/lookup?phone=1", headers={"Authorization": "Bearer no"}
    ) as r:
        assert r.status == 401
    async with stack.http.get(f"{stack.url}/pbx/nobody/lookup?phone=1", headers=AUTH) as r:
        assert r.status == 401
    code, body = await status("/pbx/generic/events", AUTH, json={"event": "newCall"})
    assert (code, body["field"]) == (400, "callId")
    code, body = await status("/pbx/generic/events", AUTH, data=b"x" * 300_000)
    assert code == 413
    code, body = await status("/pbx/generic/events", {"Authorization": "Bearer no"}, json={})
    assert code == 401
    for nonsense, reason in (
        ("", "no_number"),
        ("abc", "invalid_number"),
        ("anonymous", "anonymous"),
        ("102", "internal"),
    ):
        answer = await stack.lookup(nonsense)
        assert (answer["outcome"], answer["reason"]) == ("scheme", reason)
    assert await stack.pool.fetchval("SELECT count(*) FROM inbox") == before


async def test_calls_between_own_numbers_and_extensions_leave_nothing(stack: Stack) -> None:
    before = await stack.pool.fetchval("SELECT count(*) FROM effect")
    for call_id, caller in (("i1", "102"), ("i2", "74950000001")):
        base = {"callId": call_id, "from_": caller, "to": "74950000001", "direction": "in"}
        await stack.event(event="newCall", **base)
        await stack.event(event="hangup", cause="noAnswer", **base)
    await stack.until_idle()
    assert await stack.pool.fetchval("SELECT count(*) FROM effect") == before


async def test_a_lookup_is_recorded_and_can_be_explained(stack: Stack) -> None:
    answer = await stack.lookup("+79010000001", call_id="x")
    shown = await _eventually(stack, answer["decision_id"])
    assert shown["reason"] == "deal_owner"
    assert [s["verdict"] for s in shown["steps"]].count("decided") == 1
    assert "owner_inactive" in {s["because"] for s in shown["steps"]}


async def _eventually(stack: Stack, decision_id: str) -> Any:
    for _ in range(30):
        async with stack.http.get(f"{stack.url}/api/v1/decisions/{decision_id}", headers=ADMIN) as response:
            if response.status == 200:
                return await response.json()
        await asyncio.sleep(0.1)
    raise AssertionError("not readable after 3 s")


async def _left_by(stack: Stack, phone: str) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Contacts, deals, tasks and call notes of this number, from the CRM's own data."""
    contacts = await stack.rows("contact", phone=phone)
    ids = {c["id"] for c in contacts}
    deals = [d for d in await stack.rows("deal") if ids & set(d["contacts"])]
    ids |= {d["id"] for d in deals}
    tasks = [t for t in await stack.rows("task") if t["entity_id"] in ids]
    calls = [n for n in await stack.rows("call") if n["entity_id"] in ids]
    return contacts, deals, tasks, calls


async def _until(holds: Any, seconds: float = 5) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await holds():
        assert loop.time() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.05)
