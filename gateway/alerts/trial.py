"""A test message to everybody who would be told, at once and once: what failed is said as the server said it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import asyncpg

from gateway.alerts.recipients import AlertRecipient, recipients
from gateway.alerts.senders import AlertSenders
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language, Texts
from runtime.alerts.delivery import AlertChannel, AlertMessage, AlertNotSent


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTrial:
    """code, error, remedy: empty where it went out."""

    channel: str
    recipient: str
    code: str = ""
    error: str = ""
    remedy: str = ""


async def send_trials(
    pool: asyncpg.Pool, settings: Settings, account_id: str | None, language: Language | None
) -> list[AlertTrial]:
    """account_id: with that account's own people; None = the operators', and those of every account. Raises NoSuchAccount."""
    async with pool.acquire() as conn:
        accounts = await rows.accounts(conn) if account_id is None else [await rows.account(conn, account_id)]
    told = dict.fromkeys(r for account in (None, *accounts) for r in recipients(settings, account))
    spoken = language or (accounts[0].settings.language if len(accounts) == 1 else DEFAULT_LANGUAGE)
    return await _send(settings, list(told), TEXTS[spoken])


async def _send(settings: Settings, told: Sequence[AlertRecipient], texts: Texts) -> list[AlertTrial]:
    async with aiohttp.ClientSession() as session:
        senders = AlertSenders(settings, session)
        return [await _one(senders, recipient, texts, settings.base_url) for recipient in told]


async def _one(senders: AlertSenders, to: AlertRecipient, texts: Texts, url: str) -> AlertTrial:
    message = AlertMessage(
        id=uuid.uuid4().hex,
        to=to.address,
        subject=texts.say("alert.test.subject"),
        text=f"{texts.say('alert.test.body')}\n\n{texts.say('alert.address', url=url)}",
    )
    try:
        await senders.send(to.channel, message)
    except AlertNotSent as err:
        return AlertTrial(
            channel=to.channel,
            recipient=to.address,
            code=err.code,
            error=f"{texts.say(f'alert.why.{err.code}')}: {err}",
            remedy=_remedy(err.code, to.channel, texts),
        )
    return AlertTrial(channel=to.channel, recipient=to.address)


def _remedy(code: str, channel: AlertChannel, texts: Texts) -> str:
    """Of this channel, where each has its own."""
    own = f"alert.fix-{channel}.{code}"
    return texts.say(own if own in texts.sentences else f"alert.fix.{code}")
