"""Two who change one thing at the same time: each has theirs, and of a field that both changed the second is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, TypeVar

import orjson
from pydantic import Field

from gateway.web.frame import Form, PageRefused
from routing.texts.catalogue import Texts

_LONGEST = 2**20
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_Fields = Mapping[str, Any]
_Names = Mapping[str, Mapping[str, str]]
_Whole = TypeVar("_Whole", bound="WholeForm")


class WholeForm(Form):
    """Shows a row whole. was: its fields as they stood when it was opened, as JSON; "" where nobody knows, and then all that was
    sent counts as changed. Of secrets it knows nothing: one that is not typed is not changed."""

    was: str = Field(default="", max_length=_LONGEST)

    @property
    def opened_with(self) -> dict[str, Any]:
        """Raise PageRefused."""
        try:
            found = orjson.loads(self.was or "{}")
        except orjson.JSONDecodeError as err:
            raise PageRefused(422, "invalid", names=("was",)) from err
        return found if isinstance(found, dict) else {}


class Together(NamedTuple):
    """values: what was typed, and elsewhere what stands now. clashes: field that both changed -> what stands there now."""

    values: dict[str, Any]
    clashes: dict[str, Any]


def standing(fields: _Fields) -> str:
    """Return what a form is opened with, for it to bring along."""
    return orjson.dumps(fields).decode()


def together(was: _Fields, now: _Fields, typed: _Fields, unordered: Collection[str] = ()) -> Together:
    """Leave as it is now what the person left as it was. unordered: fields whose lists say the same in any order."""
    values: dict[str, Any] = {}
    clashes: dict[str, Any] = {}
    for name in typed.keys() | now.keys():
        own, stands = typed.get(name), now.get(name)
        before = was.get(name) if was else stands
        is_free = name in unordered
        is_own = not _same(own, before, is_free)
        values[name] = own if is_own else stands
        if is_own and not _same(stands, before, is_free) and not _same(stands, own, is_free):
            clashes[name] = stands
    return Together(values, dict(sorted(clashes.items())))


def form_together(
    form: _Whole, now: _Fields, unordered: Collection[str] = ()
) -> tuple[_Whole, dict[str, Any]]:
    """Return the form with what was typed, and elsewhere what stands now; and the clashes. now: what stands, as the form's own
    fields; what the form does not show is none of them."""
    typed = {name: getattr(form, name) for name in now}
    values, clashes = together(form.opened_with, now, typed, unordered)
    return form.model_copy(update=values), clashes


def clashes_said(clashes: _Fields, texts: Texts, names: _Names | None = None) -> dict[str, str]:
    """Return field -> what to say at it. names: of what may be chosen in a field, by its value."""
    named = names or {}
    return {
        name: texts.say("setup.other.changed", now=_said(value, texts, named.get(name, {})))
        for name, value in clashes.items()
    }


def _same(one: Any, other: Any, is_unordered: bool) -> bool:
    """Whether something is empty or absent says nothing, nor how its lines end."""
    one, other = _plain(one, is_unordered), _plain(other, is_unordered)
    return bool(one == other or (one in _EMPTY and other in _EMPTY))


def _plain(value: Any, is_unordered: bool) -> Any:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    if isinstance(value, list | tuple):
        return sorted(value) if is_unordered else list(value)
    return value


def _said(value: Any, texts: Texts, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return texts.say(f"audit.value.{'yes' if value else 'no'}")
    if isinstance(value, Mapping):
        return ", ".join(f"{id}: {names.get(who, who)}" for id, who in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(names.get(str(one), str(one)) for one in value) or "–"
    text = "" if value is None else str(value)
    return names.get(text, text) or "–"
