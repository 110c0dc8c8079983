"""One account's chats while a worker serves its CRM: its rows, its clock, and who is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from crm.kinds import ChatPerson, ChatStatus, CrmChatMessage
from crm.lane import Lane
from gateway.store.admin.accounts import Account
from gateway.store.channels.channels import SavedChannel
from gateway.store.crm_chats.channels import CrmChatChannel
from routing.staff import Staff


class FoundInChat(Protocol):
    """A message of ours as it stands there. id: the CRM's."""

    @property
    def id(self) -> str: ...


class AskedChats(Protocol):
    """The CRM's chats as we ask them; all raise CrmChatError."""

    async def connect(self, title: str) -> str: ...
    async def disconnect(self) -> None: ...
    async def chat(self, scope: str, chat: str, client: ChatPerson) -> str: ...
    async def show(self, scope: str, message: CrmChatMessage) -> str: ...
    async def edit(self, scope: str, message: CrmChatMessage) -> None: ...
    async def tell_status(self, scope: str, message_id: str, status: ChatStatus, why: str = "") -> None: ...
    async def find(self, scope: str, chat_id: str, own_id: str) -> FoundInChat | None: ...


class AskedLinks(Protocol):
    """What of them goes by the CRM's own API; all raise CrmError."""

    async def bind(self, contact_id: str, chat_id: str, lane: Lane) -> None: ...
    async def account_id(self, lane: Lane) -> str: ...
    async def people(self, lane: Lane) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedChats:
    """As they are for one turn. scope: of the connection. people: users of the CRM by their ids in the chats."""

    held: CrmChatChannel
    account: Account
    staff: Staff
    channels: Mapping[str, SavedChannel]
    people: Mapping[str, str]
    chats: AskedChats
    links: AskedLinks
    now: Callable[[], datetime]
    amojo_by_user: Mapping[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        assert self.held.scope_id is not None
        return self.held.scope_id

    @property
    def account_id(self) -> str:
        return self.held.account_id
