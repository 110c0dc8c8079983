"""Golden decisions: one file in tests/cases/matrix per feature that concerns the matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from routing.matrix.decide import Matrix, MatrixDecision, Situation, decide
from routing.matrix.presets import PRESETS
from tests.paths import CASES as ALL_CASES
from tests.unit.routing.matrix.situations import LINE, a_call, a_situation, an_entity

CASES = sorted((ALL_CASES / "matrix").glob("*.json"))


def _matrix(wanted: str | dict[str, Any]) -> Matrix:
    """A preset's name, or a preset with other cells, rules and parameters."""
    if isinstance(wanted, str):
        return PRESETS[wanted]()
    changes = dict(wanted)
    body = PRESETS[changes.pop("preset")]().model_dump(mode="json")
    body["tables"]["default"]["cells"].update(changes.pop("cells", {}))
    return Matrix.model_validate({**body, **changes})


def _situation(given: Mapping[str, Any]) -> Situation:
    entities = tuple(an_entity(e.pop("kind"), e.pop("id", None), **e) for e in map(dict, given["client"]))
    more = {"now": given["now"]} if "now" in given else {}
    return a_situation(
        a_call(**given["call"]),
        moment=given["moment"],
        entities=entities,
        client_kind=given["client_kind"],
        ordered=tuple(given["ordered"]),
        line=given.get("line", LINE),
        **more,
    )


def _differences(expected: Mapping[str, Any], decision: MatrixDecision) -> list[str]:
    """What of an expected decision is not so; orders need to have the values that are named only."""
    got = decision.model_dump(mode="json")
    effects = {e["key"]: e for e in got["effects"]}
    found = [
        f"{name}: {got[name]!r}"
        for name, wanted in (
            ("row", expected["row"]),
            ("reason", expected["reason"]),
            ("wait_until", expected.get("wait_until")),
        )
        if got[name] != wanted
    ]
    if set(effects) != set(expected["effects"]):
        found.append(f"effects: {sorted(effects)}")
    for key, order in expected["effects"].items():
        have = effects.get(key, {"order": {}})["order"]
        found += [f"{key}.{n}: {have.get(n)!r}" for n, value in order.items() if have.get(n) != value]
    for key, after in expected.get("after", {}).items():
        if effects[key]["after"] != after:
            found.append(f"{key} after {effects[key]['after']}")
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_golden_decision(path: Path) -> None:
    case = json.loads(path.read_text())
    matrix = _matrix(case["matrix"])
    for number, given in enumerate(case["moments"], start=1):
        decision = decide(matrix, _situation(given))
        assert _differences(given, decision) == [], f"{case['feature']}, moment {number}: {case['says']}"


def test_every_feature_of_the_matrix_has_its_file() -> None:
    covered = ",".join(json.loads(p.read_text())["feature"] for p in CASES)
    wanted = ["S2.6", "S2.9", "S3.30", "S3.32"]
    wanted += [f"S4.{n}" for n in (3, 4, 7, 13, 14, 15, 16, *range(19, 28), *range(29, 35), 43)]
    assert [f for f in wanted if f not in covered.replace(" ", "").split(",")] == []
