"""A large account is connected: how long until every contact is answered, at the CRM's seven requests a second."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.report import Figure, at_most, plain
from tests.bench.servers import throwaway_database
from tests.e2e.stack import Stack

_LIMIT_SECONDS = 180.0
_PATIENCE_SECONDS = 400.0
_COUNTED = "SELECT count(*) FROM directory_entity WHERE kind = $1"


def bench_first_load(contacts: int) -> list[Figure]:
    """contacts: a tenth as many requests wait in Unsorted beside them."""
    with throwaway_database() as dsn, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(Stack(Path(folder), dsn, contacts=contacts), contacts))


async def _run(stack: Stack, contacts: int) -> list[Figure]:
    starting = asyncio.create_task(stack.start())
    try:
        began = await _when_there_is(stack, "SELECT count(*) FROM account", (), 1)
        known = await _when_there_is(stack, _COUNTED, ("contact",), contacts) - began
        print(f"{contacts} contacts after {known:.1f} s", file=sys.stderr)
        loaded = await _when_there_is(stack, "SELECT count(loaded_at) FROM directory_state", (), 1) - began
        leads = await stack.pool.fetchval(_COUNTED, "lead")
        busiest = await stack.busiest_second()
    finally:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError, AssertionError):
            await starting
        await stack.stop()
    return [
        at_most(f"first load: {contacts} contacts answered", round(known, 1), _LIMIT_SECONDS, "s"),
        plain(f"first load: over, with deals and {leads} incoming leads", round(loaded, 1), "s"),
        at_most("first load: requests in the busiest second", busiest, 7, "requests"),
    ]


async def _when_there_is(stack: Stack, counted: str, values: tuple[str, ...], wanted: int) -> float:
    """`time.monotonic` of the moment when the database first shows so many."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(AttributeError):  # the stack has no pool before it starts
            if await stack.pool.fetchval(counted, *values) >= wanted:
                return time.monotonic()
        await asyncio.sleep(0.2)
    raise TimeoutError(f"{counted}: still not {wanted} after {_PATIENCE_SECONDS:.0f} s")
