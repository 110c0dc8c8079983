"""The lines of the guide to amoCRM's own chats work in a demo as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.e2e.stack import free_port
from tests.integration.first_use.terminal import Terminal
from tests.paths import ROOT

_GUIDE = ROOT / "docs/how-to/connect-amocrm-chats.md"
_MESSAGE = "Есть ли шкаф на заказ?"
_ANSWER = "Да, замер бесплатный"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the database's own user may enter."""
    with tempfile.TemporaryDirectory(prefix="callmatrix-demo-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


async def _sent_to_the_client(database_url: str) -> list[str]:
    conn = await asyncpg.connect(database_url)
    try:
        found = await conn.fetch(
            "SELECT parts->0->>'text' AS text FROM chat_message m JOIN dialogue d USING (account_id, dialogue_id)"
            " WHERE d.number = '+79005550177' AND m.direction = 'out' AND m.status = 'sent'"
        )
    finally:
        await conn.close()
    return [row["text"] for row in found]


async def _walked(lines: str, env: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *("bash", "-ec", lines),
        env=os.environ | env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


@pytest.mark.timeout(300)
async def test_the_lines_of_the_guide_show_a_client_in_the_card_and_bring_the_answer_back(
    folder: Path,
) -> None:
    ports = {"8080": str(free_port()), "8090": str(free_port())}
    (lines,) = re.findall(r"```bash\n(.*?)```", _GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    for written, taken in ports.items():
        lines = lines.replace(f":{written}/", f":{taken}/")
    demo = Terminal(
        folder,
        *("demo", "--port", ports["8080"], "--sandbox-port", ports["8090"], "--contacts", "20"),
        *("--data-dir", str(folder / "data")),
    )
    try:
        told = await demo.waits_for("Callmatrix is ready")
        exports = dict(re.findall(r"(CALLMATRIX_\w+)='([^']+)'", told)) | {"CALLMATRIX_PORT": ports["8080"]}
        programs = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        said = await _walked(lines, exports | {"PATH": programs})
        sent = await _sent_to_the_client(exports["CALLMATRIX_DATABASE_URL"])
    finally:
        demo.interrupt()
        await demo.ended()
    shown = said.index('{"channels"')
    assert "on, connected." in said[:shown]
    assert _MESSAGE in said[shown:]
    assert '"status":200' in said
    assert said.rstrip().splitlines()[-3].endswith("not sent from cards: 0"), said
    assert sent == [_ANSWER]
