"""Rules of pipelines and fields of ads: ordered lists, each line a form of plain fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from gateway.admin.matrix.merging import BothChanged, save_part
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.web.frame import Form, PageCall, PageQuery, PageRefused, SeeOther, Shown
from gateway.web.matrix.choosers import ChooserOptions, Choosers, place_of, place_value
from gateway.web.matrix.conflict import VALUE_OF, conflict_page, merge_said
from gateway.web.matrix.seen import SeenDraft, see_draft
from gateway.web.matrix.table_page import SaidProblem, others_of, said_problem
from routing.conditions import Condition
from routing.matrix.model import ParameterField, PipelineRule
from routing.matrix.versions.parts import MatrixPart

ListName = Literal["pipeline_rules", "parameters"]
PARAMETERS = ("line", "pool", "connection", "direction", "utm_source", "utm_medium", "utm_campaign")
"""What rules ask for mostly; any other parameter that the PBX sends may be typed."""
_TESTS = ("equals", "contains", "one_of")


class RowsForm(Form):
    """Besides these the form has the fields of each row, r0.name, r0.parameter and so on. act: save, or up, down, remove with a
    row's number, or add."""

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    revision: int = Field(ge=0, le=2**53)
    act: str = Field(default="save", max_length=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """conditions: (parameter, test, values in one line), the last one empty."""

    name: str
    conditions: Sequence[tuple[str, str, str]]
    place: str
    places: ChooserOptions
    problems: Sequence[SaidProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdFieldView:
    parameter: str
    entity: str
    field: str
    fields: ChooserOptions
    chosen: frozenset[str]
    problems: Sequence[SaidProblem] = ()


def _same_field(seen: SeenDraft, one: ParameterField) -> list[str]:
    """Return the other name of the field: it has an id and often a code."""
    found = [f for f in seen.catalogue.fields if f.entity == one.entity and one.field in (f.id, f.code)]
    return [f.code or f.id for f in found]


async def show_rules(call: PageCall) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
    choose = Choosers(call.texts, seen.catalogue)
    rows = [_rule(call, seen, choose, n, rule) for n, rule in enumerate(seen.matrix.pipeline_rules)]
    unset = call.texts.say("matrix.page.choose-pipeline")
    fresh = RuleView(
        name="",
        conditions=[("", "equals", "")],
        place="",
        places=choose.places("", unset=unset),
        problems=(),
    )
    return Shown("matrix/rules.html", {**_values(call, seen), "rows": rows, "fresh": fresh, "tab": "rules"})


def _rule(
    call: PageCall[Any, Any], seen: SeenDraft, choose: Choosers, number: int, rule: PipelineRule
) -> RuleView:
    chosen = place_value(rule.pipeline_id, rule.stage_id)
    return RuleView(
        name=rule.name,
        conditions=[*((c.parameter, c.test, ", ".join(c.values)) for c in rule.when), ("", "equals", "")],
        place=chosen,
        places=choose.places(chosen, unset=call.texts.say("matrix.page.choose-pipeline")),
        problems=_problems(call, seen, "pipeline_rules", number),
    )


async def show_ads(call: PageCall) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
    choose = Choosers(call.texts, seen.catalogue)
    rows = [
        AdFieldView(
            parameter=one.parameter,
            entity=one.entity,
            field=one.field,
            fields=choose.fields(one.entity, one.field),
            chosen=frozenset({one.field, *_same_field(seen, one)}),
            problems=_problems(call, seen, "parameters", number),
        )
        for number, one in enumerate(seen.matrix.parameters)
    ]
    fresh = AdFieldView(parameter="", entity="deal", field="", fields=(), chosen=frozenset())
    values = {**_values(call, seen), "rows": rows, "all_rows": [*rows, fresh], "tab": "ads"}
    return Shown("matrix/ads.html", values)


def _values(call: PageCall[Any, Any], seen: SeenDraft) -> dict[str, Any]:
    return {
        "seen": seen,
        "may_edit": call.may("senior_manager"),
        "others": others_of(call, seen),
        "parameters": PARAMETERS,
        "tests": [(test, call.texts.word("condition", test)) for test in _TESTS],
        "rows_of_fields": {
            entity: Choosers(call.texts, seen.catalogue).fields(entity, "") for entity in ("deal", "contact")
        },
    }


def _problems(call: PageCall[Any, Any], seen: SeenDraft, name: ListName, number: int) -> list[SaidProblem]:
    found = [p for p in seen.problems if p.cell == f"{name}#{number + 1}"]
    return [said_problem(p, call.texts) for p in found]


async def save_rules(call: PageCall[PageQuery, RowsForm]) -> SeeOther | Shown:
    return await _save(call, "pipeline_rules", "/matrix/rules", _rule_of)


async def save_ads(call: PageCall[PageQuery, RowsForm]) -> SeeOther | Shown:
    return await _save(call, "parameters", "/matrix/ads", _ad_field_of)


async def _save(
    call: PageCall[PageQuery, RowsForm],
    name: ListName,
    page: str,
    make: Callable[[Mapping[str, str]], Any],
) -> SeeOther | Shown:
    form, part = call.form, MatrixPart("", name)
    try:
        rows = [made for fields in _rows(form) if (made := make(fields)) is not None]
    except ValidationError as err:
        names = tuple(".".join(map(str, e["loc"])) for e in err.errors(include_url=False))
        raise PageRefused(422, "invalid", names=names) from err
    async with call.connection() as conn:
        try:
            saved = await save_part(
                conn, call.account.id, part, tuple(rows), revision=form.revision, by=call.who.name
            )
        except BothChanged as err:
            value = VALUE_OF[name].dump_json(tuple(rows)).decode()
            catalogue = await catalogue_of(conn, call.account.id)
            return conflict_page(call, err, part, form.revision, value, catalogue)
    return SeeOther(call.here(page), said=merge_said(saved))


def _rows(form: RowsForm) -> list[Mapping[str, str]]:
    """Return the fields of each row, in the order that was pressed for."""
    by_number: dict[int, dict[str, str]] = {}
    for key, value in (form.model_extra or {}).items():
        head, _, name = key.partition(".")
        if head[:1] == "r" and head[1:].isdecimal() and len(head) < 5 and isinstance(value, str):
            by_number.setdefault(int(head[1:]), {})[name] = value
    rows = [fields for _, fields in sorted(by_number.items())]
    what, _, which = form.act.partition(".")
    number = int(which) if which.isdecimal() else -1
    if not 0 <= number < len(rows):
        return list(rows)
    if what == "remove":
        del rows[number]
    other = number + {"up": -1, "down": 1}.get(what, 0)
    if what in ("up", "down") and 0 <= other < len(rows):
        rows[number], rows[other] = rows[other], rows[number]
    return list(rows)


def _rule_of(fields: Mapping[str, str]) -> PipelineRule | None:
    """Return None for a row that was not filled in."""
    place = place_of(fields.get("place", ""))
    if place.pipeline_id is None:
        return None
    numbers = sorted({n.split(".")[1] for n in fields if n.startswith("when.") and n.count(".") == 2})
    when = [made for n in numbers if (made := _condition(fields, n)) is not None]
    return PipelineRule(
        name=fields.get("name", ""), when=tuple(when), pipeline_id=place.pipeline_id, stage_id=place.stage_id
    )


def _condition(fields: Mapping[str, str], number: str) -> Condition | None:
    parameter = fields.get(f"when.{number}.parameter", "").strip()
    values = tuple(
        part for text in fields.get(f"when.{number}.values", "").split(",") if (part := text.strip())
    )
    if not parameter or not values:
        return None
    test = fields.get(f"when.{number}.test", "equals")
    if test != "one_of" and len(values) > 1:
        test = "one_of" if test == "equals" else test
    return Condition.model_validate({"parameter": parameter, "test": test, "values": values})


def _ad_field_of(fields: Mapping[str, str]) -> ParameterField | None:
    parameter, field = fields.get("parameter", "").strip(), fields.get("field", "")
    entity, _, name = field.rpartition("/")
    if not parameter or not name:
        return None
    return ParameterField.model_validate({"parameter": parameter, "entity": entity or "deal", "field": name})
