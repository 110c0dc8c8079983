"""The checker of the chaos suite finds what it is there to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.checker import check
from tests.chaos.content import SENIOR
from tests.chaos.evidence import Evidence, busiest_second
from tests.chaos.facts import CallFacts
from tests.chaos.history import history
from tests.chaos.oracle import expected, note_counts
from tests.chaos.pbx import Accepted
from tests.chaos.tenants import TENANTS
from tests.chaos.traffic import PlannedCall, PlannedEvent, plan

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
NUMBER = "+79161234567"
TENANT = TENANTS[0]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_call(
    key: str = "c1", begins: float = 0.0, *, number: str = NUMBER, answered: bool = False
) -> CallFacts:
    told: list[tuple[float, dict[str, Any]]] = [(0.0, {"event": "newCall"})]
    if answered:
        told += [(1.0, {"event": "answer", "extension": "101"})]
    told += [(2.0, {"event": "hangup", **({"billsec": 1} if answered else {"cause": "noAnswer"})})]
    events = tuple(PlannedEvent(begins + after, begins + after, fields) for after, fields in told)
    call = PlannedCall(TENANT.account, key, begins, "generic", "missed", "in", number, events)
    return CallFacts(
        call, tuple(Accepted(call, e, at(e.at), at(e.at), at(e.at), 0, 1, False) for e in events)
    )


def an_evidence(**changed: Any) -> Evidence:
    """What one missed call of a new client must leave."""
    stamp = int(START.timestamp()) + 3

    def effect(key: str, what: str, crm_id: str) -> dict[str, Any]:
        return {
            "effect_key": key, "what": what, "state": "done", "crm_id": crm_id, "client": NUMBER, "doubts": 0,
            "was_found": False, "error_code": None, "created_at": at(2), "sent_at": at(3), "done_at": at(3),
            "after": [], "attempts": 1,
        }  # fmt: skip

    rows: dict[str, Any] = {
        "inbox": [
            {"connection_id": "generic", "call_key": "c1", "client": NUMBER, "state": "applied", "error": None}
            for _ in range(2)
        ],
        "calls": [
            {"connection_id": "generic", "call_key": "c1", "call_id": "id1", "client": NUMBER, "is_over": True,
             "due_at": None, "answered_at": None, "direction": "inbound", "disposition": "no_answer",
             "client_kind": "new", "started_at": at(0), "ended_at": at(2)},
        ],
        "effects": [
            effect("c", "create_contact", "1"),
            effect("d", "create_deal", "2"),
            effect("case:id1:task", "create_task", "3"),
            effect("n", "attach_call", "4"),
        ],
        "cases": [{"case_id": "id1", "client": NUMBER, "state": "open", "missed_calls": ["id1"]}],
        "decisions": [],
        "contacts": [
            {"id": 1, "name": NUMBER, "phones": [NUMBER], "is_deleted": 0, "created_at": stamp, "responsible_user_id": SENIOR}
        ],
        "deals": [
            {"id": 2, "name": f"Звонок {NUMBER}", "contacts": [1], "is_hidden": 0, "is_deleted": 0, "status_id": 1,
             "created_at": stamp, "responsible_user_id": SENIOR}
        ],
        "tasks": [
            {"id": 3, "entity_id": 2, "text": f"Перезвонить {NUMBER}: 12:00 2.03", "is_completed": 0, "result": "",
             "created_at": stamp, "responsible_user_id": SENIOR, "complete_till": stamp + 3600}
        ],
        "notes": [
            {"id": 4, "entity_id": 2, "note_type": "call_in", "created_at": stamp, "responsible_user_id": SENIOR,
             "params": {"uniq": "id1", "phone": NUMBER, "call_status": 6, "duration": 0,
                        "call_result": "Пропущенный звонок"}}
        ],
        "ledger": [],
    }  # fmt: skip
    return Evidence(since=START, account=TENANT.account, **{**rows, **changed})


def kinds(evidence: Evidence, *facts: CallFacts) -> set[str]:
    return {v.kind for v in check(facts or (a_call(),), evidence, TENANT).violations}


def test_a_run_in_which_all_is_well_has_no_violations() -> None:
    assert check((a_call(),), an_evidence(), TENANT).violations == []


def doubled(what: str, **change: Any) -> Evidence:
    there = an_evidence()
    rows = getattr(there, what)
    return an_evidence(**{what: [*rows, {**rows[0], **change}]})


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (doubled("contacts", id=11), "doubled"),
        (doubled("deals", id=12), "doubled"),
        (doubled("tasks", id=13), "doubled"),
        (doubled("notes", id=14), "doubled"),
        (an_evidence(contacts=[], deals=[], tasks=[], notes=[]), "lost"),
        (an_evidence(notes=[]), "lost"),
        (an_evidence(tasks=[]), "lost"),
        (an_evidence(calls=[]), "lost"),
        (an_evidence(inbox=an_evidence().inbox[:1]), "lost"),
        (an_evidence(inbox=an_evidence().inbox * 2), "doubled"),
        (an_evidence(cases=[]), "lost"),
        (an_evidence(calls=[{**an_evidence().calls[0], "is_over": False}]), "unfinished"),
        (an_evidence(calls=[{**an_evidence().calls[0], "answered_at": at(1)}]), "wrong"),
        (an_evidence(effects=[{**an_evidence().effects[0], "state": "unknown"}]), "unfinished"),
        (an_evidence(effects=[{**an_evidence().effects[0], "state": "dead"}]), "unfinished"),
        (
            an_evidence(
                ledger=[
                    {"at": i / 10, "integration": "callmatrix", "method": "GET", "path": "/", "status": 200}
                    for i in range(8)
                ]
            ),
            "over-limit",
        ),
    ],
)
def test_each_kind_of_damage_is_found(evidence: Evidence, kind: str) -> None:
    assert kind in kinds(evidence)


def with_one(what: str, **change: Any) -> Evidence:
    return an_evidence(**{what: [{**getattr(an_evidence(), what)[0], **change}]})


def with_note(**change: Any) -> Evidence:
    return with_one("notes", params={**an_evidence().notes[0]["params"], **change})


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (with_one("contacts", name="nobody"), "is called"),
        (with_one("deals", responsible_user_id=1000103), "1000103's"),
        (with_note(phone="+79160000000"), "is of +79160000000"),
        (with_note(call_status=4), "status 4"),
        (with_note(duration=7), "7 seconds long"),
        (with_note(link="https://elsewhere.example/r.mp3"), "links to"),
        (with_note(call_result="Разговор"), "of a missed call"),
        (with_one("notes", entity_id=1), "stands on 1"),
        (with_one("notes", responsible_user_id=1000103), "is 1000103's"),
        (with_one("tasks", text="Перезвонить +79160000000: 12:00 2.03"), "says"),
        (with_one("tasks", text=f"Перезвонить {NUMBER}: 15:00 2.03"), "at that time"),
        (with_one("tasks", responsible_user_id=1000103), "1000103's"),
        (with_one("tasks", complete_till=int(START.timestamp()) + 60), "is due"),
        (with_one("tasks", entity_id=1), "stands on 1"),
    ],
)
def test_what_stands_in_the_crm_otherwise_than_it_must_is_found(evidence: Evidence, said: str) -> None:
    wrong = [v.what for v in check((a_call(),), evidence, TENANT).violations if v.kind == "wrong"]
    assert any(said in what for what in wrong), wrong


def test_a_window_of_one_second_is_open_at_its_end() -> None:
    def requests(*times: float) -> list[dict[str, Any]]:
        return [{"at": t, "integration": "callmatrix", "path": "/api/v4/leads"} for t in times]

    assert len(busiest_second(requests(0.0, 0.5, 0.999))) == 3
    assert len(busiest_second(requests(0.0, 0.5, 1.0))) == 2


def test_a_client_who_was_talked_to_afterwards_has_no_open_task() -> None:
    missed, talked = a_call(), a_call("c2", 30, answered=True)
    assert expected([missed])[NUMBER].open_cases == (1, 1)
    assert expected([missed, talked])[NUMBER].open_cases == (0, 0)
    assert expected([a_call("c0", -30, answered=True), missed])[NUMBER].open_cases == (1, 1)
    assert expected([missed, a_call("c2", 1, answered=True)])[NUMBER].open_cases == (0, 1), (
        "too close to tell"
    )


def test_known_clients_get_nothing_new() -> None:
    known = a_call(number="+79000000007")
    wanted = expected([known])["+79000000007"]
    assert (wanted.contacts, wanted.new_deals) == (1, 0)
    assert note_counts(known, "+79000000007") == (0, 0)


def test_the_history_tells_events_effects_and_what_is_in_the_crm() -> None:
    told = history(NUMBER, [a_call()], an_evidence())
    for part in (
        "accepted generic/c1 newCall",
        "effect c create_contact",
        "in the CRM: contact 1",
        "case id1",
    ):
        assert part in told


def test_a_seed_always_plans_the_same_traffic_with_everything_in_it() -> None:
    calls = plan(7, 600, 2000, TENANTS)
    assert calls == plan(7, 600, 2000, TENANTS) != plan(8, 600, 2000, TENANTS)
    assert len(calls) >= 2000
    scenarios = {c.scenario for c in calls}
    assert scenarios == {
        "missed", "answered", "transferred", "answered_by_unknown", "answer_known_by_hangup", "returned", "noise",
    }  # fmt: skip
    assert {s for c in calls for s in c.spoilt} == {"repeated", "reordered", "delayed", "missing"}
    assert {(c.account, c.connection) for c in calls} == {
        (t.account, name) for t in TENANTS for name in t.skews if not t.is_outgoing
    }, "an account that is called back orders its own calls"
