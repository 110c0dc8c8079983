"""The matrix as its pages show it: an action is what its form says, whatever its kind; names of the CRM stand in every sentence."""

from __future__ import annotations

import pytest

from gateway.web.matrix.choosers import Choosers
from gateway.web.matrix.editing import pressed
from gateway.web.matrix.fields import ActionFields, action_of, fresh_action, why_not_here
from gateway.web.matrix.lines import line_of
from gateway.web.matrix.table import CLIENT_KINDS, TableShown, cell_of, number_of
from gateway.web.texts.sentences import TEXTS
from routing.matrix.actions import (
    Action,
    Attach,
    CallClientBack,
    Card,
    ChangeStage,
    Deadline,
    MakeContact,
    MakeDeal,
    MakeLead,
    MakeNote,
    MakeTask,
    SetFields,
)
from routing.matrix.catalogue import Catalogue, CatalogueField, CataloguePipeline, CatalogueStage
from routing.matrix.checks.check import check
from routing.matrix.model import CELLS
from routing.matrix.presets import PRESETS, recommended
from routing.matrix.texts import ACTIONS
from routing.staff import Employee, Staff
from routing.texts.catalogue import LANGUAGES, Language

STAGES = (CatalogueStage(id="11", name="Новая", colour="#99ccff"), CatalogueStage(id="142", is_closed=True))
KNOWN = Catalogue(
    pipelines=(CataloguePipeline(id="1", name="Продажи", is_main=True, stages=STAGES),),
    fields=(CatalogueField(entity="deal", id="601", code="UTM_SOURCE", name="Source"),),
    staff=Staff.of([Employee(id="li", name="Ли Чжао", crm_user_id="1"), Employee(id="off", name="Мария")]),
    lines=("+74951230000",),
    connections=("office",),
    task_types=frozenset({"7"}),
    templates={"sales": 2},
)
FULL: tuple[Action, ...] = (
    MakeContact(
        name="Имя", responsible="employee:li", tags=("a", "b"), fields={"501": "{{ client.number }}"}
    ),
    MakeDeal(
        name="Сделка",
        responsible="template:sales",
        pipeline_id="1",
        stage_id="11",
        when_open="separate_stage",
        separate_pipeline_id="1",
        separate_stage_id="142",
        after_closed="add_to_closed",
        ignores_rules=True,
        fields={"UTM_SOURCE": "{{ utm_source }}"},
    ),
    MakeDeal(pipeline_id="gone", stage_id="999"),
    MakeLead(responsible="employee:nobody", pipeline_id="1", tags=("x",)),
    Attach(target="deal", note="текст", responsible="senior"),
    MakeNote(text="a", target="contact"),
    MakeTask(text="b", purpose="call_back", type="7", due=Deadline(minutes=45, is_working=False)),
    ChangeStage(pipeline_id="1", stage_id="142", only_from=("11", "gone")),
    SetFields(on=("contact",), tags=("t",), fields={"601": "x"}, with_parameters=False),
    Card(to=("rung", "owner")),
    CallClientBack(connection="office", line="+74951230000", task_when_failed=False),
)


def sent(action: Action) -> dict[str, str]:
    """What a browser sends of the action's form when nothing was touched."""
    values: dict[str, str] = {"do": action.do}
    for one in ActionFields(0, action, TEXTS["ru"], KNOWN).all():
        name = one.id.removeprefix("a0.")
        if one.kind == "check":
            values |= {name: "on"} if one.value else {}
        elif one.kind == "checks":
            values |= {n.removeprefix("a0."): "on" for n, _, is_on in one.options if is_on}
        elif one.kind == "mapping":
            for number, pair in enumerate(one.pairs):
                values |= {f"fields.{number}.name": pair.name, f"fields.{number}.value": pair.value}
        else:
            values[name] = str(one.value)
    return values


@pytest.mark.parametrize("action", FULL, ids=lambda action: action.do)
def test_an_action_that_nobody_touched_is_what_it_was(action: Action) -> None:
    bare = fresh_action(action.do, CELLS[0], TEXTS["ru"], KNOWN)
    assert action_of(sent(action), bare) == action


@pytest.mark.parametrize("action", FULL, ids=lambda action: action.do)
def test_what_is_chosen_can_be_chosen_even_where_it_is_gone(action: Action) -> None:
    for one in ActionFields(0, action, TEXTS["ru"], KNOWN).all():
        if one.kind == "select":
            offered = {v for v, text in one.options if isinstance(text, str)}
            offered |= {v for _, group in one.options if not isinstance(group, str) for v, _ in group}
            assert one.value in offered, one.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_has_words_in_the_table_and_in_the_menu(language: Language) -> None:
    texts = TEXTS[language]
    for action in FULL:
        line = line_of(action, texts, KNOWN)
        assert line.text
        assert "{" not in line.text
    for do in ACTIONS:
        assert texts.say(f"matrix.page.do.{do}") != texts.say(f"matrix.page.adds.{do}")
        for cell in CELLS:
            why = why_not_here(do, cell, KNOWN)
            assert why == "" or texts.say(why)


def test_an_action_is_moved_removed_and_added_and_the_edges_hold() -> None:
    held = FULL[:3]

    def fresh(do: str) -> Action:
        return fresh_action(do, CELLS[0], TEXTS["ru"], KNOWN)

    assert pressed(held, "up.1", fresh) == ([held[1], held[0], held[2]], 0)
    assert pressed(held, "up.0", fresh) == (list(held), 0)
    assert pressed(held, "down.2", fresh) == (list(held), 2)
    assert pressed(held, "remove.1", fresh) == ([held[0], held[2]], None)
    assert pressed(held, "remove.9", fresh)[0] == list(held)
    assert [a.do for a in pressed(held, "add.add_note", fresh)[0]][-1] == "add_note"
    assert pressed(held, "add.nonsense", fresh)[0] == list(held)
    assert len(pressed([held[0]] * 20, "add.add_note", fresh)[0]) == 20


@pytest.mark.parametrize("preset", PRESETS)
def test_every_cell_of_a_table_is_shown_once(preset: str) -> None:
    matrix = PRESETS[preset]()
    shown = TableShown(matrix, matrix, "default", (), TEXTS["ru"], KNOWN)
    cells = [
        cell.id
        for direction in ("inbound", "outbound")
        for group in shown.groups(direction)
        for _, _, cell in group.cells
    ]
    assert sorted(cells) == sorted(CELLS)
    assert len(CLIENT_KINDS) == 3


def test_a_problem_stands_in_its_cell_and_at_its_action() -> None:
    table = recommended().tables["default"]
    cell = "inbound.missed.new/end"
    cells = {**table.cells, cell: (MakeContact(), ChangeStage(stage_id="999"))}
    matrix = recommended().model_copy(
        update={"tables": {"default": table.model_copy(update={"cells": cells})}}
    )
    [found] = [p for p in check(matrix, KNOWN) if p.code == "stage-gone"]
    assert (cell_of(found), number_of(found)) == (("default", cell), 2)
    shown = TableShown(matrix, recommended(), "default", [found], TEXTS["ru"], KNOWN).cell(cell)
    assert (shown.errors, shown.is_changed) == (1, True)
    assert shown.lines is not None
    assert [line.is_bad for line in shown.lines] == [False, True]


def test_no_place_of_unsorted_is_offered_but_what_was_chosen_before_stands() -> None:
    stages = (CatalogueStage(id="10", name="Неразобранное", is_unsorted=True), *STAGES)
    catalogue = Catalogue(pipelines=(CataloguePipeline(id="7", name="Продажи", stages=stages),))
    choose = Choosers(TEXTS["ru"], catalogue)
    assert "7:10" not in str(choose.places("", unset="-"))
    assert "7:11" in str(choose.places("", unset="-"))
    assert "('7:10', 'Неразобранное')" in str(choose.places("7:10", unset="-"))
