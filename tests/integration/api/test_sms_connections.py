"""SMS providers over API, command line and file: keys are written and never shown, and go to no address but their own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from gateway.admin.config_document import ConfigRefused, as_yaml, read_yaml
from gateway.admin.config_import import export_config, import_config
from gateway.pbx.kinds import KINDS
from gateway.store.sms.connections import sms_connections
from gateway.store.sms.links import note_link
from sms.port import SmsLinkTold
from sms.reasons import SmsReason
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix

SMSC = {"name": "texts", "kind": "smsc", "keys": {"password": "hush"}, "settings": {"login": "sales"}}
PATH = "{a}/sms-connections"


async def test_a_provider_is_connected_changed_and_removed_and_its_keys_are_never_shown(api: Api) -> None:
    added = await api.ask("POST", PATH, body={**SMSC, "sender": "SALES"}, status=201)
    assert (added["keys"], added["lacks"], added["sender"], added["is_on"]) == (
        ["password"],
        [],
        "SALES",
        True,
    )
    assert (await api.ask("POST", PATH, body=SMSC, status=409))["code"] == "already-exists"
    address = (await api.ask("GET", PATH + "/texts/report-address"))["url"]
    assert "/sms/main/texts/" in address
    changed = await api.ask("PATCH", PATH + "/texts", body={"sender": None, "is_on": False})
    assert (changed["sender"], changed["is_on"], changed["keys"]) == (None, False, ["password"])
    listed = json.dumps(await api.ask("GET", PATH, role="read_only"))
    told = json.dumps(await api.ask("GET", "/audit", what="sms"))
    assert "hush" not in listed + told
    assert address.rpartition("/")[2] not in listed + told
    assert told.count('"object": "texts"') == 2
    await api.ask("GET", PATH + "/texts/report-address", role="read_only", status=403)
    await api.pool.execute(
        "UPDATE sms_connection SET balance_at = now(), stop_reason = 'bad-key', stopped_at = now(), try_at = now() + interval '5 min'"
    )
    await api.ask("POST", PATH + "/texts/check", status=204)
    shown = await api.ask("GET", PATH + "/texts", role="read_only")
    assert (shown["balance_at"], shown["stop"]["reason"]) == (None, "bad-key")
    assert datetime.fromisoformat(shown["stop"]["try_at"]) <= datetime.now(UTC)
    await api.ask("POST", PATH + "/none/check", status=404)
    await api.ask("DELETE", PATH + "/texts", status=204)
    await api.ask("GET", PATH + "/texts", status=404)


async def test_how_a_link_fares_is_told_by_api_and_command(api: Api, database_url: str) -> None:
    smpp = {"name": "op", "kind": "smpp", "settings": {"host": "smpp.example", "system_id": "u"}}
    added = await api.ask("POST", PATH, body={**smpp, "keys": {"password": "hush"}}, status=201)
    await api.ask("POST", PATH, body=SMSC, status=201)
    assert added["link"] is None

    async def listed() -> str:
        done = await callmatrix(database_url, "sms", "list", "--account", ACCOUNT, COLUMNS="300")
        return done.stdout

    assert "not tried yet" in await listed()
    down = SmsLinkTold(is_up=False, reason=SmsReason.BAD_KEY, words="Invalid Password")
    at = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
    async with api.pool.acquire() as conn:
        await note_link(conn, ACCOUNT, "op", down, at)
    link = (await api.ask("GET", PATH + "/op", role="read_only"))["link"]
    assert datetime.fromisoformat(link.pop("since")) == at
    assert link == {"is_up": False, "reason": "bad-key", "words": "Invalid Password"}
    by_name = {s["name"]: s["link"] for s in (await api.ask("GET", PATH))["items"]}
    assert (by_name["op"]["is_up"], by_name["texts"]) == (False, None)
    assert "down since 2026-11-28 12:30 (bad-key: Invalid Password)" in await listed()
    async with api.pool.acquire() as conn:
        await note_link(
            conn, ACCOUNT, "op", SmsLinkTold(is_up=True), datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
        )
    assert "up since 2026-11-28 13:00" in await listed()
    told = await callmatrix(database_url, "sms", "list", "--account", ACCOUNT, "--json")
    by_api = (await api.ask("GET", PATH))["items"]
    shown = {s["name"]: s["link"] for s in json.loads(told.stdout)}
    assert shown["texts"] is None
    assert shown["op"] is not None
    for one in by_api:
        assert _at(shown[one["name"]]) == _at(one["link"]), "one shape by API and command"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"name": "Große SMS"}, "name"),
        ({"keys": {"pasword": "x"}}, "keys"),
        ({"keys": {"password": " "}}, "keys"),
        ({"settings": {"base_url": "https://elsewhere.example"}}, "settings"),
        ({"settings": {"host": "x"}}, "settings"),
        ({"settings": {"answer_seconds": "soon"}}, "settings"),
        ({"kind": "smpp", "settings": {"host": "127.0.0.1"}}, "settings"),
        ({"kind": "smpp", "settings": {"port": "70000"}}, "settings"),
        ({"sender": " x "}, "sender"),
    ],
)
async def test_what_a_provider_cannot_be_is_refused_and_not_stored(
    api: Api, change: dict[str, Any], field: str
) -> None:
    said = await api.ask("POST", PATH, body={"name": "texts", "kind": "smsc", **change}, status=400)
    assert said["field"] == field
    assert (await api.ask("GET", PATH))["items"] == []


async def test_keys_go_to_no_address_but_the_one_they_were_given_for(api: Api, pool: asyncpg.Pool) -> None:
    smpp = {"name": "op", "kind": "smpp", "settings": {"host": "smpp.example", "system_id": "u"}}
    await api.ask("POST", PATH, body={**smpp, "keys": {"password": "hush"}}, status=201)
    for moved in ({"host": "other.example"}, {"host": "smpp.example", "port": 2776}, {"tls": True}):
        settings = {**smpp["settings"], **moved}  # type: ignore[dict-item]
        said = await api.ask("PATCH", PATH + "/op", body={"settings": settings}, status=400)
        assert said["field"] == "keys"
    file = read_yaml(
        "callmatrix: 1\nsms: [{name: op, kind: smpp, settings: {host: other.example, system_id: u}}]"
    )
    async with pool.acquire() as conn:
        done = await import_config(conn, ACCOUNT, file, by="test", kinds=KINDS)
        [saved] = await sms_connections(conn, ACCOUNT)
    assert saved.connection.keys == {}
    assert [line for line in done.warnings if "password" in line] != []


async def test_a_file_brings_providers_without_keys_and_a_second_time_changes_nothing(
    api: Api, pool: asyncpg.Pool
) -> None:
    await api.ask("POST", PATH, body=SMSC, status=201)
    async with pool.acquire() as conn:
        text = as_yaml(await export_config(conn, ACCOUNT))
        assert "hush" not in text
        again = await import_config(conn, ACCOUNT, read_yaml(text), by="test", kinds=KINDS)
        wanted = read_yaml(
            "callmatrix: 1\nsms: [{name: texts, kind: smsru, sender: A, is_on: false}, {name: b, kind: sandbox}]"
        )
        done = await import_config(conn, ACCOUNT, wanted, by="test", kinds=KINDS)
        saved = {s.name: s for s in await sms_connections(conn, ACCOUNT)}
        twice = read_yaml("callmatrix: 1\nsms: [{name: b, kind: sandbox}, {name: b, kind: sandbox}]")
        with pytest.raises(ConfigRefused, match="twice"):
            await import_config(conn, ACCOUNT, twice, by="test", kinds=KINDS)
    assert again.changes == ()
    assert len(done.changes) > 1
    assert (saved["texts"].connection.kind, saved["texts"].connection.keys) == ("smsru", {})
    assert (saved["texts"].sender, saved["texts"].is_on, saved["b"].is_on) == ("A", False, True)


async def test_the_command_line_does_the_same(database_url: str, api: Api) -> None:
    added = await callmatrix(
        database_url,
        *[
            "sms",
            "add",
            "texts",
            "--account",
            "main",
            "--kind",
            "smsc",
            "--key",
            "password=-",
            "--setting",
            "login=s",
            "--json",
        ],
        stdin="hush\n",
    )
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["report_address"].startswith("http")
    changed = await callmatrix(
        database_url, *["sms", "set", "texts", "--account", "main", "--sender", "A", "--setting", "login=t"]
    )
    assert "login=t" in changed.stdout
    assert "hush" not in added.stdout + changed.stdout
    removed = await callmatrix(database_url, *["sms", "remove", "texts", "--account", "main", "--yes"])
    assert (removed.returncode, (await api.ask("GET", PATH))["items"]) == (0, [])


def _at(link: dict[str, Any] | None) -> dict[str, Any] | None:
    return link and {**link, "since": datetime.fromisoformat(link["since"])}
