"""How a text would read and go out for a deal, by what is known without asking the CRM. Nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.sms.deal import DealRead, TextSurroundings, surroundings, text_values
from gateway.sms.writing import WrittenText, most_parts_of, recipients_of, written
from gateway.store.outbound.do_not_call import listed
from gateway.store.sms.connections import sms_connection
from gateway.store.sms.known import known_deal, price_of_part
from routing.templates import Template
from routing.triggers.model import SendSms
from runtime.database.pool import Conn
from sms.model import SmsRefused
from sms.recipients import Recipients
from sms.segments import SmsSegments, Suggestion, cheaper
from sms.templates import compiled_sms


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPreview:
    """is_known: the directory has the deal. empty: macros without a value here; the CRM may have one. price: of all messages, as
    the last one cost."""

    is_known: bool
    segments: SmsSegments
    empty: tuple[str, ...]
    suggestion: Suggestion | None
    refusal: SmsRefused | None
    who: Recipients
    names: dict[str, str]
    price: Decimal | None


async def previewed_text(conn: Conn, account_id: str, deal_id: str, action: SendSms) -> TextPreview:
    """Raise TemplateRefused for a text with an unknown macro."""
    return (await previewed_texts(conn, account_id, [deal_id], action))[deal_id]


async def previewed_texts(
    conn: Conn, account_id: str, deal_ids: Sequence[str], action: SendSms
) -> dict[str, TextPreview]:
    """By deal; the account is read once for all of them. Raise TemplateRefused."""
    around = await surroundings(conn, account_id)
    template = compiled_sms(action.template, around.macros)
    saved = await sms_connection(conn, account_id, action.provider)
    part = await price_of_part(conn, account_id, action.provider)
    reads = {id: await _read(conn, around, id) for id in deal_ids}
    everybody = [recipients_of(action, read, around, frozenset()) for read in reads.values()]
    numbers = [r.number for who in everybody for r in who.chosen if r.employee_id is None]
    opted_out = await listed(conn, account_id, numbers)
    most = most_parts_of(saved)
    return {
        id: _preview(template, read, around, written(action, read, around, most, opted_out), part)
        for id, read in reads.items()
    }


async def _read(conn: Conn, around: TextSurroundings, deal_id: str) -> DealRead:
    found = await known_deal(conn, around.account.id, deal_id)
    if found is None:
        return DealRead(deal=None)
    deal, contact, company = found
    person = around.staff.by_crm_user.get(deal.owner_id or "")
    return DealRead(deal=deal, contact=contact, company=company, responsible=person)


def _preview(
    template: Template,
    read: DealRead,
    around: TextSurroundings,
    text: WrittenText,
    part: Decimal | None,
) -> TextPreview:
    """part: what one cost last."""
    values = text_values(read, around)
    return TextPreview(
        is_known=read.deal is not None,
        segments=text.segments,
        empty=tuple(dict.fromkeys(n for n in template.variables if values.get(n) in (None, ""))),
        suggestion=cheaper(text.segments),
        refusal=text.refusal,
        who=text.who,
        names={person.id: person.name for person in around.staff.employees},
        price=None if part is None else part * len(text.segments.parts) * len(text.who.chosen),
    )
