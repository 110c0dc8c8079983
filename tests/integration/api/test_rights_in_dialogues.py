"""Who sees and writes what in messengers through the API: every route that names a dialogue, for every kind of person."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from gateway.api.resources import ROUTES
from gateway.store.admin.staff import replace_staff
from routing.dialogues.access import Visibility
from tests.fakes.channels.sandbox import client_message
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api
from tests.integration.api.test_channels import anna as somebody
from tests.integration.api.test_channels import connected, told
from tests.integration.web.test_rights_in_dialogues import CHATS, PEOPLE, RIGHTS, WATCHER, Cell, cells

PATHS = sorted({(route.method, route.path) for route in ROUTES if "{dialogue}" in route.path})


async def _chats(api: Api, visibility: Visibility) -> dict[str, str]:
    """Dialogues by the names of their channels; everybody is known to the gateway."""
    async with api.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, *PEOPLE])
    found = {}
    channels = {name: await connected(api, name=name) for name in CHATS}
    for name, chat in CHATS.items():
        channel = channels[name]
        photo = {"kind": "image", "text": "Look", "file": {"name": "kitchen.jpg", "id": "f1"}}
        await told(api, channel, {**client_message(f"{name}-1", chat=chat), "parts": [photo]})
        rights = {person: of[name] for person, of in RIGHTS.items() if name in of}
        await api.ask("PUT", f"{{a}}/channels/{channel['id']}/rights", body={"rights": rights})
        (one,) = (await api.ask("GET", "{a}/dialogues", channel=channel["id"]))["items"]
        found[name] = str(one["id"])
    seen = {"visibility": visibility, "observers": [WATCHER]}
    await api.ask("PUT", "{a}/settings", body={"dialogues": seen})
    for person in RIGHTS:
        await somebody(api, person)
    return found


async def _look(api: Api, cell: Cell, dialogue: str, key: str) -> tuple[int, Any]:
    file = await api.pool.fetchval(
        "SELECT file_id FROM chat_file f JOIN chat_message m USING (account_id, message_id) WHERE m.dialogue_id = $1",
        int(dialogue),
    )
    path = (
        cell.path.replace("{account}", ACCOUNT).replace("{dialogue}", dialogue).replace("{file}", str(file))
    )
    body = {"key": key, "text": "Hi"} if cell.method == "POST" and cell.path.endswith("/messages") else None
    headers = {"Authorization": f"Bearer {api.tokens[cell.person]}"}
    async with api.http.request(cell.method, f"{api.url}/api{path}", json=body, headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("visibility", ["all", "own"])
async def test_no_route_leads_further_than_the_rule(api: Api, visibility: Visibility) -> None:
    dialogues = await _chats(api, visibility)
    count = "SELECT count(*) FROM chat_message WHERE own_key IS NOT NULL"
    wrong: list[str] = []
    for number, cell in enumerate(cells(visibility, PATHS)):
        await api.pool.execute("UPDATE dialogue SET owner = $1", cell.owner)
        before = await api.pool.fetchval(count)
        status, text = await _look(api, cell, dialogues[cell.channel], f"k{number}")
        if not cell.is_readable and (status != 404 or "Look" in text):
            wrong.append(f"{cell}: told by {status}")
        if cell.is_readable and status == 404 and "{file}" not in cell.path:
            wrong.append(f"{cell}: {status}")
        is_new = await api.pool.fetchval(count) - before
        if is_new != (cell.path.endswith("/messages") and cell.method == "POST" and cell.is_written):
            wrong.append(f"{cell}: {is_new} messages, {status}")
    assert wrong == []
    assert await api.pool.fetchval(count) == 4, "and whoever may does write"


@pytest.mark.parametrize("visibility", ["all", "own"])
async def test_the_list_tells_what_the_rule_lets_through(api: Api, visibility: Visibility) -> None:
    dialogues = await _chats(api, visibility)
    wrong: list[str] = []
    for owner, person in product((None, *RIGHTS), RIGHTS):
        await api.pool.execute("UPDATE dialogue SET owner = $1", owner)
        items = (await api.ask("GET", "{a}/dialogues", role=person))["items"]
        wanted = {dialogues[c] for c in CHATS if Cell(visibility, owner, c, person, "GET", "").is_readable}
        if {str(item["id"]) for item in items} != wanted:
            wrong.append(f"{visibility} {owner} {person}: {items}")
    assert wrong == []
