"""Messenger channels in configuration files: without keys, with rules and rights, and a second time without effect."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from gateway.admin.config_document import ConfigRefused, as_yaml, read_yaml
from gateway.admin.config_import import Imported, export_config, import_config
from gateway.pbx.kinds import KINDS
from sms.channels.kinds import CHANNEL_KINDS
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix

SHOP = {
    "name": "Опт",
    "kind": "wazzup",
    "keys": {"api_key": "hush"},
    "settings": {"channel_id": "b96a"},
    "rules": {"pipeline_id": "7", "authors": {"77": "anna"}, "eight_to_seven": False},
}


async def taken(pool: asyncpg.Pool, text: str) -> Imported:
    async with pool.acquire() as conn:
        return await import_config(conn, ACCOUNT, read_yaml(f"callmatrix: 1\n{text}"), by="test", kinds=KINDS)


async def channels(api: Api) -> dict[str, dict[str, Any]]:
    return {c["name"]: c for c in (await api.ask("GET", "{a}/channels"))["items"]}


async def test_a_file_brings_channels_without_keys_and_a_second_time_changes_nothing(
    api: Api, pool: asyncpg.Pool
) -> None:
    added = await api.ask("POST", "{a}/channels", body=SHOP, status=201)
    await api.ask("PUT", f"{{a}}/channels/{added['id']}/rights", body={"rights": {"anna": "send"}})
    async with pool.acquire() as conn:
        text = as_yaml(await export_config(conn, ACCOUNT))
        assert "hush" not in text
        assert "eight_to_seven: false" in text
        again = await import_config(conn, ACCOUNT, read_yaml(text), by="test", kinds=KINDS)
    assert again.changes == ()
    done = await taken(
        pool,
        """
templates: [{name: chats, employees: [{employee_id: anna}]}]
channels:
  - {name: Опт, kind: wazzup, settings: {channel_id: b96b}, is_on: false, rules: {pipeline_id: "8"}, rights: {boss: read}}
  - {name: Новый, kind: wazzup, rules: {owner: template, template: chats}}
""",
    )
    assert len(done.changes) > 4
    found = await channels(api)
    assert (found["Опт"]["id"], found["Опт"]["keys"], found["Опт"]["is_on"]) == (
        added["id"],
        ["api_key"],
        False,
    )
    assert (found["Опт"]["rules"]["pipeline_id"], found["Опт"]["rules"]["authors"]) == ("8", {})
    rights = (await api.ask("GET", f"{{a}}/channels/{added['id']}/rights"))["items"]
    assert [(r["employee"], r["may"]) for r in rights] == [("boss", "read")]
    assert found["Новый"]["rules"]["template"] == "chats"
    assert [line for line in done.warnings if "api_key, channel_id" in line] != []
    stays = await taken(pool, "channels: []")
    assert stays.changes == ()
    assert len([line for line in stays.warnings if "Опт" in line or "Новый" in line]) == 2
    elsewhere = "channels: [{name: Опт, kind: wazzup, settings: {channel_id: b96b, base_url: 'https://api.wazzup24.com'}}]"
    moved = await taken(pool, elsewhere)
    assert (await channels(api))["Опт"]["keys"] == []  # they were given for another address
    assert [line for line in moved.warnings if "api_key" in line] != []


@pytest.mark.parametrize("kind", sorted(CHANNEL_KINDS))
async def test_each_messenger_comes_by_command_and_by_file(
    api: Api, pool: asyncpg.Pool, database_url: str, kind: str
) -> None:
    """By command with its keys; a file brings all but those, says which are missing, and fits what there is."""
    of_kind = CHANNEL_KINDS[kind]
    chosen = {name: values[-1] for name, values in of_kind.choices.items()}
    settings = {**dict.fromkeys(of_kind.needed_settings, "7"), **chosen}
    words = [f"--setting={name}={value}" for name, value in settings.items()]
    words += [f"--key={name}=hush-{name}" for name in of_kind.keys]
    added = await callmatrix(
        database_url, "channel", "add", "Касса", "--account", ACCOUNT, "--kind", kind, "--json", *words
    )
    assert added.returncode == 0, added.stderr
    assert "hush-" not in added.stdout
    (stands,) = (await channels(api)).values()
    assert (stands["lacks"], stands["settings"]) == ([], settings)
    async with pool.acquire() as conn:
        text = as_yaml(await export_config(conn, ACCOUNT))
    assert "hush-" not in text
    assert (await taken(pool, text.partition("\n")[2])).changes == ()
    await api.ask("DELETE", f"{{a}}/channels/{stands['id']}", status=204)
    fresh = await taken(pool, text.partition("\n")[2])
    (brought,) = (await channels(api)).values()
    assert (brought["kind"], brought["settings"], brought["lacks"]) == (kind, settings, list(of_kind.keys))
    assert all(any(name in line for line in fresh.warnings) for name in of_kind.keys)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("channels: [{name: b, kind: sandbox}, {name: b, kind: sandbox}]", "twice"),
        ("channels: [{name: Опт, kind: sandbox}]", "channels.0 «Опт».kind"),
        (
            "channels: [{name: b, kind: sandbox, rules: {owner: template, template: gone}}]",
            "channels.0 «b».rules",
        ),
        ("channels: [{name: b, kind: sandbox, rights: {gone: read}}]", "channels.0 «b».rights"),
        ("channels: [{name: b, kind: pigeon}]", "channels.0 «b».kind"),
        ("channels: [{name: b, kind: sandbox, rules: {owner: template}}]", "channels.0.rules"),
    ],
)
async def test_what_is_wrong_in_a_file_is_refused_by_its_path_and_nothing_is_taken(
    api: Api, pool: asyncpg.Pool, text: str, where: str
) -> None:
    await api.ask("POST", "{a}/channels", body=SHOP, status=201)
    with pytest.raises(ConfigRefused, match=where):
        await taken(pool, text)
    assert list(await channels(api)) == ["Опт"]
