"""What a user of the CRM has still to do."""

from __future__ import annotations

from typing import Protocol

from crm.lane import Lane
from crm.port import CrmTask, Page


class OpenTasks(Protocol):
    """A CRM that lists the tasks of one user."""

    async def open_tasks(self, owner_id: str, lane: Lane, *, page: int = 1) -> Page[CrmTask]:
        """Return up to 250 of the user's tasks that are still to be done, those due first first."""
        ...
