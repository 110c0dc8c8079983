"""Both catalogues say the same things: the same keys, the same values, every noun in all its forms."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway
from gateway.store.outbound.items import OutboundState
from gateway.web.texts.sentences import TEXTS
from routing.alerts import ALERT_KINDS
from routing.attendance.model import AttendanceReason
from routing.dialogues.incoming import INCOMING_REASONS
from routing.dialogues.owner import OWNER_REASONS
from routing.dialogues.sending import SEND_REFUSALS
from routing.distribution.checks.problems import TEMPLATE_PROBLEMS
from routing.distribution.reasons import DISTRIBUTION_REASONS, DISTRIBUTION_STEPS
from routing.effects import Order
from routing.lookup.reasons import REASONS, STEP_REASONS
from routing.matrix.checks.problems import SEVERITIES
from routing.matrix.model import CELLS
from routing.matrix.reasons import DECISIONS, OWNERS, STEPS
from routing.matrix.texts import ACTIONS, cell_in_words
from routing.matrix.variables import VARIABLES, sample_of
from routing.missed_calls import CaseReason
from routing.orders import ORDER_KINDS
from routing.outbound.attempts import AttemptReason, AttemptSide, AttemptState
from routing.outbound.client_zones import ZoneSource
from routing.outbound.dialling import KeptBy
from routing.outbound_ending import ITEM_REASONS
from routing.shift_change.reasons import RUN_REASONS, STAY_REASONS
from routing.templates import FILTERS
from routing.texts.catalogue import LANGUAGES, Language, Texts, phrase, plural_form
from routing.triggers.model import CAUSE_KINDS, CONDITION_TESTS
from routing.triggers.problems import TRIGGER_PROBLEMS
from routing.triggers.reasons import FIRING_REASONS, FIRING_STEPS
from runtime.alerts.delivery import AlertNotSent
from sms.channels.model import AuthorKind, MessageStatus, PartKind
from sms.channels.reasons import ChannelFailure, ChannelReason, ChannelState, MessageDoubt
from sms.model import SmsState
from sms.reasons import FailureClass, SmsDoubt, SmsReason
from sms.recipients import SkipReason
from sms.templates import MACROS

RU, EN = TEXTS["ru"].sentences, TEXTS["en"].sentences
PRODUCT = Path(gateway.__file__).parent.parent


def placeholders(sentence: str) -> dict[str, str]:
    return {name: spec or "" for _, name, spec, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_have_the_same_sentences() -> None:
    assert RU.keys() == EN.keys()
    assert len(RU) > 100


@pytest.mark.parametrize("key", RU)
def test_both_languages_name_the_same_values(key: str) -> None:
    assert placeholders(RU[key]).keys() == placeholders(EN[key]).keys()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", RU)
def test_every_sentence_can_be_said_whatever_its_values_are_called(key: str, language: Language) -> None:
    named = placeholders(RU[key])
    values: dict[str, int | str] = {
        n: 7 if named[n] or spec else "x" for n, spec in placeholders(EN[key]).items()
    }
    assert TEXTS[language].render(phrase(key, **values)) == TEXTS[language].say(key, **values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_noun_has_all_its_forms(language: Language) -> None:
    forms = {"ru": 3, "en": 2}[language]
    for key, sentence in TEXTS[language].sentences.items():
        for spec in placeholders(sentence).values():
            if "|" in spec:
                assert len(spec.split("|")) == forms, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_that_brings_its_noun_is_named_once(language: Language) -> None:
    """The noun comes with its number: beside the number alone it would read «5 5 запросов»."""
    twice = {
        key: sentence
        for key, sentence in TEXTS[language].sentences.items()
        for name in {n for _, n, spec, _ in string.Formatter().parse(sentence) if n and "|" in (spec or "")}
        if [n for _, n, _, _ in string.Formatter().parse(sentence)].count(name) > 1
    }
    assert twice == {}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 звонков"), (1, "1 звонок"), (2, "2 звонка"), (4, "4 звонка"), (5, "5 звонков"), (11, "11 звонков"),
        (14, "14 звонков"), (21, "21 звонок"), (22, "22 звонка"), (111, "111 звонков"), (1001, "1001 звонок"),
    ],
)  # fmt: skip
def test_a_russian_noun_agrees_with_its_number(number: int, words: str) -> None:
    assert Texts("ru", {"calls": "{n:звонок|звонка|звонков}"}).say("calls", n=number) == words


@given(st.integers(min_value=0))
def test_an_english_noun_is_singular_for_one_only(number: int) -> None:
    assert plural_form(number, "en") == (0 if number == 1 else 1)


def test_a_phrase_may_stand_in_a_phrase_and_values_are_never_read_as_templates() -> None:
    texts = Texts("en", {"outer": "{inner}, {n:+d}", "inner": "«{name}»"})
    said = texts.render(phrase("outer", inner=phrase("inner", name="{name} {0} {n}"), n=3))
    assert said == "«{name} {0} {n}», +3"


def findings_in_source() -> Iterator[tuple[str, str, set[str]]]:
    """Every finding that the source builds: its level, its code and the values that it is given."""
    for file in (PRODUCT / "gateway" / "health").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                code, values = node.args[0], {str(k.arg) for k in node.keywords}
                if isinstance(code, ast.Constant) and node.func.id in (
                    "ok",
                    "warning",
                    "bad",
                    "about",
                    "detail",
                ):
                    yield node.func.id, str(code.value), values


def test_every_finding_has_its_sentence_and_remedy_and_gets_their_values() -> None:
    found = list(findings_in_source())
    assert len(found) > 60
    for level, code, values in found:
        keys = [f"subject.{code}"] if level == "about" else [f"finding.{code}"]
        if level in ("warning", "bad"):
            keys.append(f"finding.{code}.remedy")
        for key in keys:
            assert placeholders(EN[key]).keys() <= values, key


def test_no_sentence_of_findings_waits_in_vain() -> None:
    used = {f"subject.{c}" if level == "about" else f"finding.{c}" for level, c, _ in findings_in_source()}
    known = {k.removesuffix(".remedy") for k in EN if k.startswith(("finding.", "subject."))}
    assert known - used <= {"finding.nothing", "finding.names-and-more", "finding.reconnect"}


CLOSED_SETS: dict[str, tuple[str, ...]] = {
    "lookup.reason": REASONS,
    "lookup.step": STEP_REASONS,
    "matrix.reason": DECISIONS,
    "matrix.step": STEPS,
    "matrix.owner": OWNERS,
    "matrix.action": ACTIONS,
    "matrix.problem": (*SEVERITIES, *(f"{code}.remedy" for code in SEVERITIES)),
    "case.reason": get_args(CaseReason),
    "distribution.reason": DISTRIBUTION_REASONS,
    "distribution.step": DISTRIBUTION_STEPS,
    "distribution.problem": (*TEMPLATE_PROBLEMS, *(f"{code}.remedy" for code in TEMPLATE_PROBLEMS)),
    "presence.reason": tuple(AttendanceReason),
    "shift.reason": RUN_REASONS,
    "shift.stays": STAY_REASONS,
    "order.do": tuple(ORDER_KINDS),
    "order.done": tuple(ORDER_KINDS),
    "order.count": tuple(ORDER_KINDS),
    "alert.title": ALERT_KINDS,
    "alert.says": ALERT_KINDS,
    "alert.todo": ALERT_KINDS,
    "alert.over": ALERT_KINDS,
    "alert.fix": (AlertNotSent.code, *(error.code for error in AlertNotSent.__subclasses__())),
    "crm.copy.kind": tuple(kind for kind in PartKind if kind is not PartKind.TEXT),
    "crm.copy.author": tuple(AuthorKind),
    "dialogue.place": INCOMING_REASONS,
    "dialogue.owner": OWNER_REASONS,
    "dialogue.refusal": SEND_REFUSALS,
    "channel.state": tuple(ChannelState),
    "channel.status": tuple(MessageStatus),
    "channel.failure": tuple(ChannelFailure),
    "channel.reason": tuple(ChannelReason),
    "channel.doubt": tuple(MessageDoubt),
    "sms.state": tuple(SmsState),
    "sms.class": tuple(FailureClass),
    "sms.reason": tuple(SmsReason),
    "sms.doubt": tuple(SmsDoubt),
    "sms.skip": tuple(SkipReason),
    "sms.macro": (*MACROS, "cf"),
    "sms.sample": tuple(name for name, sample in MACROS.items() if not sample),
    "outbound.reason": ITEM_REASONS,
    "outbound.state": get_args(OutboundState),
    "outbound.attempt": get_args(AttemptState),
    "outbound.side": get_args(AttemptSide),
    "outbound.attempt-reason": get_args(AttemptReason),
    "outbound.zone": get_args(ZoneSource),
    "outbound.kept": get_args(KeptBy),
    "trigger.reason": FIRING_REASONS,
    "trigger.step": FIRING_STEPS,
    "trigger.on": CAUSE_KINDS,
    "trigger.test": CONDITION_TESTS,
    "trigger.problem": (*TRIGGER_PROBLEMS, *(f"{code}.remedy" for code in TRIGGER_PROBLEMS)),
    "variable": tuple(VARIABLES),
    "filter": tuple(FILTERS),
}


@pytest.mark.parametrize("prefix", CLOSED_SETS)
def test_every_code_of_a_closed_set_has_its_sentence_and_no_sentence_lacks_its_code(prefix: str) -> None:
    known = {key.removeprefix(f"{prefix}.") for key in EN if key.startswith(f"{prefix}.")}
    assert {code for code in known if not code.endswith(".for-others")} == set(CLOSED_SETS[prefix])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_and_every_sample_has_words(language: Language) -> None:
    texts = TEXTS[language]
    assert len({cell_in_words(cell, texts) for cell in CELLS}) == len(CELLS)
    assert all(sample_of(name, texts) for name in VARIABLES)


@pytest.mark.parametrize(
    "do",
    [
        get_args(kind)[0].model_fields["do"].default if get_args(kind) else kind.model_fields["do"].default
        for kind in get_args(get_args(Order)[0])
    ],
)
def test_every_kind_of_order_has_its_words_and_its_sentence(do: str) -> None:
    assert do in ORDER_KINDS
    assert f"order.{do}" in EN


def test_english_has_no_russian_letters() -> None:
    assert [key for key, sentence in EN.items() if any("а" <= c.lower() <= "я" for c in sentence)] == []


CYRILLIC_ELSEWHERE = {
    "crm/sandbox": "sample data, and answers of an amoCRM that speaks Russian",
    "gateway/demo/callbacks.py": "names of the demo's pipeline, stages and deals",
    "gateway/demo/data.py": "names of the demo's people",
    "gateway/demo/people.py": "names of the demo's people",
    "gateway/demo/names.py": "names of the demo's people, clients and deals",
    "gateway/demo/crm_names.py": "the name of one client of the demo",
    "gateway/demo/day_of_rules.py": "what the demo's people call their rules, schedules and reasons",
    "gateway/demo/day_of_clients.py": "the name of the demo's campaign",
    "gateway/demo/dialogues.py": "what clients and people of the demo write, and names of its channels",
    "gateway/demo/distribution.py": "names of the demo's pipeline, stages and deals",
    "routing/numbers/spelling.py": "words that PBXs send in place of a number",
    "routing/numbers/beside.py": "words that people write beside numbers",
    "crm/amocrm/wire_write.py": "the CRM's own word for a ticked box",
    "gateway/pbx/reading/machines.py": "names that PBXs give to mailboxes and menus",
    "gateway/pbx/mango/wire.py": "a letter that MANGO mistypes",
    "gateway/admin/protection/passwords.py": "rows of a Russian keyboard",
    "sms/opt_out.py": "words with which clients want no more messages",
    "gateway/admin/connect_crm.py": "the label of the CRM's own button",
}
"""Every other text for people stands in a catalogue."""


def strings_of(file: Path) -> Iterator[str]:
    """String literals, docstrings and bare strings below attributes left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value


def test_russian_texts_stand_in_the_catalogues_only() -> None:
    found = {
        str(file.relative_to(PRODUCT))
        for room in ("routing", "crm", "sms", "campaigns", "runtime", "gateway")
        for file in (PRODUCT / room).rglob("*.py")
        if "texts" not in file.relative_to(PRODUCT).parts
        and any("а" <= c.lower() <= "ё" for s in strings_of(file) for c in s)
    }
    allowed = {name for name in found if name.startswith(tuple(CYRILLIC_ELSEWHERE))}
    assert sorted(found - allowed) == []
    assert [known for known in CYRILLIC_ELSEWHERE if not any(a.startswith(known) for a in allowed)] == []
