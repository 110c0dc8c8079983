"""The four figures at the top. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.health.reports import GatewayFigures
from gateway.health.views import AccountStatus
from gateway.web.words.words import Words
from routing.client_work.values import CallRow
from routing.missed_calls import Case
from routing.texts.catalogue import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureTile:
    """tone: of `beside`. parts: of a line beside the foot, which says how it went in the latest hour."""

    name: str
    icon: str
    figure: str
    beside: Phrase
    foot: Phrase
    tone: str = ""
    path: str = ""
    parts: tuple[float, ...] = ()


def calls_tile(rows: Sequence[CallRow], calls: int, answered: int, words: Words) -> FigureTile:
    """Count calls. rows: those that go on. calls, answered: of the latest hour."""
    talking = sum(row.call.is_answered for row in rows)
    return FigureTile(
        name="calls",
        icon="phone-call",
        figure=words.count(len(rows)),
        beside=phrase(
            "now.tile.calls.beside", talking=words.count(talking), ringing=words.count(len(rows) - talking)
        ),
        foot=phrase("now.tile.calls.foot", calls=words.count(calls), answered=words.count(answered)),
        path="/calls",
    )


def missed_tile(account: AccountStatus, longest: Case | None, waits: int | None, words: Words) -> FigureTile:
    """Count those who wait. waits: working seconds of the one that waits longest."""
    cases = account.cases
    if longest is None or waits is None:
        usual = cases.median_seconds
        foot = (
            phrase("now.tile.missed.usual", usual=words.working(usual))
            if usual is not None
            else phrase("now.tile.missed.none")
        )
    else:
        foot = phrase("now.tile.missed.longest", waits=words.working(waits))
    overdue = phrase("now.tile.missed.overdue", count=words.count(cases.overdue))
    return FigureTile(
        name="missed",
        icon="phone-x",
        figure=words.count(cases.open),
        beside=overdue if cases.overdue else phrase("now.tile.missed.in_time"),
        tone="bad" if cases.overdue else "",
        foot=foot,
        path="/missed",
    )


def lookup_tile(gateways: GatewayFigures, deadline_ms: int, words: Words) -> FigureTile:
    """Say how fast PBXs are answered. deadline_ms: after which a PBX goes its own way."""
    if not gateways.alive:
        return _lookup(phrase("now.tile.lookup.silent"), phrase("now.tile.lookup.no_gateway"), tone="bad")
    if not gateways.count:
        return _lookup(phrase("now.tile.lookup.none"), phrase("now.tile.lookup.hour"))
    if gateways.p50_ms is None or gateways.p99_ms is None:
        return _lookup(phrase("now.tile.lookup.over_a_second"), phrase("now.tile.lookup.late"), tone="bad")
    return FigureTile(
        name="lookup",
        icon="bolt",
        figure=words.decimal(gateways.p50_ms),
        beside=phrase("now.tile.lookup.usual"),
        tone="bad" if gateways.p50_ms > deadline_ms else "",
        foot=phrase(
            "now.tile.lookup.late" if gateways.p99_ms > deadline_ms else "now.tile.lookup.most",
            most=words.decimal(gateways.p99_ms),
            share=words.percent(0.99),
        ),
        parts=gateways.parts,
    )


def _lookup(beside: Phrase, foot: Phrase, tone: str = "") -> FigureTile:
    return FigureTile(name="lookup", icon="bolt", figure="–", beside=beside, foot=foot, tone=tone)


def crm_tile(account: AccountStatus, gateways: GatewayFigures, words: Words) -> FigureTile:
    effects, directory = account.effects, account.directory
    waiting = effects.waiting + effects.sending + effects.unknown
    beside, tone, path = phrase("now.tile.crm.waiting"), "", "/setup"
    if effects.dead:
        beside, tone, path = (
            phrase("now.tile.crm.dead", dead=words.count(effects.dead)),
            "bad",
            "/setup/not-sent",
        )
    elif effects.held:
        beside, tone, path = (
            phrase("now.tile.crm.held", held=words.count(effects.held)),
            "warn",
            "/setup/held",
        )
    return FigureTile(
        name="crm",
        icon="refresh",
        figure=words.count(waiting),
        beside=beside,
        tone=tone,
        foot=_copy(
            account.id, gateways, words.ago(directory.in_sync_at) if directory.in_sync_at else None, words
        ),
        path=path,
    )


def _copy(account_id: str, gateways: GatewayFigures, agreed: str | None, words: Words) -> Phrase:
    numbers = gateways.numbers.get(account_id)
    if agreed is None:
        return phrase("now.tile.crm.not_agreed")
    if numbers is None:
        return phrase("now.tile.crm.agreed", ago=agreed)
    return phrase("now.tile.crm.numbers", numbers=words.count(numbers), ago=agreed)
