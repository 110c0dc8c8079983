from __future__ import annotations

from typing import Any

import pytest

from routing.matrix.diff import difference
from routing.matrix.model import Matrix
from routing.matrix.presets import PRESETS, recommended, unsorted
from routing.texts.sentences import TEXTS

CELL = "inbound.missed.known_with_deal/end"
TASK = {"do": "create_task", "purpose": "call_back", "text": "Перезвонить", "due": {"minutes": 60}}


def a_matrix(*actions: dict[str, Any], **changes: Any) -> Matrix:
    body = recommended().model_dump(mode="json")
    body["tables"]["default"]["cells"][CELL] = list(actions)
    return Matrix.model_validate({**body, **changes})


def words(old: Matrix, new: Matrix) -> list[tuple[str, str, str]]:
    return [tuple(c) for c in difference(old, new)]  # type: ignore[misc]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_matrix_does_not_differ_from_itself_under_another_number(preset: str) -> None:
    matrix = PRESETS[preset]()
    assert difference(matrix, matrix.model_copy(update={"version": 9})) == []


def test_a_changed_setting_is_told_with_before_and_after() -> None:
    other = {**TASK, "due": {"minutes": 30, "is_working": False}, "responsible": "employee:maria"}
    assert words(a_matrix(TASK), a_matrix(other)) == [
        (
            "changed",
            f"default/{CELL}#1",
            "входящий, пропущен, клиент со сделкой, после звонка: поставить задачу — ответственный:"
            " ответственный за клиента → сотрудник maria",
        ),
        (
            "changed",
            f"default/{CELL}#1",
            "входящий, пропущен, клиент со сделкой, после звонка: поставить задачу — срок:"
            " 60 мин. рабочего времени → 30 мин. подряд",
        ),
    ]


def test_an_added_action_does_not_make_the_others_look_changed() -> None:
    (change,) = difference(a_matrix(TASK), a_matrix({"do": "attach_call"}, TASK))
    assert (change.kind, change.where) == ("added", f"default/{CELL}#1")
    assert "теперь прикрепить звонок" in change.text


def test_a_removed_action_is_told() -> None:
    (change,) = difference(a_matrix(TASK, {"do": "attach_call"}), a_matrix(TASK))
    assert (change.kind, change.where) == ("removed", f"default/{CELL}#2")
    assert "больше не прикрепить звонок" in change.text


def test_tables_rules_parameters_and_defaults_are_told() -> None:
    old = a_matrix(TASK)
    rule = {"when": [{"parameter": "pool", "values": ["A"]}], "pipeline_id": "7", "stage_id": "70"}
    new = a_matrix(
        TASK,
        tables={**old.tables, "two": unsorted().tables["default"]},
        selection=[{"when": [], "matrix": "two"}],
        pipeline_rules=[rule],
        parameters=[{"parameter": "utm_source", "field": "90"}],
        default_pipeline_id="1",
    )
    assert [c.text for c in difference(old, new)] == [
        "добавлена матрица «Неразобранное»",
        "добавлено правило выбора матрицы: если всегда, то матрица «two»",
        "добавлено правило воронки: если pool равно A, то воронка 7, этап 70",
        "воронка по умолчанию: не задано → «1»",
        "добавлено передача параметра: utm_source → поле сделки 90",
    ]
    assert len(difference(new, old)) == 5


def test_another_order_of_rules_is_a_difference() -> None:
    rules = [{"when": [{"parameter": "pool", "values": [v]}], "pipeline_id": "7"} for v in "AB"]
    (change,) = difference(a_matrix(pipeline_rules=rules), a_matrix(pipeline_rules=rules[::-1]))
    assert "другой порядок" in change.text


def test_a_cell_that_was_a_gap_is_added() -> None:
    body = recommended().model_dump(mode="json")
    del body["tables"]["default"]["cells"][CELL]
    (change,) = difference(Matrix.model_validate(body), recommended())
    assert change.kind == "added"
    assert change.text.startswith("добавлена ячейка «входящий, пропущен")


def test_an_english_account_reads_the_same_difference_in_english() -> None:
    (change,) = difference(
        a_matrix({"do": "attach_call"}, TASK), a_matrix({"do": "attach_call"}), TEXTS["en"]
    )
    assert change.text == (
        "inbound, missed, client with a deal, after the call: no more: create a task (purpose: “call_back”; where to:"
        " “auto”; responsible: the client's responsible; text: “Перезвонить”; type: “call”; due: 60 min of working time)"
    )
