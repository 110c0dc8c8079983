"""Dialogues as somebody sees them, and a message that they write."""

from __future__ import annotations

from gateway.admin.channels.channels import channel_of
from gateway.admin.refused import InputRefused
from gateway.calls.client_job import ClientJob
from gateway.channels.accepting import NoSuchDialogue, NotTaken, WrittenMessage, accept_message
from gateway.store.admin.accounts import Account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.staff import staff_of
from gateway.store.channels.access import rights_in_channels
from gateway.store.channels.listing import DialogueFilter, listed_dialogues
from gateway.store.channels.messages import ChatMessage
from gateway.texts.sentences import TEXTS
from routing.dialogues.access import Onlooker, seen_in
from runtime.database.pool import Conn


class MessageNotTaken(InputRefused):
    """It was not sent, and why: by the messenger's limits, the right, or because somebody else answered first."""

    code = "message-not-taken"

    def __init__(self, why: NotTaken, said: str) -> None:
        remedy = "send it with is_anyway" if why.reason == "taken" else "see 'Why a message is not sent'"
        super().__init__("text", said, remedy, problems=[{"reason": why.reason, "owner": why.owner}])


async def onlooker_of(conn: Conn, account: Account, employee_id: str | None, *, sees_all: bool) -> Onlooker:
    """Return as whom somebody looks on. employee_id: who they are; sees_all: of one who is no employee."""
    if employee_id is None:
        return Onlooker(employee_id=None if sees_all else "", rights={})
    policy = account.settings.dialogues
    rights = await rights_in_channels(conn, account.id)
    return Onlooker(
        employee_id=employee_id,
        rights=rights.get(employee_id, {}),
        visibility=policy.visibility,
        is_observer=employee_id in policy.observers,
    )


async def send_message(
    conn: Conn, job: ClientJob, account: Account, who: Onlooker, written: WrittenMessage
) -> ChatMessage:
    """Take a message that this employee writes; a channel's sender sends it. Raise NoSuchDialogue, KeyOfAnother, InputRefused."""
    found = await listed_dialogues(
        conn, account.id, seen_in(who), DialogueFilter(dialogue_id=written.dialogue_id), 1
    )
    if not found:
        raise NoSuchDialogue(str(written.dialogue_id))
    saved = await channel_of(conn, account.id, found[0]["channel_id"])
    async with conn.transaction():
        context = await job.context(conn, account.id)
        taken = await accept_message(context, saved, found[0]["client_key"], who, written)
        if isinstance(taken, NotTaken):
            raise MessageNotTaken(taken, await _in_words(conn, account, taken))
        message = taken.message
        if taken.is_new:
            said = {"dialogue": message.dialogue_id, "employee": who.employee_id}
            change = AuditChange(
                what="message",
                object=str(message.message_id),
                action="written",
                account_id=account.id,
                after=said,
            )
            await record(conn, change)
    return message


async def _in_words(conn: Conn, account: Account, why: NotTaken) -> str:
    staff = await staff_of(conn, account.id)
    owner = staff.by_id.get(why.owner or "")
    texts = TEXTS[account.settings.language]
    key = f"dialogue.refusal.{why.reason}"
    return texts.say(key, owner=owner.name if owner else "") if why.reason == "taken" else texts.say(key)
