"""By distribution template: whose turn a call is, as the ledgers stand. Deciding books nothing; what is to be booked goes out with
the decision."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from routing.client import Client
from routing.distribution.answered import taken_by
from routing.distribution.decide import distribute
from routing.distribution.item import OtherDeal, Standing, WorkItem
from routing.distribution.ledger import LedgerEntry, TurnLedger
from routing.distribution.outcome import Distribution, DistributionOutcome
from routing.distribution.roster import roster_of
from routing.distribution.template import DistributionTemplate
from routing.matrix.model import Matrix
from routing.staff import Employee, Staff

_PREFIX = "template:"


class TemplateInCell(NamedTuple):
    """One place of a matrix where a template chooses the responsible. do: of the action."""

    table: str
    cell: str
    do: str
    template: str


class TemplateNow(BaseModel):
    """A template as it stands when a call is decided. standings: by employee id, of everybody of whom anything is known."""

    model_config = ConfigDict(frozen=True)

    version: int
    template: DistributionTemplate
    ledgers: dict[str, TurnLedger] = Field(default_factory=dict)
    standings: dict[str, Standing] = Field(default_factory=dict)


class BookedTurn(BaseModel):
    """What a decision has a template book: the entries of its journal, and the ledgers after them.

    effects: keys of what was ordered for that person by it. version: of the template. ledgers are not kept with the decision.
    """

    model_config = ConfigDict(frozen=True)

    template: str
    version: int
    outcome: DistributionOutcome
    reason: str
    employee_id: str
    effects: tuple[str, ...] = ()
    entries: tuple[LedgerEntry, ...] = ()
    ledgers: dict[str, TurnLedger] = Field(default_factory=dict, exclude=True)


class CallTurns(BaseModel):
    """What is known of templates for one call. templates: those that its matrix names, by name. picked: by which of them this call
    has somebody already (template -> employee id). only: employee id of the one person this client is for. case_owner: CRM user
    who is to call this client back already."""

    model_config = ConfigDict(frozen=True)

    templates: dict[str, TemplateNow] = Field(default_factory=dict)
    picked: dict[str, str] = Field(default_factory=dict)
    only: str | None = None
    case_owner: str | None = None


NO_TURNS = CallTurns()


def template_named(choice: str) -> str:
    """Return the name in `template:<name>`, "" where none is given."""
    return choice.removeprefix(_PREFIX) if choice.startswith(_PREFIX) else ""


def named_templates(matrix: Matrix) -> frozenset[str]:
    """Return those whom a matrix leaves the choice of a responsible to."""
    return frozenset(use.template for use in uses_of_templates(matrix))


def uses_of_templates(matrix: Matrix) -> frozenset[TemplateInCell]:
    """Return where a matrix leaves the choice of a responsible to templates."""
    return frozenset(_uses(matrix))


def _uses(matrix: Matrix) -> Iterator[TemplateInCell]:
    for of, table in matrix.tables.items():
        for cell, actions in table.cells.items():
            for action in actions:
                if name := template_named(getattr(action, "responsible", None) or ""):
                    yield TemplateInCell(of, cell, action.do, name)


def whose_turn(
    known: TemplateNow,
    item: WorkItem,
    staff: Staff,
    now: datetime,
    zone: ZoneInfo,
    who_answered: Employee | None = None,
) -> Distribution:
    """Return who gets it: who answered, where they are of the template, else whose turn it is."""
    roster = roster_of(known.template, staff)
    if who_answered is not None and item.only is None:
        found = taken_by(who_answered.id, roster, item, known.ledgers, known.standings, now, zone)
        if found is not None:
            return found
    return distribute(roster, item, known.ledgers, known.standings, now, zone)


def deals_of(client: Client, now: datetime) -> tuple[OtherDeal, ...]:
    """Return the client's deals, by which somebody may have them already."""
    via: frozenset[Literal["contact", "company"]] = frozenset({"contact"})
    if client.of("company") and not client.of("contact"):
        via = frozenset({"company"})
    return tuple(
        OtherDeal(
            id=deal.ref.id,
            owner=deal.owner_id,
            via=via,
            is_open=deal.is_open,
            at=(deal.created_at if deal.is_open else deal.closed_at or deal.updated_at) or now,
            pipeline_id=deal.pipeline_id,
        )
        for deal in client.of("deal")
        if deal.ref.id is not None
    )
