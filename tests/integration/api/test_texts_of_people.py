"""What nobody could read, or nobody would, is stored by no door: too long, broken into lines, or empty where something must be
said."""

from __future__ import annotations

import asyncpg

from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import outcomes

_HUGE, _BROKEN = "x" * 9000, "a\nb"
_IN = ("--account", ACCOUNT)
_ANNA = ("employees", "set", "anna", *_IN)
_TO_ANNA = ("--connection", "office", "--employee", "anna")
_SPRING = ("campaign", "add", "spring", "+79031112233", *_IN)
ORDERS: dict[tuple[str, ...], str] = {
    ("account", "off", ACCOUNT, "--reason", _HUGE): "reason: must have 500 characters or fewer",
    ("account", "off", ACCOUNT, "--reason", _BROKEN): "reason: it holds a line break",
    ("account", "edit", ACCOUNT, "--name", _BROKEN): "name: it holds a line break",
    ("account", "edit", ACCOUNT, "--name", _HUGE): "name: the name is empty or too long",
    ("users", "add", "olga", "--role", "admin", "--name", _BROKEN): "name: it holds a line break",
    ("token", "add", _BROKEN, "--role", "admin"): "cannot be the name of a token",
    (*_ANNA, "--name", _BROKEN): "name: it holds a line break",
    (*_ANNA, "--name", _HUGE): "name: the name is empty or too long",
    (*_ANNA, "--name", "\u202eanna"): "name: it holds a line break",
    (*_ANNA, "--group", _BROKEN): "group: it holds a line break",
    (*_ANNA, "--email", "a\x07@b.example"): "email: it holds a line break",
    (*_ANNA, "--email", f"{_HUGE}@b.example"): "email: the address is empty or too long",
    ("sms", "add", "texts", "--kind", "sandbox", "--sender", _BROKEN, *_IN): "is no sender's name",
    ("sms", "test", "texts", "+79031112233", _HUGE, *_IN): "text: must have 2000 characters or fewer",
    ("campaign", "create", _BROKEN, *_TO_ANNA, *_IN): "cannot be the name of a campaign",
    (*_SPRING, "--client", _HUGE): "name: must have 500 characters or fewer",
    (*_SPRING, "--client-id", _BROKEN): "client_id: it holds a line break",
    ("desk", "ignore", "event:1", "--note", _HUGE, *_IN): "note: the note is empty or too long",
    ("desk", "ignore", "event:1", "--note", " ", *_IN): "note: the note is empty or too long",
    ("backfill", "--discard", _HUGE, "--yes", *_IN): "note: the note is empty or too long",
    ("do-not-call", "add", "+79031112233", "--note", _HUGE, *_IN): "note: the note is too long",
    ("matrix", "publish", "--why", _HUGE, *_IN): "why: the reason is empty or too long",
}


async def test_every_command_refuses_them_and_changes_nothing(
    api: Api, pool: asyncpg.Pool, database_url: str
) -> None:
    before = await _changes(pool)
    for (words, says), (code, said) in zip(
        ORDERS.items(), await outcomes(database_url, list(ORDERS)), strict=True
    ):
        assert code == 1, (words, said)
        assert says in said, words
    assert await _changes(pool) == before


async def _changes(pool: asyncpg.Pool) -> object:
    return await pool.fetchrow(
        "SELECT (SELECT count(*) FROM audit) AS changes, (SELECT count(*) FROM campaign) AS campaigns,"
        " (SELECT array_agg(name || state_reason) FROM account) AS accounts"
    )
