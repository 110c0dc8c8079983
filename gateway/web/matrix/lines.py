"""An action of a cell in one line, as the table shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.matrix.actions import (
    Action,
    CallClientBack,
    Card,
    ChangeStage,
    MakeContact,
    MakeDeal,
    MakeLead,
    MakeNote,
    MakeTask,
)
from routing.matrix.catalogue import Catalogue, CatalogueStage
from routing.texts.catalogue import Texts

ICONS: Mapping[str, str] = {
    "create_contact": "user-plus",
    "create_deal": "briefcase",
    "create_lead": "inbox",
    "attach_call": "paperclip",
    "add_note": "note",
    "create_task": "checkbox",
    "change_stage": "transfer",
    "set_fields": "forms",
    "show_card": "id",
    "call_back": "phone-outgoing",
}

_VARIABLE = re.compile(r"\{\{\s*([\w.-]+)[^}]*\}\}")
_LONGEST = 70


@dataclass(frozen=True, slots=True)
class ActionLine:
    """stage: name, "" = none is named. is_bad: an error stands at this action."""

    icon: str
    text: str
    stage: str = ""
    colour: str = ""
    is_stage_gone: bool = False
    is_bad: bool = False


def line_of(
    action: Action, texts: Texts, catalogue: Catalogue, *, is_bad: bool = False, in_full: bool = False
) -> ActionLine:
    """in_full: texts as they are written; else short, as the table has room for them."""
    stage, is_gone = _stage(action, catalogue)
    return ActionLine(
        icon=ICONS[action.do],
        text=_text(action, texts, catalogue, in_full=in_full),
        stage=stage.name if stage else texts.say("matrix.page.stage-gone") if is_gone else "",
        colour=stage.colour if stage else "",
        is_stage_gone=is_gone,
        is_bad=is_bad,
    )


def lines_of(
    actions: Sequence[Action],
    texts: Texts,
    catalogue: Catalogue,
    bad: frozenset[int] = frozenset(),
    *,
    in_full: bool = False,
) -> list[ActionLine]:
    """bad: numbers of the actions that have an error, from 1. in_full: as of `line_of`."""
    return [
        line_of(a, texts, catalogue, is_bad=n in bad, in_full=in_full) for n, a in enumerate(actions, start=1)
    ]


def person_in_words(value: str, texts: Texts, catalogue: Catalogue) -> str:
    """value: as `responsible` of an action."""
    if f"matrix.person.{value}" in texts.sentences:
        return texts.say(f"matrix.person.{value}")
    kind, _, id = value.partition(":")
    if kind == "template":
        return texts.say("matrix.person.template-named", name=id)
    employee = catalogue.staff.by_id.get(id)
    return employee.name if employee else texts.say("matrix.page.person-gone", id=id)


def in_short(source: str, texts: Texts) -> str:
    """Return a template with its variables in words, and no longer than a line or two."""
    said = _VARIABLE.sub(lambda found: f"[{texts.word('variable', found[1]).partition(',')[0]}]", source)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST].rstrip()}…"


def _text(action: Action, texts: Texts, catalogue: Catalogue, *, in_full: bool) -> str:
    match action:
        case MakeTask():
            is_named = action.purpose != "other" and not in_full
            short = action.text if in_full else in_short(action.text, texts)
            what = texts.say(f"matrix.choice.purpose.{action.purpose}") if is_named else short
            return texts.say("matrix.page.line.task", what=what, due=due_in_words(action, texts))
        case MakeContact() | MakeDeal() | MakeLead():
            who = person_in_words(action.responsible, texts, catalogue)
            return texts.say(f"matrix.page.line.{action.do}", who=who)
        case MakeNote():
            text = action.text if in_full else in_short(action.text, texts)
            return texts.say("matrix.page.line.add_note", text=text)
        case Card() | CallClientBack():
            return texts.say(f"matrix.page.line.{action.do}")
        case _:
            return texts.say(f"matrix.page.line.{action.do}")


def due_in_words(action: MakeTask, texts: Texts) -> str:
    minutes, kind = action.due.minutes, "working" if action.due.is_working else "plain"
    if minutes and minutes % 60 == 0:
        return texts.say(f"matrix.page.due.{kind}-hours", n=minutes // 60)
    return texts.say(f"matrix.page.due.{kind}-minutes", n=minutes)


def _stage(action: Action, catalogue: Catalogue) -> tuple[CatalogueStage | None, bool]:
    """Return the stage that is named, and whether one is named that is not there."""
    if not isinstance(action, MakeDeal | ChangeStage) or not action.stage_id:
        return None, False
    pipelines = [p for p in catalogue.pipelines if action.pipeline_id in (None, p.id)]
    found = next((s for p in pipelines for s in p.stages if s.id == action.stage_id), None)
    return found, found is None and catalogue.is_loaded
