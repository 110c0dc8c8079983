"""The fields of an action in the editor, and the action that a form's fields make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from gateway.web.matrix.choosers import ChooserOptions, Choosers, place_of, place_value
from routing.matrix.actions import (
    Action,
    Attach,
    CallClientBack,
    Card,
    ChangeStage,
    Deadline,
    MakeDeal,
    MakeTask,
    SetFields,
)
from routing.matrix.catalogue import Catalogue
from routing.matrix.variables import preview
from routing.templates import TemplateRefused
from routing.texts.catalogue import Texts

FieldKind = Literal["select", "template", "check", "number", "line", "mapping", "checks"]
ACTION: TypeAdapter[Action] = TypeAdapter(Action)
_TARGETS = ("auto", "deal", "contact")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairView:
    """One field of the CRM with what is put into it."""

    name: str
    options: ChooserOptions
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """id: of the field in the form. gives: what a template gives with sample values; refused: why it cannot be used.

    options: of a select (value, text); of checks (name, text, is on). pairs: of a mapping, the last one empty.
    """

    id: str
    kind: FieldKind
    label: str
    value: Any = ""
    options: Sequence[Any] = ()
    pairs: Sequence[PairView] = ()
    hint: str = ""
    gives: str = ""
    refused: str = ""


class ActionFields:
    """Fields of one action. number: from 0, as its form names it."""

    def __init__(self, number: int, action: Action, texts: Texts, catalogue: Catalogue) -> None:
        self._prefix, self._action, self._texts, self._catalogue = f"a{number}.", action, texts, catalogue
        self._choose = Choosers(texts, catalogue)

    def all(self) -> list[FieldView]:
        """In the order in which people think of them: where, what, who, and what is rarely changed."""
        makers: Mapping[str, Sequence[Callable[[], FieldView]]] = {
            "create_contact": (self._name, self._responsible, self._tags, self._fields_of("contact")),
            "create_deal": (self._place, self._name, self._responsible, *self._deal_rules()),
            "create_lead": self._lead(),
            "attach_call": (self._target, self._text("note"), self._responsible),
            "add_note": (self._text("text"), self._target, self._responsible),
            "create_task": (self._text("text"), self._responsible, *self._task()),
            "change_stage": (self._place, self._only_from),
            "set_fields": (self._on, self._fields_of("deal"), self._tags, self._check("with_parameters")),
            "show_card": (self._to,),
            "call_back": self._call_back(),
        }
        return [make() for make in makers[self._action.do]]

    def _lead(self) -> Sequence[Callable[[], FieldView]]:
        texts = (self._text("name"), self._text("contact_name"), self._text("source_name"))
        return (self._pipeline, *texts, self._responsible, self._tags, self._fields_of("deal"))

    def _deal_rules(self) -> Sequence[Callable[[], FieldView]]:
        return (
            self._choice("when_open", ("none", "always", "separate_stage")),
            self._separate_place,
            self._choice("after_closed", ("create_new", "add_to_closed")),
            self._check("ignores_rules"),
            self._tags,
            self._fields_of("deal"),
        )

    def _task(self) -> Sequence[Callable[[], FieldView]]:
        purposes = self._choice("purpose", ("call_back", "check_settings", "other"))
        return self._due, self._is_working, purposes, self._type, self._target

    def _call_back(self) -> Sequence[Callable[[], FieldView]]:
        return self._connection, self._line, self._responsible, self._check("task_when_failed")

    def _view(self, name: str, kind: FieldKind, value: Any, **more: Any) -> FieldView:
        label = more.pop("label", None) or self._texts.word("matrix.setting", name)
        label = label[:1].upper() + label[1:]
        return FieldView(id=self._prefix + name, kind=kind, label=label, value=value, **more)

    def _get(self, name: str) -> Any:
        return getattr(self._action, name)

    def _text(self, name: str) -> Callable[[], FieldView]:
        def make() -> FieldView:
            gives, refused = given_by(self._get(name), self._texts)
            return self._view(name, "template", self._get(name), gives=gives, refused=refused)

        return make

    def _name(self) -> FieldView:
        return self._text("name")()

    def _check(self, name: str) -> Callable[[], FieldView]:
        return lambda: self._view(name, "check", self._get(name))

    def _choice(self, name: str, values: Sequence[str]) -> Callable[[], FieldView]:
        return lambda: self._view(name, "select", self._get(name), options=self._choose.choices(name, values))

    def _target(self) -> FieldView:
        return self._choice("target", _TARGETS)()

    def _responsible(self) -> FieldView:
        chosen = self._get("responsible")
        return self._view("responsible", "select", chosen, options=self._choose.people(chosen))

    def _place(self) -> FieldView:
        is_change = isinstance(self._action, ChangeStage)
        chosen = place_value(self._get("pipeline_id"), self._get("stage_id"))
        unset = self._texts.say("matrix.page.choose-stage" if is_change else "matrix.page.place-by-rules")
        options = self._choose.places(chosen, unset=unset, needs_stage=is_change)
        label = self._texts.say("matrix.page.place")
        return self._view("place", "select", chosen, options=options, label=label)

    def _separate_place(self) -> FieldView:
        chosen = place_value(self._get("separate_pipeline_id"), self._get("separate_stage_id"))
        options = self._choose.places(chosen, unset=self._texts.say("matrix.page.no-separate-place"))
        label = self._texts.say("matrix.page.separate-place")
        return self._view("separate_place", "select", chosen, options=options, label=label)

    def _pipeline(self) -> FieldView:
        chosen = self._get("pipeline_id") or ""
        unset = self._texts.say("matrix.page.place-by-rules")
        options = self._choose.pipelines(chosen, unset=unset)
        return self._view("pipeline_id", "select", chosen, options=options)

    def _tags(self) -> FieldView:
        hint = self._texts.say("matrix.page.tags-hint")
        return self._view("tags", "line", ", ".join(self._get("tags")), hint=hint)

    def _fields_of(self, entity: str) -> Callable[[], FieldView]:
        def make() -> FieldView:
            held = [*self._get("fields").items(), ("", "")]
            pairs = [
                PairView(name=name, options=self._choose.fields(entity, name), value=text)
                for name, text in held
            ]
            return self._view("fields", "mapping", "", pairs=pairs)

        return make

    def _due(self) -> FieldView:
        hint = self._texts.say("matrix.page.due-hint")
        label = self._texts.say("matrix.page.due-minutes")
        return self._view("minutes", "number", self._get("due").minutes, hint=hint, label=label)

    def _is_working(self) -> FieldView:
        label = self._texts.say("matrix.page.working-time")
        return self._view("is_working", "check", self._get("due").is_working, label=label)

    def _type(self) -> FieldView:
        chosen = self._get("type")
        return self._view("type", "select", chosen, options=self._choose.task_types(chosen))

    def _only_from(self) -> FieldView:
        """Offer those that are chosen first, in their order, with those that are gone."""
        known = {
            id: f"{pipeline}: {name}" for pipeline, stages in self._choose.stages() for id, name in stages
        }
        chosen = self._get("only_from")
        named = {id: known.get(id) or self._texts.say("matrix.page.gone", name=id) for id in chosen}
        options = [
            (f"{self._prefix}only_from.{id}", name, id in chosen) for id, name in {**named, **known}.items()
        ]
        return self._view("only_from", "checks", "", options=options)

    def _checks(self, name: str, values: Sequence[str]) -> FieldView:
        held = self._get(name)
        options = [
            (f"{self._prefix}{name}.{v}", self._texts.say(f"matrix.choice.{name}.{v}"), v in held)
            for v in values
        ]
        return self._view(name, "checks", "", options=options)

    def _on(self) -> FieldView:
        return self._checks("on", ("deal", "contact"))

    def _to(self) -> FieldView:
        return self._checks("to", ("rung", "owner"))

    def _connection(self) -> FieldView:
        chosen = self._get("connection")
        options = self._choose.names(
            self._catalogue.connections, chosen, self._texts.say("matrix.page.no-pbx")
        )
        return self._view("connection", "select", chosen, options=options)

    def _line(self) -> FieldView:
        chosen = self._get("line") or ""
        unset = self._texts.say("matrix.page.line-by-pbx")
        return self._view(
            "line", "select", chosen, options=self._choose.names(self._catalogue.lines, chosen, unset)
        )


def given_by(source: str, texts: Texts) -> tuple[str, str]:
    """Return what a template gives with sample values, and why it cannot be used."""
    try:
        return preview(source, texts=texts), ""
    except TemplateRefused as err:
        return "", texts.render(err.said)


def action_of(values: Mapping[str, str], before: Action) -> Action:
    """Return the action that the fields of a form make. values: without the action's prefix. before: as it was, for what the
    form has no field for. Raise ValidationError."""
    body = before.model_dump()
    texts = (
        "name",
        "contact_name",
        "source_name",
        "note",
        "text",
        "responsible",
        "type",
        "purpose",
        "target",
    )
    for name in (*texts, "when_open", "after_closed", "connection"):
        if name in body and name in values:
            body[name] = values[name]
    for name in ("ignores_rules", "with_parameters", "task_when_failed"):
        if name in body:
            body[name] = name in values
    if "tags" in body:
        body["tags"] = tuple(tag for part in values.get("tags", "").split(",") if (tag := part.strip()))
    if "fields" in body:
        body["fields"] = _pairs(values)
    return ACTION.validate_python({**body, **_places(before, values), **_of_kind(before, values)})


def _pairs(values: Mapping[str, str]) -> dict[str, str]:
    numbers = sorted(
        {int(n.split(".")[1]) for n in values if n.startswith("fields.") and n.split(".")[1].isdecimal()}
    )
    named = [(values.get(f"fields.{n}.name", ""), values.get(f"fields.{n}.value", "")) for n in numbers]
    return {name: text for name, text in named if name}


def _places(before: Action, values: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(before, MakeDeal | ChangeStage):
        pipeline_id, stage_id = place_of(values.get("place", ""))
        found |= {"pipeline_id": pipeline_id, "stage_id": stage_id}
    if isinstance(before, MakeDeal):
        pipeline_id, stage_id = place_of(values.get("separate_place", ""))
        found |= {"separate_pipeline_id": pipeline_id, "separate_stage_id": stage_id}
    elif isinstance(before, ChangeStage):
        found["stage_id"] = found["stage_id"] or ""
    elif hasattr(before, "pipeline_id"):
        found["pipeline_id"] = values.get("pipeline_id") or None
    return found


def _of_kind(before: Action, values: Mapping[str, str]) -> dict[str, Any]:
    def checked(name: str) -> tuple[str, ...]:
        return tuple(key.removeprefix(f"{name}.") for key in values if key.startswith(f"{name}."))

    match before:
        case MakeTask():
            minutes = values.get("minutes", str(before.due.minutes)).strip()
            return {
                "due": Deadline.model_validate({"minutes": minutes, "is_working": "is_working" in values})
            }
        case ChangeStage():
            return {"only_from": checked("only_from")}
        case SetFields():
            return {"on": checked("on")}
        case Card():
            return {"to": checked("to")}
        case CallClientBack():
            return {"line": values.get("line") or None}
        case _:
            return {}


def fresh_action(do: str, cell: str, texts: Texts, catalogue: Catalogue) -> Action:
    """Return what is added to a cell where a person asks for this kind of action. cell: its id."""
    body: dict[str, Any] = {"do": do}
    owner = "who_answered" if cell.endswith("/answer") or ".answered." in cell else "senior"
    if do in ("create_contact", "create_deal", "create_lead"):
        body["responsible"] = owner
    elif do in ("create_task", "add_note"):
        body["text"] = texts.say(f"matrix.page.fresh.{do}")
    elif do == "change_stage":
        body["stage_id"] = ""
    elif do == "call_back":
        body["connection"] = next(iter(catalogue.connections), "?")
    return ACTION.validate_python(body)


def why_not_here(do: str, cell: str, catalogue: Catalogue) -> str:
    """Return the key of the sentence that says why this action has no place in this cell; "" = it has."""
    if do == Attach.model_fields["do"].default and not cell.endswith("/end"):
        return "matrix.page.not-here.attach_call"
    if do == "show_card" and cell.endswith("/end"):
        return "matrix.page.not-here.show_card"
    if do == "call_back" and not cell.startswith("inbound.missed."):
        return "matrix.page.not-here.call_back"
    if do == "call_back" and not catalogue.connections:
        return "matrix.page.not-here.call_back-without-pbx"
    return ""
