"""What a message of a dialogue is among the CRM's chats: who says what to whom, and how one that was written there fares."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from crm.kinds import ChatPerson, ChatStatus, CrmChatMessage
from gateway.channels.copier import copied_parts
from gateway.crm_chats.account import ServedChats
from gateway.store.channels.dialogues import Dialogue
from gateway.store.channels.messages import ChatMessage
from gateway.texts.sentences import FOR_OTHERS
from routing.dialogues.copies import mark_of
from routing.dialogues.copy_text import CopiedMessage, CopyDoubt, CopyWords, words_of
from routing.texts.catalogue import Texts
from sms.channels.model import AuthorKind, MessageStatus

_DOUBTS: dict[MessageStatus, CopyDoubt] = {
    MessageStatus.UNKNOWN: "unknown",
    MessageStatus.REFUSED: "refused",
}
_STATUSES: dict[MessageStatus, ChatStatus] = {
    MessageStatus.DELIVERED: "delivered",
    MessageStatus.READ: "read",
    MessageStatus.REFUSED: "refused",
    MessageStatus.UNKNOWN: "refused",
}


def chat_name(of: Dialogue) -> str:
    """Return by which name a dialogue stands there, in whichever installation."""
    return f"{of.channel_id}:{of.dialogue_id}"


def client_of(served: ServedChats, of: Dialogue) -> ChatPerson:
    name = of.name or of.username or of.number or texts_of(served).say("crm.copy.author.client")
    return ChatPerson(id=f"{chat_name(of)}:client", name=name[:200], phone=of.number or "")


def author_of(served: ServedChats, message: ChatMessage) -> ChatPerson | None:
    """Return who of ours wrote it, None: the client did. Whoever has no user in the CRM speaks as the channel's bot."""
    if message.author_kind == AuthorKind.CLIENT:
        return None
    employee = served.staff.by_id.get(message.employee_id or "")
    amojo_id = served.amojo_by_user.get(employee.crm_user_id or "") if employee else None
    if employee is not None and amojo_id:
        return ChatPerson(id=f"employee:{employee.id}", name=employee.name, ref_id=amojo_id)
    said = employee.name if employee else message.author_name
    name = said or texts_of(served).word("crm.copy.author", message.author_kind)
    return ChatPerson(id="bot", name=name[:200], ref_id=served.held.bot_id)


def text_of(served: ServedChats, message: ChatMessage) -> str:
    """Return what it says now, in the company's language: a file by its kind and name."""
    saved = served.channels.get(message.channel_id)
    words = CopyWords(
        texts=texts_of(served),
        zone=ZoneInfo(served.account.time_zone),
        channel=saved.name if saved else "",
        client="",
        keeps_deleted_text=bool(saved and saved.rules.keeps_deleted_text),
    )
    said = CopiedMessage(
        id=message.message_id,
        at=message.at,
        author_kind=message.author_kind,
        parts=copied_parts(message.parts),
        quoted=message.quoted_text,
        is_deleted=message.deleted_at is not None,
        doubt=_DOUBTS.get(message.status, ""),
    )
    return words_of(said, words)


def in_chat(
    served: ServedChats, of: Dialogue, message: ChatMessage, own_id: str, chat: str, *, is_silent: bool
) -> CrmChatMessage:
    return CrmChatMessage(
        id=own_id,
        chat=chat,
        at=message.at,
        text=text_of(served, message),
        client=client_of(served, of),
        author=author_of(served, message),
        is_silent=is_silent,
    )


def mark_in_chat(text: str) -> str:
    """Return by what it is known whether it says something else than before."""
    return mark_of(text)


def status_of(message: ChatMessage) -> ChatStatus | None:
    """Return what whoever wrote it in the CRM is told of it, None: nothing yet."""
    return _STATUSES.get(message.status)


def why_not(served: ServedChats, message: ChatMessage) -> str:
    """Say why it did not arrive, as whoever wrote it reads it."""
    texts = texts_of(served)
    if message.status is MessageStatus.UNKNOWN:
        return texts.say("crm.chats.unknown")
    key = f"channel.reason.{message.reason}"
    return texts.say(key) if key in texts.sentences else texts.say("crm.chats.refused")


def texts_of(served: ServedChats) -> Texts:
    return FOR_OTHERS[served.account.settings.language]
