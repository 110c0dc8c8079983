"""Strict reading of decoded JSON: every refusal names the field. Keys that we do not know are left alone.

What a row can do without is read by `maybe` and `each`: a value that is refused there costs itself, and is noted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from crm.errors import CrmUnreadable

T = TypeVar("T")
D = TypeVar("D")

LONGEST_TEXT = 65_536
LONGEST_NUMBER = 18  # digits
# Ids stand in addresses and in indices of the database.
ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_NOBODY = (None, 0, "", "0", -1, "-1")
LAST_SECOND = 7_258_118_400  # of the year 2199: whoever calculates with such times must not overflow


class Node:
    """One value of an answer and where it stands, e.g. `_embedded.leads.0.id`.

    faults: what could not be read below here, and was done without.
    """

    __slots__ = ("faults", "path", "value")

    def __init__(self, value: Any, path: str = "", faults: list[CrmUnreadable] | None = None) -> None:
        self.value = value
        self.path = path
        self.faults: list[CrmUnreadable] = [] if faults is None else faults

    def bad(self, wanted: str) -> CrmUnreadable:
        told = f"{self.path or 'answer'}: {wanted} expected, got {_kind(self.value)}"
        return CrmUnreadable(told, self.path, self.value)

    def _below(self, value: Any, key: str | int) -> Node:
        return Node(value, f"{self.path}.{key}" if self.path else str(key), self.faults)

    def maybe(self, path: str, read: Callable[[Node], T], default: D) -> T | D:
        """Return what the row can do without: `default` where `read` refuses what stands at `path` (keys with dots between)."""
        try:
            return read(self.at(*path.split(".")))
        except CrmUnreadable as err:
            self.faults.append(err)
            return default

    def each(self, path: str, read: Callable[[Node], T]) -> list[T]:
        """Return what `read` makes of each element of the array at `path`, without those that it refuses."""
        found: list[T] = []
        for item in self.maybe(path, lambda node: list(node.items()), []):
            try:
                found.append(read(item))
            except CrmUnreadable as err:
                self.faults.append(err)
        return found

    def get(self, key: str) -> Node:
        """Return the member, None-valued when it is absent. Raises CrmUnreadable when this is no object."""
        if not isinstance(self.value, Mapping):
            raise self.bad("object")
        return self._below(self.value.get(key), key)

    def at(self, *keys: str) -> Node:
        """Return a member of a member …; an absent or empty-array object on the way counts as empty (PHP writes {} as [])."""
        node = self
        for key in keys:
            if node.value is None or node.value == []:
                return node._below(None, key)
            node = node.get(key)
        return node

    def items(self) -> Iterator[Node]:
        """Elements of an array; absent or null counts as empty. PHP writes one with gaps as an object of indices."""
        value = self.value
        if value is None:
            return
        if isinstance(value, Mapping) and all(key.isdecimal() for key in value):
            value = list(value.values())
        if not isinstance(value, list):
            raise self.bad("array")
        for index, element in enumerate(value):
            yield self._below(element, index)

    @property
    def is_absent(self) -> bool:
        return self.value is None

    def id(self) -> str:
        """Return a whole number, or text made of few letters and digits, as text."""
        if isinstance(self.value, int) and not isinstance(self.value, bool) and self.value != 0:
            if abs(self.value) < 10**LONGEST_NUMBER:
                return str(self.value)
        elif isinstance(self.value, str) and ID.fullmatch(self.value) and _is_short(self.value):
            return self.value
        raise self.bad("id")

    def id_or_none(self) -> str | None:
        """None for null, absent, 0, -1 and empty: amoCRM writes "nobody" in all these ways."""
        return None if self.value in _NOBODY else self.id()

    def text(self) -> str:
        if isinstance(self.value, str):
            return self.value[:LONGEST_TEXT]
        raise self.bad("text")

    def text_or_none(self) -> str | None:
        return None if self.value is None else self.text()

    def loose_text(self) -> str:
        """Text that amoCRM also writes as a number (values of fields, call_responsible); "" when null or absent."""
        if self.value is None:
            return ""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | float):
            raise self.bad("text or number")
        return str(self.value)[:LONGEST_TEXT]

    def flag(self, default: bool | None = None) -> bool:
        """amoCRM also writes 1 and 0."""
        if isinstance(self.value, bool) or (isinstance(self.value, int) and self.value in (0, 1)):
            return bool(self.value)
        if self.value is None and default is not None:
            return default
        raise self.bad("true or false")

    def number(self, default: int | None = None) -> int:
        """Also where it is written as text."""
        value = self.value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER:
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**LONGEST_NUMBER:
            return value
        if self.value is None and default is not None:
            return default
        raise self.bad("whole number")

    def moment(self) -> datetime:
        """Unix seconds as aware UTC."""
        seconds = self.number()
        if not 0 < seconds < LAST_SECOND:
            raise self.bad("Unix seconds")
        return datetime.fromtimestamp(seconds, UTC)

    def moment_or_none(self) -> datetime | None:
        return None if self.value in (None, 0, "", "0") else self.moment()


def _is_short(text: str) -> bool:
    return not text.isdigit() or len(text) <= LONGEST_NUMBER


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {
        dict: "object",
        list: "array",
        str: "text",
        bool: "true or false",
        int: "number",
        float: "fraction",
    }
    return names.get(type(value), type(value).__name__)


_MOST_TEXT = 256
_MOST_FIELDS = 500
# Compared as numbers (crm/port.py, numbers).
_ELSEWHERE = "PHONE"


def field_values(stored: Any) -> str:
    """JSON of field id -> values as one text that two readings agree on, "{}" where nothing is filled in.

    stored: `custom_fields_values` as the CRM gave it. Of several values of a field the texts stand one under another;
    what cannot be read is left out, long texts are cut to 256 characters.
    """
    fields = stored if isinstance(stored, list) else []
    filled = {}
    for field in fields[:_MOST_FIELDS]:
        if isinstance(field, Mapping) and field.get("field_code") != _ELSEWHERE:
            id, text = field.get("field_id"), _text(field.get("values"))
            if isinstance(id, int) and text:
                filled[str(id)] = text
    return orjson.dumps(filled, option=orjson.OPT_SORT_KEYS).decode()


def _text(values: Any) -> str:
    items = values if isinstance(values, list) else []
    texts = (_one(item.get("value")) for item in items if isinstance(item, Mapping))
    text = "\n".join(text for text in texts if text)[:_MOST_TEXT]
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _one(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, ValueError):
        return str(value)
