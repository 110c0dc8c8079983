"""An account need not be named where there is only one; what is told of it is told in the chosen language."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from gateway.cli import all_commands
from gateway.store.admin.matrices import draft, save_draft
from gateway.store.shift_change.runs import begin
from routing.matrix.presets import unsorted
from tests.integration.api.client import ACCOUNT
from tests.integration.api.command_line import callmatrix, outcomes
from tests.integration.api.in_process import typed


def _commands() -> list[str]:
    return sorted(
        name
        for name, command in all_commands().items()
        if "--account" in {o for p in command.params for o in p.opts}
    )


def test_an_account_need_not_be_named_where_there_is_only_one() -> None:
    commands = all_commands()
    for name in _commands():
        option = next(p for p in commands[name].params if "--account" in p.opts)
        assert not option.required, name


NEEDED = {
    "campaign add": ("c", "+79161234567"),
    "campaign close": ("c",),
    "campaign create": ("c",),
    "campaign edit": ("c",),
    "campaign finish": ("c", "--yes"),
    "campaign import": ("c", "FILE"),
    "campaign members": ("c",),
    "campaign pause": ("c",),
    "campaign plan": ("c", "2026-12-01T06:00:00"),
    "campaign show": ("c",),
    "campaign start": ("c",),
    "campaign stats": ("c",),
    "campaign stop": ("c", "--yes"),
    "campaign take-out": ("c", "+79161234567"),
    "campaign there": ("main",),
    "do-not-call add": ("+79161234567",),
    "do-not-call import": ("FILE",),
    "do-not-call remove": ("+79161234567", "--yes"),
    "firings show": ("x",),
    "matrix trial-begin": ("--why", "half"),
    "matrix trial-publish": ("--why", "better"),
    "matrix trial-take-back": ("--why", "worse"),
    "outbound clear": ("--yes",),
    "outbound resume": ("office",),
    "outbound set": ("rate=6",),
    "outbound settle": ("x", "reached"),
    "outbound show": ("x",),
    "outbound why-not": ("x",),
    "trigger apply": ("t", "--yes"),
    "trigger check": ("t",),
    "trigger history": ("t",),
    "trigger hook": ("t",),
    "trigger off": ("t",),
    "trigger on": ("t",),
    "trigger remove": ("t", "--yes"),
    "trigger save": ("TRIGGER",),
    "trigger show": ("t",),
    "client forget": ("+79161234567", "--yes"),
    "client show": ("+79161234567",),
    "config import": ("FILE",),
    "connection add": ("office", "--kind", "generic"),
    "crm retry": ("--all",),
    "desk edit": ("call:1", "--order", "ORDER"),
    "desk ignore": ("call:1", "--note", "a test"),
    "desk retry": ("--all",),
    "distribution give": ("t", "1"),
    "distribution give-up": ("x",),
    "distribution retry": ("x",),
    "distribution shares": ("t",),
    "distribution show": ("x",),
    "distribution stage": ("t", "1", "20", "--yes"),
    "employees remove": ("olga", "--yes"),
    "employees set": ("olga", "--name", "Olga"),
    "matrix dry-run": ("+79161234567",),
    "matrix preset": ("recommended",),
    "matrix publish": ("--why", "a test"),
    "matrix rollback": ("--to", "1", "--why", "a test"),
    "calendar remove": ("2026-12-31", "--yes"),
    "calendar set": ("2026-12-31", "working"),
    "presence answer": ("olga",),
    "template hook": ("t",),
    "presence history": ("olga",),
    "presence off": ("olga",),
    "presence on": ("olga",),
    "presence telegram": ("olga",),
    "schedule add": ("office", "--week", "mon-fri 09:00-18:00"),
    "schedule remove": ("office", "--yes"),
    "schedule set": ("office", "--week", "mon-fri 09:00-18:00"),
    "schedule show": ("office",),
    "schedule who": ("office",),
    "shift journal": ("1",),
    "shift pause": ("1",),
    "shift preview": ("olga",),
    "shift resume": ("1",),
    "shift start": ("olga", "--yes"),
    "shift stop": ("1",),
    "channel add": ("shop", "--kind", "sandbox"),
    "channel address": ("shop",),
    "channel default": ("shop", "anna"),
    "channel file": ("1", "--to", "nowhere/scan.pdf"),
    "channel gaps": ("shop",),
    "channel refetch": ("1",),
    "channel off": ("shop",),
    "channel on": ("shop",),
    "channel remove": ("shop", "--yes"),
    "channel set": ("shop", "--name", "A"),
    "channel share": ("shop", "--right", "anna=read"),
    "channel forget": ("shop", "7", "--yes"),
    "crm-chats remove": ("--yes",),
    "crm-chats set": ("--bot-id", "f1910c7f"),
    "channel write": ("Hello", "--employee", "anna", "--number", "+79161234567"),
    "sms add": ("texts", "--kind", "sandbox"),
    "sms check": ("texts",),
    "sms address": ("texts",),
    "sms off": ("texts",),
    "sms on": ("texts",),
    "sms preview": ("t", "7"),
    "sms remove": ("texts", "--yes"),
    "sms set": ("texts", "--sender", "A"),
    "sms test": ("texts", "+79161234567"),
    "template attach": ("t", "1", "20"),
    "template detach": ("1", "20"),
    "template remove": ("t", "--yes"),
    "template save": ("TEMPLATE",),
    "template show": ("t",),
    "template simulate": ("t",),
    "token add": ("reports",),
    "token change": ("bot",),
    "users add": ("olga",),
    "users change": ("olga",),
}
"""What a command asks for besides. FILE, ORDER, TEMPLATE, TRIGGER: files that hold it."""


_TRIGGER = """
name: t
pipeline_id: "1"
events: [{on: won}]
action: {do: campaign, campaign: c}
"""


async def test_an_account_that_does_not_exist_is_refused_in_the_same_words_by_every_command(
    database_url: str, account: str, tmp_path: Path
) -> None:
    there = [["users", "add", "olga", "--role", "manager"], ["token", "add", "bot"]]
    assert [code for code, _ in await outcomes(database_url, there)] == [0, 0]
    files = {"FILE": tmp_path / "account.yaml", "ORDER": tmp_path / "order.json"}
    files["FILE"].write_text("callmatrix: 1\nname: Office\n", encoding="utf-8")
    files["ORDER"].write_text("{}", encoding="utf-8")
    files["TEMPLATE"] = tmp_path / "template.yaml"
    files["TEMPLATE"].write_text("name: t\n", encoding="utf-8")
    files["TRIGGER"] = tmp_path / "trigger.yaml"
    files["TRIGGER"].write_text(_TRIGGER, encoding="utf-8")
    given = {
        name: [str(files.get(word, word)) for word in (*NEEDED.get(name, ()), "--account", "nowhere")]
        for name in _commands()
        if name != "init"  # makes the account that it is given
    }
    assert len(given) > 25
    ends = await outcomes(database_url, [[*name.split(), *words] for name, words in given.items()])
    words_of_it = ("there is no account 'nowhere'", "'callmatrix account list'")
    otherwise = {
        name: (code, said)
        for name, (code, said) in zip(given, ends, strict=True)
        if code != 1 or not all(words in said for words in words_of_it)
    }
    assert otherwise == {}


@pytest.mark.parametrize(("language", "said"), [("en", "name of the matrix"), ("ru", "название матрицы")])
async def test_the_difference_is_told_in_the_language_that_is_chosen(
    pool: asyncpg.Pool, database_url: str, account: str, language: str, said: str
) -> None:
    async with pool.acquire() as conn:
        seen = await draft(conn, ACCOUNT)
        await save_draft(conn, ACCOUNT, unsorted(), revision=seen.revision, by="anna")
    answer = await callmatrix(database_url, "matrix", "difference", "--lang", language)
    assert said in answer.stdout


SAID = {
    "a schedule that is refused": (
        ("schedule", "add", "nights", "--week", "mon 9-9"),
        "end when they begin",
        "заканчиваются, едва начавшись",
    ),
    "a schedule that is changed, and refused": (
        ("schedule", "set", "office", "--everybody", "--week", "mon 9-9"),
        "end when they begin",
        "заканчиваются, едва начавшись",
    ),
    "a schedule that is warned of": (
        ("schedule", "set", "office", "--everybody", "--week", "mon off"),
        "hold no work on any day",
        "нет работы ни в один день",
    ),
    "why somebody is not on shift": (
        ("schedule", "who", "office", "--at", "2026-12-05T10:00"),
        "does not work at this hour",
        "не работает в этот час",
    ),
    "a holiday": (("calendar", "list", "2027"), "Victory Day", "День Победы"),
    "why somebody is there": (("presence", "on", "boss"), "switched on with the button", "включено кнопкой"),
    "why people are there": (("presence", "list"), "switched on with the button", "включено кнопкой"),
    "since when somebody is there": (
        ("presence", "history", "boss"),
        "switched on with the button",
        "включено кнопкой",
    ),
    "why deals wait": (
        ("shift", "runs"),
        "everybody who could get deals is offline",
        "кто мог бы получить сделки, не в сети",
    ),
    "a draft that is no use": (
        ("template", "simulate", "t", "--from", "-"),
        "nobody takes part",
        "никто не участвует",
    ),
}


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_what_is_said_of_schedules_presence_and_templates_follows_the_one_setting(
    pool: asyncpg.Pool, database_url: str, account: str, language: str
) -> None:
    """The account's language is the other one: what follows the account alone would be told in that."""
    other = "ru" if language == "en" else "en"
    changes = {"language": other, "presence": {"is_on": True}, "working_time": {"holidays": "RU"}}
    await pool.execute("UPDATE account SET settings = settings || $1", changes)
    async with pool.acquire() as conn:
        await begin(conn, ACCOUNT, "away", "boss", "1", by="me", now=datetime.now(UTC))
    await pool.execute("UPDATE shift_run SET reason = 'nobody_left'")
    await typed(database_url, "schedule", "add", "office", "--week", "mon-fri 9-18")
    missing = {}
    for what, (words, english, russian) in SAID.items():
        said = await typed(database_url, *words, stdin=b"name: t\n", CALLMATRIX_LANG=language)
        if (english if language == "en" else russian) not in said.out + said.err:
            missing[what] = said
    assert missing == {}
