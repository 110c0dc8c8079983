"""What an order can do without: fields, tags, a link. What the CRM refuses of these is left out, and the rest is written. Pure.

Its refusal names the value by a dotted path (`custom_fields_values.6.values.0.value`), a larger part of it, or nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from crm.amocrm.wire_write import Item

Part = tuple[str | int, ...]
"""Where in an item it stands."""

FIELD_MISSING = "FieldMissing"  # code of a refusal for what is not there
MOST_TRIED = 4  # parts that are left out one by one where the refusal names none; of more, all at once
_OWN: dict[str, tuple[str, ...]] = {
    "notes": ("params.link", "params.call_result"),
    "calls": ("link", "call_result"),
    "tasks": ("task_type_id", "result"),
}
# Where a new deal is to stand: a stage that is gone gives way to the pipeline's first, a pipeline to the account's main one.
_MAKES_DEALS = ("leads", "complex", "sip")
_OWNERS = frozenset({"responsible_user_id", "created_by", "updated_by", "call_responsible"})
_NESTED = ("contacts", "companies", "leads")


def optional_parts(path: str, item: Item) -> list[Part]:
    """path: of the request, without query."""
    return [*_plain_parts(path.rsplit("/", 1)[-1], item), *_entity_parts(item, ())]


def _plain_parts(last: str, item: Item) -> Iterator[Part]:
    if last in _MAKES_DEALS and "id" not in item:
        yield from ((name,) for name in ("pipeline_id", "status_id") if item.get(name) is not None)
    for dotted in _OWN.get(last, ()):
        part: Part = tuple(dotted.split("."))
        if _value(item, part) is not None:
            yield part


def _entity_parts(item: Item, at: Part) -> Iterator[Part]:
    """Fields and tags of an entity and of those that are created with it; of the number only what kind of number it is."""
    for place, value in enumerate(item.get("custom_fields_values") or ()):
        field = (*at, "custom_fields_values", place)
        if value.get("field_code") != "PHONE":
            yield field
        else:
            yield from (
                (*field, "values", n, "enum_code")
                for n, one in enumerate(value["values"])
                if "enum_code" in one
            )
    if item.get("tags_to_add"):
        yield (*at, "tags_to_add")
    for kind in _NESTED:
        for place, nested in enumerate((item.get("_embedded") or {}).get(kind) or ()):
            yield from _entity_parts(nested, (*at, "_embedded", kind, place))


def is_owner(path: str) -> bool:
    """Whether a refusal with this path means the user whom the item names."""
    return path.rpartition(".")[2] in _OWNERS


def is_entity(path: str) -> bool:
    """Whether a refusal with this path means the card that the item goes to, or that it changes."""
    steps = _steps(path)
    return (
        steps == ("id",)
        or steps[-1:] == ("entity_id",)
        or (len(steps) > 1 and steps[-1] == "id" and steps[0] == "_embedded")
    )


def required_by(path: str, item: Item, missing: Sequence[str]) -> list[Part]:
    """Return the stage of a new deal, which may be what asks for a field that the deal lacks. missing: paths, as refused."""
    is_deal = (
        path.rsplit("/", 1)[-1] in _MAKES_DEALS and "id" not in item and item.get("status_id") is not None
    )
    return (
        [("status_id",)] if is_deal and not any(_steps(one)[:1] == ("_embedded",) for one in missing) else []
    )


def blamed(parts: Sequence[Part], paths: Sequence[str]) -> list[Part] | None:
    """Return the parts that a refusal means by these paths. None: it also means something that is not optional.

    []: it says nothing that could be found in the item.
    """
    found: list[Part] = []
    for path in paths:
        steps = _steps(path)
        if not steps:
            continue
        some = [part for part in parts if _meets(part, steps)]
        if not some:
            return None
        found += [part for part in some if part not in found]
    return found


def _meets(part: Part, steps: tuple[str, ...]) -> bool:
    """Inside the part, or something larger that holds it."""
    named = tuple(str(step) for step in part)
    shared = min(len(named), len(steps))
    return named[:shared] == steps[:shared]


def _steps(path: str) -> tuple[str, ...]:
    steps = tuple(step for step in path.split(".") if step)
    return steps[1:] if steps and steps[0].isdigit() else steps


def without(item: Item, parts: Sequence[Part]) -> Item:
    """Return a copy that lacks these; lists that are empty then are left out too."""
    slim = copy.deepcopy(item)
    for part in sorted(parts, key=_last_first, reverse=True):
        holder: Any = slim
        for step in part[:-1]:
            holder = holder[step]
        del holder[part[-1]]
        if isinstance(holder, list) and not holder:
            outer: Any = slim
            for step in part[:-2]:
                outer = outer[step]
            del outer[part[-2]]
    return slim


def _last_first(part: Part) -> tuple[str, ...]:
    return tuple(f"{step:08d}" if isinstance(step, int) else step for step in part)


def name_of(item: Item, part: Part) -> str:
    """As people and the account's own settings know it: a field's id or code, else the key."""
    value = _value(item, part)
    if isinstance(value, dict) and ("field_id" in value or "field_code" in value):
        return str(value.get("field_id") or value.get("field_code"))
    return str(part[-1])


def trials(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Return what to leave out, one try after the other, where nobody knows which part is meant."""
    if 1 < len(parts) <= MOST_TRIED:
        yield from ([part] for part in parts)
    if parts:
        yield list(parts)


def _value(item: Item, part: Part) -> Any:
    value: Any = item
    for step in part:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
