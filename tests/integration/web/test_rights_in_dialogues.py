"""Who sees and writes what in messengers, made for every address that names a dialogue: person by channel, by whose
dialogue it is, by what each may see. What is expected comes from the one rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest

from gateway.admin.accounts import save_settings
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import replace_staff
from gateway.web.all_pages import PAGES
from routing.dialogues.access import (
    ChannelRight,
    Onlooker,
    Visibility,
    is_nobodys,
    may_read,
    may_write,
    owners_of,
)
from routing.settings import DialoguePolicy
from routing.staff import Employee
from tests.fakes.channels.sandbox import client_message
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Answer, Site
from tests.integration.web.chatting import connect, dialogue_of, told
from tests.integration.web.test_dialogs import who
from tests.waiting import until

WRITER, READER, WATCHER, STRANGER = "writer", "reader", "watcher", "stranger"
PEOPLE = tuple(
    Employee(id=id, name=id.title(), crm_user_id=str(30 + n), extensions=(str(130 + n),))
    for n, id in enumerate((WRITER, READER, WATCHER, STRANGER))
)
RIGHTS: dict[str, dict[str, ChannelRight]] = {
    WRITER: {"c1": "send", "c2": "read"},
    READER: {"c1": "read"},
    WATCHER: {"c1": "send", "c2": "read"},
    STRANGER: {"c1": "none"},
}
CHATS = {"c1": "7", "c2": "9"}
PATHS = sorted({(page.method, page.path) for page in PAGES if "{dialogue}" in page.path})


@dataclass(frozen=True, slots=True)
class Cell:
    visibility: Visibility
    owner: str | None
    channel: str
    person: str
    method: str
    path: str

    @property
    def onlooker(self) -> Onlooker:
        return Onlooker(
            employee_id=self.person,
            rights=RIGHTS[self.person],
            visibility=self.visibility,
            is_observer=self.person == WATCHER,
            owners=owners_of(RIGHTS, {WATCHER}, RIGHTS),
        )

    @property
    def is_readable(self) -> bool:
        return may_read(self.onlooker, self.channel, self.owner)

    @property
    def is_written(self) -> bool:
        """Whether an answer goes out without being asked whether it shall all the same."""
        is_free = self.owner == self.person or is_nobodys(self.onlooker.owners, self.channel, self.owner)
        return may_write(self.onlooker, self.channel, self.owner) and is_free


def cells(visibility: Visibility, paths: Iterable[tuple[str, str]]) -> Iterator[Cell]:
    for owner, channel, person, (method, path) in product((None, *RIGHTS), CHATS, RIGHTS, paths):
        yield Cell(visibility, owner, channel, person, method, path)


@dataclass
class Chats:
    site: Site
    dialogues: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    count: int = 0

    async def look(self, cell: Cell) -> Answer:
        path = cell.path.replace("{dialogue}", str(self.dialogues[cell.channel])).replace(
            "{file}", self.files[cell.channel]
        )
        person = who(self.site, cell.person)
        if cell.method == "GET":
            return await person.get(path)
        self.count += 1
        return await person.post(path, {"key": f"k{self.count}", "text": "Hi"})

    async def written(self) -> int:
        found: int = await self.site.pool.fetchval(
            "SELECT count(*) FROM chat_message WHERE own_key IS NOT NULL"
        )
        return found

    async def sees(self, visibility: Visibility) -> None:
        async with self.site.pool.acquire() as conn, conn.transaction():
            settings = (await account_of(conn, ACCOUNT)).settings
            policy = DialoguePolicy(visibility=visibility, observers=(WATCHER,))
            await save_settings(conn, ACCOUNT, settings.model_copy(update={"dialogues": policy}))
        known = self.site.process.configuration
        await until(
            lambda: known.now.accounts[ACCOUNT].settings.dialogues == policy, "the pages know the setting"
        )

    async def belongs_to(self, owner: str | None) -> None:
        await self.site.pool.execute("UPDATE dialogue SET owner = $1", owner)


@pytest.fixture
async def chats(site: Site) -> Chats:
    """Two channels with a dialogue of one client each, in which there is a file."""
    async with site.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA, *PEOPLE])
    made = Chats(site)
    for channel, chat in CHATS.items():
        rights = {person: of[channel] for person, of in RIGHTS.items() if channel in of}
        await connect(site.pool, channel, f"Channel {channel}", rights)
        photo = {"kind": "image", "text": "Look", "file": {"name": "kitchen.jpg", "id": "f1"}}
        message: dict[str, Any] = {
            **client_message(f"{channel}-1", chat=chat, name=f"Client {channel}"),
            "parts": [photo],
        }
        await told(site.pool, message, channel=channel)
        made.dialogues[channel] = await dialogue_of(site.pool, chat, channel)
        made.files[channel] = str(
            await site.pool.fetchval(
                "SELECT file_id FROM chat_file f JOIN chat_message m USING (account_id, message_id)"
                " WHERE m.dialogue_id = $1",
                made.dialogues[channel],
            )
        )
    staff = site.process.configuration
    await until(lambda: STRANGER in staff.now.staff[ACCOUNT].by_id, "the pages know who works here")
    return made


@pytest.mark.parametrize("visibility", ["all", "own"])
async def test_no_address_leads_further_than_the_rule(chats: Chats, visibility: Visibility) -> None:
    await chats.sees(visibility)
    wrong: list[str] = []
    for cell in cells(visibility, PATHS):
        await chats.belongs_to(cell.owner)
        before = await chats.written()
        answer = await chats.look(cell)
        is_new = await chats.written() - before
        is_gone = "data-gone" in answer.text  # to who had it open it is said that it is not theirs any more
        if (answer.status != 404 and not is_gone) is not cell.is_readable and "{file}" not in cell.path:
            wrong.append(f"{cell}: {answer.status}")
        if not cell.is_readable and (
            (answer.status != 404 and not is_gone) or "Look" in answer.text or "Client" in answer.text
        ):
            wrong.append(f"{cell}: told by {answer.status}")
        answers = cell.method == "POST" and cell.path == "/dialogs/{dialogue}"
        if is_new != (answers and cell.is_written):
            wrong.append(f"{cell}: {is_new} messages, {answer.status}")
    assert wrong == []
    assert await chats.written() == 4, "and whoever may does write"


@pytest.mark.parametrize("visibility", ["all", "own"])
async def test_no_list_count_or_search_tells_more_than_the_rule(chats: Chats, visibility: Visibility) -> None:
    await chats.sees(visibility)
    wrong: list[str] = []
    for owner, person in product((None, *RIGHTS), RIGHTS):
        await chats.belongs_to(owner)
        seen = {c for c in CHATS if Cell(visibility, owner, c, person, "GET", "").is_readable}
        for asked in (
            "/dialogs",
            "/dialogs?q=Client",
            "/dialogs?q=Look",
            "/dialogs?channel=c1",
            "/dialogs?channel=c2",
        ):
            page = (await who(chats.site, person).get(asked)).page
            rows = page.all("a", cls="cm-dialogs-row")
            told_of = {c for c in CHATS if any(f"Client {c}" in row.text for row in rows)}
            wanted = {c for c in seen if "channel=" not in asked or asked.endswith(c)}
            if told_of != wanted:
                wrong.append(f"{visibility} {owner} {person} {asked}: {told_of} for {wanted}")
    assert wrong == []
