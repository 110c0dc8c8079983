from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import pytest

from routing.matrix.actions import Action
from routing.matrix.catalogue import Catalogue, CatalogueField, CataloguePipeline, CatalogueStage
from routing.matrix.model import Matrix
from routing.matrix.presets import PRESETS, recommended, unsorted
from routing.matrix.settings_in_words import SettingWords
from routing.matrix.versions.diff import NO_CATALOGUE, difference
from routing.staff import Employee, Staff
from routing.texts.catalogue import LANGUAGES, Language
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
    assert "добавлено: прикрепить звонок" in change.text


def test_a_removed_action_is_told() -> None:
    (change,) = difference(a_matrix(TASK, {"do": "attach_call"}), a_matrix(TASK))
    assert (change.kind, change.where) == ("removed", f"default/{CELL}#2")
    assert "убрано: прикрепить звонок" in change.text


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
        "добавлено (правило выбора матрицы): если всегда, то матрица «Неразобранное» (two)",
        "добавлено (правило воронки): если pool равно A, то воронка «7», этап «70»",
        "воронка по умолчанию: не задано → «1»",
        "добавлено (передача параметра): utm_source → поле сделки «90»",
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
        "inbound, missed, client with a deal, after the call: removed: create a task (purpose: call back; where to:"
        " chosen automatically; responsible: the client's responsible; text: “Перезвонить”; type: call; due: 60 min of"
        " working time)"
    )


CRM = Catalogue(
    pipelines=(
        CataloguePipeline(id="1", name="Розница", stages=(CatalogueStage(id="142", name="Продано"),)),
        CataloguePipeline(
            id="7",
            name="Опт",
            stages=(
                CatalogueStage(id="70", name="Первый звонок"),
                CatalogueStage(id="142", name="Отгружено"),
            ),
        ),
    ),
    fields=(CatalogueField(entity="deal", id="90", name="Источник"),),
    staff=Staff.of((Employee(id="maria", name="Мария Иванова"),)),
)


def test_what_has_a_name_in_the_account_is_told_by_it() -> None:
    rule = {"when": [], "pipeline_id": "7", "stage_id": "142"}
    new = a_matrix(
        {**TASK, "responsible": "employee:maria"},
        {"do": "change_stage", "pipeline_id": "7", "stage_id": "70", "only_from": ["70", "99"]},
        {"do": "set_fields", "fields": {"90": "сайт"}},
        pipeline_rules=[rule],
        parameters=[{"parameter": "utm_source", "field": "90"}],
        default_pipeline_id="7",
        default_stage_id="142",
    )
    told = "\n".join(c.text for c in difference(a_matrix(TASK), new, catalogue=CRM))
    for words in (
        "ответственный за клиента → сотрудник «Мария Иванова» (maria)",
        "воронка: «Опт» (7); этап: «Первый звонок» (70); только с этапов: «Первый звонок» (70), «99»",
        "поля: «Источник» (90) = «сайт»",
        "добавлено (правило воронки): если всегда, то воронка «Опт» (7), этап «Отгружено» (142)",
        "воронка по умолчанию: не задано → «Опт» (7)",
        "этап по умолчанию: не задано → «Отгружено» (142)",
        "utm_source → поле сделки «Источник» (90)",
    ):
        assert words in told, told


def _choices() -> list[tuple[str, str]]:
    """Every setting of an action that is one of a few, with each of its values."""
    found: list[tuple[str, str]] = []
    for kind in get_args(get_args(Action)[0]):
        for name, field in kind.model_fields.items():
            inner = field.annotation if get_origin(field.annotation) is Literal else None
            inner = inner or next((a for a in get_args(field.annotation) if get_origin(a) is Literal), None)
            if inner is not None and name != "do":
                found += [(name, value) for value in get_args(inner)]
    return sorted(set(found))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_of_an_action_has_words(language: Language) -> None:
    words = SettingWords(TEXTS[language], NO_CATALOGUE)
    assert len(_choices()) > 12
    for setting, value in [*_choices(), ("type", "call"), ("type", "meeting")]:
        assert words.value(setting, value) == TEXTS[language].sentences[f"matrix.choice.{setting}.{value}"]
