"""Texts that went out and came in, how one would read, and one that is sent to try."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from gateway.admin.input_words import is_counted
from gateway.admin.refused import InputRefused
from gateway.admin.sms import sending
from gateway.admin.sms.sending import LONGEST_TEST
from gateway.admin.sms.words import receivers_in_words, why_in_words
from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.frame import Answer, ApiCall, Body, Items, Route, not_found
from gateway.api.pages import next_page, page_after
from gateway.api.sent_time import SentTime
from gateway.api.sms.connections import the_connection
from gateway.sms.preview import TextPreview
from gateway.store.sms.listing import SmsFilter, listed_incoming, listed_sms
from gateway.store.sms.messages import SmsMessageRow, message_of
from routing.texts.catalogue import Texts
from routing.triggers.model import SendSms
from sms.model import SmsState
from sms.recipients import SkipReason
from sms.segments import SmsEncoding

_After = Annotated[str, Field(max_length=200, description="`next` of the page before")]
_Limit = Annotated[int, Field(ge=1, le=1000)]


class SmsMessageView(Answer):
    """employee: null = it went to the client. number, text: empty once their days were over. message: the state, and why, in
    words. words: what the provider said. item: what ordered it, null = a test."""

    id: int
    item: str | None
    connection: str
    employee: str | None
    number: str
    deal: str | None
    sender: str | None
    text: str
    encoding: str
    parts: int
    state: SmsState
    reason: str
    message: str
    words: str
    price: Decimal | None
    created_at: datetime
    sent_at: datetime | None
    reported_at: datetime | None
    ended_at: datetime | None


class SmsMessagesQuery(AccountLanguageQuery):
    """number: E.164. since: when it was written."""

    deal: Annotated[str, Field(max_length=40)] | None = None
    state: SmsState | None = None
    connection: Annotated[str, Field(max_length=63)] | None = None
    item: Annotated[str, Field(max_length=100)] | None = None
    number: Annotated[str, Field(max_length=20)] | None = None
    since: SentTime | None = None
    limit: _Limit = 100
    after: _After | None = None


class SmsIncomingView(Answer):
    """number: empty where it is none, or once its days were over. is_opt_out: it said nothing but "no more"."""

    id: str
    connection: str
    number: str
    sent_to: str
    text: str
    is_opt_out: bool
    received_at: datetime


class SmsIncomingQuery(AccountLanguageQuery):
    limit: _Limit = 100
    after: _After | None = None


class TextPreviewBody(Body):
    """deal: its id in the CRM. action: as a trigger has it."""

    deal: Annotated[str, Field(min_length=1, max_length=40)]
    action: SendSms


class OddCharacterView(Answer):
    """What made the text UCS-2. offset: in characters, from 0."""

    character: str
    offset: int


class CheaperView(Answer):
    character: str
    instead: str
    times: int


class TextRecipientView(Answer):
    """employee: null = the client. why: they get none; message says it."""

    employee: str | None
    name: str
    number: str | None = None
    why: SkipReason | None = None
    message: str = ""


class TextPreviewView(Answer):
    """By what is known without asking the CRM. is_known: whether the deal is. empty: macros without a value. parts_saved: what
    `cheaper` would save. refusal: why it would not be sent; message says it. price: of all messages, as the last one cost."""

    is_known: bool
    text: str
    encoding: SmsEncoding
    parts: int
    room_left: int
    odd: OddCharacterView | None
    empty: list[str]
    cheaper: list[CheaperView]
    parts_saved: int
    refusal: str | None
    message: str
    recipients: list[TextRecipientView]
    price: Decimal | None


class SmsTestBody(Body):
    """number: in any spelling. The message goes out at any hour, and costs what a message costs."""

    number: Annotated[str, Field(max_length=60)]
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEST)]
    sender: Annotated[str, Field(max_length=40)] | None = None


def message_view(row: SmsMessageRow, texts: Texts) -> SmsMessageView:
    return SmsMessageView(
        id=row.own_id,
        item=row.item_id,
        connection=row.connection,
        employee=row.employee_id,
        number=row.number or "",
        deal=row.deal_id,
        sender=row.sender,
        text=row.text,
        encoding=row.encoding,
        parts=row.parts,
        state=SmsState(row.state),
        reason=row.reason,
        message=why_in_words(row, texts),
        words=row.words,
        price=row.price,
        created_at=row.created_at,
        sent_at=row.claimed_at,
        reported_at=row.reported_at,
        ended_at=row.ended_at,
    )


async def list_messages(call: ApiCall[SmsMessagesQuery]) -> Items[SmsMessageView]:
    q = call.query
    wanted = SmsFilter(
        deal_id=q.deal,
        state=q.state,
        connection=q.connection,
        item_id=q.item,
        number=q.number,
        since=q.since,
        after=_after(q.after) if q.after else None,
    )
    async with call.services.pool.acquire() as conn:
        found = await listed_sms(conn, call.account.id, wanted, limit=q.limit)
    texts = call.texts(q.lang)
    last = found[-1] if len(found) == q.limit else None
    return Items[SmsMessageView](
        items=[message_view(row, texts) for row in found],
        next=next_page(last.created_at, str(last.own_id)) if last else None,
    )


def _after(text: str) -> tuple[datetime, int]:
    at, id = page_after(text)
    if not is_counted(id):
        raise InputRefused("after", "is no page of this list", "pass on what `next` said")
    return at, int(id)


async def show_message(call: ApiCall[AccountLanguageQuery]) -> SmsMessageView:
    id = call.path["message"]
    async with call.services.pool.acquire() as conn:
        row = await message_of(conn, call.account.id, int(id)) if is_counted(id) else None
    if row is None:
        raise not_found("sms-message", id)
    return message_view(row, call.texts(call.query.lang))


async def list_incoming(call: ApiCall[SmsIncomingQuery]) -> Items[SmsIncomingView]:
    q = call.query
    async with call.services.pool.acquire() as conn:
        found = await listed_incoming(
            conn, call.account.id, after=page_after(q.after) if q.after else None, limit=q.limit
        )
    last = found[-1] if len(found) == q.limit else None
    return Items[SmsIncomingView](
        items=[
            SmsIncomingView(
                id=row.incoming_id,
                connection=row.connection,
                number=row.number,
                sent_to=row.sent_to,
                text=row.text,
                is_opt_out=row.is_opt_out,
                received_at=row.received_at,
            )
            for row in found
        ],
        next=next_page(last.received_at, last.incoming_id) if last else None,
    )


async def preview(call: ApiCall[AccountLanguageQuery, TextPreviewBody]) -> TextPreviewView:
    async with call.services.pool.acquire() as conn:
        found = await sending.preview_text(conn, call.account.id, call.body.deal, call.body.action)
    return _preview_view(found, call.texts(call.query.lang))


def _preview_view(found: TextPreview, texts: Texts) -> TextPreviewView:
    segments, better, refusal = found.segments, found.suggestion, found.refusal
    return TextPreviewView(
        is_known=found.is_known,
        text=segments.text,
        encoding=segments.encoding,
        parts=len(segments.parts),
        room_left=segments.room_left,
        odd=OddCharacterView(character=segments.odd.character, offset=segments.odd.offset)
        if segments.odd
        else None,
        empty=list(found.empty),
        cheaper=[CheaperView.model_validate(c) for c in better.replacements] if better else [],
        parts_saved=len(segments.parts) - len(better.segments.parts) if better else 0,
        refusal=refusal.reason if refusal else None,
        message=texts.word("sms.reason", refusal.reason) if refusal else "",
        recipients=[TextRecipientView.model_validate(one) for one in receivers_in_words(found, texts)],
        price=found.price,
    )


async def send_test(call: ApiCall[AccountLanguageQuery, SmsTestBody]) -> SmsMessageView:
    body = call.body
    async with call.services.pool.acquire() as conn:
        await the_connection(conn, call)
        row = await sending.send_test(
            conn, call.account.id, call.path["sms"], body.number, body.text, body.sender
        )
    return message_view(row, call.texts(call.query.lang))


_ACCOUNT = "/v1/accounts/{account}"
ROUTES = (
    Route(
        method="GET",
        path=_ACCOUNT + "/sms",
        handler=list_messages,
        summary="Messages that were to go out, newest first",
        role="manager",
    ),
    Route(
        method="GET",
        path=_ACCOUNT + "/sms/{message}",
        handler=show_message,
        summary="One message",
        role="manager",
    ),
    Route(
        method="GET",
        path=_ACCOUNT + "/sms-incoming",
        handler=list_incoming,
        summary="What clients wrote, newest first",
        role="manager",
    ),
    Route(
        method="POST",
        path=_ACCOUNT + "/sms-previews",
        handler=preview,
        summary="How a text would read for a deal, in how many parts, and who would get it; nothing is sent",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ACCOUNT + "/sms-connections/{sms}/test",
        handler=send_test,
        summary="Send one message to try the provider; it goes out within a second or two",
        status=202,
    ),
)
