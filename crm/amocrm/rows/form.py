"""The PHP-bracket form that amoCRM posts, as nested parts that are read one by one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qsl

from crm.amocrm.fields import LAST_SECOND, LONGEST_NUMBER
from runtime.masking import mask_key

T = TypeVar("T")
D = TypeVar("D")

LONGEST_BODY = 1024 * 1024
MOST_PAIRS = 50_000
DEEPEST = 12
LONGEST_TEXT = 4096

Tree = dict[str, "Tree | str"]


class WebhookInvalid(Exception):
    """Something in a delivery cannot be understood. field: the key that is wrong, e.g. `leads.add.0.id`; parts that are no
    names of fields are not told, since it is logged. value: what it held. is_lost: the whole item is."""

    code = "webhook-invalid"
    is_lost = False

    def __init__(self, field: str, why: str, value: object = None) -> None:
        super().__init__(f"{field or 'body'}: {why}")
        self.field, self.value = field, value


def form_of(body: bytes) -> tuple[Tree, list[WebhookInvalid]]:
    """`a[b][0]=v` as nested mappings, arrays included (their keys are indices), and the keys that are none."""
    if len(body) > LONGEST_BODY:
        raise WebhookInvalid("", f"more than {LONGEST_BODY} bytes")
    if body.lstrip()[:1] in (b"{", b"["):
        raise WebhookInvalid("", "no form: it looks like JSON")
    try:
        text = body.replace(b"%00", b"").decode("utf-8", "replace")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PAIRS, errors="replace")
    except ValueError as err:
        raise WebhookInvalid("", "no form") from err
    root: Tree = {}
    strange: list[WebhookInvalid] = []
    for key, value in pairs:
        try:
            _put(root, _path(key), value.replace("\x00", ""))
        except WebhookInvalid as err:
            strange.append(err)
    return root, strange


def _path(key: str) -> list[str]:
    head, *rest = key.split("[")
    if not head or len(rest) > DEEPEST or any(not part.endswith("]") for part in rest):
        raise WebhookInvalid(mask_key(key), "no key of a PHP form", key)
    return [head, *(part[:-1] for part in rest)]


def _put(root: Tree, path: list[str], value: str) -> None:
    node = root
    for part in path[:-1]:
        part = part or str(len(node))
        below = node.setdefault(part, {})
        if isinstance(below, str):
            raise WebhookInvalid(_shown(path), "both a value and an object")
        node = below
    last = path[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise WebhookInvalid(_shown(path), "both a value and an object")
    node[last] = value


def _shown(path: list[str]) -> str:
    return ".".join(map(mask_key, path))


class FormPart:
    """A place in the form. Reading what is absent gives None or an empty part; what is malformed raises.

    faults: what could not be read below here, and was done without.
    """

    __slots__ = ("faults", "path", "value")

    def __init__(
        self, value: Tree | str | None, path: str, faults: list[WebhookInvalid] | None = None
    ) -> None:
        self.value, self.path = value, path
        self.faults: list[WebhookInvalid] = [] if faults is None else faults

    def maybe(self, read: Callable[[], T], default: D) -> T | D:
        """Return what the item can do without: `default` where reading it raises."""
        try:
            return read()
        except WebhookInvalid as err:
            self.faults.append(err)
            return default

    def part(self, key: str) -> FormPart:
        path = f"{self.path}.{key}" if self.path else key
        if self.value is None or self.value == "":
            return FormPart(None, path, self.faults)
        if isinstance(self.value, str):
            raise WebhookInvalid(self.path, "an object expected", self.value)
        return FormPart(self.value.get(key), path, self.faults)

    def parts(self) -> Iterator[FormPart]:
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield FormPart(value, f"{self.path}.{mask_key(key)}", self.faults)
        elif self.value:
            raise WebhookInvalid(self.path, "a list expected", self.value)

    @property
    def is_told(self) -> bool:
        return self.value is not None

    def text(self, key: str) -> str | None:
        """None when absent or empty."""
        found = self.part(key)
        if isinstance(found.value, dict):
            raise WebhookInvalid(found.path, "text expected", found.value)
        return found.value[:LONGEST_TEXT] if found.value else None

    def whole(self, key: str) -> str | None:
        """Return a whole number as text; None when absent, empty, 0 or -1: all of them are nobody and nothing."""
        text = self.text(key)
        if text in (None, "0", "-1"):
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
            raise WebhookInvalid(self.part(key).path, "a whole number expected", text)
        return text

    def id(self, key: str = "id") -> str:
        found = self.whole(key)
        if found is None:
            raise WebhookInvalid(self.part(key).path, "an id expected", self.part(key).value)
        return found

    # Of what an item can do without: None and a fault where it cannot be read.

    def some_text(self, key: str) -> str | None:
        return self.maybe(lambda: self.text(key), None)

    def some_id(self, key: str) -> str | None:
        return self.maybe(lambda: self.whole(key), None)

    def some_moment(self, *keys: str) -> datetime | None:
        return self.maybe(lambda: self.moment(*keys), None)

    def some_parts(self, key: str) -> list[FormPart]:
        return self.maybe(lambda: list(self.part(key).parts()), [])

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def moment(self, *keys: str) -> datetime | None:
        """Return the first of these that is told, Unix seconds as aware UTC."""
        for key in keys:
            if (text := self.whole(key)) is not None:
                return self._moment(self.part(key).path, text)
        return None

    @staticmethod
    def _moment(path: str, text: str) -> datetime:
        if int(text) >= LAST_SECOND:
            raise WebhookInvalid(path, "Unix seconds expected", text)
        return datetime.fromtimestamp(int(text), UTC)
