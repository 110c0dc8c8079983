"""The strictness of the vendor's schema: unknown keys, nulls, wrong types and missing keys are each their own error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm.sandbox.api.replies import Fault

_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "number": (int, float),
    "int|str": (int, str),
    "bool|int": (bool, int),
    "object": (dict,),
    "list": (list,),
    "any": (object,),
}
_LARGEST = 2**63 - 1  # no id or number of the vendor is larger, and no database row of ours holds one
_NAMES = {
    "int": "int",
    "str": "string",
    "bool": "bool",
    "number": "float",
    "object": "array",
    "list": "array",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """kind: key of _TYPES. keys: of an object. items: of a list. choices: the allowed values."""

    kind: str
    required: bool = False
    nullable: bool = False
    keys: Mapping[str, Rule] | None = None
    items: Rule | None = None
    choices: tuple[Any, ...] | None = None


def check(value: Any, rule: Rule, path: str = "") -> list[Fault]:
    """Every error of `value` against `rule`, outermost first."""
    if value is None:
        return [] if rule.nullable else [("NotNullable", path, "This value should not be null.")]
    if not _is_of(value, rule.kind):
        return [("InvalidType", path, f"This value should be of type {_NAMES.get(rule.kind, rule.kind)}.")]
    if rule.choices is not None and value not in rule.choices:
        return [not_supported(path)]
    if rule.keys is not None:
        return check_keys(value, rule.keys, path)
    if rule.items is not None:
        return [
            fault for index, item in enumerate(value) for fault in check(item, rule.items, _join(path, index))
        ]
    return []


def check_keys(value: Mapping[str, Any], keys: Mapping[str, Rule], path: str = "") -> list[Fault]:
    faults: list[Fault] = []
    for name, rule in keys.items():
        if rule.required and name not in value:
            faults.append(("FieldMissing", _join(path, name), "This field is missing."))
    for name, item in value.items():
        known = keys.get(name)
        if known is None:
            faults.append(("FieldNotExpected", _join(path, name), "This field was not expected."))
        else:
            faults.extend(check(item, known, _join(path, name)))
    return faults


def not_supported(path: str) -> Fault:
    return ("NotSupportedChoice", path, "The value you selected is not a valid choice.")


def _is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and "bool" not in kind and kind != "any":
        return False
    if isinstance(value, int) and abs(value) > _LARGEST:
        return False
    return isinstance(value, _TYPES[kind])


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
