"""Who is told that something changed in a dialogue: whoever may see it, and nobody else."""

from __future__ import annotations

import time

from gateway.web.dialogs.whose import onlooker, reader_of
from gateway.web.frame import AnyPageCall
from routing.dialogues.access import Onlooker, may_read
from runtime.database.changes import EVERYTHING, Change

_KNOWN_SECONDS = 5.0


class Hearing:
    """Of one stream. What somebody may see is asked for again after a while, and when rights have changed."""

    def __init__(self, call: AnyPageCall) -> None:
        self._call = call
        self._who: Onlooker | None = None
        self._asked_at = 0.0

    async def topics_told(self, change: Change) -> str:
        """Return what this browser is told of a change, "" = nothing."""
        if change is EVERYTHING:
            return "*"
        if change.topic == "reading":
            return "reading" if change.id == reader_of(self._call).id else ""
        if change.topic not in ("dialogues", "answering"):
            return change.topic
        if not change.id:
            self._who = None
            return change.topic
        dialogue, channel, owner = [*change.id.split(" ", 2), ""][:3]
        if not may_read(await self._onlooker(), channel, owner or None):
            return ""
        if change.topic == "answering":
            return f"answering-{dialogue}"
        return " ".join((change.topic, f"dialogue-{dialogue}"))

    async def _onlooker(self) -> Onlooker:
        now = time.monotonic()
        if self._who is None or now - self._asked_at > _KNOWN_SECONDS:
            async with self._call.connection() as conn:
                self._who = await onlooker(self._call, conn)
            self._asked_at = now
        return self._who
