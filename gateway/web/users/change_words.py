"""The record of changes in words: what a field is called on its page, people by their names, days and hours as they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.store.admin.audit import AuditEntry
from gateway.web.setup.other_fields import PARTS
from gateway.web.words.words import Words
from routing.texts.catalogue import Texts

_OF_CODES = ("state", "reason", "visibility")
"""Fields whose values are words of the program."""
_PEOPLE = frozenset(
    {
        "substitute",
        "deputy_id",
        "employee",
        "employee_id",
        "employees",
        "exclusions",
        "seniors",
        "counters",
        "by",
        "who",
        "person",
        "observers",
    }
)
"""Fields that name employees by their ids."""
_PLACES = frozenset({"pipelines", "pipeline_id", "stage_id"})
_PLAN = re.compile(r"(people|groups)\.(.+?)\.(hours|periods|zone|leave)(?:\.([1-7]))?")
_EVERYBODY = re.compile(r"everybody\.(hours|periods|zone|leave)(?:\.([1-7]))?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORK = frozenset(
    {"replay", "distribution_simulation", "distribution_stage", "trigger_apply", "matrix_check"}
)
"""Kinds whose object is a mark of the program's own."""
NOTHING: tuple[object, ...] = (None, "", [], {})
_MOST_SAID = 12
_SETTINGS = {".".join(one.path): (part, one.name) for part, fields in PARTS.items() for one in fields}


@dataclass(frozen=True, slots=True)
class ChangeWords:
    """people: name by id, of the account that was changed. accounts: name by id. places: name of a pipeline or stage by its id."""

    texts: Texts
    words: Words
    people: Mapping[str, str]
    accounts: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)

    def object(self, entry: AuditEntry) -> str:
        if entry.what in ("employee", "presence"):
            return self.people.get(entry.object, entry.object)
        if entry.what in ("account", "settings", "directory"):
            return self.accounts.get(entry.object, entry.object)
        if entry.what in _WORK:
            return ""
        if entry.what == "attachment":
            return " / ".join(self.places.get(id, id) for id in entry.object.split("/"))
        kind, _, number = entry.object.partition(" ")
        key = f"audit.object.{kind}"
        if key in self.texts.sentences and (not number or number.isdecimal()):
            return self.texts.say(key, n=number)
        return entry.object

    def field(self, what: str, name: str) -> str:
        """name: with dots between, as it was kept."""
        if what == "settings" and name in _SETTINGS:
            part, field = _SETTINGS[name]
            label = self.texts.say(f"setup.other.{part}.{field}")
            return self.texts.say(
                "audit.within", where=self.texts.say(f"setup.other.part.{part}"), what=label
            )
        if found := _PLAN.fullmatch(name):
            whose, id, field, day = found.groups()
            who = self.people.get(id, id) if whose == "people" else self.texts.say("audit.group", name=id)
            return self.texts.say("audit.within", where=who, what=self._plan(field, day))
        if found := _EVERYBODY.fullmatch(name):
            everybody = self.texts.say("audit.everybody")
            return self.texts.say("audit.within", where=everybody, what=self._plan(*found.groups()))
        said = [self._token(what, token) for token in name.split(".")]
        return ": ".join(said)

    def _plan(self, field: str, day: str | None) -> str:
        said = self.texts.say(f"audit.field.{field}")
        return f"{said}, {self.texts.say(f'setup.other.hours.day_{day}')}" if day else said

    def _token(self, what: str, token: str) -> str:
        """Return the word for one part of a name; of what a person or another version called so, the part itself."""
        for key in (f"audit.field.{what}.{token}", f"audit.field.{token}"):
            if key in self.texts.sentences:
                return self.texts.say(key)
        return token

    def right(self, may: Any) -> str:
        """Say what somebody may do in a channel."""
        key = f"audit.right.{may}"
        return self.texts.say(key) if key in self.texts.sentences else str(may)

    def value(self, name: str, value: Any) -> str:
        field = name.rpartition(".")[2]
        if isinstance(value, bool):
            return self.texts.say("audit.value.yes" if value else "audit.value.no")
        if value in NOTHING:
            return self.texts.say("audit.value.nothing")
        if isinstance(value, list):
            return self._list(field, value)
        if isinstance(value, dict):
            return self._named(name, value)
        return self._text(field, str(value))

    def _list(self, field: str, value: list[Any]) -> str:
        if all(isinstance(one, list) and len(one) == 2 for one in value):
            return ", ".join("–".join(map(str, span)) for span in value)
        said = [self.value(field, one) for one in value[:_MOST_SAID]]
        more = len(value) - len(said)
        between = "; " if any(isinstance(one, dict) for one in value) else ", "
        return between.join([*said, *([self.texts.say("audit.more", n=more)] if more else [])])

    def _named(self, field: str, value: Mapping[str, Any]) -> str:
        if {"first", "last"} <= value.keys():
            return self._span(field, value)
        within = field.rpartition(".")[2]
        return ", ".join(
            f"{self._token(within, name)}: {self.value('employee' if within == 'authors' else name, one)}"
            for name, one in value.items()
            if one not in NOTHING
        )

    def _span(self, field: str, value: Mapping[str, Any]) -> str:
        """Say days from one to another, with what holds on them."""
        first, last = (self._text("", str(value[name])) for name in ("first", "last"))
        days = first if first == last else f"{first} – {last}"
        rest = {name: one for name, one in value.items() if name not in ("first", "last")}
        is_off = field == "periods" and not rest.get("hours")
        said = self.texts.say("setup.other.hours.free") if is_off else self._named("", rest)
        return f"{days} ({said})" if said else days

    def _text(self, field: str, text: str) -> str:
        if (key := f"audit.value.{field}.{text}") in self.texts.sentences:
            return self.texts.say(key)
        if field == "role":
            return self.texts.word("shell.role", text)
        if field in _PLACES:
            return self.places.get(text, text)
        if field in _OF_CODES or text in ("set", "changed", "on", "off"):
            key = f"audit.value.{text.replace(' ', '_').replace('-', '_')}"
            return self.texts.say(key) if key in self.texts.sentences else text
        if text.startswith("employee:"):
            return self.people.get(text.removeprefix("employee:"), text)
        if field in _PEOPLE:
            return self.people.get(text, text)
        if _DAY.fullmatch(text):
            return self.words.day(date.fromisoformat(text), with_year=True)
        return text
