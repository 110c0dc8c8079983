"""Dialogues as somebody sees them, and a message that they write."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.admin.channels.channels import channel_of
from gateway.admin.input_words import FORMS, MESSAGE_KEY
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.calls.client_job import ClientJob
from gateway.calls.context import JobContext
from gateway.channels.accepting import NoSuchDialogue, NotTaken, accept_message
from gateway.channels.beginning import begun_dialogue
from gateway.channels.numbers import client_number, number_policy_of
from gateway.channels.written import WrittenFile, WrittenMessage
from gateway.store.admin.accounts import Account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.channels.access import default_channels
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.listing import DialogueFilter, listed_dialogues
from gateway.store.channels.messages import ChatMessage
from gateway.texts.sentences import TEXTS
from routing.dialogues.access import Onlooker, seen_in
from runtime.database.pool import Conn
from sms.channels.sending import is_key

_TEXTS = TEXTS["en"]
_REASONS = "see 'A message goes out' in docs/reference/channels.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstMessage:
    """key, is_anyway: as of WrittenMessage. channel: its id or name, "" = from which this person writes. number: in any spelling; or
    chat: the vendor's id of one."""

    key: str
    text: str
    file: WrittenFile | None = None
    channel: str = ""
    number: str = ""
    chat: str = ""
    is_anyway: bool = False


class MessageNotTaken(InputRefused):
    """It was not sent, and why: by the messenger's limits, the right, or because somebody else answered first."""

    code = "message-not-taken"

    def __init__(self, why: NotTaken, said: str) -> None:
        remedy = "send it with is_anyway" if why.reason == "taken" else _REASONS
        super().__init__("text", said, remedy, problems=[{"reason": why.reason, "owner": why.owner}])


async def send_message(
    conn: Conn, job: ClientJob, account: Account, who: Onlooker, written: WrittenMessage
) -> ChatMessage:
    """Take a message that this employee writes; a channel's sender sends it. Raise NoSuchDialogue, KeyOfAnother, InputRefused."""
    _refuse_gone(who)
    found = await listed_dialogues(
        conn, account.id, seen_in(who), DialogueFilter(dialogue_id=written.dialogue_id), 1
    )
    if not found:
        raise NoSuchDialogue(str(written.dialogue_id))
    saved = await channel_of(conn, account.id, found[0]["channel_id"])
    async with conn.transaction():
        context = await job.context(conn, account.id)
        return await _taken(context, account, saved, found[0]["client_key"], who, written)


async def write_first(
    conn: Conn, job: ClientJob, account: Account, who: Onlooker, first: FirstMessage
) -> ChatMessage:
    """Take a message to a client who has not written, or has: it goes into the dialogue that there is. Raise KeyOfAnother,
    InputRefused, NothingOfThatName."""
    _refuse_gone(who)
    saved = await _channel_of_writer(conn, account.id, who, first.channel)
    number = await _number(conn, saved, first.number) if first.number else ""
    async with conn.transaction():
        context = await job.context(conn, account.id)
        of = await begun_dialogue(context, saved, number=number, chat=first.chat)
        written = WrittenMessage(
            key=first.key,
            dialogue_id=of.dialogue_id,
            text=first.text,
            file=first.file,
            is_anyway=first.is_anyway,
        )
        return await _taken(context, account, saved, of.client_key, who, written)


def _refuse_gone(who: Onlooker) -> None:
    """Whoever is switched off in the CRM is told so; to them every dialogue and channel is as good as none."""
    if who.is_gone:
        raise MessageNotTaken(NotTaken("gone"), _TEXTS.say("dialogue.refusal.gone"))


async def _channel_of_writer(conn: Conn, account_id: str, who: Onlooker, channel: str) -> SavedChannel:
    """Return the channel that was named, else the one from which this person writes."""
    chosen = channel or (await default_channels(conn, account_id)).get(who.employee_id or "", "")
    if not chosen:
        raise InputRefused(
            "channel", "it is not said from which channel, and none is your default", "name a channel"
        )
    saved, seen = await channel_of(conn, account_id, chosen), seen_in(who)
    if seen.channels is not None and saved.id not in seen.channels:
        raise NothingOfThatName("channel", chosen)
    return saved


async def _number(conn: Conn, saved: SavedChannel, told: str) -> str:
    number = client_number(told, await number_policy_of(conn, saved))
    if not number:
        raise InputRefused("number", "this is no number that can be written to", "write it as +79161234567")
    return number


async def _taken(
    context: JobContext,
    account: Account,
    saved: SavedChannel,
    client_key: str,
    who: Onlooker,
    written: WrittenMessage,
) -> ChatMessage:
    """In the caller's transaction, which InputRefused ends."""
    if not is_key(written.key):
        raise InputRefused(
            "key", "this is no key of a message", f"write {FORMS[MESSAGE_KEY]}, or leave it out"
        )
    taken = await accept_message(context, saved, client_key, who, written)
    if isinstance(taken, NotTaken):
        owner = context.staff.by_id.get(taken.owner or "")
        raise MessageNotTaken(taken, _in_words(taken, owner.name if owner else ""))
    message = taken.message
    if taken.is_new:
        change = AuditChange(
            what="message",
            object=str(message.message_id),
            action="written",
            account_id=account.id,
            after={"dialogue": message.dialogue_id, "employee": who.employee_id},
        )
        await record(context.conn, change)
    return message


def _in_words(why: NotTaken, owner: str) -> str:
    """As all refusals of the API: in English. Pages say it from `reason` in the reader's language."""
    key = f"dialogue.refusal.{why.reason}"
    return _TEXTS.say(key, owner=owner) if why.reason == "taken" else _TEXTS.say(key)
