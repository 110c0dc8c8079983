"""A copy of the checkout in which tests run, whatever is done to its files."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.paths import ROOT

# pytest-timeout's: a sabotage may well make a test wait for ever.
TEST_SECONDS = 45


class Copy:
    """Files that git knows or would know, with the virtual environment of the checkout. env: of the tests."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.root = folder / "callmatrix"
        for name in _files():
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        (self.root / ".venv").symlink_to(ROOT / ".venv")
        self._report = folder / "report.xml"
        self._output = folder / "output.txt"
        # Before the packages of the environment, in which the checkout itself is installed.
        self._env = {**os.environ, **env, "PYTHONPATH": str(self.root)}

    @property
    def report(self) -> Path:
        return self._report

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    def test(self, tests: Sequence[str], seconds: float) -> int | None:
        """Run these until the first fails; pytest's exit code, None when it took longer than `seconds`."""
        self._report.unlink(missing_ok=True)
        command = [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-x",
                "-n",
                "0",
                "-q",
                "--tb=short",
                f"--timeout={TEST_SECONDS}",
            ),
            *(f"--junitxml={self._report}", *tests),
        ]
        with self._output.open("w") as output:
            running = subprocess.Popen(
                command, cwd=self.root, env=self._env, stdout=output, stderr=output, start_new_session=True
            )
        try:
            return running.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):  # of the tests' own processes too
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()

    def is_a_program(self, file: str) -> str:
        """Return what is wrong with a file that was sabotaged: syntax, names that nothing defines; "" = nothing."""
        checked = subprocess.run(
            [ROOT / ".venv" / "bin" / "ruff", "check", "--isolated", "--quiet", "--select", "E9,F821,F823", file],
            cwd=self.root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return checked.stdout.strip()


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
