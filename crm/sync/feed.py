"""One of the things that keep an account's directory in step: with an interval of its own, and failing on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from crm.errors import CrmUnauthorised
from runtime.trouble import Trouble


@dataclass(slots=True)
class Feed:
    """One thing that is done again and again. due_at: of the clock `time.monotonic`."""

    name: str
    seconds: float
    step: Callable[[], Awaitable[None]]
    due_at: float = 0.0
    failures: int = 0
    last_error: str | None = None
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    has_worked: bool = False
    trouble: Trouble = field(default_factory=lambda: Trouble("sync"))

    @property
    def lacks_a_key(self) -> bool:
        """Whether its last step failed because the CRM let nobody in."""
        return self.failures > 0 and (self.last_error or "").startswith(f"{CrmUnauthorised.code}:")

    def wake(self) -> None:
        """Its next step is due now."""
        self.due_at = 0.0
        self.woken.set()
