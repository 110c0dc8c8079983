"""One line in the log when a source begins to fail and one when it works again, however often it is tried in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Trouble:
    """Whether one source works. source: names the lines, `<source>-failed` and `<source>-recovered`. facts: in both.

    since: by `clock` when the present trouble began, None when there is none. count: failures since then.
    """

    def __init__(self, source: str, *, clock: Callable[[], float] = time.monotonic, **facts: Any) -> None:
        self._source, self._clock, self._facts = source, clock, facts
        self._told: set[str] = set()
        self.since: float | None = None
        self.count = 0

    @property
    def is_present(self) -> bool:
        return self.since is not None

    def failed(
        self, error: BaseException | str, *, is_mistake: bool = False, is_alarm: bool = False, **facts: Any
    ) -> None:
        """Note that it failed, perhaps again. is_mistake: of the program: each kind of it is told once, with its trace.

        is_alarm: a person has to do something; told once more when trouble turns into this.
        """
        self.count += 1
        kind = type(error).__name__ if is_mistake else "alarm" if is_alarm else "trouble"
        is_news = self.since is None or (kind not in self._told and kind != "trouble")
        self.since = self._clock() if self.since is None else self.since
        self._told.add(kind)
        if is_news:
            say = log.error if is_mistake or is_alarm else log.warning
            trace = {"exc_info": error} if is_mistake else {}
            say(f"{self._source}-failed", error=_text(error), **{**self._facts, **facts}, **trace)

    def recovered(self, **facts: Any) -> None:
        """Note that it works, perhaps still."""
        if self.since is None:
            return
        seconds = round(self._clock() - self.since, 1)
        log.info(
            f"{self._source}-recovered", seconds=seconds, failures=self.count, **{**self._facts, **facts}
        )
        self.since, self.count = None, 0
        self._told.clear()


def _text(error: BaseException | str) -> str:
    return error if isinstance(error, str) else f"{getattr(error, 'code', type(error).__name__)}: {error}"
