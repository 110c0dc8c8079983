"""The sandbox's rows in SQLite. All of its SQL stands here."""

from crm.sandbox.store.database import Database, SandboxRow, SandboxTable

__all__ = ["Database", "SandboxRow", "SandboxTable"]
