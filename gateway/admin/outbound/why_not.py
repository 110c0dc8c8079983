"""Why an item does not go out now: what the dialler would say of it this moment, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.admin.connections import connection_of
from gateway.admin.outbound.items import item_message, the_item
from gateway.admin.refused import InputRefused
from gateway.admin.sms.words import why_in_words as message_in_words
from gateway.outbound.around import CallingAccount
from gateway.outbound.facts import LookedAtItem, look_at_item
from gateway.outbound.settling import settle_by_person
from gateway.store.admin.audit import AuditChange, record
from gateway.store.outbound.connections import ConnectionStop, lift_stop
from gateway.store.outbound.items import OutboundItem
from gateway.store.sms.connections import SavedSmsConnection, sms_connection
from gateway.store.sms.messages import SmsMessageRow, messages_of_item
from routing.outbound.client_zones import ClientZone
from routing.outbound.dialling import DialFacts
from routing.staff import Staff
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn, database_now


class TextOnItsWay(NamedTuple):
    """messages: that were written of it. provider: through which it goes, None = there is none of this name."""

    messages: Sequence[SmsMessageRow]
    provider: SavedSmsConnection | None


class WhyNotCalled(NamedTuple):
    """looked: what the dialler would decide by; None of what does not wait, and of texts. text: of a text that waits or is being
    sent."""

    item: OutboundItem
    looked: LookedAtItem | None
    text: TextOnItsWay | None = None


class NotUnknown(InputRefused):
    """What became of the item is known, or it is still under way: there is nothing for a person to say."""

    code = "not-unknown"

    def __init__(self, item: OutboundItem) -> None:
        super().__init__(
            "item", f"item '{item.item_id}' is {item.state}", "only what nobody knows is settled by a person"
        )


class NotStopped(InputRefused):
    """Nothing keeps calls from being placed by the connection, so that there is nothing to lift."""

    code = "not-stopped"

    def __init__(self, connection: str) -> None:
        super().__init__(
            "connection", f"'{connection}' is not stopped", "see 'callmatrix outbound queue' for what is"
        )


async def why_not_now(conn: Conn, around: CallingAccount, item_id: str) -> WhyNotCalled:
    """Raise NothingOfThatName."""
    item = await the_item(conn, around.id, item_id)
    if item.kind == "sms" and item.state in ("waiting", "sending"):
        provider = await sms_connection(conn, around.id, str(item.action.get("provider", "")))
        messages = await messages_of_item(conn, around.id, item_id)
        return WhyNotCalled(item, None, TextOnItsWay(messages, provider))
    if item.state != "waiting" or item.kind == "sms":
        return WhyNotCalled(item, None)
    return WhyNotCalled(item, await look_at_item(conn, around, item, await database_now(conn)))


async def settle_item(conn: Conn, around: CallingAccount, item_id: str, *, is_reached: bool) -> OutboundItem:
    """Take a person's word for what nobody knows, with all that comes of it, once. Raise NothingOfThatName, NotUnknown."""
    item = await the_item(conn, around.id, item_id)
    async with conn.transaction():
        if not await settle_by_person(conn, around, item_id, await database_now(conn), is_reached=is_reached):
            raise NotUnknown(await the_item(conn, around.id, item_id))
        said = {"state": "succeeded" if is_reached else "failed"}
        await record(conn, _change(around.id, "item", item_id, "settled", {"state": item.state}, said))
    return await the_item(conn, around.id, item_id)


async def resume_connection(conn: Conn, account_id: str, connection: str) -> None:
    """Let calls be placed by it again. Raise NotStopped, NothingOfThatName."""
    async with conn.transaction():
        if not await lift_stop(conn, account_id, connection):
            await connection_of(conn, account_id, connection)
            raise NotStopped(connection)
        states = {"calls": "stopped"}, {"calls": "placed"}
        await record(conn, _change(account_id, "connection", connection, "resumed", *states))


def _change(
    account_id: str, what: str, object: str, action: str, before: dict[str, str], after: dict[str, str]
) -> AuditChange:
    return AuditChange(
        what=what, object=object, action=action, account_id=account_id, before=before, after=after
    )


def why_in_words(why: WhyNotCalled, staff: Staff, zone: ZoneInfo, texts: Texts) -> str:
    """Say it with all that a person needs to change it. zone: the account's, for moments that are not the client's."""
    if why.text is not None:
        return "; ".join(_text_in_words(why.item, why.text, zone, texts))
    if why.looked is None:
        return item_message(why.item, texts)
    decision, facts, stop = why.looked
    said = texts.word("outbound.reason", decision.reason)
    if decision.reason == "window_closed" and decision.look_at is not None:
        return texts.say("outbound.why.window_closed", **_window(facts.zone, decision.look_at, texts))
    if decision.reason == "connection_stopped" and stop is not None:
        return stop_in_words(stop, zone, texts)
    if decision.reason == "spoken_meanwhile":
        return texts.say("outbound.why.at", said=said, at=_clock(facts.spoken_at, zone))
    if decision.reason == "nobody_free":
        return texts.say("outbound.why.nobody_free", said=said, names=tuple(_kept(facts, staff, texts)))
    if decision.look_at is not None:
        return texts.say("outbound.why.until", said=said, at=_clock(decision.look_at, zone))
    return said


def _text_in_words(item: OutboundItem, text: TextOnItsWay, zone: ZoneInfo, texts: Texts) -> Iterator[str]:
    """Say how far it is, until when it waits, and what its provider has against it."""
    said = item_message(item, texts)
    yield texts.say("outbound.why.until", said=said, at=_clock(item.look_at, zone)) if item.look_at else said
    for message in text.messages:
        yield message_in_words(message, texts)
    provider = text.provider
    name = str(item.action.get("provider", ""))
    if provider is None or not provider.is_on:
        yield texts.say("outbound.why.provider_off", provider=name)
    elif (stop := provider.stop) is not None:
        why = " ".join(part for part in (texts.word("sms.reason", stop.reason), stop.words) if part)
        yield texts.say("outbound.why.provider_stopped", provider=name, said=why, at=_clock(stop.since, zone))
        if provider.balance is not None:
            amount = f"{provider.balance.amount} {provider.balance.currency}".strip()
            yield texts.say("outbound.why.provider_balance", amount=amount)


def _kept(facts: DialFacts, staff: Staff, texts: Texts) -> Iterator[str]:
    """Say of each who could take it what keeps them."""
    for id in facts.people:
        name = staff.by_id[id].name if id in staff.by_id else id
        by = facts.kept.get(id)
        why = texts.word("outbound.kept", by) if by else ""
        yield texts.say("outbound.why.kept", name=name, why=why) if by else name


def stop_in_words(stop: ConnectionStop, zone: ZoneInfo, texts: Texts) -> str:
    """Say since when and why nothing is placed by a connection, in the PBX's own words."""
    said = stop.words or stop.code
    if stop.stopped_at is not None:
        at = _clock(stop.stopped_at, zone)
        return texts.say("outbound.why.stopped", connection=stop.connection, said=said, at=at)
    at = _clock(stop.away_until, zone)
    return texts.say("outbound.why.away", connection=stop.connection, said=said, at=at)


def _window(client: ClientZone, opens: datetime, texts: Texts) -> dict[str, str]:
    """By the client's clock, which zone that is, and how it is known."""
    return {
        "at": _clock(opens, client.zone),
        "zone": client.zone.key,
        "source": texts.word("outbound.zone", client.source),
    }


def _clock(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
