"""`callmatrix init`: from an empty database to a PBX that asks, by a person or a script, interrupted anywhere, done once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from crm.sandbox.seed import CHECK_ID
from crm.sandbox.server import Sandbox
from gateway.app.gateway import Gateway
from gateway.settings import Settings
from runtime.database.pool import open_pool
from runtime.database.sealing import PREFIX
from tests.conftest import database_of_its_own
from tests.integration.first_use.terminal import script, terminal

PUBLIC = "http://127.0.0.1:8080"
MANAGERS = ("manager101@demo.example", "manager102@demo.example")
ADMIN, THIRD = "admin@demo.example", "manager103@demo.example"


@dataclass
class NewHouse:
    """An empty folder, an empty database and a CRM: what a new user has."""

    folder: Path
    url: str
    crm: Sandbox

    async def rows(self, sql: str) -> list[tuple[object, ...]]:
        conn = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await conn.fetch(sql)]
        finally:
            await conn.close()

    async def counts(self) -> dict[str, object]:
        tables = ("account", "crm_token", "employee", "connection")
        return {table: (await self.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in tables}

    @property
    def options(self) -> list[str]:
        """Everything by options, secrets from standard input."""
        return [
            *("--database-url", "-", "--public-url", PUBLIC, "--url", self.crm.url, "--token", "-"),
            *("--extension", "manager101@demo.example=101", "--extension", "manager102@demo.example=102"),
            *("--senior", "101", "--kind", "generic", "--connection", "office", "--line", "8 495 123-45-67"),
        ]

    @property
    def secrets(self) -> str:
        return f"{self.url}\n{self.crm.token()}\n"


@pytest.fixture
async def house(tmp_path: Path, postgres_url: str) -> AsyncIterator[NewHouse]:
    async with database_of_its_own(postgres_url, "template1") as url, Sandbox(contacts=2) as crm:
        yield NewHouse(tmp_path, url, crm)


ONE_EACH = {"account": 1, "crm_token": 1, "employee": 2, "connection": 1}


async def test_a_script_sets_all_up_and_called_again_makes_nothing_twice(house: NewHouse) -> None:
    first = await script(house.folder, "init", "--yes", *house.options, stdin=house.secrets)
    assert first.returncode == 0, first.stdout + first.stderr
    assert await house.counts() == ONE_EACH
    people = await house.rows(
        "SELECT email, extensions, crm_user_id IS NOT NULL, is_senior FROM employee ORDER BY 1"
    )
    assert people == [(MANAGERS[0], ["101"], True, True), (MANAGERS[1], ["102"], True, False)]
    assert await house.rows("SELECT lines FROM connection") == [(["+74951234567"],)]
    assert "/pbx/office/lookup" in first.stdout
    assert house.crm.token() not in first.stdout + first.stderr
    env = house.folder / ".env"
    assert env.stat().st_mode & 0o777 == 0o600
    kept, key = env.read_text(), house.folder / "callmatrix-secrets.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert f"CALLMATRIX_SECRETS_KEY_FILE={key}" in kept
    assert str(key) in first.stdout
    assert key.read_text().strip() not in first.stdout + first.stderr
    sealed = await house.rows(
        "SELECT access_token FROM crm_token UNION ALL SELECT webhook_secret FROM account"
    )
    assert all(str(value).startswith(PREFIX) for (value,) in sealed)
    again = await script(house.folder, "init", "--yes", *house.options, stdin=house.secrets)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "shown once" not in again.stdout
    assert await house.counts() == ONE_EACH
    assert env.read_text() == kept
    await _refuses_what_differs(house)
    assert env.read_text() == kept


async def _refuses_what_differs(house: NewHouse) -> None:
    third, before = "manager103@demo.example=103", await _stored(house)
    for options, said, remedy in (
        (("--public-url", "notaurl"), f"says notaurl, and here {PUBLIC} is set", "CALLMATRIX_PUBLIC_URL"),
        (("--database-url", "postgresql://x:y@127.0.0.1:5/zzz"), "is set already", "CALLMATRIX_DATABASE_URL"),
        (("--region", "KZ"), "and here RU is set already", "callmatrix account edit main --region"),
        (("--senior", "102"), "--senior says 102", "callmatrix employees set"),
        (("--kind", "mango"), "and here generic is set already", "--connection"),
        (("--line", "+74950000000"), "and here +74951234567", "callmatrix connection set office --line"),
        (("--extension", third, "--extension", f"{MANAGERS[0]}=105"), "with extension 101", "employees set"),
        (("--extension", third, "--extension", "nobody@demo.example=106"), "no active user", "the e-mail"),
        (("--extension", third, "--extension", f"{ADMIN}=101"), "'101' belongs to", "remove it there first"),
    ):
        done = await script(house.folder, "init", "--yes", *options)
        told = " ".join((done.stdout + done.stderr).split())
        assert (done.returncode, said in told, remedy in told) == (1, True, True), (options, told)
        assert await _stored(house) == before


async def _stored(house: NewHouse) -> list[object]:
    return [await house.rows(f"SELECT * FROM {name}") for name in ("account", "employee", "connection")]


async def test_a_second_folder_makes_no_second_key(house: NewHouse) -> None:
    """Although nothing is sealed yet: the first folder's programs would open nothing of the second one's."""
    options = ["--database-url", "-", "--url", house.crm.url, "--token", "wrong"]
    await script(house.folder, "init", "--yes", *options, stdin=f"{house.url}\n")
    [(key,)] = await house.rows("SELECT key_id FROM secret_key")
    second = house.folder / "second"
    second.mkdir()
    told = await script(second, "init", "--yes", *options, stdin=f"{house.url}\n")
    assert f"this database has the key {key}" in told.stdout
    assert not (second / "callmatrix-secrets.key").exists()
    assert await house.rows("SELECT key_id FROM secret_key") == [(key,)]


async def test_what_cannot_be_read_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("CALLMATRIX_PUBLIC_URL=http://я".encode("cp1251"))
    told = await script(tmp_path, "account", "list")
    assert f"{tmp_path / '.env'} is no UTF-8 text" in told.stderr
    assert "save this file as UTF-8" in told.stderr
    (tmp_path / ".env").write_text(
        "CALLMATRIX_SECRETS_KEY_FILE=lost.key\nCALLMATRIX_DATABASE_URL=postgresql://x@127.0.0.1:1/x"
    )
    told = await script(tmp_path, "account", "list")
    assert "bring it back from your copy" in told.stderr


async def test_nobody_who_did_not_agree_has_anything_changed(house: NewHouse) -> None:
    shown = await script(house.folder, "init", "--plan", *house.options, stdin=house.secrets)
    refused = await script(house.folder, "init", *house.options, stdin=house.secrets)
    assert (shown.returncode, refused.returncode) == (0, 1)
    assert "bring the schema up to date" in shown.stdout
    assert list(house.folder.iterdir()) == []
    assert await house.rows("SELECT count(*) FROM pg_tables WHERE tablename = 'account'") == [(0,)]


async def test_what_a_script_gives_wrongly_ends_it_with_the_reason(house: NewHouse) -> None:
    nowhere = await script(house.folder, "init", "--yes", "--database-url", "postgresql://x@127.0.0.1:1/x")
    options = ["--database-url", "-", "--url", house.crm.url, "--token", "wrong"]
    key = await script(house.folder, "init", "--yes", *options, stdin=f"{house.url}\n")
    assert (nowhere.returncode, key.returncode) == (1, 1)
    assert "the database cannot be reached" in nowhere.stderr
    assert "the CRM does not let us in" in key.stderr
    assert "Traceback" not in nowhere.stderr + key.stderr
    assert (await house.counts())["account"] == 0


async def test_a_person_is_asked_step_by_step_and_again_where_it_was_wrong(house: NewHouse) -> None:
    with terminal(house.folder, "init", env={"CALLMATRIX_PORT": "1"}) as person:
        await person.answers("Address of the PostgreSQL database", "postgresql://x@127.0.0.1:1/x")
        await person.waits_for("the database cannot be reached")
        await person.answers("Address of the PostgreSQL database", house.url)
        await person.answers("Make them?", "perhaps")
        await person.waits_for("answer y (yes) or n (no)")
        await person.answers("Make them?", "y")
        await person.answers("Seal the CRM's key", "n")
        for wrong, why in (
            ("nonsense", "does not look like an address"),
            ("http://[x", "does not look like an address"),
            (house.crm.url, "is the CRM's own address"),
            ("https://example.amocrm.ru", "is the CRM's own address"),
        ):
            await person.answers("Address at which PBXs", wrong)
            await person.waits_for(why)
        await person.answers("Address at which PBXs", PUBLIC)
        for question, wrong, why, right in (
            ("Address of the CRM", PUBLIC, "the public address of this gateway", house.crm.url),
            ("A short name", "bad name!", "is no short name", "sales"),
            ("Long-lived token", "", "", "wrong"),
            ("Time zone", "Mars/Base", "there is no time zone", "Europe/Samara"),
            ("Country of phone numbers", "Mars", "there is no country code", ""),
        ):
            if why:
                await person.answers(question, wrong)
                await person.waits_for(why)
            await person.answers(question, right)
        await person.waits_for("the CRM does not let us in")
        await person.answers(f"[{house.crm.url}]", "")  # what was right is proposed, or not asked at all
        await person.answers("Long-lived token", house.crm.token())
        await person.answers("Propose the CRM's users?", "y")
        await person.answers(f"<{ADMIN}>, extension", "")
        await person.answers(f"<{MANAGERS[0]}>, extension", "<x>")
        await person.waits_for("'<x>' is no extension")
        await person.answers(f"<{MANAGERS[0]}>, extension", "101")
        await person.answers(f"<{MANAGERS[1]}>, extension", "102")
        await person.answers(f"<{THIRD}>, extension", ".")
        await person.answers("Who is the senior manager", "999")
        await person.waits_for("'999' is nobody's extension")
        await person.answers("Who is the senior manager", "102")
        for question, wrong, why, right in (
            ("Which PBX", "telepathy", "is not known here", "generic"),
            ("A name of your own for it", "Офис", "is no name of a connection", "office"),
            ("Our numbers on it", "12", "is not a phone number", "8 495 123-45-67"),
        ):
            await person.answers(question, wrong)
            await person.waits_for(why)
            await person.answers(question, right)
        await person.answers("originate_token of this PBX", "")
        await person.answers("A client's number", "8 900 000-00-01")
        assert await person.ended() == 0
    assert "does not answer" in person.said  # no gateway runs yet: said, and all the rest is there
    assert house.crm.token() not in person.said
    assert str(urlsplit(house.url).password) not in person.said
    assert f":…@{urlsplit(house.url).netloc.rpartition('@')[2]}" in person.said
    assert "Left: Secrets key, First call." in person.said
    assert await house.counts() == ONE_EACH
    account = await house.rows("SELECT account_id, time_zone, region FROM account")
    assert account == [("sales", "Europe/Samara", "RU")]
    assert await house.rows("SELECT email FROM employee WHERE is_senior") == [(MANAGERS[1],)]


async def test_nobody_waits_for_a_call_that_no_gateway_could_take(house: NewHouse) -> None:
    set_up = await script(house.folder, "init", "--yes", *house.options, stdin=house.secrets)
    assert set_up.returncode == 0, set_up.stderr
    with terminal(house.folder, "init", env={"CALLMATRIX_PORT": "1"}) as person:
        await person.answers("A client's number", "")
        await person.waits_for("no gateway answers at http://127.0.0.1:1")
        await person.ended()
    assert "waiting up to" not in person.said


@pytest.mark.timeout(360)  # five processes, one after the other
async def test_interrupted_in_the_middle_it_goes_on_there_the_next_time(house: NewHouse) -> None:
    """What was answered before is there, and is asked no more."""
    crm = ["--public-url", PUBLIC, "--account", "main", "--url", house.crm.url, "--token", house.crm.token()]
    crm += ["--time-zone", "Europe/Moscow", "--region", "RU"]
    begun = [("Propose the CRM's users?", "y"), (f"<{ADMIN}>, extension", "")]
    visits: list[tuple[list[str], list[tuple[str, str]], str]] = [
        ([], [("Address of the PostgreSQL database", house.url)], "Make them?"),
        (crm, [("Make them?", "y"), ("Seal the CRM's key", "")], "Propose the CRM's users?"),
        ([], [*begun, (f"<{MANAGERS[0]}>, extension", "101")], f"<{MANAGERS[1]}>, extension"),
        ([], begun, f"<{MANAGERS[1]}>, extension"),
    ]
    for options, answers, interrupted_at in visits:
        with terminal(house.folder, "init", *options) as person:
            for question, answer in answers:
                await person.answers(question, answer)
            await person.interrupted_at(interrupted_at)
            assert await person.ended() == 130
            assert "run 'callmatrix init' again" in person.said
    finished = await script(house.folder, "init", "--yes", *house.options, stdin=house.secrets)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert await house.counts() == ONE_EACH


@asynccontextmanager
async def gateway_at(port: int, url: str) -> AsyncIterator[str]:
    """A running gateway of this installation; its address."""
    address = f"http://127.0.0.1:{port}"
    settings = Settings(_env_file=None, database_url=url, port=port, host="127.0.0.1", public_url=address)
    stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with await open_pool(url, max_size=5) as pool, aiohttp.ClientSession() as session:
        running = asyncio.create_task(Gateway(settings, pool, session).run(stop, started))
        await asyncio.wait_for(started, 20)
        try:
            yield address
        finally:
            stop.set()
            await asyncio.wait_for(running, 20)


async def consents(said: str) -> None:
    """What a person does in the browser: opens the address, presses "Allow", is led back."""
    address = next(word for word in said.split() if "/oauth?" in word)
    async with aiohttp.ClientSession() as browser, browser.get(f"{address}&approve=1") as page:
        assert page.status == 200, await page.text()


async def calls(gateway: str, secret: str) -> int:
    call = {
        "event": "newCall",
        "callId": "c1",
        "from": "+79000000001",
        "to": "+74951234567",
        "direction": "in",
    }
    async with (
        aiohttp.ClientSession() as pbx,
        pbx.post(
            f"{gateway}/pbx/office/events", json=call, headers={"Authorization": f"Bearer {secret}"}
        ) as answer,
    ):
        return answer.status


@pytest.mark.timeout(240)
async def test_consent_and_the_first_call_come_through_the_running_gateway(house: NewHouse) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--database-url", house.url, "--public-url", f"http://127.0.0.1:{port}"]
    with terminal(house.folder, "init", *options, env={"CALLMATRIX_PORT": str(port)}) as person:
        await person.answers("Make them?", "")
        await person.answers("Seal the CRM's key", "n")
        await person.answers("Address of the CRM", house.crm.url)
        await person.answers("A short name", "sales")
        await person.answers("Long-lived token", "")
        await person.answers("The integration's id", "")
        await person.waits_for("nothing was typed")
        await person.answers("The integration's id", CHECK_ID)
        await person.answers("The integration's secret", "check-secret")
        await person.answers("Time zone", "")
        await person.answers("Country of phone numbers", "")
        shown = await person.waits_for("Waiting for consent")
        assert shown.index("First start 'callmatrix serve'") < shown.index("/oauth?")
        async with gateway_at(port, house.url) as gateway:
            await consents(shown)
            await person.answers("Propose the CRM's users?", "")
            await person.answers(f"<{ADMIN}>, extension", "100")
            await person.answers(f"<{MANAGERS[0]}>, extension", ".")
            await person.answers("Who is the senior manager", ADMIN)
            await person.answers("Which PBX", "")
            await person.answers("A name of your own for it", "")
            await person.answers("Our numbers on it", "")
            await person.answers("originate_token of this PBX", "")
            secret = (await person.waits_for("A client's number")).partition("shown once: ")[2].split()[0]
            await person.answers("", "")
            await person.waits_for("waiting up to")
            async with asyncio.timeout(30):
                while await calls(gateway, secret) != 200:
                    await asyncio.sleep(0.1)
            await person.waits_for("a call has arrived")
            assert await person.ended() == 0
    assert "Left: Secrets key." in person.said
    assert await house.rows("SELECT state FROM account") == [("on",)]
    assert await house.rows("SELECT count(*) FROM crm_token WHERE refresh_token IS NOT NULL") == [(1,)]
