"""What is known of an item as it is looked at: what the dialler decides by, and what a person is told who asks why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from crm.kinds import LOST_STAGES, WON_STAGES
from gateway.outbound.around import CallingAccount
from gateway.outbound.people import takers_of
from gateway.store.campaigns.turns import terms_of
from gateway.store.outbound.connections import ConnectionStop, stops_of
from gateway.store.outbound.do_not_call import listed
from gateway.store.outbound.items import OutboundItem
from gateway.store.outbound.known import (
    KnownOfClient,
    KnownOfItem,
    addresses_in_use,
    known_of_client,
    known_of_item,
)
from gateway.store.outbound.pace import HeldPace, pace_of
from routing.dialable import is_number
from routing.outbound.client_zones import ClientZone, client_zone
from routing.outbound.dialling import DialDecision, DialFacts, DialReason, why_not
from routing.outbound.pace import next_turn
from routing.outbound.settings import OutboundSettings
from routing.outbound.windows import end_of_next_window
from routing.triggers.model import Trigger
from runtime.database.pool import Conn

_NOT_TOLD_YET = timedelta(minutes=10)
"""So long a deal is waited for that the directory does not have."""


class DialMoment(NamedTuple):
    """What holds for every item of an account at one moment. busy: addresses in use. stops: by the connection's name."""

    now: datetime
    pace: HeldPace
    busy: frozenset[str]
    stops: Mapping[str, ConnectionStop]

    @property
    def outbound(self) -> OutboundSettings:
        return self.pace.settings.outbound

    @property
    def turn_at(self) -> datetime | None:
        slow_until = self.pace.slow_until
        is_slower = slow_until is not None and self.now < slow_until
        return next_turn(self.outbound.rate, self.pace.last_placed_at, self.now, is_slower=is_slower)


async def moment_of(conn: Conn, account_id: str, pace: HeldPace, now: datetime) -> DialMoment:
    stops = {stop.connection: stop for stop in await stops_of(conn, [account_id])}
    return DialMoment(now, pace, await addresses_in_use(conn, account_id, now), stops)


class LookedAtItem(NamedTuple):
    """stop: of the item's connection, where it is stopped or away."""

    decision: DialDecision
    facts: DialFacts
    stop: ConnectionStop | None


async def look_at_item(conn: Conn, around: CallingAccount, item: OutboundItem, now: datetime) -> LookedAtItem:
    """Return what the dialler would say of a waiting item now, and by what."""
    pace = await pace_of(conn, around.id)
    assert pace is not None
    moment = await moment_of(conn, around.id, pace, now)
    facts = await gather(conn, around, moment, item)
    return LookedAtItem(why_not(facts), facts, moment.stops.get(item.connection or ""))


async def why_not_dialled(
    conn: Conn,
    around: CallingAccount,
    item: OutboundItem,
    now: datetime,
) -> DialDecision:
    """As `look_at_item`, the decision alone."""
    return (await look_at_item(conn, around, item, now)).decision


async def gather(
    conn: Conn,
    around: CallingAccount,
    moment: DialMoment,
    item: OutboundItem,
) -> DialFacts:
    known = await known_of_item(conn, item)
    facts = await _by_campaign(conn, item, _of_item(around, moment, item, known))
    numbers = _numbers(item, known)
    off_limits = await listed(conn, around.id, numbers, item.campaign or "") if numbers else frozenset()
    number = _callable(numbers, around.own_numbers, off_limits)
    takers = await takers_of(conn, around, item, known.owner_id, moment.busy, moment.now)
    facts = replace(
        facts,
        number=number,
        is_own_number=number in around.own_numbers,
        is_on_do_not_call=number in off_limits,
        zone=zone_of(number, known, moment.outbound, around),
        people=takers.people,
        free=takers.free,
        kept=takers.kept,
    )
    if item.expires_at is None and item.kind == "callback":
        facts = replace(facts, expires_at=end_of_next_window(facts.hours, facts.zone, item.created_at))
    if number is None:
        return facts
    since = item.created_at - facts.recall_gap
    return _with_client(facts, await known_of_client(conn, around.id, number, since, moment.now))


async def _by_campaign(conn: Conn, item: OutboundItem, facts: DialFacts) -> DialFacts:
    """Let the item's campaign have its say: whether it runs, and at which hours."""
    if item.kind != "campaign":
        return facts
    terms = await terms_of(conn, item.account_id, item.campaign or "")
    if terms is None:
        return replace(facts, campaign_says="campaign_gone")
    says: DialReason | None = None if terms.may_dial else "campaign_paused"
    return replace(facts, campaign_says=says, hours=terms.hours or facts.hours)


def _of_item(around: CallingAccount, moment: DialMoment, item: OutboundItem, known: KnownOfItem) -> DialFacts:
    outbound = moment.outbound
    stop = moment.stops.get(item.connection or "")
    is_in_stage = stands_where_it_fired(known)
    is_for_caller = item.source == "matrix"  # whatever becomes of the deal, they called and wait
    has_waited = moment.now - item.created_at >= _NOT_TOLD_YET
    return DialFacts(
        now=moment.now,
        is_account_on=moment.pace.is_on,
        is_trigger_on=known.is_trigger_on or item.kind == "campaign",  # who has come in is the campaign's
        is_deal_read=known.is_read or has_waited or is_for_caller,
        is_deal_there=(known.is_known and not known.is_deleted) or is_for_caller,
        is_deal_open=known.is_open or is_for_caller or (is_in_stage and _is_for_closed_ones(known)),
        is_in_stage=is_in_stage,
        number=None,
        since=item.created_at,
        recall_gap=_recall_gap(item, outbound),
        not_before=item.not_before,
        expires_at=item.expires_at,
        rate=outbound.rate,
        is_connection_fit=item.connection in around.pbxs,
        is_connection_stopped=stop is not None and stop.stopped_at is not None,
        away_until=stop.away_until if stop else None,
        zone=ClientZone(around.zone, "account", (around.zone,)),
        hours=outbound.hours,
        takes=timedelta(seconds=outbound.ring_seconds + outbound.client_ring_seconds),
        turn_at=moment.turn_at,
    )


def _with_client(facts: DialFacts, client: KnownOfClient) -> DialFacts:
    return replace(
        facts,
        spoken_at=client.spoken_at,
        is_client_in_call=client.is_in_call,
        is_client_being_called=client.is_being_called,
    )


def _recall_gap(item: OutboundItem, outbound: OutboundSettings) -> timedelta:
    """Whoever called in vain wants to be called back, however shortly before somebody talked with them."""
    return timedelta(0) if item.source == "matrix" else timedelta(minutes=outbound.recall_gap_minutes)


def stands_where_it_fired(known: KnownOfItem) -> bool:
    """Whether the deal is still where its trigger wants it; of what no trigger ordered it is."""
    if known.trigger is None:
        return True
    cause = known.cause or {}
    if cause.get("stage_id") is not None:
        return known.place == (cause["pipeline_id"], cause["stage_id"])
    return Trigger.model_validate(known.trigger).is_at(*known.place)


def _is_for_closed_ones(known: KnownOfItem) -> bool:
    """Whether it fired because the deal won or lost."""
    return (known.cause or {}).get("stage_id") in {*WON_STAGES, *LOST_STAGES}


def _numbers(item: OutboundItem, known: KnownOfItem) -> tuple[str, ...]:
    """Return the numbers of the client, the one that was called before first, without those that were called in vain before
    that one; the main contact may be another one now."""
    spent = known.tried - {item.client}
    of_crm = [number for number in known.numbers if is_number(number) and number not in spent]
    if item.source == "matrix" or (item.deal_id is None and not of_crm):
        return (item.client,) if item.client else ()
    return tuple(sorted(of_crm, key=lambda number: number != item.client))


async def next_number(conn: Conn, around: CallingAccount, item: OutboundItem) -> str | None:
    """Return the contact's next number that may be called, once the present one was called in vain; None: it was the last."""
    if item.kind != "callback":  # members of a campaign are numbers
        return None
    others = tuple(n for n in _numbers(item, await known_of_item(conn, item)) if n != item.client)
    off_limits = await listed(conn, around.id, others) if others else frozenset()
    return next((n for n in others if n not in around.own_numbers and n not in off_limits), None)


def _callable(numbers: tuple[str, ...], own: frozenset[str], off_limits: frozenset[str]) -> str | None:
    """Return the first that may be called, else one that says why none may."""
    others = [number for number in numbers if number not in own]
    return next((n for n in others if n not in off_limits), next(iter(others or numbers), None))


def zone_of(
    number: str | None, known: KnownOfItem, outbound: OutboundSettings, around: CallingAccount
) -> ClientZone:
    return client_zone(number or "", known.fields.get(outbound.zone_field or ""), around.zone)
