"""Pipelines and stages that a matrix names by id: people delete them in the CRM while it goes on naming them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from routing.matrix.actions import Action, ChangeStage, MakeDeal, MakeLead
from routing.matrix.model import Matrix


class GonePlaces(BaseModel):
    """Ids of what the matrix names and the CRM has no longer."""

    model_config = ConfigDict(frozen=True)

    pipelines: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()


class NewPlace(NamedTuple):
    """Where a new deal goes. None = the first stage of the pipeline, the CRM's main pipeline."""

    pipeline_id: str | None
    stage_id: str | None


def there(place: NewPlace, gone: GonePlaces) -> NewPlace:
    """Return the nearest place that exists."""
    if place.pipeline_id in gone.pipelines:
        return NewPlace(None, None)
    return place._replace(stage_id=None) if place.stage_id in gone.stages else place


def named_places(matrix: Matrix, default_pipeline_id: str | None = None) -> tuple[set[str], set[str]]:
    """(pipelines, stages). default_pipeline_id: the account's."""
    cells = chain.from_iterable(table.cells.values() for table in matrix.tables.values())
    places = list(chain.from_iterable(_named(action) for action in chain.from_iterable(cells)))
    places += [(rule.pipeline_id, rule.stage_id) for rule in matrix.pipeline_rules]
    places += [(matrix.default_pipeline_id, matrix.default_stage_id), (default_pipeline_id, None)]
    return {p for p, _ in places if p}, {s for _, s in places if s}


def _named(action: Action) -> Iterator[tuple[str | None, str | None]]:
    match action:
        case MakeDeal():
            yield action.pipeline_id, action.stage_id
            yield action.separate_pipeline_id, action.separate_stage_id
        case MakeLead():
            yield action.pipeline_id, None
        case ChangeStage():
            yield action.pipeline_id, action.stage_id
