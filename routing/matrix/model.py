"""The configuration of an account's matrices at one version: tables, and the rules that choose among them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from routing.client import ClientKind
from routing.conditions import Condition
from routing.matrix.actions import Action


class Moment(StrEnum):
    RING = "ring"
    ANSWER = "answer"
    END = "end"


class CallOutcome(StrEnum):
    """How the call stands at a moment. answered_by_unknown: on an address that belongs to no mapped employee."""

    RINGING = "ringing"
    ANSWERED = "answered"
    ANSWERED_BY_UNKNOWN = "answered_by_unknown"
    MISSED = "missed"


MOMENTS_OF: Mapping[CallOutcome, tuple[Moment, ...]] = {
    CallOutcome.RINGING: (Moment.RING,),
    CallOutcome.ANSWERED: (Moment.ANSWER, Moment.END),
    CallOutcome.ANSWERED_BY_UNKNOWN: (Moment.ANSWER, Moment.END),
    CallOutcome.MISSED: (Moment.END,),
}


def row_of(direction: str, outcome: CallOutcome, kind: ClientKind) -> str:
    return f"{direction}.{outcome.value}.{kind.value}"


ROWS: tuple[str, ...] = tuple(
    row_of(direction, outcome, kind)
    for direction in ("inbound", "outbound")
    for outcome in CallOutcome
    for kind in ClientKind
)
CELLS: tuple[str, ...] = tuple(
    f"{row}/{moment.value}" for row in ROWS for moment in MOMENTS_OF[CallOutcome(row.split(".")[1])]
)
"""Every cell that a table has, `<direction>.<outcome>.<client kind>/<moment>`: each call meets exactly one at a moment."""

_CELLS = frozenset(CELLS)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MatrixTable(_Part):
    """One matrix. cells: cell id -> actions in order; an empty list means that nothing is done, a cell that is not there
    is a gap (refused by the checks). waits_for_entities: at the end of a call of a client of whom the CRM knows nothing
    yet, wait for another integration to create them (settings.calls.update_wait_seconds) before anything is done."""

    name: str = Field(max_length=200)
    cells: Mapping[str, Annotated[tuple[Action, ...], Field(max_length=20)]]
    waits_for_entities: bool = False

    @field_validator("cells")
    @classmethod
    def _only_known_cells(cls, cells: Mapping[str, tuple[Action, ...]]) -> Mapping[str, tuple[Action, ...]]:
        if unknown := sorted(set(cells) - _CELLS):
            raise ValueError(f"no such cell: {', '.join(unknown)}")
        return cells


class SelectionRule(_Part):
    """Calls that meet all of `when` go by the table `matrix`."""

    name: str = Field(default="", max_length=200)
    when: tuple[Condition, ...]
    matrix: str


class PipelineRule(_Part):
    """Deals and leads of calls that meet all of `when` are created there. stage_id None = the pipeline's first stage."""

    name: str = Field(default="", max_length=200)
    when: tuple[Condition, ...]
    pipeline_id: str
    stage_id: str | None = None


class ParameterField(_Part):
    """A parameter of the call and the CRM field (id or code) that takes it, in a contact or a deal."""

    parameter: str = Field(min_length=1, max_length=100)
    entity: Literal["contact", "deal"] = "deal"
    field: str = Field(min_length=1, max_length=100)


class Matrix(_Part):
    """selection, pipeline_rules: in order, the first that holds decides. default: table of calls that no rule wants.

    default_pipeline_id / default_stage_id: where neither a rule nor the action names a pipeline; None = the account's
    setting, then the CRM's main one. tables: id -> table."""

    version: int = Field(default=0, ge=0, le=999_999_999)
    tables: Mapping[str, MatrixTable] = Field(max_length=100)
    default: str = "default"
    selection: tuple[SelectionRule, ...] = Field(default=(), max_length=200)
    pipeline_rules: tuple[PipelineRule, ...] = Field(default=(), max_length=200)
    default_pipeline_id: str | None = None
    default_stage_id: str | None = None
    parameters: tuple[ParameterField, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        """PostgreSQL takes no NUL in a text."""
        if "\\u0000" in self.model_dump_json():
            raise ValueError("a text contains the character NUL")
        return self
