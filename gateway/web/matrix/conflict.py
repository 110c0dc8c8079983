"""Two editors at one cell: what is yours, what it was, and what the other saved, to choose from. Nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from gateway.admin.matrix.merging import BothChanged, SavedTogether, save_part
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.web.frame import Form, PageCall, PageQuery, PageRefused, SeeOther, Shown
from gateway.web.matrix.lines import ActionLine, lines_of
from routing.matrix.actions import Action
from routing.matrix.catalogue import Catalogue
from routing.matrix.model import CELLS, ParameterField, PipelineRule
from routing.matrix.texts import cell_in_words
from routing.matrix.versions.merge import Side
from routing.matrix.versions.parts import MatrixPart, PartChange
from routing.texts.catalogue import Phrase, Texts, phrase

VALUE_OF: dict[str, TypeAdapter[Any]] = {
    "pipeline_rules": TypeAdapter(tuple[PipelineRule, ...]),
    "parameters": TypeAdapter(tuple[ParameterField, ...]),
}
_CELL: TypeAdapter[Any] = TypeAdapter(tuple[Action, ...])


class MergeForm(Form):
    """value: of the part as this person has it, as JSON. seen: the revision of theirs that the choice was made between."""

    table: str = ""
    name: str
    revision: int = Field(ge=0, le=2**53)
    seen: int = Field(ge=0, le=2**53)
    value: str = Field(max_length=200_000)
    choice: Literal["mine", "theirs"]


@dataclass(frozen=True, slots=True)
class ConflictSide:
    """lines None: it is not there. new: numbers of the lines that the part did not have before."""

    lines: Sequence[ActionLine] | None
    new: frozenset[int]


@dataclass(frozen=True, slots=True)
class ConflictView:
    where: str
    mine: ConflictSide
    base: ConflictSide
    theirs: ConflictSide


@dataclass(frozen=True, slots=True)
class TheirsView:
    """What only the other one changed, and is kept."""

    where: str
    lines: Sequence[ActionLine] | None


def conflict_page(
    call: PageCall[Any, Any],
    err: BothChanged,
    part: MatrixPart,
    revision: int,
    value: str,
    catalogue: Catalogue,
) -> Shown:
    """part: that this person changed; value: what they made of it, as JSON; revision: that they had looked at."""
    shown = PartWords(call.texts, catalogue)
    values = {
        "who_else": call.words.who(err.theirs.saved_by),
        "saved_at": err.theirs.saved_at,
        "conflicts": [
            ConflictView(
                shown.where(c.part),
                shown.side(c.mine, c.base),
                shown.side(c.base, c.base),
                shown.side(c.theirs, c.base),
            )
            for c in err.merged.conflicts
        ],
        "theirs": [shown.theirs(change) for change in err.merged.theirs],
        "part": part,
        "revision": revision,
        "seen": err.theirs.revision,
        "value": value,
    }
    template = "matrix/_conflict.html" if call.is_fragment else "matrix/conflict.html"
    return Shown(template, values, status=409)


class PartWords:
    """Parts of a matrix in words and lines."""

    def __init__(self, texts: Texts, catalogue: Catalogue) -> None:
        self._texts, self._catalogue = texts, catalogue

    def where(self, part: MatrixPart) -> str:
        if part.name in CELLS:
            said = cell_in_words(part.name, self._texts)
            return said[:1].upper() + said[1:]
        return self._texts.say(f"matrix.page.part.{part.name}")

    def side(self, value: Any, base: Any) -> ConflictSide:
        lines = self.lines(value)
        if lines is None:
            return ConflictSide(None, frozenset())
        before = self.lines(base) or []
        return ConflictSide(lines, frozenset(n for n, line in enumerate(lines) if line not in before))

    def lines(self, value: Any) -> Sequence[ActionLine] | None:
        if value is None:
            return None
        if not isinstance(value, tuple) or not value:
            return []
        if hasattr(value[0], "do"):
            return lines_of(value, self._texts, self._catalogue, in_full=True)
        return [ActionLine("list", rule_in_words(one, self._texts, self._catalogue)) for one in value]

    def theirs(self, change: PartChange) -> TheirsView:
        return TheirsView(self.where(change.part), self.lines(change.after))


def rule_in_words(rule: Any, texts: Texts, catalogue: Catalogue) -> str:
    """Return a rule of pipelines or a field of ads in one line; anything else as it is."""
    if isinstance(rule, PipelineRule):
        pipeline = catalogue.pipeline(rule.pipeline_id)
        stages = pipeline.stages if pipeline else ()
        stage = next((s.name for s in stages if s.id == rule.stage_id), rule.stage_id or "")
        when = texts.say("diff.and").join(c.in_words(texts) for c in rule.when) or texts.say("diff.always")
        name = pipeline.name if pipeline else rule.pipeline_id
        return texts.say("matrix.page.rule-line", when=when, pipeline=name, stage=stage).rstrip(", ")
    if isinstance(rule, ParameterField):
        fields = (f.name for f in catalogue.fields if rule.field in (f.id, f.code))
        field = next(fields, rule.field)
        return texts.say("matrix.page.ad-line", parameter=rule.parameter, field=field)
    return str(rule)


def merge_said(saved: SavedTogether) -> Phrase | None:
    """Return what to say where somebody else's changes came along."""
    if saved.merged is None or not saved.merged.theirs:
        return None
    return phrase("matrix.page.merged", n=len(saved.merged.theirs))


async def save_chosen(call: PageCall[PageQuery, MergeForm]) -> SeeOther | Shown:
    """Save the side that was chosen."""
    form, part = call.form, MatrixPart(call.form.table, call.form.name)
    adapter = VALUE_OF.get(part.name, _CELL)
    try:
        value = adapter.validate_json(form.value)
    except ValidationError as err:
        raise PageRefused(422, "invalid", names=("value",)) from err
    choices: dict[str, Side] = {part.where: form.choice}
    async with call.connection() as conn:
        try:
            await save_part(
                conn,
                call.account.id,
                part,
                value,
                revision=form.revision,
                by=call.who.name,
                choices=choices,
                chosen_at=form.seen,
            )
        except BothChanged as err:
            catalogue = await catalogue_of(conn, call.account.id)
            return conflict_page(call, err, part, form.revision, form.value, catalogue)
    said = phrase(f"matrix.page.merged-{form.choice}")
    if part.name in CELLS:
        where = call.here("/matrix", table=part.table, cell=part.name) + "#panel-title"
    else:
        where = call.here("/matrix/rules" if part.name == "pipeline_rules" else "/matrix/ads")
    return SeeOther(where, said=said)
