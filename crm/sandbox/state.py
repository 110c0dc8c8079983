"""One CRM account: its rows, its profile, its clock. Everything that a handler may touch."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from crm.sandbox.profile import Profile
from crm.sandbox.store import Database, SandboxRow, SandboxTable
from crm.sandbox.store.links import Links

ACCOUNT_ID = 31000001
SUBDOMAIN = "sandbox"
PLURAL = {"lead": "leads", "contact": "contacts", "company": "companies", "customer": "customers"}
SINGULAR = {plural: singular for singular, plural in PLURAL.items()}


class State:
    """path: the file that keeps everything; None = memory. The clock's offset is in seconds and kept as well."""

    def __init__(self, path: str | None, profile: Profile) -> None:
        self.db = Database(path)
        self.links = Links(self.db.connection)
        stored = self.db.setting("profile")
        self.profile = Profile().changed(stored) if stored else profile
        self.offset: float = self.db.setting("offset", 0)
        self.deliveries_due = asyncio.Event()
        self._directory: dict[str, Any] = {}

    def now(self) -> int:
        return int(time.time() + self.offset)

    def set_profile(self, profile: Profile) -> None:
        self.profile = profile
        self.db.set_setting("profile", profile.as_dict())

    def set_offset(self, seconds: float) -> None:
        self.offset = seconds
        self.db.set_setting("offset", seconds)

    def table(self, name: str) -> SandboxTable:
        return self.db.table(name)

    def next_number(self, name: str, base: int) -> int:
        """Return the next id of what lies inside of rows: stages, choices of a field."""
        number: int = self.db.setting(f"last {name}", base) + 1
        self.db.set_setting(f"last {name}", number)
        return number

    # what changes rarely is read once

    def users(self) -> dict[int, SandboxRow]:
        return self._cached("users")

    def pipelines(self) -> dict[int, SandboxRow]:
        return self._cached("pipelines")

    def fields(self, entity_type: str) -> dict[int, SandboxRow]:
        """Return custom fields of leads, contacts or companies by id."""
        key = f"fields of {entity_type}"
        if key not in self._directory:
            rows = self._cached("fields").items()
            self._directory[key] = {id: row for id, row in rows if row["entity_type"] == entity_type}
        found: dict[int, SandboxRow] = self._directory[key]
        return found

    def main_pipeline(self) -> SandboxRow:
        return next(row for row in self.pipelines().values() if row["is_main"])

    def delete_directory(self) -> None:
        """After a change of users, pipelines or fields."""
        self._directory.clear()

    def _cached(self, name: str) -> dict[int, SandboxRow]:
        if name not in self._directory:
            self._directory[name] = {row["id"]: row for row in self.table(name).select()}
        rows: dict[int, SandboxRow] = self._directory[name]
        return rows
