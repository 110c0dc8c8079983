"""The settings of an account as fields of forms, part by part: what stands in them, and what is typed as settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from routing.settings import AccountSettings

SettingKind = Literal["text", "number", "flag", "choice", "names", "people", "spans"]
SettingsPart = Literal["account", "rings", "hours", "missed", "presence", "alarms", "kept", "numbers"]
Typed = Mapping[str, Any]
_ORDERS = (
    "lead,contact,deal",
    "lead,deal,contact",
    "contact,lead,deal",
    "contact,deal,lead",
    "deal,lead,contact",
    "deal,contact,lead",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """path: in the settings. least, most: of a number. is_optional: empty means none, or never. options: of a choice."""

    name: str
    path: tuple[str, ...]
    kind: SettingKind = "text"
    least: int = 0
    most: int = 0
    is_optional: bool = False
    options: Sequence[str] = ()


def _number(path: str, least: int, most: int, *, name: str = "", is_optional: bool = False) -> SettingField:
    parts = tuple(path.split("."))
    return SettingField(
        name=name or parts[-1], path=parts, kind="number", least=least, most=most, is_optional=is_optional
    )


def _field(path: str, kind: SettingKind, name: str = "", options: Sequence[str] = ()) -> SettingField:
    parts = tuple(path.split("."))
    return SettingField(name=name or parts[-1], path=parts, kind=kind, options=options)


_KEPT = ("number_days", "name_days", "recording_days", "param_days", "raw_days", "text_days")
PARTS: Mapping[SettingsPart, Sequence[SettingField]] = {
    "account": (
        _field("language", "choice", options=("ru", "en")),
        SettingField(name="support_phone", path=("support_phone",), is_optional=True),
        _number("requests_per_second", 1, 50),
    ),
    "rings": (
        _field("lookup.priority", "choice", options=_ORDERS),
        _field("lookup.use_deputies", "flag"),
        _number("lookup.ring_seconds", 1, 300),
        _field("lookup.availability", "choice", options=("off", "skip", "ring_first")),
        _number("lookup.ring_away_seconds", 1, 300),
        _field("lookup.group", "names"),
    ),
    "hours": (
        *(_field(f"working_time.hours.{day}", "spans", f"day_{day}") for day in range(1, 8)),
        SettingField(name="holidays", path=("working_time", "holidays"), is_optional=True),
        _field("working_time.working_saturdays", "flag"),
    ),
    "missed": (
        _number("cases.escalate_minutes", 1, 1_000_000, is_optional=True),
        _number("cases.max_escalations", 0, 10),
        _field("cases.quiet_hours", "spans"),
        _field("cases.seniors", "people"),
        _number("calls.settle_seconds", 0, 600),
        _number("calls.lost_hangup_minutes", 1, 1440),
    ),
    "presence": (
        _field("presence.is_on", "flag"),
        _number("presence.idle_minutes", 1, 720, is_optional=True),
        _number("presence.answer_seconds", 20, 3600),
    ),
    "alarms": (
        _number("alerts.pbx_silent_minutes", 10, 30_000, is_optional=True),
        _number("alerts.desk_full", 1, 1_000_000),
        _field("alerts.emails", "names"),
        _field("alerts.telegram_chats", "names"),
    ),
    "numbers": (
        _field("numbers.own_numbers", "names"),
        _field("numbers.eight_is_plus_seven", "flag"),
        SettingField(name="area_code", path=("numbers", "area_code"), is_optional=True),
        _number("numbers.internal_digits", 2, 6),
    ),
    "kept": tuple(_number(f"personal_data.{name}", 3, 3650, is_optional=True) for name in _KEPT),
}


@dataclass(slots=True)
class SettingsRead:
    """dumped: the settings as JSON has them, with what was typed. errors: field -> what it must be, a key below
    "setup.other.must."."""

    dumped: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)


def shown_fields(settings: AccountSettings, part: SettingsPart) -> dict[str, Any]:
    """Return field -> what stands in it."""
    dumped = settings.model_dump(mode="json")
    return {one.name: _as_typed(_at(dumped, one.path), one) for one in PARTS[part]}


def as_shown(sent: Typed, now: Typed) -> dict[str, Any]:
    """Return what was sent as `shown_fields` has it: a flag that is not there is off. now: the fields as they stand."""
    return {n: bool(sent.get(n)) if isinstance(v, bool) else str(sent.get(n, "")) for n, v in now.items()}


def as_sent(shown: Typed) -> dict[str, Any]:
    return {name: value or "" for name, value in shown.items()}


def _at(dumped: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = dumped
    for name in path:
        found = found.get(name) if name in found else found.get(int(name)) if name.isdigit() else None
    return found


def _as_typed(value: Any, one: SettingField) -> Any:
    match one.kind:
        case "flag":
            return bool(value)
        case "spans":
            return ", ".join("–".join(span) for span in value or ())
        case "names" | "people":
            return ", ".join(sorted(value) if one.name == "own_numbers" else value or ())
        case "choice" if not isinstance(value, str):
            return ",".join(value)
        case _:
            return "" if value is None else str(value)


def in_one(part: SettingsPart, sent: Typed) -> dict[str, Any]:
    """Return what was sent with the places of each list of people, `name.0`, `name.1`, …, as one field."""
    found = dict(sent)
    for one in PARTS[part]:
        rows = {key: found.pop(key) for key in list(found) if key.startswith(f"{one.name}.")}
        if one.kind == "people" and rows:
            found[one.name] = ", ".join(text for _, text in sorted(rows.items(), key=_place) if text)
    return found


def _place(row: tuple[str, Any]) -> int:
    number = row[0].rpartition(".")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def read_fields(settings: AccountSettings, part: SettingsPart, typed: Typed) -> SettingsRead:
    """typed: field -> text; a flag that is not there is off."""
    read = SettingsRead(settings.model_dump(mode="json"))
    for one in PARTS[part]:
        text = str(typed.get(one.name, "")).strip()
        try:
            _put(read.dumped, one.path, _value(one, text))
        except ValueError:
            read.errors[one.name] = one.kind
    return read


def _put(dumped: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *above, last = path
    place: dict[Any, Any] = dumped
    for name in above:
        place = place[name]
    if last.isdigit() and not value and last not in place and int(last) not in place:
        return  # a day that has no hours and had none
    place.pop(int(last), None) if last.isdigit() else None
    place[last] = value


def _value(one: SettingField, text: str) -> Any:
    match one.kind:
        case "flag":
            return bool(text)
        case "number":
            return _whole(one, text)
        case "choice":
            if text not in one.options:
                raise ValueError(text)
            return text.split(",") if "," in text else text
        case "names" | "people":
            return list(dict.fromkeys(_split(text)))
        case "spans":
            return list(_spans(text))
        case _:
            return text or None if one.is_optional else text


def _whole(one: SettingField, text: str) -> int | None:
    if not text and one.is_optional:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise ValueError(text)
    number = int(text)
    if not one.least <= number <= one.most:
        raise ValueError(text)
    return number


def _split(text: str) -> Iterator[str]:
    for part in text.replace("\n", ",").replace(";", ",").split(","):
        if part.strip():
            yield part.strip()


def _spans(text: str) -> Iterator[tuple[str, str]]:
    """Read spans of the day, with whatever dash between the hours."""
    for part in _split(text):
        opens, dash, closes = part.replace("—", "–").replace("-", "–").partition("–")
        if not dash:
            raise ValueError(part)
        yield _clock(opens), _clock(closes)


def _clock(text: str) -> str:
    hour, _, minute = text.strip().partition(":")
    return f"{int(hour):02d}:{int(minute or 0):02d}"
