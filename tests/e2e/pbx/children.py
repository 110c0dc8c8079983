"""Processes of a PBX test: started with their output in a file, ended by their own id."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """A test run that is killed leaves no PBX behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def cache_folder() -> Path:
    """Where install.sh put Asterisk."""
    if told := os.environ.get("CALLMATRIX_PBX_CACHE"):
        return Path(told)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "callmatrix-pbx"


@dataclass
class Child:
    name: str
    command: Sequence[str]
    log: Path
    popen: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    def stop(self, seconds: float = 5.0) -> None:
        """Gone when this returns."""
        if self.is_running:
            self.popen.terminate()
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def until(self, fact: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not fact():
            if not self.is_running:
                raise AssertionError(f"{self.name} ended before {what}:\n{self.said()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: no {what} within {seconds} s:\n{self.said()}")
            time.sleep(0.05)

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-5000:]
