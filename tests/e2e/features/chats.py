"""Clients who write to a sales department: channels of the sandbox, whose door is the gateway's own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from crm.sandbox.seed import PIPELINE
from tests.e2e.features.sales import API, NEW, Sales
from tests.fakes.channels.sandbox import client_message, tell
from tests.waiting import until


@dataclass
class Chats:
    """name: of the channel, and what its clients' chats begin with."""

    sales: Sales
    name: str
    channel: dict[str, Any] = field(default_factory=dict)
    _count: Any = field(default_factory=lambda: itertools.count(1))

    async def connect(self, **rules: Any) -> Chats:
        """rules: besides the stage of new deals."""
        body = {"name": self.name, "kind": "sandbox", "rules": self._rules(rules)}
        self.channel = await self.sales.api("POST", "channels", status=201, body=body)
        return self

    async def change(self, **rules: Any) -> None:
        await self.sales.api("PATCH", f"channels/{self.channel['id']}", body={"rules": self._rules(rules)})

    async def remove(self) -> None:
        await self.sales.api("DELETE", f"channels/{self.channel['id']}?even_if_used=true", status=204)

    async def write(self, chat: str, phone: str = "", text: str = "Здравствуйте") -> dict[str, Any]:
        """A client writes; return their dialogue once it has been put somewhere by that."""
        address = (await self.sales.api("GET", f"channels/{self.channel['id']}/address"))["url"]
        path = "/channels/" + address.partition("/channels/")[2]
        message = client_message(
            f"m{next(self._count)}",
            chat=f"{self.name}-{chat}",
            text=text,
            **({"phone": phone} if phone else {}),
        )
        statuses = await tell(self.sales.stack.http, self.sales.stack.url + path, [message])
        assert set(statuses) == {200}

        async def has_it() -> int | None:
            for dialogue in await self.dialogues():
                messages = await self.sales.api("GET", f"dialogues/{dialogue['id']}/messages")
                if any(p.get("text") == text for m in messages["items"] for p in m["parts"]):
                    return int(dialogue["id"])
            return None

        id = await until(has_it, f"the dialogue of {chat} with '{text}'", seconds=40)
        found: dict[str, Any] = await self.sales.api("GET", f"dialogues/{id}")
        return found

    async def dialogues(self) -> list[dict[str, Any]]:
        """The oldest first."""
        told = await self.sales.stack.api("GET", f"{API}/dialogues", channel=self.channel["id"], limit="200")
        return sorted(told["items"], key=lambda d: int(d["id"]))

    async def until_owned(self, owners: list[str | None]) -> list[dict[str, Any]]:
        """Return the dialogues, the oldest first, once they belong to these employees."""

        async def are_owned() -> bool:
            return [d["owner"] for d in await self.dialogues()] == owners

        await until(are_owned, f"the dialogues belong to {owners}", seconds=60)
        return await self.dialogues()

    def _rules(self, rules: dict[str, Any]) -> dict[str, Any]:
        return {"pipeline_id": str(PIPELINE), "stage_id": str(NEW), **rules}


__all__ = ["Chats"]
