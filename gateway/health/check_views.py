"""What workers have reported, and what the daily checks of matrix and templates have found, as the status tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import asyncpg
from pydantic import BaseModel

from crm.lane import Lane
from gateway.health.views import BudgetView, MatrixView, TemplatesView

V = TypeVar("V", bound=BaseModel)


def budget_view(body: Mapping[str, Any] | None) -> BudgetView | None:
    if not body:
        return None
    lanes = {Lane(int(number)).name.lower(): use for number, use in body["lanes"].items()}
    return BudgetView.model_validate({**body, "lanes": lanes})


def reported_part(view: type[V], body: Mapping[str, Any] | None) -> V | None:
    """Return one part of a report as it is shown, None where nothing was reported."""
    return view.model_validate(body) if body else None


def matrix_view(row: asyncpg.Record | None) -> MatrixView | None:
    """row: the report; None = it was not checked yet."""
    if row is None:
        return None
    body = row["body"]
    first = next(iter(body["problems"]), None)
    return MatrixView(
        checked_at=row["at"],
        version=body["version"],
        errors=body["errors"],
        warnings=body["warnings"],
        first=f"{first['cell']}: {first['message_en']}; {first['remedy_en']}" if first else None,
        first_ru=f"{first['cell']}: {first['message']}; {first['remedy']}" if first else None,
    )


def templates_view(row: asyncpg.Record | None, what: str = "template") -> TemplatesView | None:
    """As `matrix_view`. what: is checked."""
    if row is None:
        return None
    body = row["body"]
    first = next(iter(body["problems"]), None)
    return TemplatesView(
        checked_at=row["at"],
        errors=body["errors"],
        warnings=body["warnings"],
        first=f"“{first[what]}”: {first['message_en']}; {first['remedy_en']}" if first else None,
        first_ru=f"«{first[what]}»: {first['message']}; {first['remedy']}" if first else None,
    )
