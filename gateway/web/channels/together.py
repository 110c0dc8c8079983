"""Two who change one channel at the same time: each has theirs, and of what both changed the second is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gateway.store.channels.channels import SavedChannel
from gateway.web.channels.typed import ChannelForm
from routing.texts.catalogue import Texts

_FIELDS: Mapping[str, str] = {"pipeline_id": "place", "stage_id": "place", "authors": "author-1"}
_RULE, _SETTING = "rules.", "settings."
_EMPTY: tuple[Any, ...] = (None, "", [], {})


class Together(NamedTuple):
    """changes: an order for `change_channel`. clashes: field of the form -> what stands there now. form: what the person typed,
    and elsewhere what stands now."""

    changes: dict[str, Any]
    clashes: dict[str, str]
    form: ChannelForm


def standing(saved: SavedChannel) -> str:
    """Return what a form is opened with, for it to bring along."""
    return orjson.dumps(_flat(saved.name, saved.is_on, _rules(saved), saved.channel.settings)).decode()


def together(saved: SavedChannel, form: ChannelForm, texts: Texts) -> Together:
    """Leave as it is now what the person left as it was when the form was opened. saved: as it stands now."""
    held = saved.channel.settings
    hidden = {name: value for name, value in held.items() if name not in form.shown}
    typed = _flat(form.name.strip(), form.is_on, form.rules(saved.rules), {**hidden, **form.settings})
    now, was = _flat(saved.name, saved.is_on, _rules(saved), held), form.opened_with
    merged: dict[str, Any] = {}
    clashes: dict[str, str] = {}
    for name in typed.keys() | now.keys():
        own, stands = typed.get(name), now.get(name)
        before = was.get(name) if was else stands
        merged[name] = stands if _same(own, before) else own
        if not _same(own, before) and not _same(stands, before) and not _same(stands, own):
            clashes[_field_of(name)] = texts.say("setup.other.changed", now=_said(stands))
    changes: dict[str, Any] = {
        "name": merged["name"],
        "is_on": merged["is_on"],
        "rules": _part(merged, _RULE),
        "settings": {name: value for name, value in _part(merged, _SETTING).items() if value},
    }
    if form.keys:
        changes["keys"] = {**saved.channel.keys, **form.keys}
    shown = form.showing(changes["name"], changes["is_on"], changes["rules"], changes["settings"])
    return Together(changes, clashes, shown)


def _rules(saved: SavedChannel) -> dict[str, Any]:
    return saved.rules.model_dump(mode="json")


def _flat(name: str, is_on: bool, rules: Mapping[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "is_on": is_on,
        **{_RULE + one: value for one, value in rules.items()},
        **{_SETTING + one: value for one, value in settings.items()},
    }


def _part(flat: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in flat.items() if name.startswith(prefix)}


def _same(one: Any, other: Any) -> bool:
    """Compare values of a field: the order of people says nothing, nor whether something is empty or absent."""
    if isinstance(one, list) and isinstance(other, list):
        return sorted(one) == sorted(other)
    return one == other or (one in _EMPTY and other in _EMPTY)


def _field_of(name: str) -> str:
    if name.startswith(_SETTING):
        return f"setting-{name.removeprefix(_SETTING)}"
    rule = name.removeprefix(_RULE)
    return _FIELDS.get(rule, rule)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{id}: {who}" for id, who in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
