"""A field that cannot be read costs itself only: the message is read without it, and its name is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from gateway.pbx.port import Inbound, Parsed, WireInvalid
from gateway.pbx.reading.payload import canonical
from gateway.pbx.reading.text import SPOILT
from routing.calls.model import CallEvent
from runtime.masking import mask_key

_T = TypeVar("_T")
_MOST = 30


def read_without_spoilt(
    read: Callable[[Mapping[str, Any]], _T], fields: Mapping[str, Any]
) -> tuple[_T, tuple[str, ...]]:
    """Return what `read` makes of the fields, and the names of those that it had to do without or that hold spoilt text.

    read: strict; a WireInvalid names the field by its path (`to.extension`). Raises what it first said of a field that
    it cannot do without.
    """
    left_out: dict[str, WireInvalid] = {}
    whole = fields
    while True:
        try:
            return read(fields), tuple(dict.fromkeys([*left_out, *spoilt_names(whole)]))
        except WireInvalid as err:
            found = _without(fields, err.field.split("."))
            if found is None or len(left_out) == _MOST:
                raise left_out.get(err.field, err) from err
            left_out[err.field], fields = err, found


def _without(fields: Mapping[str, Any], path: list[str]) -> dict[str, Any] | None:
    """Return the fields without the one of this path; None when there is none."""
    name, *rest = path
    if fields.get(name) is None:
        return None
    if not rest:
        return {**fields, name: None}
    inner = _without(fields[name], rest) if isinstance(fields[name], Mapping) else None
    return None if inner is None else {**fields, name: inner}


def spoilt_names(fields: Mapping[str, Any]) -> Iterator[str]:
    """Fields that hold text which could not be read as it stood."""
    for name, value in fields.items():
        if _is_spoilt(name) or _is_spoilt(value):
            yield mask_key(name)  # as a stranger wrote it, and it is logged


def _is_spoilt(value: Any) -> bool:
    if isinstance(value, str):
        return SPOILT in value
    if isinstance(value, Mapping):
        return any(_is_spoilt(name) or _is_spoilt(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(_is_spoilt, value))


def parsed_of(
    request: Inbound,
    fields: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], tuple[CallEvent, ...]],
) -> Parsed:
    """Return a message of plain fields, read as far as it can be."""
    events, spoilt = read_without_spoilt(read, fields)
    return Parsed(canonical=canonical_of(request, fields), events=events, spoilt=spoilt)


def canonical_of(request: Inbound, fields: Mapping[str, Any]) -> str:
    """Return the text that duplicates are known by: the same fields under the same path are the same message."""
    return canonical({"path": request.path, **fields} if request.path else fields)
