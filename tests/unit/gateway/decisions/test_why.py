"""Every decision is told in one whole sentence, in both languages, whatever the people are called."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from gateway.decisions.names_then import NamesThen
from gateway.decisions.why.sentence import WhySentence
from gateway.decisions.why.why import why_of
from gateway.store.decisions.decisions import DecisionRow, EffectRow
from gateway.texts.sentences import TEXTS
from routing.distribution.reasons import DISTRIBUTION_REASONS, LEFT_OUT
from routing.lookup.reasons import REASONS
from routing.matrix.reasons import DECISIONS
from routing.missed_calls import CaseReason
from routing.orders import ORDER_KINDS
from routing.staff import Employee, Staff
from routing.texts.catalogue import LANGUAGES, Language, Phrase

AT = datetime(2026, 11, 24, 11, 32, tzinfo=UTC)
ODD_NAMES = ("Ли Чжао", "Мария", "Менеджер 7")
RAW = re.compile(r"[a-z]+_[a-z]|[a-z]\.[a-z]|/end|\{|\bNone\.|\bnull\b|вебхук|webhook|payload")


class Spelt:
    def phone(self, number: str | None) -> str:
        return number or ""

    def text(self, text: str) -> str:
        return text

    def time(self, at: datetime) -> str:
        return f"{at:%H:%M}"

    def duration(self, seconds: float) -> str:
        return f"{seconds / 60:.0f} min"


def names(name: str) -> NamesThen:
    people = [Employee(id="e1", name=name, crm_user_id="11"), Employee(id="e2", name="Second")]
    return NamesThen(Staff.of(people), {"12": name})


def a_row(kind: str, reason: str, outcome: Mapping[str, Any], *steps: Any, **inputs: Any) -> DecisionRow:
    told = [
        {"rule": rule, "verdict": verdict, "because": because, "facts": facts}
        for rule, verdict, because, facts in steps
    ]
    return DecisionRow(
        account_id="a", decision_id="d", kind=kind, at=AT, call_id=None, client="+79000001423",
        reason=reason, outcome=outcome, steps=told, inputs=inputs,
    )  # fmt: skip


def lookups(name: str) -> Iterator[DecisionRow]:
    rings = {"responsible": {"id": "e1", "name": name}}
    one = [{"kind": "extension", "address": "204", "ring_seconds": 20}]
    for reason in REASONS:
        kinds = ("contact", "company") if reason == "contact_owner" else ("deal",)
        for kind in kinds:
            entity = {"kind": kind, "id": "7", "name": "Кухня"}
            for failed in ({"owner": "12", "employee": None}, {"owner": "11", "employee": "e1"}, {}):
                facts = {**failed, "away": "off_shift", "back_at": AT.isoformat()}
                for last, outcome in (
                    ("deputy_rings", "deputy"), ("substitute_rings", "deputy"), ("template_rings", "group"),
                    ("group_rings", "group"), ("away_rings_first", "manager"), (reason, "scheme"),
                    (reason, "manager"),
                ):  # fmt: skip
                    if last == reason and outcome == "manager" and reason.startswith("owner_"):
                        continue
                    yield a_row(
                        "lookup",
                        reason,
                        {"outcome": outcome, "entity": entity, "targets": one, **rings},
                        (kind, "excluded", reason, facts),
                        ("x", "decided", last, {"template": "Опт", "members": 3}),
                        phone="+79000001423",
                    )


def matrices(name: str) -> Iterator[DecisionRow]:
    for reason in DECISIONS:
        outcome = {"row": "inbound.missed.new", "cell": "inbound.missed.new/end", "effects": []}
        yield a_row("matrix", reason, {**outcome, "wait_until": AT.isoformat()})
    for reason in ("internal", "own_number", "no_number", "anonymous", "invalid_number"):
        yield a_row("matrix", reason, {"effects": []})


def cases(name: str) -> Iterator[DecisionRow]:
    for reason in get_args(CaseReason):
        for by in (name, "12", None):
            case = {
                "owner_id": "12", "closed_by": by, "task_due_at": AT.isoformat(), "waited_seconds": 720,
                "missed_calls": ["1", "2"], "escalate_at": AT.isoformat(),
            }  # fmt: skip
            yield a_row("case", reason, {"case": case})


def distributions(name: str) -> Iterator[DecisionRow]:
    for reason in DISTRIBUTION_REASONS:
        for until in (AT.isoformat(), None):
            for because in LEFT_OUT:
                yield a_row(
                    "distribution",
                    reason,
                    {"outcome": "waits", "employee": "e1", "waits_until": until, "template": "Опт"},
                    ("person", "excluded", because, {"employee": "e2"}),
                    ("ledger", "decided", reason, {"owner": "e1", "deals": 2}),
                )


def sentences(why: WhySentence, language: Language) -> list[str]:
    return [TEXTS[language].render(p) for p in (why.sentence, why.more) if p is not None]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_decision_is_a_whole_sentence_without_a_code(language: Language, name: str) -> None:
    count = 0
    for rows in (lookups, matrices, cases, distributions):
        for row in rows(name):
            for by_client in (False, True):
                why = why_of(row, names(name), Spelt(), was_clients_call=by_client)
                for said in sentences(why, language):
                    assert re.fullmatch(r"[А-ЯЁA-Z].*\.", said), (row.kind, row.reason, said)
                    assert not RAW.search(said), (row.kind, row.reason, said)
                    count += 1
                badge = TEXTS[language].render(why.badge)
                assert len(badge.split()) <= 4, (row.reason, badge)
                assert not RAW.search(badge), (row.reason, badge)
    assert count > 300


_TAKES_A_NAME = re.compile(r"(^|: |\(|[Оо]тветственный |, )$")


def test_a_name_is_never_declined_and_decides_no_gender() -> None:
    """In Russian it stands by itself: after a colon, a comma or «ответственный», in brackets, or first."""
    for key, sentence in TEXTS["ru"].sentences.items():
        if not key.startswith("why."):
            continue
        before = ""
        for text, field, _, _ in string.Formatter().parse(sentence):
            before += text
            if field in ("person", "owner", "by"):
                assert _TAKES_A_NAME.search(before), (key, before)
            before += "x"
        assert not re.search(r"\w\((а|ла|ая)\)|пожалуйста|успешно|!", sentence), key


def test_no_sentence_waits_in_vain() -> None:
    """Each that the catalogue has is said by some decision."""
    said: set[str] = set()
    effects = [
        [an_effect(do, state)]
        for do in ORDER_KINDS
        for state in ("done", "dead", "held", "waiting", "skipped")
    ] + [[replace(an_effect("create_task", "done"), order={"do": "create_task"})]]
    for rows in (lookups, matrices, cases, distributions, several):
        for row in rows("Мария"):
            for by_client in (False, True):
                said |= keys_of(why_of(row, names("Мария"), Spelt(), was_clients_call=by_client))
    for of_one in effects:
        said |= keys_of(why_of(a_row("matrix", "ordered", {"row": "x"}), names("x"), Spelt(), effects=of_one))
    for away in ("off_shift", "holiday", "on_leave", "offline", "busy", "dnd", None):
        row = a_row("lookup", "owner_unavailable", {"outcome": "scheme", "targets": [{"kind": "sip", "address": "a"}]},
            ("deal", "excluded", "owner_unavailable", {"employee": "e1", "away": away}))  # fmt: skip
        said |= keys_of(why_of(row, names("x"), Spelt()))
    shares = {"outcome": "given", "employee": "e1", "entries": [{"weights": {"e1": 30, "e2": 70}}]}
    whose = why_of(a_row("distribution", "percent", shares), names("Мария"), Spelt())
    assert TEXTS["ru"].render(whose.sentence) == "По доле 30 %: Мария."
    said |= keys_of(whose) | keys_of(why_of(a_row("distribution", "waits_for_somebody", {"outcome": "waits"},
        ("person", "excluded", "busy", {}), ("person", "excluded", "dnd", {})), names("x"), Spelt()))  # fmt: skip
    said |= keys_of(
        why_of(a_row("distribution", "waits_for_somebody", {"outcome": "waits"}), names("x"), Spelt())
    )
    known = {key for key in TEXTS["ru"].sentences if key.startswith("why.")}
    assert known - said == set()


def keys_of(why: WhySentence) -> set[str]:
    found: set[str] = set()
    waiting: list[Any] = [why.sentence, why.badge, why.more]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Phrase):
            found.add(one.key)
            waiting += [v for v in one.values.values() if isinstance(v, tuple)]
        elif isinstance(one, tuple):
            waiting += one
    return found


def several(name: str) -> Iterator[DecisionRow]:
    for kind in ("contact", "company", "deal", "lead"):
        for has_open_deal in (True, False):
            reason = {"deal": "deal_owner", "lead": "lead_owner"}.get(kind, "contact_owner")
            facts = {"kind": kind, "of": 3, "has_open_deal": has_open_deal}
            outcome = {"outcome": "manager", "entity": {"kind": kind, "name": ""}, "targets": [
                {"kind": "sip", "address": "a"}]}  # fmt: skip
            yield a_row("lookup", reason, outcome, ("x", "decided", reason, facts))


def an_effect(do: str, state: str) -> EffectRow:
    return EffectRow(
        key="k", what=do, order={"do": do, "due_at": AT.isoformat()}, state=state, crm_id=None, crm_extra={},
        was_found=False, error_code=None, error_field=None, error_detail=None, created_at=AT, done_at=None,
    )  # fmt: skip


def test_the_sentences_of_the_table() -> None:
    row = a_row(
        "lookup", "deal_owner",
        {"outcome": "manager", "entity": {"kind": "deal", "name": "Кухня"}, "responsible": {"name": "Ли Чжао"},
         "targets": [{"kind": "extension", "address": "9", "is_away": True}, {"kind": "extension", "address": "204"}]},
        ("deal", "decided", "deal_owner", {"kind": "deal", "of": 2}),
    )  # fmt: skip
    why = why_of(row, names("Ли Чжао"), Spelt())
    assert sentences(why, "ru") == [
        "Звонок принят по открытой сделке «Кухня»: ответственный Ли Чжао, доб. 204.",
        "У номера 2 открытые сделки: выбрана «Кухня», она изменена последней.",
    ]
    made = [an_effect("create_contact", "done"), an_effect("create_task", "done")]
    assert sentences(
        why_of(a_row("matrix", "ordered", {"row": "x"}), names("x"), Spelt(), effects=made), "en"
    ) == ["Created: contact, task due 11:32."]
    passed = a_row(
        "lookup", "owner_unavailable", {"outcome": "scheme"},
        ("deal", "excluded", "owner_unavailable", {"employee": "e1", "away": "off_shift", "back_at": AT.isoformat()}),
        ("scheme", "decided", "owner_unavailable", {}),
    )  # fmt: skip
    assert sentences(why_of(passed, names("Менеджер 7"), Spelt()), "ru") == [
        "Ответственный (Менеджер 7): не на смене до 11:32. Звонок пошёл по схеме АТС."
    ]
