"""Each kind of strictness is its own error with its own path."""

from __future__ import annotations

from typing import Any

import pytest

from crm.sandbox.api.schema import Rule, check

RULE = Rule(
    "object",
    keys={
        "id": Rule("int", required=True),
        "name": Rule("str", nullable=True),
        "is_on": Rule("bool"),
        "kind": Rule("str", choices=("a", "b")),
        "tags": Rule("list", items=Rule("object", keys={"id": Rule("int")})),
    },
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"id": 1, "name": None, "is_on": True, "kind": "a", "tags": [{"id": 1}]}, []),
        ({}, [("FieldMissing", "id")]),
        ({"id": None}, [("NotNullable", "id")]),
        ({"id": "1"}, [("InvalidType", "id")]),
        ({"id": True}, [("InvalidType", "id")]),
        ({"id": 1, "is_on": 1}, [("InvalidType", "is_on")]),
        ({"id": 1, "other": 1}, [("FieldNotExpected", "other")]),
        ({"id": 1, "kind": "c"}, [("NotSupportedChoice", "kind")]),
        ({"id": 1, "tags": [{"id": 1}, {"id": "2"}]}, [("InvalidType", "tags.1.id")]),
        ({"id": 1, "tags": {"id": 1}}, [("InvalidType", "tags")]),
        ([], [("InvalidType", "")]),
    ],
)
def test_every_error_has_its_code_and_path(value: Any, expected: list[tuple[str, str]]) -> None:
    assert [(code, path) for code, path, _ in check(value, RULE)] == expected
