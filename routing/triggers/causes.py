"""What an event of the CRM is a cause of, and the key under which one happening is one cause however often it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from routing.triggers.amounts import amount_of
from routing.triggers.model import CauseKind, Trigger, TriggerEvent


class ToldChange(Protocol):
    """A change as consumers of the CRM's events get it. aspect: stage, price, responsible, tag:NAME, fields, incoming:ID."""

    @property
    def event_id(self) -> int: ...
    @property
    def aspect(self) -> str: ...
    @property
    def old(self) -> str | None: ...
    @property
    def new(self) -> str: ...


class ClosingStages(NamedTuple):
    """Ids of the stages in which deals end."""

    won: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """key: the same for one happening. pipeline_id, stage_id: where the deal came in, None = it did not move. before: the
    stage that it left. named: the tag, or the fields, that changed. old, new: of a price."""

    on: CauseKind
    key: str
    event_id: int | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    before: str | None = None
    named: tuple[str, ...] = ()
    old: str | None = None
    new: str | None = None


def causes_of(
    told: ToldChange, closing: ClosingStages, created_in: tuple[str, str] | None = None
) -> tuple[Cause, ...]:
    """Return what a change of a deal is a cause of. created_in: pipeline and stage of one that was added."""
    id, name = told.event_id, told.aspect.partition(":")[0]
    match name:
        case "added" if created_in is not None:
            return tuple(_came_in("created", id, created_in, None, closing))
        case "stage" if (place := place_of(told.new)) and told.new != told.old:
            return tuple(_came_in("entered", id, place, place_of(told.old), closing))
        case "responsible" if told.new and told.new != told.old:
            return (Cause(on="responsible_changed", key=f"responsible@{id}", event_id=id),)
        case "price":
            return (Cause(on="price_crossed", key=f"price@{id}", event_id=id, old=told.old, new=told.new),)
        case "tag" if told.new == "1":
            tag = told.aspect.removeprefix("tag:")
            return (Cause(on="tag_added", key=f"tag:{tag}@{id}", event_id=id, named=(tag,)),)
        case "fields" if changed := _changed_fields(told.old, told.new):
            return (Cause(on="field_changed", key=f"fields@{id}", event_id=id, named=changed),)
        case "incoming":
            return (Cause(on="client_wrote", key=f"wrote@{id}", event_id=id),)
    return ()


def told_by_hook(pipeline_id: str, stage_id: str | None, key: str) -> Cause:
    """Return an entrance that the CRM's automation tells of before, or instead of, the change itself."""
    return Cause(on="entered", key=key, pipeline_id=pipeline_id, stage_id=stage_id)


def applied(press_id: str) -> Cause:
    """Somebody applies a trigger to the deals that stand in its stage now."""
    return Cause(on="entered", key=f"apply:{press_id}")


def is_cause_for(cause: Cause, trigger: Trigger) -> bool:
    return any(_is_meant(cause, event, trigger) for event in trigger.events)


def place_of(text: str | None) -> tuple[str, str] | None:
    """Read pipeline/stage."""
    pipeline, slash, stage = (text or "").partition("/")
    return (pipeline, stage) if slash and pipeline and stage else None


def _came_in(
    on: CauseKind,
    event_id: int,
    place: tuple[str, str],
    before: tuple[str, str] | None,
    closing: ClosingStages,
) -> Iterator[Cause]:
    ends: list[CauseKind] = [on]
    if place[1] in closing.won:
        ends.append("won")
    if place[1] in closing.lost:
        ends.append("lost")
    for kind in ends:
        yield Cause(
            on=kind,
            key=f"stage:{place[0]}/{place[1]}@{event_id}",
            event_id=event_id,
            pipeline_id=place[0],
            stage_id=place[1],
            before=before[1] if before and before[0] == place[0] else None,
        )


def _is_meant(cause: Cause, event: TriggerEvent, trigger: Trigger) -> bool:
    if cause.on != event.on:
        return False
    match cause.on:
        case "entered" | "created":
            return trigger.is_at(cause.pipeline_id, cause.stage_id)
        case "won" | "lost":
            stages = (None, cause.stage_id, cause.before)
            return trigger.pipeline_id == cause.pipeline_id and trigger.stage_id in stages
        case "price_crossed":
            return is_crossed(cause.old, cause.new, event.amount)
        case "tag_added":
            return event.tag is None or event.tag.strip().casefold() in {
                n.strip().casefold() for n in cause.named
            }
        case "field_changed":
            return event.field is None or event.field in cause.named
    return True


def is_crossed(old: str | None, new: str | None, amount: int | None) -> bool:
    """Whether a price came from below the amount to it or above. What it was before must be known."""
    if amount is None or old is None or new is None:
        return False
    before, now = amount_of(old), amount_of(new)
    return before is not None and now is not None and before < amount <= now


def _changed_fields(old: str | None, new: str) -> tuple[str, ...]:
    """Return the fields that differ, as triggers name them. What cannot be read has changed nothing."""
    before, now = _texts(old), _texts(new)
    if before is None or now is None:
        return ()
    ids = sorted(id for id in {*before, *now} if before.get(id) != now.get(id))
    return tuple(f"deal.cf_{id}" for id in ids)


def _texts(told: str | None) -> dict[str, str] | None:
    try:
        read = json.loads(told or "{}")
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None
