"""One text, written: who gets it, what it says, and whether it may go out now. What is read of the CRM comes as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.outbound.facts import stands_where_it_fired
from gateway.sms.deal import DealRead, TextSurroundings, client_number, text_values, zone_field_of
from gateway.store.outbound.items import OutboundItem
from gateway.store.outbound.known import KnownOfItem
from gateway.store.sms.connections import SavedSmsConnection
from routing.outbound.client_zones import ClientZone, client_zone
from routing.outbound.dialling import DialDecision, DialFacts, why_not
from routing.outbound.windows import CallingHours, end_of_next_window
from routing.staff import Employee
from routing.templates import TemplateRefused
from routing.triggers.model import SendSms
from sms.kinds import SMS_KINDS
from sms.model import SmsRefused, refusal_before_sending
from sms.recipients import NumbersOfOurs, Recipients, recipients
from sms.segments import SmsSegments, segmented
from sms.templates import compiled_sms, rendered_sms

_ANY_HOUR = CallingHours(opens="00:00", closes="24:00")
_LASTS_AT_LEAST = timedelta(days=1)
_FRESH_FOR = timedelta(minutes=10)
_NOBODY_IN_PARTICULAR = "+70000000000"
"""Stands for the number of a text that goes to employees only: it is judged by nothing but the hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenText:
    """refusal: why the text as it is cannot be sent."""

    text: str
    segments: SmsSegments
    refusal: SmsRefused | None
    who: Recipients


def written(
    action: SendSms,
    read: DealRead,
    around: TextSurroundings,
    most_parts: int,
    opted_out: frozenset[str] = frozenset(),
) -> WrittenText:
    """Fill in the macros and choose who gets it. most_parts: that the provider takes. A macro that is known no more, since its
    field was removed in the CRM, is empty."""
    values = text_values(read, around)
    try:
        template = compiled_sms(action.template, around.macros)
        text = rendered_sms(template, values, ZoneInfo(around.account.time_zone))
    except TemplateRefused:
        text = ""
    return WrittenText(
        text=segmented(text).text,
        segments=segmented(text),
        refusal=refusal_before_sending(text, min(action.max_parts, most_parts)),
        who=recipients_of(action, read, around, opted_out),
    )


def recipients_of(
    action: SendSms, read: DealRead, around: TextSurroundings, opted_out: frozenset[str]
) -> Recipients:
    people: list[Employee] = [read.responsible] if action.to.responsible and read.responsible else []
    named = [around.staff.by_id[id] for id in action.to.employees if id in around.staff.by_id]
    numbers = frozenset(number for person in around.staff.employees for number in person.numbers)
    ours = NumbersOfOurs(own=around.lines, employees=numbers, opted_out=opted_out)
    client = client_number(read, around.policy)
    return recipients(client, [*people, *named], ours, is_for_client=action.to.client)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextJudgement:
    """expires_at: until when it may be sent. fresh_until: so long this judgement holds."""

    decision: DialDecision
    expires_at: datetime
    fresh_until: datetime


def judged(
    item: OutboundItem,
    action: SendSms,
    known: KnownOfItem,
    read: DealRead,
    around: TextSurroundings,
    saved: SavedSmsConnection | None,
    *,
    is_opted_out: bool,
    now: datetime,
) -> TextJudgement:
    """Say whether the text may go out now, by the facts by which calls are judged, as far as they matter to a text."""
    outbound = around.account.settings.outbound
    hours = _ANY_HOUR if action.any_hour else outbound.hours
    number = client_number(read, around.policy)
    zone = _zone(number, read, around) if action.to.client else _own_zone(around)
    ends = item.expires_at or _expiry(hours, zone, item.created_at)
    is_stopped = saved is not None and saved.stop is not None and (saved.stop.try_at or now) > now
    facts = DialFacts(
        now=now,
        is_account_on=around.account.state != "off",
        is_trigger_on=known.is_trigger_on,
        is_deal_there=item.deal_id is None or read.deal is not None,
        is_in_stage=_is_in_place(known, read),
        number=number if action.to.client else _NOBODY_IN_PARTICULAR,
        is_own_number=action.to.client and number in around.lines,
        is_on_do_not_call=action.to.client and is_opted_out,
        since=item.created_at,
        not_before=item.not_before,
        expires_at=ends,
        is_connection_fit=saved is not None and saved.is_on,
        is_connection_stopped=is_stopped,
        zone=zone,
        hours=hours,
        takes=timedelta(0),
        people=("text",),
        free=("text",),
    )
    if _goes_to_others(
        action, read, around
    ):  # what is wrong with the client's number leaves the others their text
        facts = replace(facts, number=_NOBODY_IN_PARTICULAR, is_own_number=False, is_on_do_not_call=False)
    closes = end_of_next_window(hours, zone, now) or ends
    return TextJudgement(
        decision=why_not(facts), expires_at=ends, fresh_until=min(closes, ends, now + _FRESH_FOR)
    )


def sms_action(action: Mapping[str, object]) -> SendSms:
    """Read the action as it was saved."""
    return SendSms.model_validate(action)


def most_parts_of(saved: SavedSmsConnection | None) -> int:
    return SMS_KINDS[saved.connection.kind].capabilities.most_parts if saved else 20


def _goes_to_others(action: SendSms, read: DealRead, around: TextSurroundings) -> bool:
    others = recipients_of(
        action.model_copy(update={"to": action.to.model_copy(update={"client": False})}),
        read,
        around,
        frozenset(),
    )
    return bool(others.chosen)


def _is_in_place(known: KnownOfItem, read: DealRead) -> bool:
    if read.deal is None:
        return True
    return stands_where_it_fired(replace(known, place=(read.deal.pipeline_id, read.deal.stage_id)))


def _expiry(hours: CallingHours, zone: ClientZone, created_at: datetime) -> datetime:
    """Return until when it waits: for the end of the next window, and a day at least, since it may have been ordered in the
    evening, or its provider may have no money."""
    ends = end_of_next_window(hours, zone, created_at)
    day = created_at + _LASTS_AT_LEAST
    return max(ends, day) if ends else day


def _zone(number: str | None, read: DealRead, around: TextSurroundings) -> ClientZone:
    field = zone_field_of(read, around.account.settings.outbound.zone_field)
    return client_zone(number or "", field, ZoneInfo(around.account.time_zone))


def _own_zone(around: TextSurroundings) -> ClientZone:
    zone = ZoneInfo(around.account.time_zone)
    return ClientZone(zone, "account", (zone,))
