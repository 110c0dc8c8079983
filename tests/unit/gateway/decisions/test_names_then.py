"""An order that names no pipeline or stage means one all the same."""

from __future__ import annotations

import pytest

from crm.port import Pipeline, Stage
from gateway.decisions.names_then import NamesThen, PlaceThen
from routing.staff import Employee, Staff


def _stage(id: str, name: str, *, is_unsorted: bool = False, is_closed: bool = False) -> Stage:
    return Stage(id=id, name=name, sort=0, is_closed=is_closed, is_unsorted=is_unsorted, colour=f"#{id}")


def _pipeline(id: str, name: str, *stages: Stage, is_main: bool = False) -> Pipeline:
    return Pipeline(id=id, name=name, is_main=is_main, is_archived=False, is_unsorted_on=True, stages=stages)


NAMES = NamesThen(
    Staff.of([Employee(id="e1", name="Мария", crm_user_id="11")]),
    {"12": "Ли Чжао"},
    (
        _pipeline("1", "Sales", _stage("9", "Unsorted", is_unsorted=True), _stage("10", "New"), is_main=True),
        _pipeline(
            "2", "Service", _stage("80", "Asked"), _stage("81", "Done"), _stage("142", "Won", is_closed=True)
        ),
    ),
)


@pytest.mark.parametrize(
    ("pipeline", "stage", "is_lead", "place"),
    [
        (None, None, False, PlaceThen("Sales", "New", "#10")),
        (None, None, True, PlaceThen("Sales", "Unsorted", "#9")),
        ("2", None, False, PlaceThen("Service", "Asked", "#80")),
        ("2", None, True, PlaceThen("Service", "")),
        ("2", "81", False, PlaceThen("Service", "Done", "#81")),
        (None, "81", False, PlaceThen("Service", "Done", "#81")),
        (None, "77", False, PlaceThen("Sales", "77", is_known=False)),
        ("7", "70", False, PlaceThen("7", "70", is_known=False)),
    ],
)
def test_a_place_is_the_one_that_the_crm_takes(
    pipeline: str | None, stage: str | None, is_lead: bool, place: PlaceThen
) -> None:
    assert NAMES.place(pipeline, stage, is_lead=is_lead) == place


def test_before_the_pipelines_were_read_there_is_no_place() -> None:
    assert NamesThen(Staff.of(())).place("1", "10") is None


def test_people_have_the_names_of_our_list_before_those_of_the_crm() -> None:
    assert [NAMES.user("11"), NAMES.user("12"), NAMES.user("13")] == ["Мария", "Ли Чжао", "13"]
    assert [NAMES.employee("e1"), NAMES.employee("e2")] == ["Мария", "e2"]
