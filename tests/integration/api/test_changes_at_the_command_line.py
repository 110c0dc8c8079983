"""What was connected is changed and taken away at the command line; the program runs in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from crm.amocrm.store import store_long_lived_token
from crm.sandbox.server import Sandbox
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.accounts import connections, set_account_state
from gateway.store.admin.matrices import draft, versions
from tests.integration.api.client import ACCOUNT, add_effect
from tests.integration.api.in_process import Said, typed


class Terminal:
    def __init__(self, url: str) -> None:
        self._url = url

    async def ok(self, *words: str, stdin: str = "", **env: str) -> str:
        said = await typed(self._url, *words, stdin=stdin.encode(), **env)
        assert said.code == 0, said
        return said.out

    async def json(self, *words: str, stdin: str = "") -> Any:
        return json.loads(await self.ok(*words, "--json", stdin=stdin))

    async def refused(self, *words: str, code: int = 1, stdin: str = "", **env: str) -> str:
        said: Said = await typed(self._url, *words, stdin=stdin.encode(), **env)
        assert said.code == code, said
        assert "Traceback" not in said.err
        return said.err


@pytest.fixture
def at(database_url: str, account: str) -> Terminal:
    return Terminal(database_url)


async def test_a_connection_is_changed_switched_and_given_another_secret(
    at: Terminal, pool: asyncpg.Pool
) -> None:
    async def now() -> Any:
        async with pool.acquire() as conn:
            [found] = await connections(conn)
            return found

    before = await now()
    told = await at.ok("connection", "set", "office", "--line", "8 495 111-22-33", "--region", "KZ")
    assert "+74951112233" in told
    assert ((await now()).lines, (await now()).region) == (("+74951112233",), "KZ")
    await at.ok("connection", "set", "office", "--line", "", "--region", "")
    assert ((await now()).lines, (await now()).region) == ((), None)
    assert "is off" in await at.ok("connection", "off", "office")
    assert not (await now()).is_on
    assert (await at.json("connection", "on", "office"))["is_on"]
    assert (await now()).secret_hash == before.secret_hash
    unsure = await typed(at._url, "connection", "secret", "office", stdin=b"n\n")
    assert (unsure.code, (await now()).secret_hash) == (1, before.secret_hash)
    new = await at.json("connection", "secret", "office")
    assert new["secret"] in new["instructions"]
    assert (await now()).secret_hash != before.secret_hash
    assert "is not a phone number" in await at.refused("connection", "set", "office", "--line", "abc")
    assert "there is no connection 'gone'" in await at.refused("connection", "off", "gone")
    assert "say what is to change" in await at.refused("connection", "set", "office", code=2)


async def test_a_key_and_a_setting_of_a_connection_are_put_beside_the_others_and_taken_away(
    at: Terminal, pool: asyncpg.Pool
) -> None:
    add = ("connection", "add", "ats", "--kind", "asterisk", "--setting", "ami_host=pbx.example")
    await at.ok(*add, "--key", "ami_user=u", "--key", "ami_secret=s")
    told = await at.json("connection", "set", "ats", "--setting", "machines=IVR", "--key", "ami_secret=t")
    assert (told["settings"], told["keys"]) == (
        {"ami_host": "pbx.example", "machines": "IVR"},
        ["ami_secret", "ami_user"],
    )
    assert (await at.json("connection", "set", "ats", "--setting", "machines="))["settings"] == {
        "ami_host": "pbx.example"
    }
    port = ("connection", "set", "ats", "--setting")
    assert "give the keys again" in await at.refused(*port, "ami_port=5039")
    assert "is no value of ami_port" in await at.refused(*port, "ami_port=99999", "--key", "ami_secret=t")
    told = await at.json(*port, "ami_port=5039", "--key", "ami_secret=t")
    assert told["keys"] == ["ami_secret"], "a stored key goes to no other address"
    assert "not known here" in await at.refused("connection", "set", "ats", "--setting", "foo=bar")


async def test_an_account_is_described_otherwise_and_bad_places_are_refused(
    at: Terminal, pool: asyncpg.Pool
) -> None:
    await at.ok("account", "edit", ACCOUNT, "--time-zone", "Asia/Omsk", "--name", "Отдел продаж")
    async with pool.acquire() as conn:
        now = await account_of(conn, ACCOUNT)
    assert (now.time_zone, now.name, now.region) == ("Asia/Omsk", "Отдел продаж", "RU")
    for wrong in ("Mars/Base", "MSK+3", "", "../../etc/passwd"):
        refused = await at.refused("account", "edit", ACCOUNT, "--time-zone", wrong)
        assert "there is no time zone" in refused
    assert "there is no country code" in await at.refused("account", "edit", ACCOUNT, "--region", "ZZ")
    assert "there is no account" in await at.refused("account", "edit", "gone", "--name", "x")
    assert "go together" in await at.refused(
        "account", "edit", ACCOUNT, "--url", "https://a.amocrm.ru", code=2
    )


async def test_an_account_whose_crm_does_not_let_it_in_is_not_switched_on(
    at: Terminal, pool: asyncpg.Pool
) -> None:
    await at.ok("account", "off", ACCOUNT)
    assert "there is no key to the CRM" in await at.refused("account", "on", ACCOUNT)
    async with pool.acquire() as conn, conn.transaction():
        await store_long_lived_token(conn, ACCOUNT, "key", None)
        await set_account_state(conn, ACCOUNT, "broken", "crm-unauthorised: the key was revoked")
    refused = await at.refused("account", "on", ACCOUNT)
    assert "the key was revoked" in refused
    assert f"callmatrix account add {ACCOUNT} --token -" in refused
    assert await pool.fetchval("SELECT state FROM account") == "broken"
    await at.ok("account", "off", ACCOUNT)
    assert "does not let" in await at.refused("account", "on", ACCOUNT)
    assert await pool.fetchval("SELECT state FROM account") == "broken"


async def test_an_account_is_removed_with_all_that_is_its_own_and_nothing_else(
    at: Terminal, pool: asyncpg.Pool
) -> None:
    """A second account has a row in the same tables; what people did stays told."""
    await pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('other', 'O', 'https://o.amocrm.ru', 'x')"
    )
    await add_effect(pool, "mine", state="held")
    await add_effect(pool, "theirs", state="held", account_id="other")
    assert "switch it off first" in await at.refused("account", "remove", ACCOUNT, "--yes")
    await at.ok("account", "off", ACCOUNT)
    unsure = await typed(at._url, "account", "remove", ACCOUNT, stdin=b"n\n")
    assert unsure.code == 1
    assert "1 effects that never reached the CRM" in unsure.out
    assert await pool.fetchval("SELECT count(*) FROM account") == 2
    await at.ok("account", "remove", ACCOUNT, "--yes")
    tables = await pool.fetch(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'account_id' AND table_schema = 'public'"
    )
    left = {
        t["table_name"]
        for t in tables
        if await pool.fetchval(f"SELECT count(*) FROM {t['table_name']} WHERE account_id = $1", ACCOUNT)
    }
    assert left == {"audit"}
    assert await pool.fetchval("SELECT effect_key FROM effect") == "theirs"
    assert "there is no account" in await at.refused("account", "remove", ACCOUNT, "--yes")
    assert "removed" in await at.ok("audit", "--what", "account")


async def test_employees_are_listed_added_changed_and_removed(at: Terminal) -> None:
    people = await at.json("employees", "list")
    assert [p["id"] for p in people] == ["anna", "boss"]
    await at.ok(
        "employees", "set", "petr", "--name", "Пётр", "--extension", "102", "--number", "8 903 555 66 77"
    )
    saved = await at.json("employees", "set", "petr", "--deputy", "anna", "--group", "a")
    assert (saved["extensions"], saved["numbers"], saved["deputy_id"]) == (["102"], ["+79035556677"], "anna")
    saved = await at.json("employees", "set", "petr", "--deputy", "", "--extension", "", "--extension", "104")
    assert (saved["extensions"], saved["deputy_id"], saved["group"]) == (["104"], None, "a")
    assert "belongs to" in await at.refused("employees", "set", "petr", "--extension", "101")
    assert "senior manager already" in await at.refused("employees", "set", "petr", "--senior")
    assert "the name is missing" in await at.refused("employees", "set", "ivan", "--extension", "105")
    assert "Пётр" in await at.ok("employees", "list")
    assert "removed" in await at.ok("employees", "remove", "petr", "--yes")
    again = await at.refused("employees", "remove", "petr", "--yes")
    assert "there is no employee 'petr'" in again
    assert "callmatrix employees list" in again


async def test_a_matrix_is_drafted_from_a_file_tried_and_published_once(
    at: Terminal, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    file = tmp_path / "matrix.yaml"
    await at.ok("matrix", "draft", "--output", str(file))
    text = file.read_text()
    await at.ok("matrix", "draft", "--from", str(file))
    why = ("--why", "проба")
    assert "nothing to publish" in await at.refused("matrix", "publish", *why)
    assert "unchanged" not in await at.ok("matrix", "preset", "unsorted", "--yes")
    assert "nothing-to-publish" in await at.refused("matrix", "rollback", "--to", "1", *why)
    await at.ok("matrix", "draft", "--from", "-", stdin=await at.ok("matrix", "draft"))
    made = await at.json("matrix", "dry-run", "8 903 111-00-00", "--missed")
    assert {e["state"] for d in made for e in d["effects"]} == {"dry_run"}
    assert await pool.fetchval("SELECT count(*) FROM effect") == 0
    assert "Version 2 is published" in await at.ok("matrix", "publish", *why)
    assert "nothing to publish" in await at.refused("matrix", "publish", *why)
    assert "Version 3" in await at.ok("matrix", "rollback", "--to", "1", *why)
    assert await at.ok("matrix", "draft") != text  # its first line tells of the version
    broken = await at.refused("matrix", "draft", "--from", "-", stdin="tables: {}\nlinez: 1")
    assert "linez" in broken
    assert "the draft stays as it is" in broken
    async with pool.acquire() as conn:
        assert not (await draft(conn, ACCOUNT)).is_changed
    assert "has no zone" in await at.refused("matrix", "dry-run", "89031110000", "--at", "2026-03-02T10:00")
    assert "no connection 'x'" in await at.refused("matrix", "dry-run", "89031110000", "--connection", "x")


async def test_a_matrix_is_edited_in_the_editor_and_kept_when_it_is_wrong(
    at: Terminal, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    assert "Nothing was changed" in await at.ok("matrix", "edit", EDITOR="true")
    saved = await at.ok("matrix", "edit", EDITOR="sed -i s/Перезвонить/Наберите/")
    assert "revision 1" in saved
    async with pool.acquire() as conn:
        assert "Наберите" in (await draft(conn, ACCOUNT)).matrix.model_dump_json()
    wrong = await at.refused("matrix", "edit", EDITOR="sed -i s/^tables:/tablez:/")
    kept = Path(wrong.split("Error: ")[1].split(" is no matrix")[0])
    assert "tablez" in kept.read_text()
    kept.unlink()
    assert "cannot be started" in await at.refused("matrix", "edit", EDITOR="/nonexistent/editor")
    assert "failed" in await at.refused("matrix", "edit", EDITOR="false")


async def test_a_configuration_file_may_become_the_draft_alone(at: Terminal, pool: asyncpg.Pool) -> None:
    exported = await at.ok("config", "export")
    changed = exported.replace("Перезвонить", "Наберите")
    assert changed != exported
    told = await at.ok("config", "import", "-", "--draft", stdin=changed)
    assert "is now the draft" in told
    async with pool.acquire() as conn:
        assert [v.version for v in await versions(conn, ACCOUNT)] == [1]
        assert (await draft(conn, ACCOUNT)).is_changed
    assert "version 2" in await at.ok("config", "import", "-", "--why", "texts", stdin=changed)
    async with pool.acquire() as conn:
        latest = (await versions(conn, ACCOUNT))[0]
    assert (latest.why, latest.published_by.endswith("(command line)")) == ("texts", True)
    assert "Nothing to change." in await at.ok("config", "import", "-", "--dry-run", stdin=changed)


async def test_an_account_that_exists_is_connected_anew_without_its_address(
    pool: asyncpg.Pool, database_url: str
) -> None:
    async with Sandbox(contacts=1) as sandbox:
        await _connected_anew(Terminal(database_url), pool, sandbox)


async def _connected_anew(at: Terminal, pool: asyncpg.Pool, sandbox: Sandbox) -> None:
    new = await at.refused("account", "add", "sales", "--token", "-", stdin="t\n")
    assert "needs the address of its CRM" in new
    token = sandbox.token("callmatrix")
    await at.ok("account", "add", "sales", "--url", sandbox.url, "--token", "-", stdin=token)
    told = await at.ok("account", "add", "sales", "--token", "-", "--time-zone", "Asia/Omsk", stdin=token)
    assert sandbox.url in told
    async with pool.acquire() as conn:
        now = await account_of(conn, "sales")
    assert (now.time_zone, now.state) == ("Asia/Omsk", "on")
    elsewhere = sandbox.url.replace("127.0.0.1", "localhost")
    other = await at.refused("account", "add", "sales", "--url", elsewhere, "--token", "-", stdin=token)
    assert "account edit sales --url" in other
    moved = await at.json("account", "edit", "sales", "--url", elsewhere, "--token", "-", stdin=token)
    assert moved["url"] == elsewhere
    assert (await at.json("account", "list"))[0]["time_zone"] == "Asia/Omsk"
