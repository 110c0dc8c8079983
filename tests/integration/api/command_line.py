"""The program as a person calls it, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence


async def callmatrix(
    database_url: str, *words: str, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway.cli", *words],
        input=stdin,
        env={**os.environ, "CALLMATRIX_DATABASE_URL": database_url, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


async def outcomes(database_url: str, commands: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """Exit code and error output of each, all in one process: a table of all commands is no place to start thirty."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "tests.integration.api.every_command"],
        input=json.dumps([list(words) for words in commands]),
        env={**os.environ, "CALLMATRIX_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return [(code, said) for code, said in json.loads(done.stdout)]
