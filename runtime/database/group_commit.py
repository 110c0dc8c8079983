"""What comes together shares a commit: each waits for its own answer, and one that is refused hurts no other."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from runtime.cancellation import raise_if_cancelled
from runtime.database.errors import may_pass

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class GroupClosed(Exception):
    """Nothing is written any more: the process is ending."""


class GroupFull(Exception):
    """So much waits already that no more is taken: the database is too slow or away."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[_Item, _Answer]):
    item: _Item
    done: asyncio.Future[_Answer]


class GroupCommit(Generic[_Item, _Answer]):
    """`add` returns after the commit. While one group is written, the next gathers; one is written at a time, in order.

    commit: writes these items in one transaction and gives an answer for each, in their order; what it raises means
    that nothing was written. most: items in a group at most. gather_seconds: a smaller group waits so long for more.
    limit: so many may wait, None = any number. gently: whatever else the process does gets its turn between two answers.
    """

    def __init__(
        self,
        name: str,
        commit: Callable[[Sequence[_Item]], Awaitable[Sequence[_Answer]]],
        *,
        most: int,
        gather_seconds: float = 0.0,
        limit: int | None = None,
        gently: bool = False,
    ) -> None:
        self._name, self._commit = name, commit
        self._most, self._gather_seconds, self._limit = most, gather_seconds, limit
        self._gently = gently
        self._waiting: deque[_Waiting[_Item, _Answer]] = deque()
        self._is_full = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._is_closed = False

    async def add(self, item: _Item) -> _Answer:
        """Return after the commit. Raises GroupFull, GroupClosed, or what the commit raised: of trouble that may pass the
        whole group's, else this item's own."""
        if self._is_closed:
            raise GroupClosed(f"{self._name}: the process is ending")
        if self._limit is not None and len(self._waiting) >= self._limit:
            raise GroupFull(f"{self._name}: {self._limit} wait already")
        waiting: _Waiting[_Item, _Answer] = _Waiting(item, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if len(self._waiting) >= self._most:
            self._is_full.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name=f"{self._name} writer")
        return await waiting.done

    async def close(self, seconds: float) -> None:
        """Write what waits, for so long at most; what is left then is told GroupClosed."""
        self._is_closed = True
        self._is_full.set()
        writer = self._writer
        if writer is None:
            return
        try:
            await asyncio.wait({writer}, timeout=seconds)
        finally:
            writer.cancel()
        await asyncio.wait({writer})

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                raise_if_cancelled()
                group = await self._next_group()
                try:
                    await self._write([waiting for waiting in group if not waiting.done.done()])
                finally:
                    self._refuse(group)
        finally:
            self._writer = None
            self._refuse(self._waiting)
            self._waiting.clear()

    async def _next_group(self) -> list[_Waiting[_Item, _Answer]]:
        if self._gather_seconds and len(self._waiting) < self._most and not self._is_closed:
            self._is_full.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._gather_seconds):
                    await self._is_full.wait()
        return [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]

    async def _write(self, group: Sequence[_Waiting[_Item, _Answer]]) -> None:
        """Answers everyone of the group. Raises nothing but its cancellation."""
        if not group:
            return
        try:
            answers = await self._commit([waiting.item for waiting in group])
        except Exception as err:
            if len(group) > 1 and not may_pass(err):  # one spoils it: the others are written without it
                for waiting in group:
                    await self._write([] if waiting.done.done() else [waiting])
                return
            for waiting in group:
                if not waiting.done.done():
                    waiting.done.set_exception(err)
                await self._pause()
        else:
            for waiting, answer in zip(group, answers, strict=True):
                if not waiting.done.done():
                    waiting.done.set_result(answer)
                await self._pause()

    async def _pause(self) -> None:
        if self._gently:
            await asyncio.sleep(0)

    def _refuse(self, group: Iterable[_Waiting[_Item, _Answer]]) -> None:
        for waiting in group:
            if not waiting.done.done():
                waiting.done.set_exception(GroupClosed(f"{self._name}: the process is ending"))
