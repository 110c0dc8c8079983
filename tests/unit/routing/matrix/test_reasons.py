from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings

import routing
from routing.matrix.decide import Matrix, Situation, decide
from routing.matrix.presets import recommended
from routing.matrix.reasons import DECISIONS, OWNERS, STEPS, step_in_words
from routing.texts.sentences import RU, TEXTS
from tests.unit.routing.matrix.situations import a_situation
from tests.unit.routing.matrix.test_decide import MATRICES, SITUATIONS

SOURCES = Path(routing.__file__).parent


@given(MATRICES, SITUATIONS)
@settings(max_examples=200, deadline=None)
def test_every_reason_that_comes_up_is_of_the_closed_set(matrix: Matrix, situation: Situation) -> None:
    decision = decide(matrix, situation)
    assert decision.reason in DECISIONS
    for step in decision.steps[:-1]:
        assert step.because in STEPS or step.because in ("ordered", "nothing_to_update")
        if "owner_because" in step.facts:
            assert step.facts["owner_because"] in OWNERS
    for line in [step_in_words(s, RU) for s in decision.steps]:
        assert re.search("[а-я]", line)
        assert "_" not in line
    for line in [step_in_words(s, TEXTS["en"]) for s in decision.steps]:
        assert not re.search("[а-я_]", line)


def test_every_reason_that_the_source_can_give_is_of_the_closed_set() -> None:
    skips = re.findall(r'skip\(\s*"([a-z_]+)"', (SOURCES / "matrix" / "orders.py").read_text())
    people = re.findall(r'None, "([a-z_]+)"', (SOURCES / "matrix" / "responsible.py").read_text())
    assert len(skips) > 5
    assert len(people) > 3
    assert set(skips) <= {*STEPS, "nothing_to_update"}
    assert set(people) <= set(OWNERS)


def test_a_trace_reads_as_sentences() -> None:
    assert [step_in_words(s, RU) for s in decide(recommended(), a_situation()).steps] == [
        "выбор матрицы: матрица по умолчанию",
        "входящий, пропущен, новый клиент: вид звонка",
        "входящий, пропущен, новый клиент, после звонка, действие 1 (создать контакт): заказано,"
        " ответственный — старший менеджер",
        "входящий, пропущен, новый клиент, после звонка, действие 2 (создать сделку): заказано,"
        " ответственный — старший менеджер",
        "входящий, пропущен, новый клиент, после звонка, действие 3 (прикрепить звонок): заказано",
        "входящий, пропущен, новый клиент, после звонка, действие 4 (поставить задачу): заказано,"
        " ответственный — старший менеджер",
        "входящий, пропущен, новый клиент, после звонка: действия заказаны",
    ]
