"""What the vendor takes although its schema has no place for it, where the profile says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from crm.sandbox.profile import Profile

_TIME = re.compile(r"(_at|_till)$")
_ENTITY = re.compile(r"(leads|contacts|companies)(/\d+)?")
_TASK = re.compile(r"tasks(/\d+)?")
_NOTE = re.compile(r"\w+(/\d+)?/notes(/\d+)?")
_OBJECTS = {"metadata", "_embedded", "params", "rights"}
_SHOWN = {"account_id", "_links", "group_id"}
_OF_ENTITIES = {
    *_SHOWN,
    *("is_deleted", "closest_task_at", "score", "labor_cost", "source_id", "is_price_modified_by_robot"),
    "is_unsorted",
}
_OF_NOTES = {*_SHOWN, "created_by", "updated_by", "created_at", "updated_at", "responsible_user_id"}


def tolerated(body: Any, method: str, path: str, profile: Profile) -> Any:
    """Return the body as the handlers check it. path: after /api/v4/."""
    body = _with_objects(body)
    if profile.fractional_times == "cut":
        body = _whole_seconds(body)
    if method == "PATCH" and profile.read_only_keys == "ignore":
        body = _changes(body, path)
    return body


def _with_objects(value: Any) -> Any:
    """Take empty lists for empty objects: a client in PHP writes these so, and a server in PHP cannot tell them apart."""
    if isinstance(value, list):
        return [_with_objects(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: {} if item == [] and key in _OBJECTS else _with_objects(item) for key, item in value.items()}


def _whole_seconds(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole_seconds(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: int(item) if isinstance(item, float) and _TIME.search(key) else _whole_seconds(item)
        for key, item in value.items()
    }


def _changes(body: Any, path: str) -> Any:
    """Without the keys that only reading gives: clients send a fetched row back with one value changed."""
    clean = next((clean for pattern, clean in _CLEAN if pattern.fullmatch(path)), None)
    if clean is None:
        return body
    if isinstance(body, list):
        return [clean(item) if isinstance(item, dict) else item for item in body]
    return clean(body) if isinstance(body, dict) else body


def _entity(item: Mapping[str, Any]) -> dict[str, Any]:
    kept = _without(item, _OF_ENTITIES)
    if isinstance(kept.get("_embedded"), dict):
        kept["_embedded"] = {name: value for name, value in kept["_embedded"].items() if name == "tags"}
    return kept


def _task(item: Mapping[str, Any]) -> dict[str, Any]:
    kept = _without(item, _SHOWN)
    if kept.get("result") == []:  # how an empty one reads
        del kept["result"]
    return kept


def _note(item: Mapping[str, Any]) -> dict[str, Any]:
    return _without(item, _OF_NOTES)


def _without(item: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in keys}


_CLEAN: tuple[tuple[re.Pattern[str], Callable[[Mapping[str, Any]], dict[str, Any]]], ...] = (
    (_ENTITY, _entity),
    (_TASK, _task),
    (_NOTE, _note),
)
