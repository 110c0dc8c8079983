"""What keys and settings of a connection may be: of a PBX, of an SMS provider, of a messenger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gateway.admin.input_words import is_time_zone
from gateway.admin.refused import SettingRefused
from gateway.pbx.capabilities import SettingType
from gateway.pbx.dialects import NUMBER_SPELLINGS

_LONGEST_VALUE = 500


def refuse_names(field: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise SettingRefused for names that nothing would ever read."""
    choices = sorted(known)
    for name in names:
        if name not in choices:
            message, remedy = f"'{name}' is not known here", f"known: {', '.join(choices) or 'none'}"
            raise SettingRefused(field, name, "unknown", message, remedy, value=name, known=choices)


def refuse_bad_keys(keys: Mapping[str, str]) -> None:
    for name, value in keys.items():
        if not (_is_text(value) and value.strip()):
            remedy = f"write a text of 1 to {_LONGEST_VALUE} characters"
            raise SettingRefused("keys", name, "key", f"the value of {name} is no key", remedy)


def refuse_bad_values(settings: Mapping[str, Any], types: Mapping[str, SettingType]) -> None:
    """Raise SettingRefused for the first value that its setting cannot have."""
    for name, value in settings.items():
        is_fitting, remedy = _VALUES[types[name]]
        if not is_fitting(value):
            known = tuple(NUMBER_SPELLINGS) if types[name] == "number spelling" else ()
            message = f"'{value}' is no value of {name}"
            raise SettingRefused("settings", name, types[name], message, remedy, value=value, known=known)


def refuse_other_choices(settings: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> None:
    """Raise SettingRefused for the first value that is none of the words which its setting may be. Empty: as though it was not there."""
    for name, known in choices.items():
        value = settings.get(name, "")
        if value not in ("", *known):
            message, remedy = (
                f"'{value}' is no value of {name}",
                f"leave it empty, or write one of: {', '.join(known)}",
            )
            raise SettingRefused("settings", name, "choice", message, remedy, value=value, known=known)


def keys_needed_again(held: Iterable[str]) -> SettingRefused:
    """Make the refusal of keys that nobody is shown and that would go to another address. held: their names."""
    message = "they would be sent to another address than they were given for"
    remedy = "give the keys again in the same change"
    return SettingRefused("keys", next(iter(held), ""), "key again", message, remedy)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_VALUE


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return False
    text = str(value).strip()
    return text.isascii() and text.isdigit() and len(text) <= 6


def _is_count(value: Any) -> bool:
    return _is_whole(value) and int(value) >= 1


def _is_port(value: Any) -> bool:
    return _is_whole(value) and 1 <= int(value) <= 65535


def _is_switch(value: Any) -> bool:
    return str(value).strip().lower() in _SWITCHES


def _is_list(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, list) and all(_is_text(v) for v in value))


def _is_zone(value: Any) -> bool:
    return isinstance(value, str) and is_time_zone(value)


_SWITCHES = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off"})
_VALUES: Mapping[SettingType, tuple[Callable[[Any], bool], str]] = {
    "text": (_is_text, f"write a text of {_LONGEST_VALUE} characters or fewer"),
    "whole": (_is_whole, "write a whole number from 0, e.g. 4"),
    "count": (_is_count, "write a whole number from 1, e.g. 10"),
    "port": (_is_port, "write a port from 1 to 65535"),
    "switch": (_is_switch, "write true or false"),
    "list": (_is_list, "write a text, several with commas between them"),
    "time zone": (_is_zone, "write its IANA name, e.g. Europe/Moscow"),
    "number spelling": (lambda value: value in NUMBER_SPELLINGS, f"one of: {', '.join(NUMBER_SPELLINGS)}"),
}
