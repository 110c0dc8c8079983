"""What the daily checks of matrix and templates have found, as the status tells it."""

from __future__ import annotations

import asyncpg

from gateway.health.views import MatrixView, TemplatesView


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
