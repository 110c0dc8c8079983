"""How a process starts, runs its loops, and ends."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import platform
import resource
import signal
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import structlog

from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_REFUSES, may_pass
from runtime.failure import Failure
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 60


_END_SECONDS = 7.0


_LAST_WORDS_SECONDS = 3.0


_T = TypeVar("_T")

# Of sched_setattr(2).
_SLICE_NANOSECONDS = 100_000  # the shortest that Linux grants
_RESET_ON_FORK = 1
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
_AT_ONCE_MICROSECONDS = 500_000
_LOOK_AGAIN_SECONDS = 5
_MOMENT_SECONDS = 0.0005
_SET_ATTRIBUTES = {"x86_64": 314, "aarch64": 274, "riscv64": 274}


def use_fast_loop() -> None:
    """uvloop where there is one."""
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def answer_first() -> None:
    """Ask for turns so short that this thread, woken, interrupts whoever runs: Linux lets others finish a turn of
    milliseconds, and looks at its clock every four. Nobody gets more of the processor by it; children and other threads
    do not inherit it. Before Linux 6.12, and elsewhere, it does nothing: there, niceness decides."""
    number = _SET_ATTRIBUTES.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        return
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = _ATTRIBUTES.pack(
        _ATTRIBUTES.size, os.SCHED_OTHER, _RESET_ON_FORK, niceness, 0, _SLICE_NANOSECONDS, 0, 0
    )
    ctypes.CDLL(None).syscall(number, 0, wanted, 0)


def answer_at_once() -> bool:
    """Ask that this thread, woken, runs at once whatever else wants the processor; False where the system does not grant it
    (RLIMIT_RTPRIO of 1, or root). Threads and children do not inherit it. Whoever runs for half a second without waiting for
    anything goes back among all others, so that nothing that runs wild stops the machine."""
    try:
        signal.signal(signal.SIGXCPU, lambda _signal, _frame: _go_back_among_others())
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        time.sleep(_MOMENT_SECONDS)  # what it ran before, in an earlier time, is not counted any more
        _end_turns_after(_AT_ONCE_MICROSECONDS)
    except (AttributeError, OSError, ValueError):
        answer_among_others()
        return False
    return True


def answers_at_once() -> bool:
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR


async def keep_answering_at_once() -> None:
    """Until cancelled, in the main thread: from now on, and again a while after it ran too long. Ends where it may not."""
    try:
        while answers_at_once() or answer_at_once():
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            if not answers_at_once():
                log.warning("ran-too-long-at-once", seconds=_AT_ONCE_MICROSECONDS / 1e6)
    finally:
        answer_among_others()


def answer_among_others() -> None:
    """Take back `answer_at_once`: a process that ends has nobody left who hears that it ran too long."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        if answers_at_once():
            _go_back_among_others()
        _end_turns_after(resource.RLIM_INFINITY)


def _end_turns_after(microseconds: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
    resource.setrlimit(resource.RLIMIT_RTTIME, (microseconds, hard))


def _go_back_among_others() -> None:
    os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
    answer_first()


def give_way(niceness: int) -> None:
    """On a machine that is short of processors, ringing phones are answered first."""
    with contextlib.suppress(AttributeError, OSError):  # not on every system
        os.nice(niceness)


async def retry_until_available(ask: Callable[[], Awaitable[_T]]) -> _T:
    """Await what a process needs of the database before it can begin: asked again for a minute while that starts or
    restarts. What only a person can change (a password, a name) is raised at once."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    trouble = Trouble("database")
    while True:
        try:
            answer = await ask()
            trouble.recovered()
            return answer
        except Exception as err:
            if not may_pass(err) or isinstance(err, DATABASE_REFUSES) or loop.time() > deadline:
                raise
            trouble.failed(err)
            await sleep_unless_cancelled(0.5)


@contextlib.asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Future[None]]:
    """Run loops that never end by themselves; the future tells when one did."""
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and not failed.done():
            error = task.exception() or RuntimeError(f"{task.get_name()} ended")
            log.error("loop-ended", loop=task.get_name(), exc_info=error)
            failed.set_exception(error)

    tasks = _tasks(work)
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield failed
    finally:
        for task in tasks:
            task.cancel()
        _, late = await asyncio.wait(tasks, timeout=_END_SECONDS)
        if late:  # its connections are cut next, which ends it
            log.error("loops-end-late", loops=sorted(task.get_name() for task in late))
        if failed.done() and not failed.cancelled():
            failed.exception()
        failed.cancel()


async def flush_on_shutdown(*work: Coroutine[Any, Any, None]) -> None:
    """Write down what a process still has when it ends, in the time that there is."""
    tasks = _tasks(work)
    done, late = await asyncio.wait(tasks, timeout=_LAST_WORDS_SECONDS)
    for task in late:
        log.error("not-written-in-time", what=task.get_name())
        task.cancel()
    for task in done:
        task.result()


def _tasks(work: Iterable[Coroutine[Any, Any, None]]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(item, name=getattr(item, "__qualname__", "loop")) for item in work]


async def wait_first(*waits: Any) -> None:
    """Return, or raise, as the first of these does."""
    tasks = [asyncio.ensure_future(w) for w in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            if not task.done():
                task.cancel()


def refuse_taken(host: str, ports: Mapping[str, int], remedy: str) -> None:
    """Raise Failure where somebody listens already, or nobody can, before anything is begun.

    ports: what we are to listen at by what names it, e.g. {"--port": 8080}. 0 is any free one.
    """
    named = {name: port for name, port in ports.items() if port}
    for name, port in named.items():
        if other := next((n for n, p in named.items() if p == port and n != name), None):
            raise Failure(f"port {port} is given twice", f"{name} and {other}", remedy)
        _refuse_taken(host, port, remedy)


def _refuse_taken(host: str, port: int, remedy: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
            sock.listen()
        except OSError as err:
            raise _not_listening(host, port, err, remedy) from err


def _not_listening(host: str, port: int, err: OSError, remedy: str) -> Failure:
    if err.errno == errno.EADDRINUSE:
        return Failure(f"port {port} is taken", str(err), remedy)
    if err.errno == errno.EACCES:
        allow = "choose one above 1023, or give the program the right (CAP_NET_BIND_SERVICE)"
        return Failure(f"port {port} is not open to this user", str(err), allow)
    return Failure(
        f"nobody can listen at {host}", str(err), "give an address of this machine with CALLMATRIX_HOST"
    )


class KeptTasks:
    """Work of one kind that goes on to its end though whoever waits for it gives up, or the process is told to end. Until a piece says that it `is_decided`, it may still be dropped."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: set[asyncio.Task[Any]] = set()
        self._decided: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Begin it; wait for it with asyncio.shield."""
        task = asyncio.create_task(work, name=self._name)
        self._running.add(task)
        task.add_done_callback(self._over)
        return task

    def is_decided(self) -> None:
        """Said by the work itself: from here on it must come to its end."""
        task = asyncio.current_task()
        if task in self._running:
            self._decided.add(task)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._decided.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be there any more to look at it

    async def ended(self, seconds: float) -> None:
        """Drop what is not decided yet, wait for the rest; `seconds` at the most."""
        for task in self._running - self._decided:
            task.cancel()
        if not self._running:
            return
        _, late = await asyncio.wait(set(self._running), timeout=seconds)
        if late:
            log.error("work-ends-late", work=self._name, tasks=len(late))
