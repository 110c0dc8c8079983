"""What was emptied of a call stays empty, whatever is told of it afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from routing.calls.model import CallEvent

NUMBER, RECORDINGS, PARAMS = "number", "recordings", "params"
_NOTHING: dict[str, dict[str, object]] = {
    NUMBER: {"client": None},
    RECORDINGS: {"recording": None},
    PARAMS: {"params": {}},
}


def without_emptied(events: Iterable[CallEvent], emptied: Collection[str]) -> list[CallEvent]:
    """Return the events of a call as if the PBX had never told what was emptied of it (number, recordings, params)."""
    nothing = {name: value for field in emptied for name, value in _NOTHING.get(field, {}).items()}
    return [event.model_copy(update=nothing) for event in events] if nothing else list(events)
