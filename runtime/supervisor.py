"""Child processes of our own program: started, restarted when they die, ended with us."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from runtime.backoff import Backoff

log = structlog.get_logger(__name__)

_PR_SET_PDEATHSIG = 1

# A worker ends its loops within seconds, and may wait for half a minute for the answer to a refresh of a key.
_END_SECONDS = 40.0


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_with_parent_in_its_session() -> None:
    os.setpgid(0, 0)  # Ctrl-C of the terminal is for us alone: we pass it on
    _end_with_parent()


@dataclass(slots=True)
class Child:
    """arguments: of the program `callmatrix`. restarts: how often it was started again. gives_way: its niceness counts
    against ours. Linux deals the processor out to sessions first, and niceness counts within one only (sched(7), autogroup)."""

    name: str
    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    gives_way: bool = False
    restarts: int = 0
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.cli",
            *self.arguments,
            env={**os.environ, **self.env},
            preexec_fn=_end_with_parent_in_its_session if self.gives_way else _end_with_parent,
            start_new_session=not self.gives_way,
        )

    async def keep_running(self) -> None:
        """Until cancelled: starts it again when it ends, with a growing pause while it keeps dying at once."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(0.2, 15.0, steady_seconds=30)
        while True:
            if self.process is None:
                await self.start()
            assert self.process is not None
            began = loop.time()
            code = await self.process.wait()
            self.process = None
            self.restarts += 1
            delay = backoff.failed(loop.time() - began)
            log.warning("process-ended", process=self.name, code=code, starts_again_in=delay)
            await asyncio.sleep(delay)

    async def stop(self, seconds: float = _END_SECONDS) -> None:
        process, self.process = self.process, None
        if process is None or process.returncode is not None:
            return
        for sig in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(sig)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await process.wait()
                return


async def run_children(children: Sequence[Child], stop: asyncio.Event) -> None:
    """Keep all running until `stop` is set, then end them, last started first."""
    tasks = [asyncio.create_task(child.keep_running(), name=child.name) for child in children]
    try:
        await stop.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for child in reversed(children):
            await child.stop()


def stop_on_signals() -> asyncio.Event:
    """Set by Ctrl-C and SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sig, stop.set)
    return stop
