"""PHP's bracket notation, in which the vendor takes query arrays and sends webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_PART = re.compile(r"\[([^\[\]]*)\]")


def parse(pairs: str | Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nested dicts as PHP builds them: `a[b][]=1&a[b][]=2` gives {"a": {"b": {"0": "1", "1": "2"}}}.

    A repeated identical key keeps its last value. Keys that are no bracket notation stay whole.
    """
    if isinstance(pairs, str):
        pairs = parse_qsl(pairs, keep_blank_values=True)
    root: dict[str, Any] = {}
    for key, value in pairs:
        match = _KEY.match(key)
        path = [match[1], *_PART.findall(match[2])] if match else [key]
        _put(root, path, value)
    return root


def _put(node: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        part = part or _next_index(node)
        child = node.get(part)
        if not isinstance(child, dict):
            child = node[part] = {}
        node = child
    node[path[-1] or _next_index(node)] = value


def _next_index(node: Mapping[str, Any]) -> str:
    return str(1 + max((int(key) for key in node if key.isdigit()), default=-1))


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Form pairs of a nested value: every value a string, absent instead of null, booleans as 1 and 0."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from flatten(child, f"{prefix}[{key}]" if prefix else str(key))
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from flatten(child, f"{prefix}[{index}]")
    elif isinstance(value, bool):
        yield prefix, "1" if value else "0"
    elif value is not None:
        yield prefix, str(value)


def values_of(value: Any) -> list[str]:
    """Return a filter's values: a scalar, a comma-joined list, or an array."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [item for child in value.values() for item in values_of(child)]
    return [part for part in str(value).split(",") if part != ""]


def ints_of(value: Any) -> list[int]:
    """As values_of, whole numbers of at most 18 digits only; what is none is left out."""
    return [int(part) for part in values_of(value) if _WHOLE.fullmatch(part)]
