"""YAML as people write it, without its surprises: 0101 stays text, 10:30 stays text, `no` is no boolean, a key stands once.

Read event by event instead of by the library's constructors: whatever a file holds, it becomes plain values or is refused
with its place, and no file makes the reading long or deep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from gateway.admin.input_words import MOST_DEPTH
from gateway.admin.refused import InputRefused

MOST_BYTES = 4 * 1024 * 1024
"""As much as the API takes in one body."""

_WORDS = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "true": True,
    "True": True,
    "false": False,
    "False": False,
}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_FRACTION = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,30}", re.ASCII)
_QUOTES = "write the text in quotes"


def yaml_value(text: str) -> Any:
    """Return what the text says, as JSON would hold it. Raise InputRefused; its field is the place."""
    if len(text) > MOST_BYTES:  # never more than its bytes
        raise InputRefused(
            "the file", f"is longer than {MOST_BYTES} bytes", "part it into several, by section"
        )
    try:
        return _Reading().value(_events(text))
    except yaml.reader.ReaderError as err:
        line = text.count("\n", 0, err.position) + 1
        raise InputRefused(
            f"line {line}", "holds a character that no YAML file may hold", "leave it out"
        ) from err
    except yaml.MarkedYAMLError as err:
        where = _place(err.problem_mark) if err.problem_mark else "the file"
        raise InputRefused(where, err.problem or "not readable as YAML", "") from err


def _events(text: str) -> Iterator[yaml.Event]:
    loader = yaml.SafeLoader(text)  # only its parser is used
    try:
        while (event := loader.get_event()) is not None:  # type: ignore[no-untyped-call]
            yield event
    except (ValueError, OverflowError) as err:  # chr() of what "\\UFFFFFFFF" stands for
        raise InputRefused(
            _place(loader.get_mark()), "holds an escape that is no character", "write the character itself"
        ) from err


def _place(mark: yaml.Mark | Any) -> str:
    """mark: of the library's reader in Python or in C."""
    return f"line {mark.line + 1}, column {mark.column + 1}"


class _Dumper(yaml.SafeDumper):
    """The library's, which does not read back its own line breaks of other alphabets unless they are escaped."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = '"' if _BREAKS.search(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_BREAKS = re.compile("[\x85\u2028\u2029]")
_Dumper.add_representer(str, _Dumper.represent_text)


def yaml_of(value: Any) -> str:
    """Write plain values so that `yaml_value` reads the same."""
    return str(yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110))


class _Open:
    """A list or object that is being read. key: whose value comes next."""

    def __init__(self, body: list[Any] | dict[str, Any]) -> None:
        self.body = body
        self.key: str | None = None

    def wants_key(self) -> bool:
        return isinstance(self.body, dict) and self.key is None

    def take(self, value: Any) -> None:
        if isinstance(self.body, list):
            self.body.append(value)
        elif self.key is not None:
            self.body[self.key] = value
            self.key = None


class _Reading:
    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._documents: list[Any] = []

    def value(self, events: Iterator[yaml.Event]) -> Any:
        for event in events:
            self._read(event)
        return self._documents[0] if self._documents else None

    def _read(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent() if self._documents:
                raise _refused(event, "a second document begins here", "write one document, without ---")
            case yaml.AliasEvent():
                raise _refused(
                    event,
                    f"refers to another place (*{event.anchor})",
                    f"write out what is meant, or {_QUOTES}",
                )
            case yaml.ScalarEvent():
                self._take_scalar(event)
            case yaml.CollectionStartEvent():
                self._begin(event)
            case yaml.CollectionEndEvent():
                self._take(self._open.pop().body)

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        _refuse_tag(event)
        if self._open and self._open[-1].wants_key():
            self._take_key(event)
        else:
            self._take(_plain(event.value) if event.implicit[0] else event.value)

    def _take_key(self, event: yaml.ScalarEvent) -> None:
        if event.value in self._open[-1].body:
            raise _refused(event, f"'{event.value}' stands here twice", "keep one of them")
        self._open[-1].key = event.value

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        _refuse_tag(event)
        if self._open and self._open[-1].wants_key():
            raise _refused(
                event,
                "a list or an object stands where a name is expected",
                f"where {{{{ … }}}} is meant, {_QUOTES}",
            )
        if len(self._open) >= MOST_DEPTH:
            raise _refused(event, f"more than {MOST_DEPTH} levels stand in one another", "write it flatter")
        self._open.append(_Open([] if isinstance(event, yaml.SequenceStartEvent) else {}))

    def _take(self, value: Any) -> None:
        if self._open:
            self._open[-1].take(value)
        else:
            self._documents.append(value)


def _refuse_tag(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
    if event.tag is not None:
        short = event.tag.replace("tag:yaml.org,2002:", "!!")
        raise _refused(event, f"the type {short} is not known here", f"leave it out, or {_QUOTES}")


def _plain(text: str) -> Any:
    """Return what a text without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FRACTION.fullmatch(text) else text


def _refused(event: yaml.Event, message: str, remedy: str) -> InputRefused:
    return InputRefused(_place(event.start_mark), message, remedy)
