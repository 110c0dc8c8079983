"""Looks, decides, writes down what is to be told: in one transaction, by one process of the installation at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import asyncpg
import structlog

from gateway.alerts.observe import AlertObservation, Facts, Surroundings, just_ended, observe
from gateway.alerts.recipients import recipients
from gateway.alerts.words import AlertPlace, alert_text
from gateway.health.status import installation_status
from gateway.health.views import InstallationStatus
from gateway.settings import Settings
from gateway.store.admin.accounts import accounts
from gateway.store.alerts import alarms, messages
from gateway.store.alerts.alarms import RememberedAlert
from gateway.store.alerts.messages import StoredAlertMessage
from gateway.store.outbound.standing import calls_out
from gateway.store.triggers.circles import circles_lately
from routing.alerts import NEVER_SEEN, PATIENCE, AlertCause, AlertWord, follow
from routing.texts.catalogue import DEFAULT_LANGUAGE
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

EVERY_SECONDS = 15.0


async def look(pool: asyncpg.Pool, settings: Settings, every: timedelta) -> None:
    """See how everything is, unless somebody has just done so; remember it, and store the messages that follow."""
    async with pool.acquire() as conn:
        now = await alarms.is_due(conn, every)
    if now is None:
        return
    status = await installation_status(pool, now, is_full=False)
    async with pool.acquire() as conn, conn.transaction():
        if not await alarms.take_turn(conn, status.at):
            return
        around = Surroundings(
            accounts={account.id: account for account in await accounts(conn)},
            with_work=await alarms.accounts_with_work(conn),
            heard=await alarms.heard(conn),
            circles=await circles_lately(conn),
            calls=await calls_out(conn),
        )
        await _Turn(conn, settings, status, around).decide()


class _Turn:
    """One look, as the one who has the turn."""

    def __init__(
        self, conn: Conn, settings: Settings, status: InstallationStatus, around: Surroundings
    ) -> None:
        self._conn, self._settings, self._status, self._around = conn, settings, status, around

    async def decide(self) -> None:
        remembered = {alert.cause: alert for alert in await alarms.remembered(self._conn)}
        seen = {o.cause: o for o in observe(self._status, self._around)}
        for cause in {**remembered, **seen}:
            await self._follow(cause, remembered.get(cause), seen.get(cause))
        for cause, facts, ended_at in self._ended_backfills():
            await self._tell(cause, "begun", facts, ended_at, ended_at)

    async def _follow(
        self, cause: AlertCause, before: RememberedAlert | None, seen: AlertObservation | None
    ) -> None:
        now, was = self._status.at, before.state if before else NEVER_SEEN
        state, word = follow(was, seen.health if seen else None, now, PATIENCE[cause.kind])
        facts = seen.facts if seen and seen.health == "bad" else before.facts if before else {}
        if state != was or (state.is_open and before and facts != before.facts):
            await alarms.keep(self._conn, RememberedAlert(cause=cause, state=state, facts=facts))
        if word is not None:
            log.info(f"alarm-{word}", kind=cause.kind, account=cause.account_id, object=cause.object)
            began_at = state.bad_since if word == "begun" else was.bad_since
            await self._tell(cause, word, facts, began_at or now, now)
        elif state.told_at is not None and now - state.told_at < messages.KEPT:
            await self._tell_newcomers(cause, facts, state.bad_since or state.told_at, state.told_at)

    async def _tell(
        self, cause: AlertCause, word: AlertWord, facts: Facts, began_at: datetime, at: datetime
    ) -> None:
        told = self._messages(cause, word, facts, began_at, at)
        await messages.store(self._conn, told)

    async def _tell_newcomers(
        self, cause: AlertCause, facts: Facts, began_at: datetime, told_at: datetime
    ) -> None:
        """Tell of an open alarm whoever is to be told of such ones since it was told."""
        heard = await messages.recipients_since(self._conn, cause, told_at)
        told = self._messages(cause, "begun", facts, began_at, told_at)
        await messages.store(self._conn, [m for m in told if (m.channel, m.recipient) not in heard])

    def _messages(
        self, cause: AlertCause, word: AlertWord, facts: Facts, began_at: datetime, at: datetime
    ) -> Sequence[StoredAlertMessage]:
        account = self._around.accounts.get(cause.account_id)
        language = account.settings.language if account else self._settings.lang or DEFAULT_LANGUAGE
        place = AlertPlace(account=account, language=language, url=self._settings.base_url)
        text = alert_text(cause, word, facts, place, began_at=began_at, now=at)
        return [
            StoredAlertMessage(
                account_id=cause.account_id,
                message_id=_message_id(cause, word, at, channel, address),
                kind=cause.kind,
                object=cause.object,
                word=word,
                channel=channel,
                recipient=address,
                language=language,
                subject=text.subject,
                body=text.body,
            )
            for channel, address in recipients(self._settings, account)
        ]

    def _ended_backfills(self) -> Iterator[tuple[AlertCause, Facts, datetime]]:
        """Told once each: a message's id is made of the run and of its end."""
        for account in self._status.accounts:
            run = just_ended(account, self._status.at)
            if run is not None and run.ended_at is not None:
                cause = AlertCause(kind="backfill-ended", account_id=account.id, object=run.run_id)
                facts: Facts = {
                    "state": run.state,
                    "calls": run.calls_total,
                    "done": run.effects_done,
                    "dead": run.effects_dead,
                }
                yield cause, facts, run.ended_at


def _message_id(cause: AlertCause, word: AlertWord, at: datetime, channel: str, address: str) -> str:
    parts = (cause.account_id, cause.kind, cause.object, word, at.isoformat(), channel, address)
    return sha256("\0".join(parts).encode()).hexdigest()[:32]
