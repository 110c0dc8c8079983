"""Items of what goes out, as people read them: whom for, what became of them, and each attempt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.configuration import policy_of
from gateway.store.admin.accounts import Account
from gateway.store.outbound.attempts import AttemptRow, attempts_of_items
from gateway.store.outbound.items import OutboundItem, OutboundKind, item_of
from gateway.store.sms.messages import SmsMessageRow, messages_of_item
from routing.numbers.normalise import PublicNumber, normalise
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn


class ItemInFull(NamedTuple):
    """texts: its messages, of an SMS."""

    item: OutboundItem
    attempts: Sequence[AttemptRow]
    texts: Sequence[SmsMessageRow]


async def the_item(conn: Conn, account_id: str, item_id: str) -> OutboundItem:
    """Raise NothingOfThatName."""
    found = await item_of(conn, account_id, item_id)
    if found is None:
        raise NothingOfThatName("outbound item", item_id, "outbound list")
    return found


async def item_in_full(conn: Conn, account_id: str, item_id: str) -> ItemInFull:
    """Raise NothingOfThatName."""
    item = await the_item(conn, account_id, item_id)
    attempts = await attempts_of_items(conn, account_id, [item_id])
    return ItemInFull(item, attempts, await messages_of_item(conn, account_id, item_id))


async def client_meant(conn: Conn, account_id: str, raw: str) -> str:
    """Return the number of a client as it stands in items. Raise InputRefused."""
    number = normalise(raw, await policy_of(conn, account_id))
    if not isinstance(number, PublicNumber):
        raise InputRefused("client", f"'{raw}' is no phone number", "write it as +79161234567")
    return number.e164


def gate_of(account: Account) -> str:
    """Return the reason that keeps all calls of an account from going out; empty: none does."""
    if account.state != "on":
        return "account_off"
    return "paused" if account.settings.outbound.rate == 0 else ""


def item_message(item: OutboundItem, texts: Texts, gate: str = "") -> str:
    """Say what became of it, or why it waits. gate: as `gate_of`."""
    return texts.say(
        "outbound.item",
        state=texts.word("outbound.state", item.state),
        why=reason_in_words(item.kind, item.reason, texts, gate),
    )


def attempt_message(attempt: AttemptRow, texts: Texts) -> str:
    """Say what became of an attempt, or how far it is."""
    if attempt.side is None:
        return texts.word("outbound.attempt", attempt.state)
    why = texts.word("outbound.attempt-reason", attempt.reason or "")
    return texts.say("outbound.attempt-over", side=texts.word("outbound.side", attempt.side), why=why)


def reason_in_words(kind: OutboundKind, reason: str, texts: Texts, gate: str = "") -> str:
    """Say why an item waits or how it ended; a code that has no words stays one. Empty: nobody has looked at it yet, which nobody
    does of a call while something keeps all from going out. gate: as `gate_of`."""
    if not reason and gate and kind != "sms":
        return texts.word("outbound.reason", gate)
    if not reason:
        return texts.say("outbound.not-looked-at")
    keys = {
        "sms": ("sms.reason", "sms.doubt", "outbound.reason", "sms.state"),
        "callback": ("outbound.reason", "sms.reason"),
        "campaign": ("campaign.member", "outbound.reason"),
    }[kind]
    return next((texts.word(key, reason) for key in keys if f"{key}.{reason}" in texts.sentences), reason)
