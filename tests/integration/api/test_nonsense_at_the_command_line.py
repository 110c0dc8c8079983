"""An afternoon of nonsense: whatever is typed, the answer says what and why and what to do, and nothing has changed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
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

MISUSED, REFUSED = 2, 1
CYCLE, DEEP = b"settings: &a {x: *a}\n", b"settings: " + b"[" * 3000
HALF = b'name: "\\uD800"\n'
IDS = ("9" * 20, "-1", "１２", "")  # no database counts so far, and no person so
NUL, LONG, HUGE = b"name: a\0b\n", "x" * 100_000, str(10**40)
DOWN = "postgresql://x@127.0.0.1:1/x"


@dataclass(frozen=True)
class Typed:
    """says: what must stand in the answer. {dir}, {empty}, {json}, {order}: a folder, files."""

    words: str | tuple[str, ...]
    says: str
    code: int = REFUSED
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(self.words.split()) if isinstance(self.words, str) else self.words


def wrong(words: str | tuple[str, ...], says: str, **more: str | bytes | Mapping[str, str]) -> Typed:
    return Typed(words, says, **more)  # type: ignore[arg-type]


def misused(words: str | tuple[str, ...], says: str = "") -> Typed:
    return Typed(words, says, MISUSED)


ADD = "account add sales --url https://a.amocrm.ru --token t"
PBX = "connection add pbx --account main --kind"
IMPORT = "config import - --account main"
NONSENSE = [
    misused("nonsense", "No such command"),
    misused("account lst", "Did you mean"),
    # accounts
    wrong(
        ("account", "add", "Отдел продаж", "--url", "https://a.amocrm.ru", "--token", "t"), "no short name"
    ),
    wrong(f"{ADD} --time-zone Mars/Base", "there is no time zone"),
    wrong(f"{ADD} --time-zone ../../etc/passwd", "there is no time zone"),
    wrong(f"{ADD} --region ZZ", "there is no country code"),
    wrong(f"{ADD} --name {LONG}", "too long"),
    wrong("account add sales --url https://evil.example --token t", "no address of a CRM"),
    wrong("account add sales --url ftp://a.amocrm.ru --token t", "no address of a CRM"),
    wrong("account add sales --url https://a.amocrm.ru", "neither a long-lived token"),
    wrong("account add sales --url https://a.amocrm.ru --token -", "no line for --token"),
    wrong(
        "account add sales --url https://a.amocrm.ru --client-id i --token - --client-secret -",
        "no line for --client-secret",
        stdin=b"t\n",
    ),
    wrong("account add sales --token t", "needs the address"),
    wrong("account add sales --url http://127.0.0.1:1 --token t", "does not let us in"),
    wrong(
        "account add sales --url https://a.amocrm.ru --client-id a --client-secret b", "CALLMATRIX_PUBLIC_URL"
    ),
    misused("account list extra"),
    misused("account edit main", "say what is to change"),
    misused("account edit main --url https://a.amocrm.ru", "go together"),
    wrong("account edit main --time-zone UTC+3", "there is no time zone"),
    wrong("account edit gone --name x", "there is no account 'gone'"),
    wrong("account off gone", "there is no account 'gone'"),
    wrong("account on gone", "there is no account 'gone'"),
    wrong("account on shut", "there is no key"),
    wrong("account remove main --yes", "switch it off first"),
    wrong("account remove gone --yes", "there is no account 'gone'"),
    wrong("account remove shut", "nobody answered"),
    # connections
    wrong(f"{PBX} fax", "known:"),
    wrong(f"{PBX} generic --line abc", "is not a phone number"),
    wrong(f"{PBX} generic --dialect wat", "not known here"),
    wrong(f"{PBX} generic --region QQ", "there is no country code"),
    wrong(f"{PBX} generic --setting foo=bar", "not known here"),
    wrong(f"{PBX} generic --key baz=1", "not known here"),
    misused(f"{PBX} generic --key baz", "is not name=value"),
    wrong(f"{PBX} asterisk --setting ami_port=abc", "is no value of ami_port"),
    wrong(f"{PBX} asterisk --setting ami_host={LONG}", "write a text of 500 characters"),
    wrong(
        ("connection", "add", "имя с пробелом", "--kind", "generic", "--account", "main"),
        "no name of a connection",
    ),
    wrong("connection add office --kind generic --account main", "already"),
    wrong("connection add pbx --kind generic", "which account?"),
    wrong("connection list --account gone", "there is no account"),
    wrong("connection set gone --region RU", "there is no connection 'gone'"),
    wrong("connection set office --line 12", "is not a phone number"),
    misused("connection set office", "say what is to change"),
    wrong("connection on gone", "there is no connection 'gone'"),
    wrong("connection off gone", "there is no connection 'gone'"),
    wrong("connection secret office", "nobody answered"),
    wrong("connection secret gone", "there is no connection 'gone'"),
    wrong("connection remove gone", "there is no connection 'gone'"),
    wrong(f"{PBX} mango --key api_key=- --key api_salt=-", "no line for --key", stdin=b"k\n"),
    wrong("connection set office --key token=-", "no line for --key"),
    wrong("connection remove gone --yes", "there is no connection 'gone'"),
    # tokens and people
    wrong("token add x --role boss", "there is no role"),
    wrong(("token", "add", " "), "empty or too long"),
    wrong("token add x --days 0", "days"),
    wrong("token add x --days abc", "whole number"),
    wrong("token add x --days １２", "whole number"),
    wrong(f"token add x --days {HUGE}", "days"),
    wrong("token add reports", "already"),
    wrong("token add x --account gone", "there is no account"),
    wrong("token change gone --role admin", "there is no token 'gone'"),
    wrong("token remove gone --yes", "there is no token 'gone'"),
    wrong("token remove gone", "there is no token 'gone'"),
    misused("token change reports", "say what is to change"),
    misused("token list extra"),
    wrong("users add olga", "already"),
    wrong(("users", "add", "Имя Фамилия"), "login"),
    wrong("users add petr --role boss", "there is no role"),
    misused("users add petr --password secret", "give '-'"),
    wrong("users change gone --name x", "there is no user 'gone'"),
    wrong("users password gone", "there is no user 'gone'"),
    wrong("users remove olga", "nobody answered"),
    wrong("users remove gone", "there is no user 'gone'"),
    misused("users change olga", "say what is to change"),
    wrong("users add petr --password -", "no line for --password"),
    wrong("users password olga --password -", "no line for --password"),
    misused("users list extra"),
    wrong("employees set petr --account main --extension 102", "the name is missing"),
    wrong("employees set petr --account main --name P --extension 1;2", "is no extension"),
    wrong("employees set петр --account main --name P", "no id of an employee"),
    wrong("employees set petr --account main --name P --number 12", "is not a phone number"),
    wrong("employees set petr --account main --name P --crm-user abc", "is no id of a CRM user"),
    wrong("employees set petr --account main --name P --deputy gone", "is no employee"),
    misused("employees set anna --account main", "say what is to be"),
    wrong("employees set petr --account main --name P --email notmail", "is no e-mail address"),
    wrong("employees set anna --account main --email @", "is no e-mail address"),
    wrong("employees remove gone --account main", "there is no employee 'gone'"),
    wrong(IMPORT, "is no e-mail address", stdin=b"employees: [{id: p, name: P, email: notmail}]\n"),
    wrong("employees list --account gone", "there is no account"),
    wrong("employees remove gone --account main --yes", "there is no employee 'gone'"),
    # files
    wrong("config import {dir}", "cannot be read"),
    wrong("config import /nonexistent.yaml", "cannot be read"),
    wrong("config import /dev/zero", "longer than"),
    wrong(IMPORT, "NUL", stdin=b'name: "a\\0b"\n'),
    wrong(IMPORT, "no YAML file may hold", stdin=NUL),
    wrong(IMPORT, "half a character", stdin=HALF),
    wrong(IMPORT, "refers to another place", stdin=CYCLE),
    wrong(IMPORT, "levels stand in one another", stdin=DEEP),
    wrong(IMPORT, "cannot be read", stdin=b"name: \xff\n"),
    wrong(IMPORT, "a mapping with sections", stdin=b"- a\n"),
    wrong(IMPORT, "linez", stdin=b"linez: 1\n"),
    wrong(IMPORT, "must be a list", stdin=b"employees: many\n"),
    wrong(IMPORT, "whole number", stdin=f"settings: {{cases: {{escalate_minutes: {HUGE}}}}}\n".encode()),
    wrong(IMPORT, "or less", stdin=b"settings: {cases: {escalate_minutes: 999999999999}}\n"),
    wrong(IMPORT, "or more", stdin=b"settings: {cases: {escalate_minutes: -1}}\n"),
    wrong(IMPORT, "whole number", stdin="settings: {cases: {escalate_minutes: １２}}\n".encode()),
    wrong(IMPORT, "there is no time zone", stdin=b"time_zone: MSK+3\n"),
    wrong(IMPORT, "twice", stdin=b"name: a\nname: b\n"),
    misused((*IMPORT.split(), "--why", " "), "--why"),
    wrong("config export --account main --output /nonexistent/x.yaml", "cannot be written"),
    wrong("config export --account main --output {dir}", "cannot be written"),
    wrong("config export --account main --output /dev/full", "cannot be written"),
    # the matrix
    misused("matrix check --account main --version x", "neither draft, current"),
    wrong("matrix check --account main --version 99", "nothing was checked"),
    wrong("matrix difference --account main --old 99", "nothing was compared"),
    wrong("matrix dry-run 89031112233 --account main --line banana", "is not a phone number"),
    misused("matrix publish --account main", "Missing option"),
    wrong(("matrix", "publish", "--account", "main", "--why", " "), "the reason is empty"),
    wrong("matrix publish --account main --why x", "nothing to publish"),
    misused("matrix rollback --account main --to 0 --why x"),
    wrong("matrix rollback --account main --to 99 --why x", "there is no version 99"),
    misused(f"matrix rollback --account main --to {HUGE} --why x"),
    wrong("matrix versions --account gone", "there is no account"),
    misused(("matrix", "difference", "--account", "main", "--old", "²"), "neither draft, current"),
    wrong("matrix draft --account main --from {dir}", "cannot be read"),
    wrong("matrix draft --account main --from -", "tables", stdin=b"tables: 1\n"),
    wrong("matrix draft --account main --output /dev/full", "cannot be written"),
    misused("matrix draft --account main --reset --rebase", "at a time"),
    wrong("matrix preset gone --account main", "there is no preset"),
    wrong("matrix edit --account main", "cannot be started", env={"EDITOR": "/nonexistent/editor"}),
    wrong("matrix edit --account main", "failed", env={"EDITOR": "false"}),
    wrong("matrix dry-run 89031112233 --account main --at yesterday", "is no time"),
    wrong("matrix dry-run 89031112233 --account main --connection gone", "there is no connection"),
    misused("matrix dry-run 89031112233 --account main --talk -1"),
    misused("replay --account main --days 99"),
    wrong("replay --account main --version 99", "nothing was replayed"),
    # work
    wrong("sync --account gone", "there is no account"),
    wrong("backfill --account main --days 31", "write 1 to 30"),
    wrong(f"backfill --account main --days {HUGE}", "write 1 to 30"),
    misused("backfill --account main --days x"),
    misused("backfill --account main --pause --stop", "at a time"),
    wrong("backfill --account main --pause", "no backfill"),
    wrong("backfill --account main --status", "no backfill"),
    wrong("backfill --account main --report", "no backfill"),
    wrong(("backfill", "--account", "main", "--discard", " "), "the note is empty"),
    wrong("backfill --account shut --yes", "the account is off"),
    misused("desk list --account main --kind gone", "is none of"),
    misused("desk list --account main --limit 0"),
    misused("desk retry --account main", "name the keys"),
    wrong("desk retry gone event:99999 --account main", "nothing of that"),
    *(wrong(("desk", "retry", f"event:{id}", "--account", "main"), "a number must follow") for id in IDS),
    wrong(f"desk ignore row:{HUGE} --note x --account main", "a number must follow"),
    wrong(f"desk retry {HUGE} --account main", "nothing of that"),
    wrong("desk edit gone --order {order} --account main", "is on the desk"),
    wrong("desk edit e1 --order {json} --account main", "cannot be read"),
    wrong("desk edit e1 --order {empty} --account main", "cannot be read"),
    wrong("desk edit e1 --order {dir} --account main", "cannot be read"),
    wrong("desk edit e1 --order /dev/zero --account main", "longer than"),
    wrong("desk edit e1 --order {order} --account main", "the order was not taken"),
    misused("desk ignore e1 --account main", "Missing option"),
    wrong("desk ignore gone --note x --account main", "nothing of that"),
    misused("crm retry x --account main"),
    misused("crm retry --account main"),
    *(misused(("crm", "retry", "--account", "main", "--", id), "is no id of 'crm aside'") for id in IDS),
    wrong("crm unread --account gone", "there is no account"),
    wrong("crm aside --account gone", "there is no account"),
    wrong("cases open --account gone", "there is no account"),
    wrong("cases overdue --account gone", "there is no account"),
    misused("cases figures --account main --days 0"),
    misused("audit --days 0"),
    wrong("audit --what banana", "about such a thing as 'banana'"),
    wrong(("audit", "--what", ""), "about such a thing as ''"),
    wrong("client show abc --account main", "not a phone number"),
    wrong("client forget abc --account main --yes", "not a phone number"),
    wrong(("client", "forget", "", "--account", "main", "--yes"), "nothing is forgotten"),
    wrong("secrets rotate", "key"),
    misused("secrets status extra"),
    misused("secrets generate extra"),
    wrong("alerts list --account gone", "there is no account"),
    wrong("alerts test --account gone", "there is no account"),
    misused("init --nonsense"),
    # what the program cannot do without
    wrong("explain nope", "nothing is stored under"),
    wrong(f"explain {HUGE}", "nothing is stored under"),
    wrong("check", "CALLMATRIX_AUDIT_DAYS", env={"CALLMATRIX_AUDIT_DAYS": HUGE}),
    wrong("check", "CALLMATRIX_POLL_SECONDS", env={"CALLMATRIX_POLL_SECONDS": "inf"}),
    wrong("lookup 89031112233", "does not answer", env={"CALLMATRIX_PORT": "1"}),
    wrong("check", "CALLMATRIX_PORT", env={"CALLMATRIX_PORT": "99999"}),
    wrong("serve", "CALLMATRIX_LANG", env={"CALLMATRIX_LANG": "de"}),
    misused("serve --role boss"),
    misused("sandbox --port 99999"),
    misused("sandbox --profile hubspot"),
    misused("demo --port 0"),
    wrong("demo --port 18230 --sandbox-port 18230", "port 18230 is given twice"),
    wrong(
        "serve",
        "port 18230 is given twice",
        env={"CALLMATRIX_PORT": "18230", "CALLMATRIX_FASTAGI_PORT": "18230"},
    ),
    wrong("serve", "nobody can listen at 192.0.2.1", env={"CALLMATRIX_HOST": "192.0.2.1"}),
    misused("demo --contacts many"),
    wrong("migrate", "CALLMATRIX_DATABASE_URL", env={"CALLMATRIX_DATABASE_URL": "nonsense"}),
    wrong("migrate", "cannot be reached", env={"CALLMATRIX_DATABASE_URL": DOWN}),
    wrong("account list", "cannot be reached", env={"CALLMATRIX_DATABASE_URL": DOWN}),
    wrong("account list", "CALLMATRIX_DATABASE_URL", env={"CALLMATRIX_DATABASE_URL": "redis://x"}),
]


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
