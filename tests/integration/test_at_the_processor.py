"""A gateway that listens goes before everything else at the processor; the pages that it starts do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.doors.gateway_process import gateway_process
from tests.waiting import until

_MAY = "import sys; from runtime.lifecycle import answer_at_once; sys.exit(not answer_at_once())"


def _is_at_once(pid: int) -> bool:
    return os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR


def _family(pid: int) -> set[int]:
    """All threads of a process and of its children."""
    threads = [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    children = [child for task in threads for child in _children(pid, task)]
    return {*threads, *(one for child in children for one in _family(child))}


def _children(pid: int, task: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="turns are asked for on Linux alone")
async def test_the_gateways_main_thread_alone_answers_at_once(database_url: str) -> None:
    if subprocess.run([sys.executable, "-c", _MAY], check=False).returncode:
        pytest.skip("the system grants no turns at once")
    async with gateway_process(database_url) as gateway:
        await until(lambda: _is_at_once(gateway.pid), "the gateway answers at once", seconds=30)
        await until(gateway.has_pages, "the process that makes the pages answers", seconds=60)
        await gateway.lookup()
        family = _family(gateway.pid)
        assert len(family) > 2
        assert {one for one in family if _is_at_once(one)} == {gateway.pid}
