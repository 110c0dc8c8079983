"""Long work shows how far it is to whoever sits at a terminal, and to nobody else."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys

from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix

WORDS = ("template", "simulate", "ads", "--made-up", "40", "--account", ACCOUNT)


def _at_a_terminal(database_url: str, *words: str) -> str:
    """What stands on the terminal of the error output."""
    ours, theirs = pty.openpty()
    try:
        env = {**os.environ, "CALLMATRIX_DATABASE_URL": database_url, "TERM": "xterm", "COLUMNS": "100"}
        subprocess.run(
            [sys.executable, "-m", "gateway.cli", *words],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
            check=True,
            timeout=60,
        )
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


async def test_a_simulation_shows_how_far_it_is_at_a_terminal_only(api: Api, database_url: str) -> None:
    await api.ask("PUT", "{a}/templates/ads", body={"name": "ads", "employees": [{"employee_id": "anna"}]})
    assert "40/40" in await asyncio.to_thread(_at_a_terminal, database_url, *WORDS)
    piped = await callmatrix(database_url, *WORDS)
    assert (piped.returncode, piped.stderr) == (0, "")
