"""How a text would read and go out for a deal, by what is known without asking the CRM. Nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from gateway.sms.deal import DealRead, surroundings, text_values
from gateway.sms.writing import most_parts_of, recipients_of, written
from gateway.store.outbound.do_not_call import listed
from gateway.store.sms.connections import sms_connection
from gateway.store.sms.known import known_deal, price_of_part
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
    around = await surroundings(conn, account_id)
    template = compiled_sms(action.template, around.macros)
    found = await known_deal(conn, account_id, deal_id)
    read = DealRead(deal=None)
    if found is not None:
        deal, contact, company = found
        person = around.staff.by_crm_user.get(deal.owner_id or "")
        read = DealRead(deal=deal, contact=contact, company=company, responsible=person)
    saved = await sms_connection(conn, account_id, action.provider)
    everybody = recipients_of(action, read, around, frozenset())
    opted_out = await listed(conn, account_id, [r.number for r in everybody.chosen if r.employee_id is None])
    text = written(action, read, around, most_parts_of(saved), opted_out)
    values = text_values(read, around)
    part = await price_of_part(conn, account_id, action.provider)
    return TextPreview(
        is_known=found is not None,
        segments=text.segments,
        empty=tuple(dict.fromkeys(n for n in template.variables if values.get(n) in (None, ""))),
        suggestion=cheaper(text.segments),
        refusal=text.refusal,
        who=text.who,
        names={person.id: person.name for person in around.staff.employees},
        price=None if part is None else part * len(text.segments.parts) * len(text.who.chosen),
    )
