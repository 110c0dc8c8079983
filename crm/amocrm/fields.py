"""Strict reading of decoded JSON: every refusal names the field. Keys that we do not know are left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from crm.errors import CrmUnreadable


class Node:
    """One value of an answer and where it stands, e.g. `_embedded.leads.0.id`."""

    __slots__ = ("path", "value")

    def __init__(self, value: Any, path: str = "") -> None:
        self.value = value
        self.path = path

    def bad(self, wanted: str) -> CrmUnreadable:
        return CrmUnreadable(
            f"{self.path or 'answer'}: {wanted} expected, got {_kind(self.value)}", self.path
        )

    def get(self, key: str) -> Node:
        """The member, None-valued when it is absent. Raises CrmUnreadable when this is no object."""
        if not isinstance(self.value, Mapping):
            raise self.bad("object")
        return Node(self.value.get(key), f"{self.path}.{key}" if self.path else key)

    def at(self, *keys: str) -> Node:
        """A member of a member …; an absent or empty-array object on the way counts as empty (PHP writes {} as [])."""
        node = self
        for key in keys:
            if node.value is None or node.value == []:
                return Node(None, f"{node.path}.{key}" if node.path else key)
            node = node.get(key)
        return node

    def items(self) -> Iterator[Node]:
        """Elements of an array; absent or null counts as empty."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.bad("array")
        for index, value in enumerate(self.value):
            yield Node(value, f"{self.path}.{index}")

    @property
    def is_absent(self) -> bool:
        return self.value is None

    def id(self) -> str:
        """A whole number, or text that is not empty, as text."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        if isinstance(self.value, str) and self.value:
            return self.value
        raise self.bad("id")

    def id_or_none(self) -> str | None:
        """None for null, absent, 0 and empty: amoCRM writes "nobody" in all these ways."""
        return None if self.value in (None, 0, "", "0") else self.id()

    def text(self) -> str:
        if isinstance(self.value, str):
            return self.value
        raise self.bad("text")

    def text_or_none(self) -> str | None:
        return None if self.value is None else self.text()

    def loose_text(self) -> str:
        """Text that amoCRM also writes as a number (values of fields, call_responsible); "" when null or absent."""
        if self.value is None:
            return ""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | float):
            raise self.bad("text or number")
        return str(self.value)

    def flag(self, default: bool | None = None) -> bool:
        if isinstance(self.value, bool):
            return self.value
        if self.value is None and default is not None:
            return default
        raise self.bad("true or false")

    def number(self, default: int | None = None) -> int:
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        if self.value is None and default is not None:
            return default
        raise self.bad("whole number")

    def moment(self) -> datetime:
        """Unix seconds as aware UTC."""
        try:
            return datetime.fromtimestamp(self.number(), UTC)
        except (OverflowError, OSError, ValueError) as err:
            raise self.bad("Unix seconds") from err

    def moment_or_none(self) -> datetime | None:
        return None if self.value in (None, 0) else self.moment()


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
