"""A company on the running stack: its calls as the PBX tells them, its matrix through the API, what the CRM holds."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.demo import data
from routing.matrix.model import Matrix
from routing.matrix.presets import PRESETS
from tests.e2e.stack import ACCOUNT, AUTH, Stack
from tests.waiting import until

LINE = data.OFFICE_LINE.lstrip("+")
API = f"/v1/accounts/{ACCOUNT}"
RECORDING = "https://pbx.example/rec/1.mp3"


class Left(NamedTuple):
    """What the CRM holds of a number. calls: the call notes; tasks of its contacts and deals only."""

    contacts: list[dict[str, Any]]
    deals: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    leads: list[dict[str, Any]]

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """How many contacts, deals, tasks and call notes."""
        return len(self.contacts), len(self.deals), len(self.tasks), len(self.calls)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return {k: v for k, v in one.items() if k != "version"} == {
        k: v for k, v in other.items() if k != "version"
    }


@dataclass
class Office:
    stack: Stack
    users: dict[str, int] = field(default_factory=dict)
    published: str = ""
    _count: Any = field(default_factory=lambda: itertools.count(1))

    async def open(self) -> None:
        self.users = {u["email"].partition("@")[0]: u["id"] for u in await self.stack.rows("user")}
        await self.until(self._catalogue_is_there)

    async def _catalogue_is_there(self) -> bool:
        checks = await self.stack.api("GET", f"{API}/matrix/draft/checks")
        return "catalogue-not-loaded" not in {p["code"] for p in checks["problems"]}

    def user(self, extension: int) -> int:
        """CRM user of the employee with this extension; 100 is the senior manager."""
        return self.users["senior100" if extension == 100 else f"manager{extension}"]

    def new_number(self) -> str:
        """Digits of a number that nobody knows yet."""
        return f"7903777{next(self._count):04d}"

    async def use(self, matrix: Matrix | str) -> None:
        """Publishes it (or the preset of this name) through the API, unless it is in force already."""
        wanted = PRESETS[matrix]() if isinstance(matrix, str) else matrix
        body = wanted.model_dump(mode="json", exclude={"version"})
        if self.published == str(body):
            return
        draft = await self.stack.api("GET", f"{API}/matrix/draft")
        if not draft["is_changed"] and _is_same(draft["matrix"], body):
            self.published = str(body)
            return
        saved = await self.stack.api(
            "PUT", f"{API}/matrix/draft", body={"revision": draft["revision"], "matrix": body}
        )
        await self.stack.api(
            "POST",
            f"{API}/matrix/publish",
            status=201,
            body={"revision": saved["revision"], "why": "for a test"},
        )
        self.published = str(body)

    async def ring(self, client: str, *, out: bool = False, **fields: Any) -> dict[str, Any]:
        """A call begins; returns what its later events have in common."""
        call = {"callId": f"s4-{next(self._count)}-{client}", "direction": "out" if out else "in"}
        sides = {"from_": LINE, "to": client} if out else {"from_": client, "to": LINE}
        common = {**call, **sides}
        await self.stack.event(event="newCall", **common, **fields)
        return common

    async def answer(self, call: Mapping[str, Any], extension: str) -> None:
        await self.stack.event(event="answer", extension=extension, **call)

    async def hang_up(self, call: Mapping[str, Any], *, answered: bool, **fields: Any) -> None:
        more = (
            {"cause": "normalClearing", "billsec": 42, **fields}
            if answered
            else {"cause": "noAnswer", **fields}
        )
        await self.stack.event(event="hangup", **call, **more)

    async def answered(
        self, client: str, extension: str, *, out: bool = False, recording: str | None = None, **fields: Any
    ) -> None:
        """A whole call that this extension (or whatever address) took part in, and its consequences."""
        call = await self.ring(client, out=out, **fields)
        await self.answer(call, extension)
        more = {"recording": recording} if recording else {}
        await self.hang_up(call, answered=True, **more)
        await self.idle()

    async def missed(self, client: str, **fields: Any) -> None:
        await self.hang_up(await self.ring(client, **fields), answered=False)
        await self.idle()

    async def ringostat(self, moment: str, **fields: str) -> None:
        """A webhook of the Ringostat connection, as a form."""
        url = f"{self.stack.url}/pbx/ringostat/events/{moment}"
        async with self.stack.http.post(url, data=fields, headers=AUTH) as response:
            assert response.status == 200, await response.text()

    async def idle(self) -> None:
        await self.stack.until_idle()

    async def left(self, client: str) -> Left:
        contacts = await self.stack.rows("contact", phone=client)
        ids = {c["id"] for c in contacts}
        deals = [d for d in await self.stack.rows("deal") if ids & set(d["contacts"])]
        ids |= {d["id"] for d in deals}
        tasks = [t for t in await self.stack.rows("task") if t["entity_id"] in ids]
        calls = [n for n in await self.stack.rows("call") if n["entity_id"] in ids]
        leads = [r for r in await self.stack.rows("lead") if client in str(r)]
        return Left(contacts, deals, tasks, calls, leads)

    async def tasks_about(self, text: str) -> list[dict[str, Any]]:
        return [t for t in await self.stack.rows("task") if text in t["text"]]

    async def crm(self, method: str, path: str, body: Any) -> Any:
        """A request of another integration to the CRM's own API."""
        token = (await self.stack.sandbox("token?integration=another"))["access_token"]
        async with self.stack.http.request(
            method,
            f"{self.stack.sandbox_url}/api/v4/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        ) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def others_create(
        self, phone: str, *, extension: int, with_deal: bool = True
    ) -> tuple[int, int | None]:
        """(contact, deal) made by another integration for this number, spelled as given."""
        user = self.user(extension)
        fields = [{"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}]
        made = await self.crm(
            "POST",
            "contacts",
            [{"name": f"Клиент {phone}", "responsible_user_id": user, "custom_fields_values": fields}],
        )
        contact = made["_embedded"]["contacts"][0]["id"]
        if not with_deal:
            return contact, None
        made = await self.crm(
            "POST",
            "leads",
            [
                {
                    "name": f"Сделка {phone}",
                    "responsible_user_id": user,
                    "_embedded": {"contacts": [{"id": contact}]},
                }
            ],
        )
        return contact, made["_embedded"]["leads"][0]["id"]

    async def known(self, *, extension: int, with_deal: bool = True) -> tuple[str, int, int | None]:
        """A client whom the directory and the gateway's memory know: (digits, contact, deal)."""
        client = self.new_number()
        contact, deal = await self.others_create(client, extension=extension, with_deal=with_deal)

        async def is_known() -> bool:
            found = await self.stack.pool.fetchval(
                "SELECT count(*) FROM directory_number n WHERE number = $1 AND ($2::text IS NULL OR EXISTS ("
                " SELECT 1 FROM directory_link l WHERE l.deal_id = $2 AND l.entity_id = n.entity_id))",
                int(client),
                str(deal) if deal else None,
            )
            return bool(found) and (await self.stack.lookup(client))["entity"] is not None

        await self.until(is_known)
        return client, contact, deal

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
        await until(holds, "what the test waits for", seconds=seconds)
