"""The fields of a channel as its form shows them, and what becomes of them where somebody else changed it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.store.channels.channels import SavedChannel
from gateway.web.channels.typed import ChannelForm
from gateway.web.saving import together as saving
from routing.texts.catalogue import Texts

_FIELDS: Mapping[str, str] = {"pipeline_id": "place", "stage_id": "place", "authors": "author-1"}
_RULE, _SETTING = "rules.", "settings."
_UNORDERED = ("rules.employees",)


class ChannelTogether(NamedTuple):
    """changes: an order for `change_channel`. clashes: field of the form -> what stands there now. form: what the person typed,
    and elsewhere what stands now."""

    changes: dict[str, Any]
    clashes: dict[str, str]
    form: ChannelForm


def standing(saved: SavedChannel) -> str:
    """Return what a form is opened with, for it to bring along."""
    return saving.standing(_flat(saved.name, saved.is_on, _rules(saved), saved.channel.settings))


def together(saved: SavedChannel, form: ChannelForm, texts: Texts) -> ChannelTogether:
    """Leave as it is now what the person left as it was when the form was opened. saved: as it stands now."""
    held = saved.channel.settings
    hidden = {name: value for name, value in held.items() if name not in form.shown}
    typed = _flat(form.name.strip(), form.is_on, form.rules(saved.rules), {**hidden, **form.settings})
    now = _flat(saved.name, saved.is_on, _rules(saved), held)
    merged, clashes = saving.together(form.opened_with, now, typed, _UNORDERED)
    said = saving.clashes_said({_field_of(name): stands for name, stands in clashes.items()}, texts)
    changes: dict[str, Any] = {
        "name": merged["name"],
        "is_on": merged["is_on"],
        "rules": _part(merged, _RULE),
        "settings": {name: value for name, value in _part(merged, _SETTING).items() if value},
    }
    if form.keys:
        changes["keys"] = {**saved.channel.keys, **form.keys}
    shown = form.showing(changes["name"], changes["is_on"], changes["rules"], changes["settings"])
    return ChannelTogether(changes, said, shown)


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


def _field_of(name: str) -> str:
    if name.startswith(_SETTING):
        return f"setting-{name.removeprefix(_SETTING)}"
    rule = name.removeprefix(_RULE)
    return _FIELDS.get(rule, rule)
