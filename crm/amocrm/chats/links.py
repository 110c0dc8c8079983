"""What of amoCRM's chats goes by the account's own API: to which contact a chat belongs, and who is who there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm.amocrm.client import AmoClient
from crm.amocrm.fields import Node
from crm.amocrm.wire import API, Request
from crm.errors import CrmUnreadable
from crm.lane import Lane

_PAGE = 250
_MOST_PAGES = 20


class ChatLinks:
    """Of one account, paid from its budget. Only administrators may ask this: so whoever gave the key must be one."""

    def __init__(self, client: AmoClient) -> None:
        self._client = client

    async def bind(self, contact_id: str, chat_id: str, lane: Lane) -> None:
        """Have the chat belong to this contact and to no other; done twice it is done once. Raises CrmError."""
        body = [{"contact_id": int(contact_id), "chat_id": chat_id}]
        await self._client.ask(Request(method="POST", path=f"{API}/contacts/chats", body=body), lane)

    async def account_id(self, lane: Lane) -> str:
        """Return the account's id in the chats. Raises CrmError."""
        node = await self._get("account", [("with", "amojo_id")], lane)
        found = node.get("amojo_id").value
        if not isinstance(found, str) or not found:
            raise CrmUnreadable("the CRM tells no id of the account in its chats", "amojo_id", found)
        return found

    async def people(self, lane: Lane) -> Mapping[str, str]:
        """Return of every user who has one the id in the chats -> the id in the account. Raises CrmError."""
        found: dict[str, str] = {}
        for page in range(1, _MOST_PAGES + 1):
            query = [("with", "amojo_id"), ("page", str(page)), ("limit", str(_PAGE))]
            users = (await self._get("users", query, lane)).each("_embedded.users", _ids)
            found |= {chats: account for chats, account in users if chats}
            if len(users) < _PAGE:
                break
        return found

    async def _get(self, path: str, query: Sequence[tuple[str, str]], lane: Lane) -> Node:
        request = Request(method="GET", path=f"{API}/{path}", query=query)
        return await self._client.ask(request, lane) or Node({})


def _ids(user: Node) -> tuple[str, str]:
    told = user.get("amojo_id").value
    return told if isinstance(told, str) else "", user.get("id").id()
