"""What people do in the CRM, as its feed tells: the traces of somebody at work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from crm.lane import Lane
from crm.port import Page

DoingKind = Literal[
    "message_sent",
    "noted",
    "task_added",
    "task_changed",
    "task_completed",
    "moved",
    "changed",
    "tagged",
    "linked",
    "merged",
    "deleted",
    "restored",
    "acted",
]
"""Only what nobody but a person at work does, or a program in that person's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmDoing:
    """at: by the CRM's clock, in whole seconds. by_user: CRM user, None = a robot. entity_id: what it was done to."""

    id: str
    kind: DoingKind
    at: datetime
    by_user: str | None
    entity_id: str


class DoingFeed(Protocol):
    """A CRM whose feed tells who did what."""

    async def doings(self, since: datetime, lane: Lane, *, page: int = 1) -> Page[CrmDoing]:
        """Return those of people, newest first, up to 100 a page. since: whole seconds, included."""
        ...
