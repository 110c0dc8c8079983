"""What goes into amoCRM's chats and what they tell, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ChatStatus = Literal["delivered", "read", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPerson:
    """Somebody in a chat. id: ours. ref_id: amoCRM's of an employee or of the channel's bot, "" of a client. phone: E.164."""

    id: str
    name: str
    ref_id: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmChatMessage:
    """A message as the card is to show it. id, chat: ours. chat_ref: amoCRM's of the chat, told of one that was begun there.
    sender: the client, or somebody of ours, who writes to the client. is_silent: nobody is called by it, and nothing gets into Unsorted.
    """

    id: str
    chat: str
    at: datetime
    text: str
    client: ChatPerson
    author: ChatPerson | None = None
    chat_ref: str = ""
    is_silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HookMessage:
    """What somebody wrote in the card. id, chat_ref, sender, receiver: amoCRM's. chat: ours, "" of a chat that was begun there.
    album: the same for messages that were sent as one. media: an address, "" = none. phone: of whom it is to."""

    id: str
    chat_ref: str
    chat: str
    sender: str
    receiver: str
    phone: str
    at: datetime | None
    kind: str
    text: str = ""
    media: str = ""
    file_name: str = ""
    album: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatHistoryMessage:
    """id: amoCRM's. own_id: ours, "" of what was written in the card."""

    id: str
    own_id: str = ""
    text: str = ""
