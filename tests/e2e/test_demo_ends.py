"""The demo in a terminal: Ctrl-C ends all of it in good order, whenever it is pressed, and the next start goes on."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.stack import free_port
from tests.integration.first_use.terminal import Terminal

_ENDS = (
    0,
    130,
    -signal.SIGINT,
)  # the others: before it was told what to do with Ctrl-C, before it was Python at all
_READY = "Callmatrix is ready"
_ASKED = "/pbx/generic/lookup?phone=8(900)000-00-07"


class _Demo:
    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._words = (
            "demo",
            "--port",
            str(self.port),
            "--sandbox-port",
            str(free_port()),
            "--contacts",
            "20",
        )

    def start(self) -> Terminal:
        return Terminal(self.folder, *self._words, "--data-dir", str(self.folder / "data"))

    async def who_is_responsible(self) -> str:
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer demo"}) as http,
            http.get(f"http://127.0.0.1:{self.port}{_ASKED}") as response,
        ):
            return str((await response.json())["responsible"]["id"])

    def left(self) -> list[str]:
        """Command lines of what still runs on its data or its port."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                cwd = str((process / "cwd").resolve())
            except OSError:
                continue
            if str(self.folder) in command or cwd.startswith(str(self.folder)):
                found.append(command)
        return found


async def _ended_well(demo: _Demo, terminal: Terminal) -> None:
    assert await terminal.ended() in _ENDS, terminal.said
    assert "Traceback" not in terminal.said, terminal.said
    assert demo.left() == []


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the database's own user may enter."""
    with tempfile.TemporaryDirectory(prefix="callmatrix-demo-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.timeout(600)
async def test_ctrl_c_ends_the_whole_demo_whenever_it_is_pressed(folder: Path) -> None:
    demo = _Demo(folder)
    for seconds in (0.3, 1.5, 4.0):
        terminal = demo.start()
        await asyncio.sleep(seconds)
        terminal.interrupt()
        await _ended_well(demo, terminal)
    answers = []
    for said in (_READY, "A sample call"):
        terminal = demo.start()
        await terminal.waits_for(_READY)
        answers.append(await demo.who_is_responsible())
        if said != _READY:
            await terminal.waits_for(said)
        terminal.interrupt()
        terminal.interrupt()  # by somebody in a hurry
        await _ended_well(demo, terminal)
    assert answers == [answers[0]] * 2
