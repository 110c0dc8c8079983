"""Each check of a matrix, broken in turn: what cannot be published says where and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from routing.matrix.checks.check import (
    Catalogue,
    CatalogueField,
    CataloguePipeline,
    CatalogueStage,
    CatalogueUser,
    can_be_published,
    check,
)
from routing.matrix.checks.problems import SEVERITIES
from routing.matrix.model import CELLS, Matrix
from routing.matrix.presets import PRESETS, recommended, unsorted
from routing.staff import Staff
from tests.unit.routing.matrix.situations import GONE, MARIA, OLEG, PETR, UNMAPPED

SALES = CataloguePipeline(
    id="7",
    name="Продажи",
    stages=(CatalogueStage(id="70", name="Новая"), CatalogueStage(id="142", name="Успех", is_closed=True)),
)
SERVICE = CataloguePipeline(
    id="8",
    name="Сервис",
    is_unsorted_on=False,
    stages=(
        CatalogueStage(id="80", name="Заявка"),
        CatalogueStage(id="81", name="Неразобранное", is_unsorted=True),
    ),
)
OLD = CataloguePipeline(id="9", name="Старая", is_archived=True)
READY = Catalogue(
    pipelines=(SALES, SERVICE, OLD),
    users=(CatalogueUser(id="10"), CatalogueUser(id="11"), CatalogueUser(id="12", is_active=False)),
    fields=(
        CatalogueField(entity="contact", id="55", name="roistat"),
        CatalogueField(entity="deal", id="90", code="UTM_SOURCE"),
    ),
    staff=Staff.of([PETR, OLEG, MARIA]),
    lines=("+74950000001",),
    connections=("office",),
    task_types=frozenset({"1", "FOLLOW_UP"}),
    templates={"day": 2, "night": 0},
)
CELL = "inbound.missed.new/end"


def with_cell(*actions: dict[str, Any], cell: str = CELL, **changes: Any) -> Matrix:
    """The recommended matrix with other actions in one cell."""
    body = recommended().model_dump(mode="json")
    if actions:
        body["tables"]["default"]["cells"][cell] = list(actions)
    return Matrix.model_validate({**body, **changes})


def deal(**settings: Any) -> dict[str, Any]:
    return {"do": "create_deal", "responsible": "senior", **settings}


def task(**settings: Any) -> dict[str, Any]:
    return {"do": "create_task", "text": "x", "responsible": "senior", **settings}


def when(parameter: str, *values: str, test: str = "equals") -> dict[str, Any]:
    return {"parameter": parameter, "test": test, "values": values}


def without(cell: str) -> Matrix:
    body = recommended().model_dump(mode="json")
    del body["tables"]["default"]["cells"][cell]
    return Matrix.model_validate(body)


def found(matrix: Matrix, catalogue: Catalogue = READY) -> list[tuple[str, str]]:
    return [(p.code, p.cell) for p in check(matrix, catalogue)]


AT = f"default/{CELL}#1"
ALL = {"when": [], "matrix": "default"}
POOL = when("pool", "A", "B", test="one_of")

BROKEN: list[tuple[str, str, Matrix]] = [
    ("matrix-missing", "default", with_cell(default="nothing")),
    ("matrix-missing", "selection#1", with_cell(selection=[{"when": [POOL], "matrix": "gone"}])),
    ("cell-missing", f"default/{CELL}", without(CELL)),
    (
        "rule-never-applies",
        "selection#2",
        with_cell(
            selection=[
                {"when": [POOL], "matrix": "default"},
                {"when": [when("pool", "b"), when("line", "+74950000001")], "matrix": "default"},
            ]
        ),
    ),
    (
        "rule-never-applies",
        "pipeline_rules#2",
        with_cell(
            pipeline_rules=[
                {"when": [when("utm_source", "yan", test="contains")], "pipeline_id": "7"},
                {"when": [when("utm_source", "yandex")], "pipeline_id": "8"},
            ]
        ),
    ),
    ("rule-never-applies", "selection#2", with_cell(selection=[ALL, {"when": [POOL], "matrix": "default"}])),
    ("default-unreachable", "selection#1", with_cell(selection=[ALL])),
    ("pipeline-gone", AT, with_cell(deal(pipeline_id="99"))),
    ("pipeline-gone", "pipeline_rules#1", with_cell(pipeline_rules=[{"when": [POOL], "pipeline_id": "99"}])),
    ("pipeline-gone", "default_pipeline", with_cell(default_pipeline_id="99")),
    ("pipeline-archived", AT, with_cell(deal(pipeline_id="9"))),
    ("stage-gone", AT, with_cell(deal(pipeline_id="7", stage_id="71"))),
    ("stage-gone", AT, with_cell({"do": "change_stage", "stage_id": "70", "only_from": ["71"]})),
    ("stage-elsewhere", AT, with_cell(deal(pipeline_id="7", stage_id="80"))),
    ("separate-stage-missing", AT, with_cell(deal(when_open="separate_stage"))),
    ("stage-gone", AT, with_cell(deal(when_open="separate_stage", separate_stage_id="71"))),
    ("person-gone", AT, with_cell(task(responsible="employee:nobody"))),
    ("person-inactive", AT, with_cell(task(responsible="employee:maria"))),
    ("template-unknown", AT, with_cell(task(responsible="template:sales"))),
    ("template-unknown", AT, with_cell(task(responsible="template"))),
    ("field-unknown", AT, with_cell(deal(fields={"91": "x"}))),
    ("field-unknown", "parameters#1", with_cell(parameters=[{"parameter": "roistat", "field": "55"}])),
    ("template-refused", AT, with_cell(task(text="{{ nobody }}"))),
    ("template-refused", AT, with_cell(deal(tags=["{% x %}"]))),
    ("template-refused", AT, with_cell(deal(fields={"90": "{{ x() }}"}))),
    ("task-type-unknown", AT, with_cell(task(type="77"))),
]


@pytest.mark.parametrize(
    ("code", "cell", "matrix"), BROKEN, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(BROKEN)]
)
def test_a_broken_matrix_cannot_be_published_and_says_where(code: str, cell: str, matrix: Matrix) -> None:
    problems = check(matrix, READY)
    assert (code, cell) in [(p.code, p.cell) for p in problems if p.severity == "error"]
    assert not can_be_published(problems)


@pytest.mark.parametrize(
    ("code", "staff"),
    [
        ("senior-missing", [PETR]),
        ("person-unmapped", [UNMAPPED.model_copy(update={"is_senior": True})]),
        ("person-inactive", [GONE.model_copy(update={"is_senior": True})]),
    ],
)
def test_the_senior_manager_must_be_able_to_take_his_tasks(code: str, staff: list[Any]) -> None:
    catalogue = READY.model_copy(update={"staff": Staff.of(staff)})
    assert (code, f"default/{CELL}#1") in found(recommended(), catalogue)


WARNED: list[tuple[str, str, Matrix]] = [
    ("matrix-never-used", "other", with_cell(tables={**recommended().tables, "other": unsorted().tables["default"]})),
    ("line-unknown", "selection#1", with_cell(selection=[{"when": [when("line", "+7000")], "matrix": "default"}])),
    ("connection-unknown", "pipeline_rules#1", with_cell(pipeline_rules=[{"when": [when("connection", "x")], "pipeline_id": "7"}])),
    ("stage-closed", AT, with_cell(deal(pipeline_id="7", stage_id="142"))),
    ("stage-unsorted", AT, with_cell(deal(pipeline_id="8", stage_id="81"))),
    ("stage-unsorted", AT, with_cell({"do": "change_stage", "pipeline_id": "8", "stage_id": "81"})),
    ("field-mapped-twice", "parameters#1", with_cell(parameters=[{"parameter": p, "field": "90"} for p in ("a", "b")])),
    ("unsorted-off", AT, with_cell({"do": "create_lead", "pipeline_id": "8"})),
    ("attached-too-early", "default/inbound.answered.new/answer", with_cell({"do": "attach_call"}, cell="inbound.answered.new/answer")),
    ("template-without-people", AT, with_cell(task(responsible="template:night"))),
    ("task-due-at-once", AT, with_cell(task(due={"minutes": 0}))),
    ("action-repeated", f"default/{CELL}", with_cell(deal(), deal())),
    ("deal-without-contact", f"default/{CELL}", with_cell(deal(), {"do": "create_contact", "responsible": "senior"})),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "cell", "matrix"), WARNED, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(WARNED)]
)
def test_a_warning_does_not_block_publishing(code: str, cell: str, matrix: Matrix) -> None:
    problems = check(matrix, READY)
    assert (code, cell) in [(p.code, p.cell) for p in problems if p.severity == "warning"]
    assert can_be_published(problems)


def test_unsorted_is_warned_about_while_the_account_does_not_use_it() -> None:
    off = READY.model_copy(update={"is_unsorted_on": False})
    assert {c for c, _ in found(unsorted(), off)} == {"unsorted-off"}
    assert can_be_published(check(unsorted(), off))


def test_employees_who_cannot_be_responsible_are_named() -> None:
    catalogue = READY.model_copy(update={"staff": Staff.of([OLEG, UNMAPPED, GONE])})
    assert found(recommended(), catalogue) == [
        ("employee-unmapped", "staff/new"),
        ("employee-inactive", "staff/gone"),
    ]


def test_before_the_crm_was_read_nothing_of_it_is_doubted_but_said() -> None:
    staff = READY.model_copy(update={"pipelines": (), "fields": (), "users": ()})
    assert found(with_cell(deal(pipeline_id="99", fields={"91": "x"})), staff) == [
        ("catalogue-not-loaded", "catalogue")
    ]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_presets_have_no_errors(preset: str) -> None:
    assert found(PRESETS[preset](), READY) == []


def test_a_rule_with_another_value_or_parameter_is_not_shadowed() -> None:
    rules = [
        {"when": [when("pool", "A"), when("line", "+74950000001")], "pipeline_id": "7"},
        {"when": [when("pool", "A")], "pipeline_id": "7"},
        {"when": [when("pool", "C", "A", test="one_of")], "pipeline_id": "8"},
        {"when": [when("pool", "a", test="contains")], "pipeline_id": "8"},
    ]
    assert found(with_cell(pipeline_rules=rules)) == []


def test_errors_come_first() -> None:
    matrix = with_cell(deal(), deal(pipeline_id="99"))
    assert [p.severity for p in check(matrix, READY)] == ["error", "warning"]


def test_every_problem_is_tried_here_and_tells_cell_message_and_remedy_in_both_languages() -> None:
    tried = {code for code, _, _ in [*BROKEN, *WARNED]}
    tried |= {
        "senior-missing",
        "person-unmapped",
        "employee-unmapped",
        "employee-inactive",
        "catalogue-not-loaded",
    }
    assert tried == set(SEVERITIES)
    for problem in check(with_cell(deal(pipeline_id="99")), READY):
        assert "99" in problem.message
        assert problem.remedy == "выберите другую воронку"
        assert "99" in problem.message_en
        assert problem.remedy_en


def test_each_missing_cell_is_an_error_of_its_own() -> None:
    for cell in CELLS:
        assert ("cell-missing", f"default/{cell}") in found(without(cell))
