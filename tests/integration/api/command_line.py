"""The program as a person calls it, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys


async def callmatrix(database_url: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway.cli", *words],
        input=stdin,
        env={**os.environ, "CALLMATRIX_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
    )
