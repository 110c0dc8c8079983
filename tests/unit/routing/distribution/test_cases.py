"""Golden decisions: tests/cases/distribution. Each is named by what happens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from routing.distribution.item import OtherDeal, Standing, WorkItem
from routing.distribution.template import DistributionTemplate
from routing.presence import PresenceState
from tests.paths import ROOT
from tests.unit.routing.distribution.people import NOON, Office, a_person, a_staff

FOLDER = ROOT / "tests" / "cases" / "distribution"


def _cases() -> Iterator[Any]:
    for file in sorted(FOLDER.glob("*.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        for case in told["cases"]:
            yield pytest.param(told, case, id=f"{file.stem}: {case['name']}")


def _template(values: Mapping[str, Any]) -> DistributionTemplate:
    people = [{"employee_id": person} for person in values["employees"]]
    return DistributionTemplate.model_validate({**values, "employees": people})


def _item(values: Mapping[str, Any]) -> WorkItem:
    deals = (
        OtherDeal(**{**d, "via": frozenset(d["via"]), "at": datetime.fromisoformat(d["at"])})
        for d in values.get("other_deals", ())
    )
    return WorkItem(
        kind=values.get("kind", "deal"),
        id="1",
        entered_at=NOON,
        other_deals=tuple(deals),
        tried=tuple(values.get("tried", ())),
        excluded=frozenset(values.get("excluded", ())),
        only=values.get("only"),
    )


def _standing(values: Mapping[str, Any]) -> Standing:
    known = dict(values)
    if "back_at" in known:
        known["back_at"] = datetime.fromisoformat(known["back_at"])
    if "presence" in known:
        known["presence"] = PresenceState(known["presence"])
    return Standing(**known)


@pytest.mark.parametrize(("told", "case"), list(_cases()))
def test_it_comes_out_as_told(told: Mapping[str, Any], case: Mapping[str, Any]) -> None:
    staff = a_staff(*(a_person(p["id"], **{k: v for k, v in p.items() if k != "id"}) for p in told["staff"]))
    office = Office(_template({**told["template"], **case.get("template", {})}), staff)
    office.standings = {p: _standing(values) for p, values in case.get("standings", {}).items()}
    found = office.give(_item(case["item"]))
    expected = case["expected"]
    assert (found.outcome, found.reason, found.employee_id) == (
        expected["outcome"],
        expected["reason"],
        expected["employee"],
    )
    assert [step.because for step in found.steps] == expected["walk"]
    assert bool(found.entries) == (found.reason == "turn")


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.id for case in _cases()]
    assert len(names) == len(set(names)) > 35
