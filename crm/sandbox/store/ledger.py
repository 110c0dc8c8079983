"""Every request to the imitated API: when, whose, what, and how it was answered."""

from __future__ import annotations

import sqlite3
from typing import Any

KEPT = 500_000
_COLUMNS = ("at", "integration", "method", "path", "status", "entities")


class Ledger:
    """Keeps the latest 500,000 requests."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._added = 0

    def add(self, at: float, integration: str, method: str, path: str, status: int, entities: int) -> None:
        """at: Unix seconds of the arrival. status: 0 when no answer was meant to be carried out (reset, hang)."""
        self._db.execute(
            "INSERT INTO ledger (at, integration, method, path, status, entities) VALUES (?, ?, ?, ?, ?, ?)",
            (at, integration, method, path, status, entities),
        )
        self._added += 1
        if self._added % 10_000 == 0:
            self._db.execute("DELETE FROM ledger WHERE id <= (SELECT max(id) FROM ledger) - ?", (KEPT,))

    def since(self, at: float) -> list[dict[str, Any]]:
        """Return requests that arrived after `at`, oldest first."""
        rows = self._db.execute(
            "SELECT at, integration, method, path, status, entities FROM ledger WHERE at > ? ORDER BY at, id",
            (at,),
        )
        return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]

    def clear(self) -> None:
        self._db.execute("DELETE FROM ledger")
