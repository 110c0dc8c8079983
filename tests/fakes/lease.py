"""A lease that is held until a test takes it away."""

from __future__ import annotations

import asyncio

from runtime.database.lease import LeaseLost


class FakeLease:
    def __init__(self) -> None:
        self.lost = asyncio.Event()

    def check(self) -> None:
        if self.lost.is_set():
            raise LeaseLost("taken away by the test")

    def take_away(self) -> None:
        self.lost.set()
