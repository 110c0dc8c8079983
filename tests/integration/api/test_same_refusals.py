"""What a person orders wrongly is refused alike by command line, API and file: the same code, field, words and remedy, and
nothing is stored."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import asyncpg
import pytest

from gateway.admin.config_document import ConfigDocument, ConfigRefused, DocumentProblem, as_yaml, read_yaml
from gateway.admin.config_import import export_config, import_config
from gateway.pbx.kinds import KINDS
from gateway.store.admin.accounts import set_account_state
from gateway.store.admin.matrices import draft
from routing.matrix.presets import recommended
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix

_EVERYTHING = (
    "account", "connection", "employee", "api_token", "admin_user", "crm_token", "oauth_state", "matrix_version",
    "matrix_draft", "backfill_run",
)  # fmt: skip
Case = tuple[dict[str, Any], str]
"""What is wrong in an order, and the words that it is refused with."""

CONNECTIONS: dict[str, Case] = {
    "a name that stands in no address": ({"name": "Büro 1"}, "'Büro 1' is no name of a connection"),
    "a name that is taken": ({"name": "office"}, "there is a connection 'office' already"),
    "a line that is no number": (
        {"lines": ["12345678901234567890"]},
        "'12345678901234567890' is not a phone number",
    ),
    "a misspelt setting": ({"settings": {"ami_hots": "10.0.0.5"}}, "'ami_hots' is not known here"),
    "a number of digits that is none": (
        {"settings": {"extension_digits": "zz"}},
        "'zz' is no value of extension_digits",
    ),
    "a port that is none": ({"settings": {"ami_port": "70000"}}, "'70000' is no value of ami_port"),
    "a switch that is neither on nor off": (
        {"settings": {"ami_tls": "maybe"}},
        "'maybe' is no value of ami_tls",
    ),
    "a time zone on Mars": ({"settings": {"time_zone": "Mars/X"}}, "'Mars/X' is no value of time_zone"),
    "a spelling of numbers that nobody has": (
        {"settings": {"number_spelling": "zz"}},
        "'zz' is no value of number_spelling",
    ),
    "a dialect that nobody speaks": ({"dialect": "nonsense"}, "'nonsense' is not known here"),
    "a kind that nobody made": ({"kind": "panasonic"}, "'panasonic' is not known here"),
    "a region that is none": ({"region": "XX"}, "there is no country code 'XX'"),
    "a region in words": ({"region": "Russia"}, "there is no country code 'Russia'"),
    "a setting of another kind": ({"settings": {"sip_uri": "sip:x"}}, "'sip_uri' is not known here"),
    "a PBX on our own machine": ({"settings": {"ami_host": "127.0.0.1"}}, "'127.0.0.1' is no place of a PBX"),
    "a PBX on our own machine by name": (
        {"settings": {"ami_host": "LocalHost"}},
        "'LocalHost' is no place of a PBX",
    ),
    "a PBX on our own machine in one number": (
        {"settings": {"ami_host": "2130706433"}},
        "'2130706433' is no place of a PBX",
    ),
    "a PBX at the cloud's own address": (
        {"settings": {"ami_host": "169.254.169.254"}},
        "'169.254.169.254' is no place of a PBX",
    ),
    "a PBX nowhere": ({"settings": {"ami_host": "[::]"}}, "'[::]' is no place of a PBX"),
    "call records of the system": ({"settings": {"cdr_csv": "/etc/passwd"}}, "'/etc/passwd' may not be read"),
    "a line at which an employee is rung": (
        {"lines": ["8 903 111-22-33"]},
        "'+79031112233' is a number of Анна",
    ),
}
ACCOUNTS: dict[str, Case] = {
    "a time zone on Mars": ({"time_zone": "Mars/X"}, "there is no time zone 'Mars/X'"),
    "a country that is none": ({"region": "XX"}, "there is no country code 'XX'"),
    "a country in words": ({"region": "Russia"}, "there is no country code 'Russia'"),
    "a name of spaces": ({"name": "  "}, "the name is empty or too long"),
}
EMPLOYEES: dict[str, Case] = {
    "a number that is none": ({"numbers": ["123"]}, "'123' is not a phone number"),
    "a deputy who is nobody": ({"deputy_id": "ghost"}, "'ghost' is no employee"),
    "an extension of somebody else": ({"extensions": ["101"]}, "'101' belongs to Анна already"),
    "a second senior manager": ({"is_senior": True}, "Ольга is the senior manager already"),
    "a CRM user by name": ({"crm_user_id": "anna"}, "'anna' is no id of a CRM user"),
    "a CRM user of somebody else": ({"crm_user_id": "11"}, "CRM user 11 is Анна already"),
    "an own deputy": ({"deputy_id": "boris"}, "nobody stands in for themselves"),
    "an extension that no phone has": ({"extensions": ["<x>"]}, "'<x>' is no extension"),
    "an extension in other digits": ({"extensions": ["٣٤٥"]}, "'٣٤٥' is no extension"),
    "a SIP account with spaces": ({"sip": ["a b@c d"]}, "'a b@c d' is no SIP account"),
    "an extension that rings two": ({"extensions": ["108&PJSIP/103"]}, "'108&PJSIP/103' is no extension"),
    "a SIP account that rings two": ({"sip": ["108&103"]}, "'108&103' is no SIP account"),
    "a SIP account that is an order": ({"sip": ["${system(x)}"]}, "'${system(x)}' is no SIP account"),
    "a SIP account with parameters": (
        {"sip": ["sip:1@pbx.example;x=y"]},
        "'sip:1@pbx.example;x=y' is no SIP account",
    ),
    "a line of the company": ({"numbers": ["+7 495 123-00-00"]}, "'+74951230000' is a line of the company"),
    "an id with a space": ({"id": "bo ris"}, "'bo ris' is no id of an employee"),
}
_ORDER = "the order of the search is empty or names one twice"
SETTINGS: dict[str, tuple[str, Any, str]] = {
    "a search for nothing": ("lookup.priority", [], _ORDER),
    "a search that names one twice": ("lookup.priority", ["lead", "lead"], _ORDER),
    "a group that no phone belongs to": ("lookup.group", ["1 0"], "'1 0' is no extension"),
    "a group that names one twice": ("lookup.group", ["101", "101"], "'101' stands here twice"),
    "a schedule that is not there": ("lookup.schedule", "night", "there is no schedule 'night'"),
    "a template that is not there": ("lookup.template", "night", "there is no template 'night'"),
    "a tag of nobody": ("one_person.tags", {"vip": "nobody"}, "'nobody' is no employee"),
    "a custom field that is none": ("one_person.fields", {"vip": {"x": ""}}, "'vip' is no custom field"),
    "a custom field without a value": ("one_person.fields.7", {}, "no value is named"),
    "a client that is none": ("one_person.clients", {"8916": ""}, "'8916' is no client"),
    "a client of nobody": (
        "one_person.clients",
        {"+79161234567": "nobody"},
        "'nobody' is no employee",
    ),
    "a region that changes nothing": ("numbers.region", "US", "'US' would change nothing"),
    "an area code in words": ("numbers.area_code", "Moscow", "'Moscow' is no area code"),
    "an own number that is none": ("numbers.own_numbers", ["abc"], "'abc' is not a phone number"),
    "a text of a million characters": (
        "cases.count_text",
        "x" * 1_000_000,
        "1000000 characters are too many",
    ),
    "quiet that never ends": (
        "cases.quiet_hours",
        [["09:00", "09:00"]],
        "quiet from 09:00 to 09:00 never ends",
    ),
    "a senior who is nobody": ("cases.seniors", ["nobody"], "'nobody' is no employee"),
    "a text with an unknown value": (
        "cases.count_text",
        "{{ nonsense }}",
        "'{ nonsense }' is not known here",
    ),
    "a text with half a brace": ("cases.count_text", "{text", "a '{' stands there alone"),
    "a text with the other half": ("cases.done_text", "{who} }", "a '}' stands there alone"),
    "a ninth weekday": ("working_time.hours", {"9": [["09:00", "18:00"]]}, "'9' is no weekday"),
    "an hour that no clock shows": (
        "working_time.hours",
        {"1": [["9", "25:00"]]},
        "'9' to '25:00' are no hours",
    ),
    "a thirteenth month": ("working_time.free_days", ["2026-13-01"], "'2026-13-01' is no day"),
    "holidays of nowhere": ("working_time.holidays", "XX", "no holidays of 'XX' are known"),
    "a source of presence named twice": ("presence.sources", ["crm", "crm"], "'crm' stands here twice"),
    "a program by its name": ("presence.integration_users", ["bot"], "'bot' is no user of the CRM"),
    "a mailbox that is none": ("alerts.emails", ["ops at example"], "'ops at example' is no e-mail address"),
    "a mailbox named twice": ("alerts.emails", ["a@b.ru", "a@b.ru"], "'a@b.ru' stands here twice"),
    "a chat by its title": ("alerts.telegram_chats", ["Отдел"], "'Отдел' is no Telegram chat"),
    "a word as the phone of support": ("support_phone", "nine", "'nine' is not a phone number"),
    "a pipeline by name": ("default_pipeline_id", "abc", "'abc' is no pipeline of the CRM"),
    "a pipeline that the CRM lacks": ("default_pipeline_id", "999999", "'999999' is no pipeline of the CRM"),
}
TOKENS: dict[str, Case] = {
    "a name that is taken": ({"name": "admin"}, "there is a token 'admin' already"),
    "a name of nothing": ({"name": ""}, "'' cannot be the name of a token"),
    "a role that is none": ({"role": "king"}, "there is no role 'king'"),
    "an account that is none": ({"account": "nowhere"}, "there is no account 'nowhere'"),
    "no days": ({"days": 0}, "must be from 1 to 3650 days"),
    "days before today": ({"days": -1}, "must be from 1 to 3650 days"),
}
USERS: dict[str, Case] = {
    "a login with a space": ({"login": "o lga"}, "'o lga' is no login"),
    "a role that is none": ({"role": "king"}, "there is no role 'king'"),
    "an account that is none": ({"account": "nowhere"}, "there is no account 'nowhere'"),
}


class Told(NamedTuple):
    """A refusal as it was told, whatever the door."""

    code: str
    field: str
    message: str
    remedy: str


async def everything(pool: asyncpg.Pool) -> dict[str, list[tuple[Any, ...]]]:
    """Whole rows of all that could be ordered; when a token was used is nobody's order."""
    return {
        table: sorted(
            (
                tuple(value for name, value in row.items() if name != "last_used_at")
                for row in await pool.fetch(f"SELECT * FROM {table}")
            ),
            key=repr,
        )
        for table in _EVERYTHING
    }


def by_api(refused: dict[str, Any]) -> Told:
    return Told(refused["code"], refused["field"], refused["title"], refused["detail"])


async def by_file(pool: asyncpg.Pool, **parts: Any) -> DocumentProblem:
    """What a file with these parts is refused with."""
    document = ConfigDocument.model_validate(parts)
    async with pool.acquire() as conn:
        with pytest.raises(ConfigRefused) as refused:
            await import_config(conn, ACCOUNT, document, by="anna", kinds=KINDS)
    return refused.value.problems[0]


async def told_by_file(pool: asyncpg.Pool, **parts: Any) -> Told:
    """The field without the place of the part that it is of."""
    path, message, remedy, code = await by_file(pool, **parts)
    return Told(
        code, path.rpartition("».")[2].removeprefix("settings.").removeprefix("matrix."), message, remedy
    )


_SAID = re.compile(r"  why: (?P<field>[\w.]+): (?P<message>.*) \((?P<code>[a-z-]+)\)\n  do:  (?P<remedy>.*)")


async def by_hand(database_url: str, *words: str, stdin: str = "") -> Told:
    """What the command line says."""
    done = await callmatrix(database_url, *words, stdin=stdin)
    assert done.returncode == 1, done.stdout + done.stderr
    said = _SAID.search(done.stderr)
    assert said is not None, done.stderr
    return Told(**{name: said[name] for name in Told._fields})


def options(given: dict[str, Any]) -> list[str]:
    """As options of a command: lists repeated, objects as name=value."""
    words: list[str] = []
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, dict):
            words += [w for k, v in value.items() for w in (option.removesuffix("s"), f"{k}={v}")]
        elif isinstance(value, list):
            words += [w for v in value for w in (option.removesuffix("s"), v)]
        else:
            words += [option, str(value)]
    return words


@pytest.mark.parametrize("case", CONNECTIONS)
async def test_a_bad_connection(api: Api, pool: asyncpg.Pool, database_url: str, case: str) -> None:
    wrong, words = CONNECTIONS[case]
    order = {"name": "branch", "kind": "asterisk", **wrong}
    before = await everything(pool)
    status = 409 if "already" in words else 400
    told = by_api(await api.ask("POST", "{a}/connections", status=status, body=order))
    assert told.message == words
    rest = options({k: v for k, v in order.items() if k != "name"})
    add = ("connection", "add", order["name"], "--account", ACCOUNT, *rest)
    assert await by_hand(database_url, *add) == told
    if order["name"] != "office":  # a file changes the connection that this account has
        assert await told_by_file(pool, connections=[order]) == told
    assert await everything(pool) == before


VENDORS: dict[str, str] = {
    "http://127.0.0.1:9999/internal/admin?x=": "ringostat",
    "http://api.ringostat.net": "ringostat",
    "https://api.ringostat.net.evil.example": "ringostat",
    "https://evil.example/api.ringostat.net": "ringostat",
    "https://u:p@api.ringostat.net": "ringostat",
    "https://api.ringostat.net:8443": "ringostat",
    "https://api.ringostat.net/?x=": "ringostat",
    "https://api.ringostat.net\\@evil.example": "ringostat",
    "https://app.mango-office.ru": "ringostat",
    "https://[evil": "mango",
    "ftp://app.mango-office.ru/vpbx": "mango",
    "app.mango-office.ru": "mango",
}


@pytest.mark.parametrize("url", VENDORS)
async def test_an_address_that_is_not_the_vendors(
    api: Api, pool: asyncpg.Pool, database_url: str, url: str
) -> None:
    order = {"name": "branch", "kind": VENDORS[url], "settings": {"base_url": url}}
    before = await everything(pool)
    told = by_api(await api.ask("POST", "{a}/connections", status=400, body=order))
    assert (told.field, told.message) == ("settings", f"'{url}' is no address of this vendor")
    assert await told_by_file(pool, connections=[order]) == told
    if url.startswith("http://127"):
        add = ("connection", "add", "branch", "--account", ACCOUNT, "--kind", VENDORS[url])
        assert await by_hand(database_url, *add, "--setting", f"base_url={url}") == told
    assert await everything(pool) == before


@pytest.mark.parametrize("value", [[1], {"a": 1}, 1.5])
async def test_a_setting_that_is_no_text(api: Api, pool: asyncpg.Pool, value: Any) -> None:
    """The command line has texts only."""
    before = await everything(pool)
    order = {"name": "branch", "kind": "asterisk", "settings": {"machines": value}}
    told = by_api(await api.ask("POST", "{a}/connections", status=400, body=order))
    assert told.message == f"'{value}' is no value of machines"
    assert await told_by_file(pool, connections=[order]) == told
    assert await everything(pool) == before


async def test_a_connection_of_another_account_is_taken_by_no_file(api: Api, pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE connection SET account_id = 'other'")
    before = await everything(pool)
    order = {"name": "office", "kind": "generic"}
    told = by_api(await api.ask("POST", "{a}/connections", status=409, body=order))
    assert await told_by_file(pool, connections=[order]) == told
    assert await everything(pool) == before


async def test_a_misspelt_key(api: Api, pool: asyncpg.Pool, database_url: str) -> None:
    """Files carry no keys."""
    order = {"name": "branch", "kind": "mango", "keys": {"api_kye": "z"}}
    before = await everything(pool)
    told = by_api(await api.ask("POST", "{a}/connections", status=400, body=order))
    assert told.message == "'api_kye' is not known here"
    add = ("connection", "add", "branch", "--account", ACCOUNT, "--kind", "mango", "--key", "api_kye=z")
    assert await by_hand(database_url, *add) == told
    assert await everything(pool) == before


@pytest.mark.parametrize("case", [c for c in CONNECTIONS if "name" not in c and "kind" not in c])
async def test_a_bad_change_of_a_connection(api: Api, pool: asyncpg.Pool, case: str) -> None:
    wrong, words = CONNECTIONS[case]
    await pool.execute("UPDATE connection SET kind = 'asterisk'")
    before = await everything(pool)
    told = by_api(await api.ask("PATCH", "{a}/connections/office", status=400, body=wrong))
    assert told.message == words
    changed = {"name": "office", "kind": "asterisk", "lines": ["+74951230000"], **wrong}
    assert await told_by_file(pool, connections=[changed]) == told
    assert await everything(pool) == before


async def test_what_stands_there_from_former_times_is_judged_by_no_door(api: Api, pool: asyncpg.Pool) -> None:
    old = {"forgotten": "1", "extension_digits": "zz"}
    await pool.execute("UPDATE connection SET settings = $1", old)
    sent = {"settings": {**old, "context": "new"}}
    changed = await api.ask("PATCH", "{a}/connections/office", body=sent)
    assert changed["connection"]["settings"] == sent["settings"]
    async with pool.acquire() as conn:
        document = await export_config(conn, ACCOUNT)
        done = await import_config(conn, ACCOUNT, document, by="anna", kinds=KINDS)
    assert done.changes == ()


async def test_another_kind_has_all_judged_again(pool: asyncpg.Pool, account: str) -> None:
    await pool.execute("UPDATE connection SET kind = 'asterisk', settings = '{\"ami_host\": \"x\"}'")
    order = {"name": "office", "kind": "generic", "settings": {"ami_host": "x"}}
    told = await told_by_file(pool, connections=[order])
    assert (told.field, told.message) == ("settings", "'ami_host' is not known here")


@pytest.mark.parametrize("case", EMPLOYEES)
async def test_a_bad_employee(api: Api, pool: asyncpg.Pool, case: str) -> None:
    wrong, words = EMPLOYEES[case]
    before = await everything(pool)
    status = 409 if "already" in words else 400
    body = {"name": "Борис", **{k: v for k, v in wrong.items() if k != "id"}}
    person = wrong.get("id", "boris")
    told = by_api(await api.ask("PUT", f"{{a}}/employees/{person}", status=status, body=body))
    assert told.message == words
    people = [
        {"id": "anna", "name": "Анна", "crm_user_id": "11", "extensions": ["101"]},
        {"id": "boss", "name": "Ольга", "is_senior": True},
        {"id": person, **body},
    ]
    assert await told_by_file(pool, employees=people) == told
    assert await everything(pool) == before


@pytest.mark.parametrize("case", ACCOUNTS)
async def test_a_bad_account(api: Api, pool: asyncpg.Pool, database_url: str, case: str) -> None:
    wrong, words = ACCOUNTS[case]
    before = await everything(pool)
    new = {"id": "second", "url": "http://127.0.0.1:1", "token": "x" * 20, **wrong}
    told = by_api(await api.ask("POST", "/accounts", status=400, body=new))
    assert told.message == words
    change = {"name": "A", "time_zone": "Europe/Moscow", "region": "RU", **wrong}
    assert by_api(await api.ask("PUT", "{a}", status=400, body=change)) == told
    assert await told_by_file(pool, **wrong) == told
    assert await added_account(database_url, "second", *options(wrong)) == told
    assert await everything(pool) == before


async def test_an_account_does_not_lose_its_name(api: Api, pool: asyncpg.Pool) -> None:
    before = await everything(pool)
    change = {"name": "", "time_zone": "Europe/Moscow", "region": "RU"}
    told = by_api(await api.ask("PUT", "{a}", status=400, body=change))
    assert (told.field, told.message) == ("name", "the name is empty or too long")
    assert await told_by_file(pool, name="") == told
    assert await everything(pool) == before


async def test_a_bad_short_name_of_an_account(api: Api, pool: asyncpg.Pool, database_url: str) -> None:
    before = await everything(pool)
    new = {"id": "A B", "url": "http://127.0.0.1:1", "token": "x" * 20}
    told = by_api(await api.ask("POST", "/accounts", status=400, body=new))
    assert await added_account(database_url, "A B") == told
    assert await everything(pool) == before


async def test_a_crm_that_does_not_let_us_in_leaves_nothing(
    api: Api, pool: asyncpg.Pool, database_url: str
) -> None:
    before = await everything(pool)
    new = {"id": "second", "url": "http://127.0.0.1:1", "token": "x" * 20}
    told = by_api(await api.ask("POST", "/accounts", status=502, body=new))
    assert told.code == "connecting-failed"
    assert await added_account(database_url, "second") == told
    assert await everything(pool) == before


async def test_an_account_that_was_never_authorised_is_told_anew(api: Api, pool: asyncpg.Pool) -> None:
    """As a command that was broken off, or a consent that never came, leaves it."""
    await pool.execute("UPDATE account SET state = 'off' WHERE account_id = 'other'")
    moved = {"id": "other", "url": "http://127.0.0.1:1", "token": "x" * 20}
    before = await everything(pool)
    refused = await api.ask("POST", "/accounts", status=502, body=moved)
    assert "does not let us in" in refused["title"], "tried, although it was said to be elsewhere"
    assert await everything(pool) == before


@pytest.mark.parametrize("case", SETTINGS)
async def test_a_setting_that_cannot_be(api: Api, pool: asyncpg.Pool, case: str) -> None:
    """Which would ring nobody, or send what the CRM does not take."""
    path, value, words = SETTINGS[case]
    await pool.execute(
        "INSERT INTO crm_pipeline (account_id, pipeline_id, name, is_main, is_archived, is_unsorted_on, stages)"
        " VALUES ($1, '31', 'Sales', true, false, true, '[]')",
        ACCOUNT,
    )
    settings = await api.ask("GET", "{a}/settings")
    before = await everything(pool)
    *parts, last = path.split(".")
    part = settings
    for name in parts:
        part = part[name]
    part[last] = value
    told = by_api(await api.ask("PUT", "{a}/settings", status=400, body=settings))
    assert (told.field, told.message) == (path, words)
    assert await told_by_file(pool, settings=settings) == told
    assert await everything(pool) == before


async def test_settings_that_stand_there_from_former_times_are_judged_by_no_door(
    api: Api, pool: asyncpg.Pool
) -> None:
    settings = await api.ask("GET", "{a}/settings")
    settings["cases"]["seniors"], settings["default_pipeline_id"] = ["long-gone"], "abc"
    await pool.execute("UPDATE account SET settings = $1 WHERE account_id = $2", settings, ACCOUNT)
    settings["lookup"]["ring_seconds"] = 25
    assert await api.ask("PUT", "{a}/settings", body=settings) == settings


async def test_seniors_may_come_in_the_same_file(pool: asyncpg.Pool, account: str) -> None:
    people = [{"id": "boss", "name": "Ольга", "is_senior": True}, {"id": "new", "name": "Борис"}]
    document = ConfigDocument.model_validate(
        {"settings": {"cases": {"seniors": ["new"]}}, "employees": people}
    )
    async with pool.acquire() as conn:
        await import_config(conn, ACCOUNT, document, by="anna", kinds=KINDS)
    assert await pool.fetchval(
        "SELECT settings->'cases'->'seniors' FROM account WHERE account_id = $1", ACCOUNT
    ) == ["new"]


@pytest.mark.parametrize("case", TOKENS)
async def test_a_bad_token(api: Api, pool: asyncpg.Pool, database_url: str, case: str) -> None:
    wrong, words = TOKENS[case]
    order = {"name": "reports", "role": "read_only", **wrong}
    before = await everything(pool)
    status = 409 if "already" in words else 400
    told = by_api(await api.ask("POST", "/tokens", status=status, body=order))
    assert told.message == words
    rest = options({k: v for k, v in order.items() if k != "name"})
    assert await by_hand(database_url, "token", "add", order["name"], *rest) == told
    assert await everything(pool) == before


@pytest.mark.parametrize("case", USERS)
async def test_a_bad_user(api: Api, pool: asyncpg.Pool, database_url: str, case: str) -> None:
    """Only the command line makes them; what they share with tokens is refused in the words of those."""
    wrong, words = USERS[case]
    order = {"login": "olga", "role": "admin", **wrong}
    before = await everything(pool)
    told = await by_hand(
        database_url,
        "users",
        "add",
        order["login"],
        *options({k: v for k, v in order.items() if k != "login"}),
    )
    assert told.message == words
    if "login" not in wrong:
        token = {"name": "reports", "role": "read_only", **wrong}
        assert by_api(await api.ask("POST", "/tokens", status=400, body=token)) == told
    assert await everything(pool) == before


@pytest.mark.parametrize(
    ("state", "days", "status"), [("off", 3, 409), ("on", 99, 400), ("on", 0, 400)], ids=["off", "99", "0"]
)
async def test_a_backfill_that_cannot_begin(
    api: Api, pool: asyncpg.Pool, database_url: str, state: Any, days: int, status: int
) -> None:
    async with pool.acquire() as conn:
        await set_account_state(conn, ACCOUNT, state)
    before = await everything(pool)
    told = by_api(await api.ask("POST", "{a}/backfill", status=status, body={"days": days}))
    command = ("backfill", "--account", ACCOUNT, "--days", str(days), "--yes", "--detach")
    assert await by_hand(database_url, *command) == told
    assert await everything(pool) == before


async def test_a_matrix_with_an_error(api: Api, pool: asyncpg.Pool, database_url: str) -> None:
    wrong = recommended().model_copy(update={"default": "nowhere"})
    body = wrong.model_dump(mode="json", exclude={"version"})
    async with pool.acquire() as conn:
        seen = await draft(conn, ACCOUNT)
    saved = await api.ask("PUT", "{a}/matrix/draft", body={"revision": seen.revision, "matrix": body})
    before = await everything(pool)
    publication = {"revision": saved["revision"], "why": "x"}
    told = by_api(await api.ask("POST", "{a}/matrix/publish", status=422, body=publication))
    assert (told.code, told.field) == ("matrix-not-publishable", "default")
    assert await told_by_file(pool, matrix=body) == told
    publish = ("matrix", "publish", "--account", ACCOUNT, "--why", "x")
    assert await by_hand(database_url, *publish) == told
    no_reason = by_api(
        await api.ask("POST", "{a}/matrix/publish", status=400, body={**publication, "why": " "})
    )
    assert await by_hand(database_url, *publish[:-1], " ") == no_reason
    assert await everything(pool) == before


async def test_a_version_that_never_was(api: Api, pool: asyncpg.Pool, database_url: str) -> None:
    await api.ask("GET", "{a}/matrix/versions")
    before = await everything(pool)
    told = by_api(await api.ask("POST", "{a}/matrix/versions/77/restore", status=404, body={"why": "x"}))
    back = ("matrix", "rollback", "--account", ACCOUNT, "--to", "77", "--why", "x")
    assert await by_hand(database_url, *back) == told
    assert await everything(pool) == before


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"tables": {"default": {"name": "x", "cells": {"nowhere": []}}}}, "tables.default.cells", None),
        ({"tabels": {}}, "tabels", "is not known here"),
        ({"tables": 5}, "tables", "must be an object"),
    ],
)
async def test_what_is_no_matrix_at_all(
    api: Api, pool: asyncpg.Pool, body: dict[str, Any], field: str, words: str | None
) -> None:
    refused = await api.ask("POST", "{a}/matrix/check", status=400, body={"matrix": body})
    said = {p["field"]: p["message"] for p in refused["problems"]}
    with pytest.raises(ConfigRefused) as by_file:
        read_yaml(as_yaml(ConfigDocument()) + f"matrix: {body}")
    assert {p.path: p.message for p in by_file.value.problems} == said
    message = said[f"matrix.{field}"]
    assert words is None or message == words
    assert "Value error" not in message


async def test_a_line_in_national_spelling_is_stored_as_the_number_that_it_is(
    api: Api, pool: asyncpg.Pool
) -> None:
    order = {"name": "branch", "kind": "generic", "lines": ["8 (495) 123-45-67"]}
    await api.ask("POST", "{a}/connections", status=201, body=order)
    assert await pool.fetchval("SELECT lines FROM connection WHERE name = 'branch'") == ["+74951234567"]


async def test_the_prefix_that_phones_dial_is_a_setting_of_asterisk(api: Api) -> None:
    order = {"name": "branch", "kind": "asterisk", "settings": {"outside_prefix": "9,00", "ami_port": 5038}}
    await api.ask("POST", "{a}/connections", status=201, body=order)


async def added_account(database_url: str, name: str, *more: str) -> Told:
    add = ("account", "add", name, "--url", "http://127.0.0.1:1", "--token", "-", *more)
    return await by_hand(database_url, *add, stdin="x" * 20)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"], ids=["NUL", "half a character"])
async def test_a_text_that_no_database_stores(api: Api, pool: asyncpg.Pool, text: str) -> None:
    before = await everything(pool)
    with pytest.raises(ConfigRefused) as by_file:
        read_yaml(f"callmatrix: 1\nemployees:\n- {{id: boris, name: {json.dumps(text)}}}\n")
    assert by_file.value.problems[0].path == "employees.0.name"
    refused = await api.ask("PUT", "{a}/employees/boris", status=400, body={"name": text})
    assert refused["code"] == ("invalid-input" if text.isascii() else "invalid-json")
    assert await everything(pool) == before


_NO_DOCUMENT: dict[str, tuple[dict[str, Any], str]] = {
    "a number in quotes": ({"settings": {"lookup": {"ring_seconds": "9"}}}, "must be a whole number"),
    "a yes in quotes": ({"connections": [{"name": "x", "kind": "generic", "is_on": "true"}]}, "must be true or false"),
    "a number for a list": ({"employees": [{"id": "x", "name": "X", "extensions": 777}]}, "must be a list"),
    "a fraction for a text": ({"employees": [{"id": "x", "name": "X", "extensions": [7.5]}]}, "must be a text"),
    "a name that nobody knows": ({"setings": {}}, "is not known here"),
}  # fmt: skip


@pytest.mark.parametrize("case", _NO_DOCUMENT)
async def test_a_document_is_read_as_strictly_from_a_file_as_by_api(api: Api, case: str) -> None:
    body, words = _NO_DOCUMENT[case]
    told = await api.ask("PUT", "{a}/config", status=400, body=body)
    with pytest.raises(ConfigRefused) as refused:
        read_yaml(json.dumps(body))
    (problem,) = refused.value.problems
    assert (told["field"], told["problems"][0]["message"]) == (problem.path, problem.message)
    assert problem.message == words


async def test_numbers_without_quotes_are_taken_by_every_door(api: Api, pool: asyncpg.Pool) -> None:
    person = {"name": "X", "extensions": [777], "numbers": [79990001122]}
    saved = await api.ask("PUT", "{a}/employees/x", body=person)
    assert (saved["extensions"], saved["numbers"]) == (["777"], ["+79990001122"])
    line = {"name": "branch", "kind": "generic", "lines": [74991112244]}
    made = await api.ask("POST", "{a}/connections", status=201, body=line)
    assert made["connection"]["lines"] == ["+74991112244"]
    document = read_yaml(
        "employees: [{id: x, name: X, extensions: [777]}]\nconnections: [" + json.dumps(line) + "]"
    )
    assert document.employees is not None
    assert document.employees[0].extensions == ["777"]
    async with pool.acquire() as conn:
        await import_config(conn, ACCOUNT, document, by="anna", kinds=KINDS)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "{a}/config"), ("POST", "{a}/connections"), ("PUT", "{a}/settings")]
)
async def test_a_body_that_is_too_deep_is_refused_in_words(api: Api, method: str, path: str) -> None:
    body: dict[str, Any] = {}
    for _ in range(900):
        body = {"a": body}
    told = await api.ask(method, path, status=400, body=body)
    assert told["title"] == "more than 50 levels stand in one another"


async def test_null_takes_away_what_stands_there(api: Api) -> None:
    new = {"name": "branch", "kind": "kamailio", "dialect": "json", "region": "KZ", "lines": ["+74991112244"]}
    await api.ask("POST", "{a}/connections", status=201, body={**new, "settings": {"domain": "x"}})
    nothing = {"region": None, "dialect": None, "lines": None, "settings": None, "keys": None}
    changed = await api.ask("PATCH", "{a}/connections/branch", body=nothing)
    told = changed["connection"]
    assert (told["region"], told["dialect"], told["lines"], told["settings"]) == (None, "rtjson", [], {})
    await api.ask("PATCH", "{a}/connections/branch", status=400, body={"is_on": None})


async def test_a_file_that_makes_another_kind_of_a_connection_says_what_goes(
    api: Api, pool: asyncpg.Pool
) -> None:
    keys = {"api_key": "k", "api_salt": "s"}
    await api.ask(
        "POST", "{a}/connections", status=201, body={"name": "branch", "kind": "mango", "keys": keys}
    )
    document = ConfigDocument.model_validate({"connections": [{"name": "branch", "kind": "kamailio"}]})
    async with pool.acquire() as conn:
        done = await import_config(conn, ACCOUNT, document, by="anna", kinds=KINDS)
    assert "подключение 'branch' теперь другого вида: его ключи api_key, api_salt удалены" in done.warnings
    (now,) = [c for c in (await api.ask("GET", "{a}/connections"))["items"] if c["name"] == "branch"]
    assert (now["kind"], now["dialect"], now["keys"]) == ("kamailio", "rtjson", [])


async def test_a_number_moves_from_an_employee_to_a_line_in_one_file(api: Api, pool: asyncpg.Pool) -> None:
    document = ConfigDocument.model_validate(
        {
            "connections": [{"name": "branch", "kind": "generic", "lines": ["+79031112233"]}],
            "employees": [{"id": "anna", "name": "Анна", "crm_user_id": "11", "extensions": ["101"]}],
        }
    )
    async with pool.acquire() as conn:
        await import_config(conn, ACCOUNT, document, by="anna", kinds=KINDS)
        both = document.model_dump(mode="json") | {
            "employees": [{"id": "anna", "name": "Анна", "numbers": ["+79031112233"]}]
        }
        with pytest.raises(ConfigRefused, match="'\\+79031112233' is a line of the company"):
            await import_config(conn, ACCOUNT, ConfigDocument.model_validate(both), by="anna", kinds=KINDS)
