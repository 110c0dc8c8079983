"""Campaigns at the command line, from the first word to the last."""

from __future__ import annotations

import json
from pathlib import Path

import asyncpg

from tests.integration.api.in_process import typed


async def test_a_campaign_at_the_command_line(
    pool: asyncpg.Pool, database_url: str, account: str, tmp_path: Path
) -> None:
    async def run(*words: str, code: int = 0) -> str:
        done = await typed(database_url, *words)
        assert done.code == code, (words, done.out, done.err)
        return done.out + done.err

    await run(
        "campaign",
        "create",
        "spring",
        "--connection",
        "office",
        "--employee",
        "anna",
        "--set",
        "endless=true",
    )
    assert "already" in await run(
        "campaign", "create", "spring", "--connection", "office", "--employee", "anna", code=1
    )
    await run("campaign", "edit", "spring", "--set", "endless=false", "--set", "lines=['+74951230000']")
    shown = json.loads(await run("campaign", "show", "spring", "--json"))
    assert (shown["state"], shown["settings"]["endless"], shown["settings"]["lines"]) == (
        "draft", False, ["+74951230000"],
    )  # fmt: skip
    file = tmp_path / "list.csv"
    file.write_text("phone;who\n89160000001;Ольга\nnonsense;x\n", encoding="cp1251")
    said = await run("campaign", "import", "spring", str(file), "--client", "who", "--lang", "en")
    assert "1 of 2 rows" in said
    assert "row 3: «nonsense»: this is no phone number" in said
    assert "there already" in await run("campaign", "add", "spring", "8 916 000-00-01")
    await run("campaign", "add", "spring", "8 916 000-00-02")
    await run("campaign", "take-out", "spring", "+79160000002")
    members = json.loads(await run("campaign", "members", "spring", "--json"))
    assert [(m["number"], m["name"], m["state"]) for m in members] == [
        ("+79160000001", "Ольга", "held"), ("+79160000002", "", "cleared"),
    ]  # fmt: skip
    await run("campaign", "plan", "spring", "2030-01-01T06:00:00")
    for command in ("start", "pause"):
        await run("campaign", command, "spring")
    await run("campaign", "close", "spring")
    assert "2 members, 1 open, 0 called" in await run("campaign", "stats", "spring")
    assert "is finished" in await run("campaign", "finish", "spring", "--yes")
    assert "finished" in await run("campaign", "list")
    assert "campaign-state" in await run("campaign", "start", "spring", code=1)
