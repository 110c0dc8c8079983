"""Sends what is to be told, oldest first, one attempt of each at a time; what fails is tried again ever later."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from gateway.alerts.senders import AlertSenders
from gateway.store.alerts import messages
from gateway.store.alerts.messages import CLAIM_LOST, StoredAlertMessage
from gateway.texts.sentences import TEXTS
from runtime.alerts.delivery import AlertMessage, AlertNotSent, AlertUnreachable
from runtime.backoff import grown_pause
from runtime.cancellation import raise_if_cancelled

log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 30.0, 1800.0
_MOST_AT_ONCE = 50
_ATTEMPT_SECONDS = CLAIM_LOST.total_seconds() / 2


async def deliver(pool: asyncpg.Pool, senders: AlertSenders) -> int:
    """Return how many messages went out."""
    sent = 0
    for _ in range(_MOST_AT_ONCE):
        raise_if_cancelled()
        async with pool.acquire() as conn:
            message = await messages.claim(conn)
        if message is None:
            break
        sent += await _attempt(pool, senders, message)
    return sent


async def _attempt(pool: asyncpg.Pool, senders: AlertSenders, message: StoredAlertMessage) -> bool:
    try:
        async with asyncio.timeout(_ATTEMPT_SECONDS):
            await senders.send(message.channel, _outgoing(message))
    except AlertNotSent as err:
        return await _failed(pool, message, err)
    except TimeoutError:
        return await _failed(pool, message, AlertUnreachable("no answer in time", is_in_doubt=True))
    except Exception as err:  # a mistake of ours must cost neither the other messages nor the process
        log.exception("alarm-sending-failed", channel=message.channel)
        return await _failed(pool, message, AlertNotSent(f"{type(err).__name__}: {err}"))
    async with pool.acquire() as conn:
        await messages.was_sent(conn, message)
    log.info("alarm-sent", channel=message.channel, kind=message.kind, account=message.account_id)
    return True


async def _failed(pool: asyncpg.Pool, message: StoredAlertMessage, why: AlertNotSent) -> bool:
    """Return False: it did not go out."""
    pause = max(
        grown_pause(message.attempts, _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS), why.retry_after or 0.0
    )
    tried_for = datetime.now(UTC) - (message.created_at or datetime.now(UTC))
    log.warning("alarm-not-sent", channel=message.channel, code=why.code, error=str(why))
    async with pool.acquire() as conn:
        await messages.was_not_sent(conn, message, why, timedelta(seconds=pause), tried_for=tried_for)
    return False


def _outgoing(message: StoredAlertMessage) -> AlertMessage:
    again = TEXTS[message.language].say("alert.again") if message.is_in_doubt else ""
    text = f"{message.body}\n\n{again}" if again else message.body
    return AlertMessage(id=message.message_id, to=message.recipient, subject=message.subject, text=text)
