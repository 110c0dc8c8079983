"""Texts with `{{ variable | filter }}` and nothing else: no tags, no calls, no arithmetic, no access to objects.

A template is parsed once against the list of variables that its user may name; what is not understood is refused with
its position and the reason, so that an admin sees it while editing and never on a live call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import phonenumbers

from routing.texts.catalogue import DEFAULT_LANGUAGE, Phrase, phrase
from routing.texts.catalogue import Value as TextValue
from routing.texts.sentences import TEXTS

MAX_SOURCE = 2000
MAX_RENDERED = 5000
MAX_FILTERS = 5

TemplateValue = str | int | datetime | None
Arg = str | int

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_][A-Za-z0-9_-]*)*")
_ARG = re.compile(r"\s*(?:'([^'{}]*)'|\"([^\"{}]*)\"|(\d{1,6}))\s*")
_PARTS = re.compile(r"\{\{|\{%|\{#|\}\}")
_SAFE_DATE = re.compile(r"(?:%[dmYyHMSjBbAa]|[^%])*")


class TemplateRefused(ValueError):
    """A template that cannot be used. position: of the first character concerned, from 0. reason, values: as in the catalogues."""

    code = "template-refused"

    def __init__(self, position: int, reason: str, **values: TextValue) -> None:
        because = Phrase(f"template.{reason}", values)
        self.position, self.reason, self.values = position, reason, values
        self.said = phrase("template.refused", position=position + 1, reason=because)
        super().__init__(TEXTS[DEFAULT_LANGUAGE].render(self.said))


class Filter(NamedTuple):
    """takes: how many arguments at least and at most. What it does stands in the catalogues."""

    takes: tuple[int, int]
    apply: Callable[[TemplateValue, tuple[Arg, ...], ZoneInfo], TemplateValue]


class TemplateSlot(NamedTuple):
    name: str
    filters: tuple[tuple[str, tuple[Arg, ...]], ...]


class Template(NamedTuple):
    source: str
    parts: tuple[str | TemplateSlot, ...]

    def render(self, value_of: Callable[[str], TemplateValue], zone: ZoneInfo) -> str:
        """value_of: the value of a variable, None when there is none (it becomes an empty text)."""
        out = [p if isinstance(p, str) else _text(_filled(p, value_of, zone), zone) for p in self.parts]
        return "".join(out)[:MAX_RENDERED].strip()

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parts if isinstance(p, TemplateSlot))


def parse(source: str, is_known: Callable[[str], bool]) -> Template:
    """Read a template. Raises TemplateRefused for anything but text, known variables and known filters."""
    if len(source) > MAX_SOURCE:
        raise TemplateRefused(MAX_SOURCE, "too-long", most=MAX_SOURCE)
    return _parse(source, is_known)


@lru_cache(maxsize=4096)
def _parse(source: str, is_known: Callable[[str], bool]) -> Template:
    parts: list[str | TemplateSlot] = []
    at = 0
    while found := _PARTS.search(source, at):
        if found[0] != "{{":
            raise TemplateRefused(found.start(), "mark-not-allowed", mark=found[0])
        if found.start() > at:
            parts.append(source[at : found.start()])
        slot, at = _slot(source, found.end(), is_known)
        parts.append(slot)
    if at < len(source):
        parts.append(source[at:])
    return Template(source, tuple(parts))


def _slot(source: str, at: int, is_known: Callable[[str], bool]) -> tuple[TemplateSlot, int]:
    at = _spaces(source, at)
    name = _NAME.match(source, at)
    if not name:
        raise TemplateRefused(at, "name-expected")
    if "__" in name[0] or not is_known(name[0]):
        raise TemplateRefused(at, "variable-unknown", name=name[0])
    at = _spaces(source, name.end())
    filters: list[tuple[str, tuple[Arg, ...]]] = []
    while source.startswith("|", at):
        if len(filters) == MAX_FILTERS:
            raise TemplateRefused(at, "too-many-filters", most=MAX_FILTERS)
        used, at = _filter(source, _spaces(source, at + 1))
        filters.append(used)
    if not source.startswith("}}", at):
        raise TemplateRefused(at, "end-expected")
    return TemplateSlot(name[0], tuple(filters)), at + 2


def _filter(source: str, at: int) -> tuple[tuple[str, tuple[Arg, ...]], int]:
    name = _NAME.match(source, at)
    known = FILTERS.get(name[0]) if name else None
    if not name or not known:
        raise TemplateRefused(at, "filter-unknown", name=name[0] if name else source[at : at + 1])
    args, end = _args(source, _spaces(source, name.end()))
    if not known.takes[0] <= len(args) <= known.takes[1]:
        raise TemplateRefused(at, "arguments-wrong", name=name[0], count=len(args))
    if name[0] == "date" and args and not _SAFE_DATE.fullmatch(str(args[0])):
        raise TemplateRefused(at, "date-format")
    if name[0] == "phone" and args and args[0] not in (*_PHONE_FORMATS, "digits"):
        raise TemplateRefused(at, "phone-format", formats=(*_PHONE_FORMATS, "digits"))
    return (name[0], args), _spaces(source, end)


def _args(source: str, at: int) -> tuple[tuple[Arg, ...], int]:
    if not source.startswith("(", at):
        return (), at
    args: list[Arg] = []
    at += 1
    while found := _ARG.match(source, at):
        args.append(int(found[3]) if found[3] else found[1] if found[1] is not None else found[2])
        at = found.end()
        if source.startswith(",", at):
            at += 1
            continue
        break
    if not source.startswith(")", at):
        raise TemplateRefused(at, "argument-expected")
    return tuple(args), at + 1


def _spaces(source: str, at: int) -> int:
    while at < len(source) and source[at] in " \t\n":
        at += 1
    return at


def _filled(slot: TemplateSlot, value_of: Callable[[str], TemplateValue], zone: ZoneInfo) -> TemplateValue:
    value = value_of(slot.name)
    for name, args in slot.filters:
        value = FILTERS[name].apply(value, args, zone)
    return value


def _text(value: TemplateValue, zone: ZoneInfo, shape: str = "%d.%m.%Y %H:%M") -> str:
    if value is None:
        return ""
    return value.astimezone(zone).strftime(shape) if isinstance(value, datetime) else str(value)


def _date(value: TemplateValue, args: tuple[Arg, ...], zone: ZoneInfo) -> TemplateValue:
    return _text(value, zone, str(args[0]) if args else "%d.%m.%Y")


def _default(value: TemplateValue, args: tuple[Arg, ...], zone: ZoneInfo) -> TemplateValue:
    return args[0] if value is None or value == "" else value


def _truncate(value: TemplateValue, args: tuple[Arg, ...], zone: ZoneInfo) -> TemplateValue:
    text, length = _text(value, zone), int(args[0]) if str(args[0]).isdigit() else MAX_RENDERED
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def _duration(value: TemplateValue, args: tuple[Arg, ...], zone: ZoneInfo) -> TemplateValue:
    return f"{value // 60}:{value % 60:02d}" if isinstance(value, int) else _text(value, zone)


_PHONE_FORMATS: Mapping[str, int] = {
    "e164": phonenumbers.PhoneNumberFormat.E164,
    "international": phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    "national": phonenumbers.PhoneNumberFormat.NATIONAL,
}


def _phone(value: TemplateValue, args: tuple[Arg, ...], zone: ZoneInfo) -> TemplateValue:
    text, shape = _text(value, zone), str(args[0]) if args else "international"
    if shape == "digits":
        return "".join(c for c in text if c.isdigit())
    try:
        return phonenumbers.format_number(phonenumbers.parse(text, None), _PHONE_FORMATS[shape])
    except phonenumbers.NumberParseException:
        return text


FILTERS: Mapping[str, Filter] = {
    "date": Filter((0, 1), _date),
    "time": Filter((0, 0), lambda v, a, z: _text(v, z, "%H:%M")),
    "datetime": Filter((0, 0), lambda v, a, z: _text(v, z)),
    "default": Filter((1, 1), _default),
    "upper": Filter((0, 0), lambda v, a, z: _text(v, z).upper()),
    "lower": Filter((0, 0), lambda v, a, z: _text(v, z).lower()),
    "title": Filter((0, 0), lambda v, a, z: _text(v, z).title()),
    "trim": Filter((0, 0), lambda v, a, z: _text(v, z).strip()),
    "truncate": Filter((1, 1), _truncate),
    "duration": Filter((0, 0), _duration),
    "phone": Filter((0, 1), _phone),
}
