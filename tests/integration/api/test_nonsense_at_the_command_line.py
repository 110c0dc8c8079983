"""An afternoon of nonsense: whatever is typed, the answer says what and why and what to do, and nothing has changed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from gateway.cli import all_commands
from gateway.store.admin.accounts import add_api_token
from gateway.store.admin.bindings import EVERYTHING
from gateway.store.admin.matrices import current_version
from gateway.store.admin.users import add_user
from tests.integration.api.client import add_effect, give_key
from tests.integration.api.in_process import Said, typed
from tests.integration.api.nonsense import NONSENSE as OF_OTHERS
from tests.integration.api.nonsense import REFUSED, Typed
from tests.integration.api.nonsense_of_campaigns import NONSENSE_OF_CAMPAIGNS
from tests.integration.api.nonsense_of_channels import NONSENSE_OF_CHANNELS
from tests.integration.api.nonsense_of_sms import NONSENSE_OF_SMS

NONSENSE = [*OF_OTHERS, *NONSENSE_OF_SMS, *NONSENSE_OF_CAMPAIGNS, *NONSENSE_OF_CHANNELS]


@pytest.fixture
async def installation(pool: asyncpg.Pool, account: str, database_url: str, tmp_path: Path) -> str:
    """Return the address of its database: an account that works and one without a key, and one of everything else."""
    await give_key(pool)
    await pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret, state)"
        " VALUES ('shut', 'S', 'https://s.amocrm.ru', 'x', 'off')"
    )
    async with pool.acquire() as conn:
        await add_api_token(conn, name="reports", role="read_only")
        await add_user(conn, login="olga", name="О", role="manager", bound=EVERYTHING, password_hash="x")
        for name in ("main", "shut"):
            await current_version(conn, name)
    await add_effect(pool, "e1", state="dead", error_code="validation")
    (tmp_path / "wrong.json").write_text("{wrong")
    (tmp_path / "order.json").write_text('{"do": "fly"}')
    (tmp_path / "empty").touch()
    return database_url


async def digest(pool: asyncpg.Pool) -> Mapping[str, str]:
    """Of every table."""
    tables = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    whole = " UNION ALL ".join(
        f"SELECT '{name}', coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM \"{name}\" t"
        for (name,) in tables
    )
    return {row[0]: row[1] for row in await pool.fetch(whole)}


def complaint(nonsense: Typed, said: Said) -> str | None:
    """What is wrong with the answer."""
    text = said.out + said.err
    if said.code != nonsense.code:
        return f"ended with {said.code}: {text[-500:]}"
    if "Traceback" in text or "should not have" in text:
        return text[-2000:]
    if " ".join(nonsense.says.split()).lower() not in " ".join(text.split()).lower():
        return f"does not say '{nonsense.says}': {text[-500:]}"
    if nonsense.code == REFUSED and "  do:  " not in said.err:
        return f"says no remedy: {text[-500:]}"
    if len(text) > 6000:
        return f"says {len(text)} characters"
    return None


@pytest.mark.parametrize("command", sorted({nonsense.arguments[0] for nonsense in NONSENSE}))
async def test_nonsense_is_refused_with_cause_and_remedy_and_changes_nothing(
    pool: asyncpg.Pool, installation: str, tmp_path: Path, command: str
) -> None:
    places = {"dir": tmp_path, "empty": tmp_path / "empty", "json": tmp_path / "wrong.json"}
    places["order"] = tmp_path / "order.json"
    before = await digest(pool)
    complaints = []
    for nonsense in NONSENSE:
        if nonsense.arguments[0] == command:
            words = [str(places[w[1:-1]]) if w[1:-1] in places else w for w in nonsense.arguments]
            said = await typed(installation, *words, stdin=nonsense.stdin, **nonsense.env)
            if found := complaint(nonsense, said):
                complaints.append(f"{' '.join(words)[:150]} {found}")
    now = await digest(pool)
    if changed := [table for table in before if now[table] != before[table]]:
        complaints.append(f"changed {', '.join(changed)}")
    assert not complaints, "\n\n".join(complaints)


def test_the_table_of_nonsense_leaves_no_command_out() -> None:
    asked = [" ".join(nonsense.arguments) for nonsense in NONSENSE]
    assert len(NONSENSE) >= 60
    assert [
        name for name in all_commands() if not any(f"{line} ".startswith(f"{name} ") for line in asked)
    ] == []


def program(*words: str, url: str, redirected: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """redirected: e.g. "<&-", as a shell would."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CALLMATRIX_")}
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -m gateway.cli "$@" {redirected}', sys.executable, *words],
        env={**clean, "CALLMATRIX_DATABASE_URL": url, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "redirected", "says"),
    [
        ("account list", ">/dev/full", "No space left"),
        ("account list --json", ">&-", ""),
        ("account remove shut", "<&-", "nobody answered"),
        ("config import -", "<&-", "standard input cannot be read"),
        ("account add sales --url https://a.amocrm.ru --token -", "<&-", "standard input is closed"),
        ("sandbox --port 0 --faults /dev/full", "", "did not start"),
        ("sandbox --port 0 --faults {dir}", "", "Is a directory"),
        ("sandbox --port 0 --state {dir}", "", "did not start"),
        ("demo --data-dir {dir}/empty", "", "is no folder"),
        ("demo --data-dir {dir}/empty/below", "", "/empty is no folder"),
        ("demo --data-dir {dir}", "", "is no folder of a demo"),
        ("demo --data-dir /proc/nope", "", "nothing can be kept"),
    ],
)
async def test_closed_doors_and_full_disks_are_told_in_a_few_lines(
    installation: str, pool: asyncpg.Pool, tmp_path: Path, words: str, redirected: str, says: str
) -> None:
    before, files = await digest(pool), sorted(os.listdir(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = [str(s.getsockname()[1]) for s in (one, two)]
    more = ["--port", ports[0], "--sandbox-port", ports[1]] if words.startswith("demo") else []
    said = program(
        *(word.replace("{dir}", str(tmp_path)) for word in words.split()),
        *more,
        url=installation,
        redirected=redirected,
    )
    assert "Traceback" not in said.stderr
    assert "Exception ignored" not in said.stderr
    assert (said.returncode == 0) == (says == "")
    assert says in said.stderr
    assert (await digest(pool), sorted(os.listdir(tmp_path))) == (before, files)


@pytest.mark.parametrize(
    ("words", "env"),
    [
        ("sandbox --port {port}", {}),
        ("demo --port {port} --sandbox-port 18231", {}),
        ("demo --port 18231 --sandbox-port {port}", {}),
        ("serve", {"CALLMATRIX_PORT": "{port}"}),
        ("serve --role gateway", {"CALLMATRIX_PORT": "{port}"}),
        ("serve", {"CALLMATRIX_PORT": "0", "CALLMATRIX_FASTAGI_PORT": "{port}"}),
    ],
)
async def test_a_port_that_is_taken_is_told_before_anything_is_started(
    installation: str, words: str, env: Mapping[str, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = {name: value.format(port=port) for name, value in env.items()}
        said = await typed(installation, *words.format(port=port).split(), stdin=b"", **given)
    assert said.code == 1
    assert f"port {port} is taken" in said.err
    assert "choose" in said.err


async def test_ctrl_c_ends_a_command_that_waits_for_its_database_without_a_word() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x"
        started = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "account", "list"],
            env={**os.environ, "CALLMATRIX_DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(60)
        waiting, _ = silent.accept()
        with waiting:
            started.send_signal(signal.SIGINT)
            _, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert err == ""


async def test_a_database_of_another_program_or_without_a_schema_is_told(
    postgres_url: str, installation: str
) -> None:
    empty = postgres_url.rpartition("/")[0] + "/postgres"
    for url, says in (
        (empty, "schema is not up to date"),
        (f"{installation}_gone", "the database refuses us"),
        (installation.replace("://callmatrix:", "://nobody:"), "the database refuses us"),
    ):
        said = await typed(url, "account", "list")
        assert (said.code, says in said.err, "  do:  " in said.err) == (1, True, True), said
