"""A person at a terminal: what the program asks is waited for, then answered."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_SECONDS = 60.0


class Terminal:
    """One run of the program behind a pseudo-terminal, in a folder of its own."""

    def __init__(self, folder: Path, *words: str, env: Mapping[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", *words],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=_bare_environment() | dict(env or {}),
            start_new_session=True,
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self.said = ""
        self._read = 0

    async def waits_for(self, question: str) -> str:
        """Return all that was said up to the question, and after the one before."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SECONDS
        while (found := self.said.find(question, self._read)) < 0:
            self._hear()
            assert loop.time() < deadline, f"not asked: {question}\n{self.said}"
            ended = self.process.poll() is not None and question not in self.said[self._read :]
            assert not ended or self._hear(), f"ended without: {question}\n{self.said}"
            await asyncio.sleep(0.02)
        told = self.said[self._read : found]
        self._read = found + len(question)
        return told

    async def answers(self, question: str, answer: str) -> str:
        told = await self.waits_for(question)
        os.write(self._master, f"{answer}\n".encode())
        return told

    async def interrupted_at(self, question: str) -> None:
        """Ctrl-C, which reaches whatever the program started in the terminal's foreground too."""
        await self.waits_for(question)
        await asyncio.sleep(0.1)
        self.interrupt()

    def interrupt(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    async def ended(self) -> int:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SECONDS
        while self.process.poll() is None:
            self._hear()
            assert loop.time() < deadline, f"does not end:\n{self.said}"
            await asyncio.sleep(0.02)
        self._hear()
        return self.process.returncode

    def _hear(self) -> bool:
        heard = False
        with contextlib.suppress(BlockingIOError, OSError):
            while chunk := os.read(self._master, 65536):
                self.said += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", chunk.decode(errors="replace"))
                heard = True
        return heard

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


def _bare_environment() -> dict[str, str]:
    return {n: v for n, v in os.environ.items() if not n.startswith("CALLMATRIX_")} | {"LC_ALL": "C.UTF-8"}


@contextlib.contextmanager
def terminal(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    opened = Terminal(folder, *words, env=env)
    try:
        yield opened
    finally:
        opened.close()


async def script(
    folder: Path, *words: str, stdin: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The program as a script calls it: nobody is there to be asked."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway.cli", *words],
        cwd=folder,
        input=stdin,
        env=_bare_environment() | dict(env or {}),
        capture_output=True,
        text=True,
        timeout=60,
    )
