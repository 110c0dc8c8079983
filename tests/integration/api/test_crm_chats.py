"""The CRM's own chats over API and command line: set up, switched; the secret is written and never shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix

PATH = "{a}/crm-chats"
GIVEN = {
    "channel_id": "344a5002-f8ca-454d-af3d-396180102ac7",
    "secret": "f2d7f8704eff95087ed45b23ba99c0b5aac8278e",
    "bot_id": "f1910c7f-b1e0-4184-bd09-c7def2a9109a",
}


async def changes_of(api: Api) -> list[tuple[str, Any, Any]]:
    rows = await api.pool.fetch(
        "SELECT action, before, after FROM audit WHERE what = 'crm_chats' ORDER BY seq"
    )
    return [(row["action"], row["before"], row["after"]) for row in rows]


async def test_it_is_set_up_switched_and_removed_and_the_secret_is_never_shown(api: Api) -> None:
    fresh = await api.ask("GET", PATH)
    assert (fresh["state"], fresh["is_on"], fresh["has_secret"]) == ("not-set-up", False, False)
    assert fresh["hook_url"].endswith("/crm/chats/:scope_id")
    shown = await api.ask("PATCH", PATH, body={**GIVEN, "is_on": True})
    assert (shown["state"], shown["is_on"], shown["has_secret"]) == ("connecting", True, True)
    assert GIVEN["secret"] not in json.dumps(shown)
    stored = await api.pool.fetchrow("SELECT * FROM crm_chat_channel")
    assert stored is not None
    assert (stored["channel_id"], stored["bot_id"], stored["scope_id"]) == (
        GIVEN["channel_id"],
        GIVEN["bot_id"],
        None,
    )
    await api.ask("DELETE", PATH, status=400)
    off = await api.ask("PATCH", PATH, body={"is_on": False})
    assert (off["state"], off["is_on"]) == ("off", False)
    await api.ask("DELETE", PATH, status=204)
    await api.ask("DELETE", PATH, status=404)
    assert (await api.ask("GET", PATH))["state"] == "not-set-up"
    told = await changes_of(api)
    assert [action for action, _, _ in told] == ["set up", "switched", "switched", "removed"]
    assert GIVEN["secret"] not in json.dumps(told)


async def test_what_is_not_named_stays_and_another_secret_connects_anew(api: Api) -> None:
    await api.ask("PATCH", PATH, body={**GIVEN, "is_on": True})
    await api.pool.execute("UPDATE crm_chat_channel SET scope_id = 's', error = ''")
    same = await api.ask("PATCH", PATH, body={"bot_id": GIVEN["bot_id"]})
    assert (same["state"], same["is_on"]) == ("connected", True)
    other = await api.ask("PATCH", PATH, body={"secret": "another-secret"})
    assert (other["state"], other["channel_id"]) == ("connecting", GIVEN["channel_id"])
    (_, _, (_, before, after)) = await changes_of(api)
    assert (before, after) == ({"secret": "…"}, {"secret": "…"}) or "another-secret" not in json.dumps(
        [before, after]
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"is_on": True}, "is_on"),
        ({**GIVEN, "channel_id": "a/b"}, "channel_id"),
        ({**GIVEN, "channel_id": "a_b_c_d"}, "channel_id"),
        ({**GIVEN, "secret": "short"}, "secret"),
        ({**GIVEN, "secret": "ключ ключ ключ"}, "secret"),
        ({**GIVEN, "bot_id": "x\x00yz"}, "bot_id"),
        ({**GIVEN, "amojo_id": "{}{}"}, "amojo_id"),
        ({"channel_id": GIVEN["channel_id"]}, "secret"),
    ],
)
async def test_bad_input_is_refused_by_its_field_and_changes_nothing(
    api: Api, body: dict[str, Any], field: str
) -> None:
    refused = await api.ask("PATCH", PATH, body={**body, "is_on": True}, status=400)
    assert refused["field"] == field
    assert (await api.ask("GET", PATH))["state"] == "not-set-up"
    assert await changes_of(api) == []


async def test_only_administrators_change_it(api: Api) -> None:
    await api.ask("PATCH", PATH, body=GIVEN, role="manager", status=403)
    await api.ask("GET", PATH, role="manager", status=403)
    await api.ask("POST", f"{PATH}/retry", role="manager", status=403)


async def test_what_could_not_be_shown_is_tried_again(api: Api) -> None:
    assert await api.ask("POST", f"{PATH}/retry") == {"messages": 0}


async def test_the_command_line_does_the_same(api: Api, database_url: str) -> None:
    shown = await callmatrix(
        database_url,
        *("crm-chats", "set", "--account", ACCOUNT, "--channel-id", GIVEN["channel_id"]),
        *("--bot-id", GIVEN["bot_id"], "--secret", GIVEN["secret"], "--json"),
    )
    assert json.loads(shown.stdout)["state"] == "off"
    assert GIVEN["secret"] not in shown.stdout
    assert "connecting" in (await callmatrix(database_url, "crm-chats", "on", "--account", ACCOUNT)).stdout
    said = (await callmatrix(database_url, "crm-chats", "show", "--account", ACCOUNT)).stdout
    assert "/crm/chats/:scope_id" in said
    assert "off" in (await callmatrix(database_url, "crm-chats", "off", "--account", ACCOUNT)).stdout
    assert "0 messages" in (await callmatrix(database_url, "crm-chats", "retry", "--account", ACCOUNT)).stdout
    removed = await callmatrix(database_url, "crm-chats", "remove", "--account", ACCOUNT, "--yes")
    assert removed.stdout == "Removed.\n"
