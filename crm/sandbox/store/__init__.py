"""The sandbox's rows in SQLite. All of its SQL stands here."""

from crm.sandbox.store.database import Database, Row, Table

__all__ = ["Database", "Row", "Table"]
