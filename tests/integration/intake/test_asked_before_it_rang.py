"""What the PBX was told while a phone rang belongs to the call, whether its question named the call or not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from gateway.decisions.explain import explain
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from routing.calls.model import EventKind
from tests.integration.intake.office import ACCOUNT, CLIENT, LINE, START, Office, a_call, an_event


def _lookup(id: str, at: datetime, **inputs: Any) -> DecisionRow:
    asked = {"phone": "8 916 123-45-67", "did": LINE.removeprefix("+"), "pbx_call_id": None, **inputs}
    return DecisionRow(
        account_id=ACCOUNT,
        decision_id=id,
        kind="lookup",
        at=at,
        call_id=None,
        client=asked.pop("client", CLIENT),
        reason="deal_owner",
        outcome={"outcome": "manager", "targets": []},
        steps=[{"rule": "deal", "verdict": "decided", "because": "deal_owner", "facts": {}}],
        inputs=asked,
    )


async def _asked(office: Office, *rows: DecisionRow) -> None:
    async with office.pool.acquire() as conn:
        named = [
            {**row.inputs, "connection": row.inputs.get("connection", office.connection.name)} for row in rows
        ]
        await add_decisions(
            conn,
            [
                DecisionRow(**{**{n: getattr(row, n) for n in DecisionRow.__slots__}, "inputs": inputs})
                for row, inputs in zip(rows, named, strict=True)
            ],
        )


async def _joined(office: Office, key: str = "c1") -> tuple[str | None, str | None, str | None]:
    call = await office.call(key)
    return call["lookup_id"], call["lookup_reason"], call["lookup_by"]


async def test_a_question_that_names_the_call_is_that_calls(office: Office) -> None:
    await _asked(
        office,
        _lookup("nearer", START, pbx_call_id="another"),
        _lookup("named", START + timedelta(seconds=40), pbx_call_id="c1"),
    )
    await office.tell_all(a_call(answered_by="101"))
    await office.settle()
    assert await _joined(office) == ("named", "deal_owner", "id")
    async with office.pool.acquire() as conn:
        told = await explain(conn, (await office.call())["call_id"], ACCOUNT)
    assert {(d["kind"], d["joined_by"]) for d in told} == {("lookup", "id"), ("matrix", None)}


async def test_without_an_id_client_line_and_ten_seconds_say_which_call_it_was(office: Office) -> None:
    await _asked(
        office,
        _lookup("late", START + timedelta(seconds=11)),
        _lookup("other line", START, did="+74950000000"),
        _lookup("other client", START, client="+79990000000"),
        _lookup("other PBX", START, connection="another"),
        _lookup("first", START - timedelta(seconds=3)),
        _lookup("nearest", START + timedelta(seconds=1)),
    )
    await office.tell_all(a_call())
    await office.settle()
    assert await _joined(office) == ("nearest", "deal_owner", "time")


async def test_a_question_written_down_after_the_first_message_is_found_when_the_call_is_over(
    office: Office,
) -> None:
    started, ended = a_call()
    await office.tell(started)
    await office.settle(1)
    assert await _joined(office) == (None, None, None)
    await _asked(office, _lookup("later", START + timedelta(seconds=1)))
    await office.tell(ended)
    await office.settle()
    assert await _joined(office) == ("later", "deal_owner", "time")


async def test_who_took_part_stays_as_it_was_when_the_extension_becomes_anothers(office: Office) -> None:
    await office.tell_all(a_call(answered_by="101"))
    await office.settle()
    assert (await office.call())["people"] == ["anna"]
    await office.pool.execute("UPDATE employee SET extensions = '{}' WHERE employee_id = 'anna'")
    await office.pool.execute("UPDATE account SET staff_version = staff_version + 1")
    await office.tell(an_event(EventKind.RECORDING, at=START + timedelta(seconds=60), recording="http://x/1"))
    await office.settle()
    call = await office.call()
    assert (call["people"], call["is_by_unknown"]) == (["anna"], False)
    assert call["facts"]["recording"] == "http://x/1"
