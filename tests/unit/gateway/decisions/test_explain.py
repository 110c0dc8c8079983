"""A stored decision is said in the chosen language, its codes beside the words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateway.decisions.explain import explained
from gateway.store.decisions.decisions import DecisionRow, EffectRow, Explained
from gateway.texts.sentences import TEXTS
from routing.matrix.decide import decide
from routing.matrix.presets import recommended
from tests.unit.routing.matrix.situations import a_situation

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def a_row(kind: str, reason: str, outcome: dict[str, Any], steps: list[dict[str, Any]]) -> DecisionRow:
    return DecisionRow(
        account_id="sales",
        decision_id="d-1",
        kind=kind,
        at=NOW,
        call_id=None,
        client="+79161234567",
        reason=reason,
        outcome=outcome,
        steps=steps,
        inputs={},
    )


def an_effect(state: str, **more: Any) -> EffectRow:
    values: dict[str, Any] = {
        "key": "k",
        "what": "create_contact",
        "order": {},
        "state": state,
        "crm_id": None,
        "crm_extra": {},
        "was_found": False,
        "error_code": None,
        "error_field": None,
        "error_detail": None,
        "created_at": NOW,
        "done_at": None,
    }
    return EffectRow(**{**values, **more})


LOOKUP = a_row(
    "lookup",
    "deal_owner",
    {"outcome": "manager", "targets": [{"address": "104"}]},
    [
        {"rule": "lead", "verdict": "passed", "because": "no_lead", "facts": {}},
        {"rule": "deal", "verdict": "decided", "because": "deal_owner", "facts": {}},
    ],
)


def test_a_lookup_is_explained_in_russian_and_in_english() -> None:
    russian = explained(Explained(decision=LOOKUP, effects=()), TEXTS["ru"], MOSCOW)
    english = explained(Explained(decision=LOOKUP, effects=()), TEXTS["en"], MOSCOW)
    assert russian["message"] == (
        "Звонит ответственному за открытую сделку клиента (manager, deal_owner). Звонят: 104."
    )
    assert english["message"] == (
        "The owner of the caller's open deal is rung (manager, deal_owner). Rung: 104."
    )
    assert [s["because"] for s in russian["steps"]] == ["no_lead", "deal_owner"]
    assert english["steps"][0]["message"] == "The caller has no lead."


def test_a_decision_of_the_matrix_is_explained_with_every_step_in_words() -> None:
    decision = decide(recommended(), a_situation())
    row = a_row(
        "matrix",
        decision.reason,
        decision.model_dump(mode="json", exclude={"steps"}),
        [s.as_json() for s in decision.steps],
    )
    shown = explained(Explained(decision=row, effects=()), TEXTS["en"], MOSCOW)
    assert shown["message"] == (
        "inbound, missed, new client, after the call, version 1: the actions were ordered (ordered)"
    )
    assert shown["steps"][0]["message"] == "selection of the matrix: the default matrix"


def test_what_became_of_an_effect_is_said() -> None:
    effects = (
        an_effect("done", crm_id="7", was_found=True),
        an_effect("dead", error_code="FieldMissing", error_field="name"),
        an_effect("held"),
        an_effect("a-state-of-tomorrow"),
        an_effect("done", crm_id="8", crm_extra={"refused_owners": "11; 12", "owner": "1"}),
        an_effect("waiting", crm_extra={"refused_owners": "11", "owner": ""}),
    )
    shown = explained(Explained(decision=LOOKUP, effects=effects), TEXTS["ru"], MOSCOW)
    assert [e["message"] for e in shown["effects"]] == [
        "контакт создан: 7 (уже было в CRM)",
        "создать контакт: CRM отказала (FieldMissing, поле name)",
        "создать контакт: отложено до включения аккаунта",
        "создать контакт: a-state-of-tomorrow",
        "контакт создан: 8 (CRM не принимает пользователя 11, 12 ответственным: вместо него 1.)",
        "создать контакт: ждёт своей очереди (CRM не принимает пользователя 11 ответственным: вместо него никто.)",
    ]


def test_an_old_decision_of_a_kind_or_reason_that_is_not_known_is_shown_by_its_codes() -> None:
    row = a_row(
        "matrix", "gone_by_now", {}, [{"rule": "x", "verdict": "decided", "because": "y", "facts": {}}]
    )
    shown = explained(Explained(decision=row, effects=()), TEXTS["en"], MOSCOW)
    assert "gone_by_now" in shown["message"]
    assert shown["steps"][0]["message"] == "x: y"
