"""How soon the command line answers, against what its own libraries take to be imported."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median

from tests.bench.report import Figure, at_most, plain

_LIBRARIES = (sys.executable, "-c", "import typer, typer.rich_utils")
_PROGRAM = (sys.executable, "-m", "gateway.cli")
_COMMANDS = ("check", "account", "matrix", "desk")


def bench_command_line(times: int) -> list[Figure]:
    """Medians of processes started in turn, so that a load on the machine falls on all of them alike."""
    lines = {"libraries": _LIBRARIES, "--help": (*_PROGRAM, "--help")}
    lines |= {name: (*_PROGRAM, name, "--help") for name in _COMMANDS}
    taken = _medians(lines, times)
    base, of_all = taken.pop("libraries"), taken.pop("--help")
    slowest = max(taken, key=lambda name: taken[name])
    return [
        at_most(
            "callmatrix --help against importing typer and typer.rich_utils",
            of_all / base,
            1.6,
            "×",
            f"{of_all * 1000:.0f} ms against {base * 1000:.0f} ms",
        ),
        plain("callmatrix COMMAND --help, the slowest", taken[slowest] * 1000, "ms", slowest),
    ]


def _medians(lines: dict[str, tuple[str, ...]], times: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(times + 1):  # the first round only warms the disk
        for name, line in lines.items():
            seconds[name].append(_seconds(line))
    return {name: median(found[1:]) for name, found in seconds.items()}


def _seconds(line: tuple[str, ...]) -> float:
    began = time.perf_counter()
    subprocess.run(line, env={**os.environ, "COLUMNS": "100"}, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
