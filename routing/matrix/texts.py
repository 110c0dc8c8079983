"""The matrix as people read it: names of rows, cells, actions and people, for differences and messages."""

from __future__ import annotations

from typing import Any, get_args

from routing.matrix.actions import Action
from routing.texts.catalogue import Phrase, Texts, phrase

ACTIONS: tuple[str, ...] = tuple(a.model_fields["do"].default for a in get_args(get_args(Action)[0]))


def row_phrase(row: str) -> Phrase:
    """row: `inbound.missed.new`."""
    direction, outcome, client = row.split(".")
    return phrase(
        "matrix.row",
        direction=phrase(f"matrix.direction.{direction}"),
        outcome=phrase(f"matrix.outcome.{outcome}"),
        client=phrase(f"matrix.client.{client}"),
    )


def cell_phrase(cell: str) -> Phrase:
    """cell: `inbound.missed.new/end`."""
    row, _, moment = cell.partition("/")
    return Phrase("matrix.cell", {**row_phrase(row).values, "moment": phrase(f"matrix.moment.{moment}")})


def action_phrase(do: str) -> Phrase:
    return phrase(f"matrix.action.{do}")


def cell_in_words(cell: str, texts: Texts) -> str:
    return texts.render(cell_phrase(cell))


def action_in_words(action: Action, texts: Texts) -> str:
    """Return the action with every setting that is not empty."""
    given = {k: v for k, v in settings_of(action).items() if v not in (None, "", [], {}, False)}
    shown = "; ".join(f"{setting_in_words(k, texts)}: {value_in_words(v, texts)}" for k, v in given.items())
    name = texts.render(action_phrase(action.do))
    return f"{name} ({shown})" if shown else name


def settings_of(action: Action) -> dict[str, Any]:
    return action.model_dump(mode="json", exclude={"do"})


def setting_in_words(name: str, texts: Texts) -> str:
    return texts.word("matrix.setting", name)


def value_in_words(value: Any, texts: Texts) -> str:
    if isinstance(value, bool):
        return texts.say("matrix.value.yes" if value else "matrix.value.no")
    if isinstance(value, dict) and set(value) == {"minutes", "is_working"}:
        kind = "working-minutes" if value["is_working"] else "minutes"
        return texts.say(f"matrix.value.{kind}", minutes=value["minutes"])
    if isinstance(value, dict):
        return ", ".join(f"{k} = {v}" for k, v in value.items()) or texts.say("matrix.value.none")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or texts.say("matrix.value.none")
    if value is None or value == "":
        return texts.say("matrix.value.unset")
    return _text(str(value), texts)


def _text(value: str, texts: Texts) -> str:
    if (person := f"matrix.person.{value}") in texts.sentences:
        return texts.say(person)
    if value.startswith("employee:"):
        return texts.say("matrix.value.employee", id=value.partition(":")[2])
    return texts.say("matrix.value.text", text=value)
