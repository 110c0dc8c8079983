"""A message that somebody wants to send is taken, once by its key, or refused before anything goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gateway.calls.context import JobContext
from gateway.channels.limits import message_to_send
from gateway.channels.owners import answered_in_person
from gateway.channels.written import WrittenMessage, parts_to_send
from gateway.store.calls.calls import lock_client
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import Dialogue, dialogue
from gateway.store.channels.files import add_own_file
from gateway.store.channels.messages import ChatMessage
from gateway.store.channels.outgoing import add_outgoing, message_of_key
from routing.dialogues.access import Onlooker, is_nobodys
from routing.dialogues.sending import SendRefusal, refusal_of
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import AuthorKind


@dataclass(frozen=True, slots=True)
class NotTaken:
    """owner: whose dialogue it is, of `taken`."""

    reason: SendRefusal
    owner: str | None = None


class TakenMessage(NamedTuple):
    """is_new: False of one that was taken before under the same key."""

    message: ChatMessage
    is_new: bool


class NoSuchDialogue(Exception):
    """No dialogue of this number, or none that this person may see."""

    code = "no-such-dialogue"


class KeyOfAnother(Exception):
    """The key is that of another message. Make a new one for each message."""

    code = "key-of-another-message"


async def accept_message(
    context: JobContext, saved: SavedChannel, client_key: str, who: Onlooker, written: WrittenMessage
) -> TakenMessage | NotTaken:
    """Take it in the caller's transaction. client_key: of the dialogue. Raise KeyOfAnother, NoSuchDialogue."""
    conn, account_id = context.conn, context.account.id
    await lock_client(conn, account_id, client_key)
    same = await message_of_key(conn, account_id, written.key)
    if same is not None:
        return TakenMessage(_same(saved, same, written), is_new=False)
    of = await dialogue(conn, account_id, written.dialogue_id)
    if of is None:
        raise NoSuchDialogue(str(written.dialogue_id))
    is_taken = _is_taken(saved, of, who)
    is_barred = is_taken and not written.is_anyway
    file_bytes = None if written.file is None else len(written.file.content)
    reason = refusal_of(
        message_to_send(saved, of, who, written.text, context.now, file_bytes=file_bytes, is_taken=is_barred)
    )
    if reason is not None:
        return NotTaken(reason, of.owner if reason == "taken" else None)
    added = await _added(context, saved, of, who.employee_id, written)
    is_answer = of.last_in_at is not None
    if is_answer or of.deal is None:  # the deal of a client who was written to first is whose it was
        kind = AuthorKind.EMPLOYEE
        waits = is_nobodys(who.owners, saved.id, of.owner)
        await answered_in_person(context, saved, of, kind, who.employee_id, tells_crm=is_answer, waits=waits)
    return TakenMessage(added, is_new=True)


async def _added(
    context: JobContext, saved: SavedChannel, of: Dialogue, employee_id: str | None, written: WrittenMessage
) -> ChatMessage:
    """Return the first of what goes out."""
    author = context.staff.by_id.get(employee_id or "")
    rows: list[ChatMessage] = []
    for key, part in parts_to_send(written, CHANNEL_KINDS[saved.channel.kind].capabilities):
        added = await add_outgoing(
            context.conn,
            of,
            own_key=key,
            part=part,
            author_kind=AuthorKind.EMPLOYEE,
            author_name=author.name if author else "",
            employee_id=employee_id,
            quoted_id="" if rows else written.quoted_id,
            now=context.now,
        )
        assert added is not None, "the key was looked for under the client's lock"
        if part.file is not None and written.file is not None:
            await add_own_file(
                context.conn, added, part, written.file.content, written.file.media_type, context.now
            )
        rows.append(added)
    return rows[0]


def _same(saved: SavedChannel, message: ChatMessage, written: WrittenMessage) -> ChatMessage:
    _, part = parts_to_send(written, CHANNEL_KINDS[saved.channel.kind].capabilities)[0]
    if message.dialogue_id != written.dialogue_id or message.parts != (part,):
        raise KeyOfAnother(written.key)
    return message


def _is_taken(saved: SavedChannel, of: Dialogue, who: Onlooker) -> bool:
    """Whether somebody else, who can still look after it, has answered first."""
    is_ones_own = of.owner == who.employee_id or is_nobodys(who.owners, saved.id, of.owner)
    return saved.rules.owner == "first_answer" and not is_ones_own
