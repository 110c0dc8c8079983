"""What differs between two configurations of an account, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from gateway.admin.config_document import ConfigDocument
from routing.matrix.catalogue import Catalogue
from routing.matrix.versions.diff import difference
from routing.schedules.model import Schedule
from routing.shift_change.policy import ShiftPolicy
from routing.texts.catalogue import Texts


def differences(
    before: ConfigDocument, after: ConfigDocument, texts: Texts, catalogue: Catalogue
) -> Iterator[str]:
    """One line each; nothing when both mean the same. Both are exports of the same account."""
    for name in ("name", "time_zone", "region"):
        yield from _values(name, getattr(before, name), getattr(after, name), texts)
    if before.settings is not None and after.settings is not None:
        yield from _values(
            "settings",
            before.settings.model_dump(mode="json"),
            after.settings.model_dump(mode="json"),
            texts,
        )
    yield from _values("shift_change", _shift(before), _shift(after), texts)
    yield from _parts("employee", "id", before.employees or (), after.employees or (), texts)
    yield from _parts("connection", "name", before.connections or (), after.connections or (), texts)
    yield from _parts("sms", "name", before.sms or (), after.sms or (), texts)
    yield from _parts("channel", "name", before.channels or (), after.channels or (), texts)
    yield from _parts("template", "name", before.templates or (), after.templates or (), texts)
    yield from _attachments(before, after, texts)
    yield from _parts("campaign", "name", before.campaigns or (), after.campaigns or (), texts)
    yield from _parts("trigger", "name", before.triggers or (), after.triggers or (), texts)
    yield from _schedules(before.schedules or {}, after.schedules or {}, texts)
    if before.matrix is not None and after.matrix is not None:
        for change in difference(before.matrix, after.matrix, texts, catalogue):
            yield texts.say("config.changed-matrix", where=change.where, text=change.text)


def _shift(document: ConfigDocument) -> dict[str, Any]:
    """Return what is set, however the document says that nothing is."""
    return (document.shift_change or ShiftPolicy()).model_dump(mode="json")


def _attachments(before: ConfigDocument, after: ConfigDocument, texts: Texts) -> Iterator[str]:
    old, new = (
        {f"{a.pipeline}/{a.stage}": a.model_dump(mode="json") for a in document.attachments or ()}
        for document in (before, after)
    )
    for stage in sorted({*old, *new}):
        what = texts.say("config.attachment", name=stage)
        if stage not in new:
            yield texts.say("config.removed", what=what)
        elif stage not in old:
            yield texts.say("config.added", what=f"{what}: {new[stage]['template']}")
        else:
            yield from _values(what, old[stage], new[stage], texts)


def _schedules(before: Mapping[str, Schedule], after: Mapping[str, Schedule], texts: Texts) -> Iterator[str]:
    for name in before.keys() - after.keys():
        yield texts.say("config.removed", what=texts.say("config.schedule", name=name))
    for name, schedule in after.items():
        what = texts.say("config.schedule", name=name)
        if name not in before:
            yield texts.say("config.added", what=what)
        else:
            old, new = (s.model_dump(mode="json") for s in (before[name], schedule))
            yield from _values(what, old, new, texts)


def _parts(
    what: str, key: str, before: Sequence[BaseModel], after: Sequence[BaseModel], texts: Texts
) -> Iterator[str]:
    old = {getattr(part, key): part.model_dump(mode="json") for part in before}
    new = {getattr(part, key): part.model_dump(mode="json") for part in after}
    for name in old.keys() - new.keys():
        yield texts.say("config.removed", what=texts.say(f"config.{what}", name=name))
    for name, values in new.items():
        if name not in old:
            yield texts.say("config.added", what=texts.say(f"config.{what}", name=name))
        else:
            yield from _values(texts.say(f"config.{what}", name=name), old[name], values, texts)


def _values(path: str, old: Any, new: Any, texts: Texts) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from _values(f"{path}.{name}", old.get(name), new.get(name), texts)
    elif isinstance(old, list) and isinstance(new, list) and sorted(map(str, old)) == sorted(map(str, new)):
        if old != new and path.rpartition(".")[2] != "own_numbers":
            yield f"{path}: {_shown(old, texts)} → {_shown(new, texts)}"
    elif old != new:
        yield f"{path}: {_shown(old, texts)} → {_shown(new, texts)}"


def _shown(value: Any, texts: Texts) -> str:
    if value is None or value == []:
        return texts.say("config.nothing")
    if isinstance(value, list):
        return ", ".join(_shown(v, texts) for v in value)
    return str(value) if value != "" else texts.say("config.empty")
