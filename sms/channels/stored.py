"""Updates as they are stored, and under which key: a repetition is stored once. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from sms.channels.model import (
    ChannelStateTold,
    ChannelUpdate,
    ChatChanged,
    DeletedTold,
    FileTold,
    MessageTold,
    PartTold,
    StatusTold,
    UnreadTold,
)
from sms.errors import SmsWireInvalid

_READ: Mapping[str, type[ChannelUpdate]] = {
    "message": MessageTold,
    "deleted": DeletedTold,
    "status": StatusTold,
    "chat": ChatChanged,
    "channel": ChannelStateTold,
    "unread": UnreadTold,
}
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in _READ.items()}
_NAMES: Mapping[type, str] = {kind: name for name, kind in _READ.items()}
_FILE: TypeAdapter[FileTold] = TypeAdapter(FileTold)
_PARTS: TypeAdapter[tuple[PartTold, ...]] = TypeAdapter(tuple[PartTold, ...])


def update_as_json(update: ChannelUpdate) -> dict[str, Any]:
    """Return it with its kind under `told`. Unset values are left out; NUL, which no text of a database holds, becomes U+FFFD."""
    name = _NAMES[type(update)]
    fields = _ADAPTERS[name].dump_python(update, mode="json", exclude_defaults=True)
    return {"told": name, **_without_nul(fields)}


def update_of(value: Mapping[str, object]) -> ChannelUpdate:
    """Read what `update_as_json` wrote; fields that it does not know are passed over. Raises SmsWireInvalid naming the field."""
    adapter = _ADAPTERS.get(str(value.get("told")))
    if adapter is None:
        raise SmsWireInvalid("told", f"must be one of {', '.join(_ADAPTERS)}")
    try:
        update: ChannelUpdate = adapter.validate_python(
            {name: told for name, told in value.items() if name != "told"}
        )
    except ValidationError as err:
        first = err.errors()[0]
        said = "is missing" if first["type"] == "missing" else "cannot be read"
        raise SmsWireInvalid(".".join(map(str, first["loc"])), said) from err
    return update


def parts_as_json(parts: tuple[PartTold, ...]) -> list[dict[str, Any]]:
    """Return parts as a message is kept with."""
    kept: list[dict[str, Any]] = _without_nul(_PARTS.dump_python(parts, mode="json", exclude_defaults=True))
    return kept


def parts_of(value: Any) -> tuple[PartTold, ...]:
    """Read what `parts_as_json` wrote."""
    return _PARTS.validate_python(value)


def file_as_json(file: FileTold) -> dict[str, Any]:
    """Return a file as it is kept beside its message."""
    kept: dict[str, Any] = _without_nul(_FILE.dump_python(file, mode="json", exclude_defaults=True))
    return kept


def file_of(value: Any) -> FileTold:
    """Read what `file_as_json` wrote."""
    return _FILE.validate_python(value)


def key_of(update: ChannelUpdate) -> str | None:
    """Return by what a repetition of it is known in its channel; None: it is stored every time, since the same may be true again."""
    if update.vendor_key:
        return f"update:{update.vendor_key}"
    match update:
        case MessageTold(edit=None):
            return f"message:{update.id}"
        case MessageTold(edit=edit):
            assert edit is not None
            return f"edit:{update.id}:{edit.id or edit.at}:{_hashed(parts_as_json(update.parts))}"
        case StatusTold():
            return f"status:{update.id or update.own_key}:{update.status}"
        case DeletedTold():
            return f"deleted:{update.chat_id}:{_hashed(sorted(update.ids))}"
        case UnreadTold():
            return f"unread:{hashlib.sha256(update.raw).hexdigest()}"
    return None


def _hashed(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {name: _without_nul(told) for name, told in value.items()}
    return [_without_nul(told) for told in value] if isinstance(value, list) else value
