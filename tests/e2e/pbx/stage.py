"""An office on which calls are played as people make them, each looked for in the journal and in the CRM."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from tests.e2e.features.office import API
from tests.e2e.features.office import Office as Crm
from tests.e2e.pbx.office import Office, running_office
from tests.e2e.pbx.scene_recorder import ManagerLink, manager_link
from tests.e2e.pbx.sip_phone import SipPhones, sip_phones
from tests.waiting import until


@dataclass
class Stage:
    """The office, its phones, and the manager link by which the test itself orders and listens. mobiles: whose they are."""

    office: Office
    crm: Crm
    phones: SipPhones
    link: ManagerLink
    mobiles: dict[str, int] = field(default_factory=dict)
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _contacts: Iterator[int] = field(default_factory=lambda: (n for n in range(1, 50) if n % 3 and n % 10))

    def client(self) -> str:
        """A number that nobody knows yet."""
        return f"7903555{next(self._count):04d}"

    def known(self) -> str:
        """A contact of the sample data without deals, each time another."""
        return f"7900{next(self._contacts):07d}"

    async def calls(self, client: str, count: int = 1) -> list[dict[str, Any]]:
        """Of the journal, once that many are over and nothing is left to do."""

        async def over() -> list[dict[str, Any]]:
            page = await self.office.stack.api("GET", f"{API}/calls", client=f"+{client}")
            found: list[dict[str, Any]] = page["items"]
            return found if len(found) >= count and all(c["is_over"] for c in found) else []

        found: list[dict[str, Any]] = await until(over, f"{count} call(s) of {client} are over", seconds=25)
        await self.office.stack.until_idle()
        return found

    async def call(self, client: str) -> dict[str, Any]:
        (found,) = await self.calls(client)
        return found

    async def answered_by(self, client: str, *talkers: str) -> dict[str, Any]:
        """The client's only call was an answered one from outside, and its note in the CRM says so."""
        call = await self.call(client)
        assert (call["direction"], call["disposition"]) == ("inbound", "answered"), call
        assert [talk["party"] for talk in call["talks"]] == list(talkers)
        left = await self.crm.left(client)
        assert left.numbers == (1, 1, 0, 1), left
        (note,) = left.calls
        assert (note["note_type"], note["params"]["call_status"]) == ("call_in", 4)
        assert left.deals[0]["responsible_user_id"] == self.crm.user(self.extension(talkers[0]))
        return call

    def extension(self, party: str) -> int:
        return self.mobiles.get(party) or int(party)

    async def missed(self, client: str) -> dict[str, Any]:
        """The client's only call was missed: one task, and an open case."""
        call = await self.call(client)
        assert (call["direction"], call["talks"]) == ("inbound", []), call
        (task,) = (await self.crm.left(client)).tasks
        assert not task["is_completed"]
        assert await self.cases(client) == ["open"]
        return call

    async def cases(self, client: str) -> list[str]:
        sql = "SELECT state FROM missed_case WHERE client = $1"
        return [row["state"] for row in await self.office.stack.pool.fetch(sql, f"+{client}")]

    async def gives_a_mobile(self, extension: int, number: str) -> None:
        """Note a number of the employee's own."""
        person = {
            "name": f"Менеджер {extension}",
            "email": f"manager{extension}@demo.example",
            "extensions": [str(extension)],
            "sip": [f"user{extension}"],
            "numbers": [f"+{number}"],
        }
        await self.office.stack.api("PUT", f"{API}/employees/manager{extension}", body=person)
        self.mobiles[number] = extension

    async def originate(self, channel: str, client: str) -> None:
        """Click to call: first this channel, then the client."""
        about = {"Channel": channel, "Context": "click", "Exten": client, "Priority": "1"}
        await self.link.ask("Originate", **about, Async="true", Timeout="4000", CallerID=f"Client <{client}>")


@asynccontextmanager
async def running_stage(
    postgres_url: str, template_database: str, folder: Path, configuration: Mapping[str, str], **options: Any
) -> AsyncIterator[Stage]:
    """A stage with a database of its own, called as the folder; gone at the end."""
    name = folder.name.rstrip("0123456789")
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f'CREATE DATABASE {name} TEMPLATE "{template_database}"')
    try:
        url = postgres_url.rsplit("/", 1)[0] + f"/{name}"
        async with running_office(folder, url, configuration, **options) as office:
            crm = Crm(office.stack)
            await crm.open()
            await office.listen()
            asterisk = office.asterisk
            async with (
                manager_link(asterisk.ami_port, asterisk.ami_secret) as link,
                sip_phones(office.phones_port, asterisk.sip_port) as phones,
            ):
                yield Stage(office, crm, phones, link)
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()
