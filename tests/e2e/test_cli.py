"""The program as people call it: every command explains itself, prints JSON, and fails plainly."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import all_commands
from tests.e2e.stack import ACCOUNT, Stack, running_stack

COMMANDS = all_commands()
PRINT_NO_DATA = {"demo", "init", "serve", "sandbox", "account on", "account off", "secrets generate"}


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def say(*words: str, stdin: str = "", **env: str) -> Said:
    """Runs `callmatrix` with these words in a process of its own."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CALLMATRIX_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway.cli", *words),
        env={**clean, "COLUMNS": "200", **env},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin.encode())
    return Said(process.returncode or 0, out.decode(), err.decode())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_names_it_and_prints_json(name: str) -> None:
    command = COMMANDS[name]
    lines = [line.strip() for line in (command.help or "").splitlines()]
    examples = [line for line in lines if line.startswith("Example:")]
    assert examples, f"{name} has no example"
    assert f"callmatrix {name}" in examples[0]
    options = {option for parameter in command.params for option in parameter.opts}
    assert name in PRINT_NO_DATA or "--json" in options
    used = {word.partition("=")[0] for word in examples[0].split() if word.startswith("--")}
    assert used <= options, f"the example of {name} uses options that it does not have"


def test_the_walk_finds_the_commands_of_groups() -> None:
    assert {"check", "config import", "desk retry", "users add", "account add", "sync", "backfill"} <= set(
        COMMANDS
    )


async def test_misuse_is_exit_code_2_and_trouble_is_1_with_what_to_do() -> None:
    assert (await say("nonsense")).code == 2
    assert (await say("backfill", "--days", "x")).code == 2
    assert (await say("backfill", "--pause", "--stop")).code == 2
    assert (await say("users", "add", "olga", "--password", "on the line")).code == 2
    none = await say("account", "list")
    assert none.code == 1
    assert "CALLMATRIX_DATABASE_URL" in none.err
    assert "do:" in none.err
    away = await say("account", "list", CALLMATRIX_DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert (away.code, "cannot be reached" in away.err) == (1, True)
    wrong = await say("check", CALLMATRIX_PORT="abc")
    assert (wrong.code, "CALLMATRIX_PORT" in wrong.err) == (1, True)
    for said in (none, away, wrong):
        assert "Traceback" not in said.err
    assert (await say("--help")).code == 0


async def test_check_without_a_database_is_bad_and_says_so_in_json() -> None:
    said = await say("check", "--json")
    assert said.code == 1
    assert [f["subject"] for f in said.json if not f["is_ok"]] == ["settings"]


@pytest.fixture
async def stack(tmp_path: Path, database_url: str) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path, database_url) as running:
        yield running


async def test_an_operator_works_with_a_running_installation(stack: Stack, tmp_path: Path) -> None:
    env = {
        "CALLMATRIX_DATABASE_URL": stack.database_url,
        "CALLMATRIX_PORT": stack.url.rpartition(":")[2],
        "CALLMATRIX_PUBLIC_URL": stack.url,
        "CALLMATRIX_LANG": "en",
    }

    async def ok(*words: str, stdin: str = "") -> Said:
        said = await say(*words, stdin=stdin, **env)
        assert said.code == 0, (words, said)
        return said

    async def refused(*words: str, stdin: str = "") -> str:
        said = await say(*words, stdin=stdin, **env)
        assert said.code == 1, (words, said)
        assert "Traceback" not in said.err
        return said.err

    await _check_and_load(ok, stack)
    await _ask_and_explain(ok, refused)
    await _configuration(ok, refused, tmp_path)
    await _outage(ok, refused, stack)
    await _people(ok, refused)
    err = await refused(
        "account", "add", "second", "--url", "http://127.0.0.1:1", "--token", "-", stdin="t\n"
    )
    assert "do:" in err
    token = (await stack.sandbox("token"))["access_token"]
    words = ("account", "add", "third", "--url", stack.sandbox_url, "--token", "-")
    limited = (await stack.sandbox("token?integration=limited&user=1000103"))["access_token"]
    assert f"connected as '{ACCOUNT}' already" in await refused(*words, stdin=limited + "\n")
    await ok("account", "off", ACCOUNT)
    said = (await ok(*words, stdin=limited + "\n")).out
    assert "not an administrator's: the CRM does not show it users" in said
    assert (await ok(*words, "--json", stdin=token + "\n")).json["forbidden"] == []
    assert "which account?" in await refused("sync")
    assert (await ok("sync", "--account", "third", "--json")).json["entities"] > stack.contacts
    accounts = (await ok("account", "list", "--json")).json
    assert {a["id"]: a["state"] for a in accounts} == {ACCOUNT: "off", "third": "on"}
    assert await stack.busiest_second() <= 7


async def _check_and_load(ok: Any, stack: Stack) -> None:
    findings = (await ok("check", "--json")).json
    assert {"database", "clock", f"{ACCOUNT} CRM", f"{ACCOUNT} directory"} <= {f["subject"] for f in findings}
    assert all(f["is_ok"] for f in findings)
    loaded = (await ok("sync", "--json", "--full")).json
    assert loaded["by"] == "worker"
    assert loaded["entities"] > stack.contacts
    assert loaded["numbers"] >= stack.contacts


async def _ask_and_explain(ok: Any, refused: Any) -> None:
    answer = (await ok("lookup", "8 900 000 00 07", "--json")).json
    assert (answer["reason"], answer["responsible"]["extension"]) == ("contact_owner", "108")
    assert "108" in (await ok("lookup", "+79000000007")).out
    assert "nothing is stored" in await refused("explain", "no-such-id")


async def _configuration(ok: Any, refused: Any, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    await ok("config", "export", "--output", str(file))
    assert "Nothing to change" in (await ok("config", "import", str(file))).out
    assert (await ok("config", "export", "--json")).json["account"] == ACCOUNT
    changed = file.read_text().replace("settle_seconds: 1", "settle_seconds: 2")
    told = (await ok("config", "import", "-", "--dry-run", "--json", stdin=changed)).json
    assert told["changes"] == ["settings.calls.settle_seconds: 1 → 2"]
    assert "linez" in await refused("config", "import", "-", stdin="linez: 1")
    new = "connections: [{name: shop, kind: generic}]"
    created = (await ok("config", "import", "-", "--json", stdin=new)).json
    assert len(created["new_secrets"][0]["secret"]) > 20
    assert (await ok("config", "import", "-", "--json", stdin=new)).json["new_secrets"] == []


async def _outage(ok: Any, refused: Any, stack: Stack) -> None:
    """Off, a call is missed, on again, and what was stored is sent."""
    await ok("account", "off", ACCOUNT, "--reason", "moving")
    await stack.event(event="newCall", callId="o1", from_="79031110000", to="74950000001", direction="in")
    await stack.event(
        event="hangup", callId="o1", from_="79031110000", to="74950000001", direction="in", cause="noAnswer"
    )
    for _ in range(100):
        if await stack.pool.fetchval("SELECT count(*) FROM effect WHERE state = 'held'"):
            break
        await asyncio.sleep(0.1)
    assert "is off" in await refused("sync")
    assert "the account is off: moving" in await refused("backfill", "--yes")
    await ok("account", "on", ACCOUNT)
    plan = (await ok("backfill", "--preview", "--json")).json
    assert (plan["calls"], plan["contacts"], plan["tasks"]) == (1, 1, 1)
    assert "no backfill" in await refused("backfill", "--status")
    done = (await ok("backfill", "--json")).json
    assert (done["state"], done["calls_settled"], done["effects_dead"]) == ("done", 1, 0)
    assert [c["outcome"] for c in (await ok("backfill", "--report", "--json")).json["calls"]] == ["sent"]
    assert len(await stack.rows("contact", phone="79031110000")) == 1
    cases = (await ok("cases", "open", "--json")).json
    assert [c["client"] for c in cases] == ["+79031110000"]
    assert (await ok("cases", "figures", "--json")).json["open"] == 1
    assert (await ok("cases", "overdue", "--json")).json == []
    empty = (await ok("desk", "list", "--json")).json
    assert (empty["effects"], empty["events"], empty["others"]) == ([], [], [])
    assert set(empty["counts"].values()) == {0}
    assert "nothing of that" in await refused("desk", "retry", "no-such-key")


async def _people(ok: Any, refused: Any) -> None:
    made = (await ok("users", "add", "olga", "--json")).json
    assert len(made["password"]) >= 20
    assert "already" in await refused("users", "add", "olga")
    typed = await ok(
        "users", "add", "petr", "--role", "manager", "--password", "-", stdin="a long password\n"
    )
    assert "a long password" not in typed.out
    assert "too short" in await refused("users", "password", "petr", "--password", "-", stdin="short\n")
    assert [(u["login"], u["role"]) for u in (await ok("users", "list", "--json")).json] == [
        ("olga", "read_only"),
        ("petr", "manager"),
    ]
    await ok("users", "remove", "olga", "--yes")
    assert "no user" in await refused("users", "password", "olga")


async def test_a_load_is_done_here_when_no_worker_runs(tmp_path: Path, database_url: str) -> None:
    async with running_stack(tmp_path, database_url) as stack:
        stack.process("worker0").kill()
        said = await say("sync", "--full", "--json", CALLMATRIX_DATABASE_URL=database_url)
        assert said.code == 0, said
        assert said.json["by"] == "here"
        assert said.json["numbers"] >= stack.contacts
        assert await stack.busiest_second() <= 7
