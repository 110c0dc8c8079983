"""Texts as a person tries them: how one would read for a deal, and one that is really sent."""

from __future__ import annotations

from datetime import timedelta

from gateway.admin.input_words import refuse_long
from gateway.admin.refused import InputRefused
from gateway.admin.sms.connections import refuse_bad_sender, sms_connection_of
from gateway.configuration import policy_of
from gateway.sms.preview import TextPreview, previewed_text
from gateway.store.admin.audit import AuditChange, record
from gateway.store.outbound.do_not_call import is_listed
from gateway.store.sms.messages import NewSms, SmsMessageRow, add_message, message_of
from gateway.texts.sentences import TEXTS
from routing.numbers.mobiles import may_be_mobile
from routing.numbers.normalise import PublicNumber, normalise
from routing.templates import TemplateRefused
from routing.triggers.model import SendSms
from runtime.database.pool import Conn, database_now
from runtime.masking import mask_number
from sms.kinds import SMS_KINDS
from sms.model import refusal_before_sending
from sms.segments import segmented

LONGEST_TEST = 2000
_TEST_LASTS = timedelta(minutes=10)


async def preview_text(conn: Conn, account_id: str, deal_id: str, action: SendSms) -> TextPreview:
    """Raise InputRefused for a text with an unknown macro."""
    try:
        return await previewed_text(conn, account_id, deal_id, action)
    except TemplateRefused as err:
        raise InputRefused(
            "template", TEXTS["en"].render(err.said), "use one of the macros in docs/reference/sms.md"
        ) from err


async def send_test(
    conn: Conn, account_id: str, connection: str, number: str, text: str, sender: str | None = None
) -> SmsMessageRow:
    """Put one message into the provider's queue, as it is; it goes out at any hour. Raise InputRefused, NothingOfThatName."""
    refuse_long("text", text, LONGEST_TEST)
    refuse_bad_sender(sender)
    saved = await sms_connection_of(conn, account_id, connection)
    kind = SMS_KINDS[saved.connection.kind]
    read = normalise(number, await policy_of(conn, account_id))
    if not isinstance(read, PublicNumber):
        raise InputRefused("number", f"'{number}' is not a phone number", "write it as +79161234567")
    if not may_be_mobile(read.e164):
        raise InputRefused(
            "number", f"{read.e164} is no mobile's number", "texts reach mobiles only: write to one"
        )
    if await is_listed(conn, account_id, read.e164):
        raise InputRefused("number", "this number is on the do-not-call list", "write to another one")
    if refusal := refusal_before_sending(text, kind.capabilities.most_parts):
        raise InputRefused(
            "text", f"it cannot be sent ({refusal.reason}) {refusal.words}".strip(), "write another one"
        )
    if lacks := kind.missing(saved.connection):
        remedy = "whoever looks after the installation sets them on the connection"
        raise InputRefused("connection", f"it lacks {', '.join(lacks)}", remedy)
    if not saved.is_on:
        raise InputRefused(
            "connection", "it is switched off", "whoever looks after the installation switches it on"
        )
    segments = segmented(text)
    async with conn.transaction():
        now = await database_now(conn)
        new = NewSms(
            item_id=None,
            connection=connection,
            number=read.e164,
            employee_id=None,
            deal_id=None,
            contact_id=None,
            sender=sender or saved.sender,
            extension=None,
            text=segments.text,
            encoding=segments.encoding,
            parts=len(segments.parts),
            expires_at=now + _TEST_LASTS,
            fresh_until=now + _TEST_LASTS,
        )
        own_id = await add_message(conn, account_id, new, now)
        assert own_id is not None
        told = {"number": mask_number(read.e164), "parts": new.parts}
        await record(
            conn,
            AuditChange(what="sms", object=connection, action="tried", account_id=account_id, after=told),
        )
        sent = await message_of(conn, account_id, own_id)
    assert sent is not None
    return sent
