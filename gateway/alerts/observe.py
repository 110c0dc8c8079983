"""From the status to causes of alarms, each with how it is: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.calendars import holidays_around
from gateway.health.reports import SILENT_SECONDS
from gateway.health.views import AccountStatus, BackfillView, ConnectionState, InstallationStatus
from gateway.store.admin.accounts import Account
from gateway.store.outbound.standing import NO_CALLS, CallsOut
from gateway.store.triggers.circles import TriggerCircle
from routing.alerts import AlertCause, Health
from routing.working_time import working_seconds_between
from sms.channels.reasons import ChannelState

_BUSY_SECONDS = 60.0
"""A writer with work due that has succeeded within them is at work."""
_JUST_ENDED_SECONDS = 3600.0
_WAITS_SECONDS = 1800.0
"""A messenger channel waits for so long while it is set up, or its phone is restarted."""

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertObservation:
    """facts: the values of the sentence, plain for JSON; a time as ISO text. health None: nobody can say what it was."""

    cause: AlertCause
    health: Health
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an observation needs besides the status. with_work: accounts whose writer has something to send now.
    heard: when each connection (account, name) last spoke. circles: of triggers, by account; those without are not there.
    calls: what goes out of each account; of which nothing ever went is not there."""

    accounts: Mapping[str, Account]
    with_work: frozenset[str]
    heard: Mapping[tuple[str, str], datetime]
    circles: Mapping[str, TriggerCircle]
    calls: Mapping[str, CallsOut]


def observe(status: InstallationStatus, around: Surroundings) -> Iterator[AlertObservation]:
    """Yield each thing that is watched once, whether well or not; what is not among them is watched no more."""
    workers = _workers(status)
    yield workers
    for account in status.accounts:
        yield from _account(account, around, status.at, is_worked=workers.health != "bad")


def _workers(status: InstallationStatus) -> AlertObservation:
    is_there = any(worker.is_alive for worker in status.workers)
    was_there = bool(status.workers)
    health: Health = "good" if is_there else "bad" if was_there or status.accounts else "unknown"
    return AlertObservation(cause=AlertCause(kind="workers-missing"), health=health, facts={})


def _account(
    account: AccountStatus, around: Surroundings, now: datetime, *, is_worked: bool
) -> Iterator[AlertObservation]:
    """is_worked: some worker runs; that none does is an alarm of its own."""
    own = around.accounts.get(account.id)
    if own is None:  # added or removed meanwhile
        return
    if account.state != "off":
        yield _broken(account)
        yield _writer(account, account.id in around.with_work, now, is_worked=is_worked)
        yield _token(account)
        yield _circle(account, around.circles.get(account.id))
        yield from _calls(account, around.calls.get(account.id, NO_CALLS))
        yield from _sms(account)
        yield from _channels(account, now)
        yield from _crm_chats(account)
    yield _desk(account, own.settings.alerts.desk_full)
    yield _deals(account)
    for connection in account.connections:
        if connection.is_on:
            yield from _connection(own, connection, around.heard.get((own.id, connection.name)), now)


def _seen(
    account_id: str, kind: str, health: Health, object: str = "", **facts: str | int
) -> AlertObservation:
    cause = AlertCause(kind=kind, account_id=account_id, object=object)  # type: ignore[arg-type]
    return AlertObservation(cause=cause, health=health, facts=facts)


def _deals(account: AccountStatus) -> AlertObservation:
    """Tell of deals that nobody could be given for longer than their template allows; of one account that is off nothing."""
    health: Health = "bad" if account.distribution.too_old else "good"
    if account.state != "on":
        health = "unknown"
    return _seen(account.id, "deals-waiting", health, count=account.distribution.too_old)


def _circle(account: AccountStatus, circle: TriggerCircle | None) -> AlertObservation:
    """Tell of the latest trigger that was stopped because one deal made it fire again and again."""
    if circle is None:
        return _seen(account.id, "trigger-circles", "good")
    return _seen(
        account.id,
        "trigger-circles",
        "bad",
        trigger=circle.trigger,
        deal=circle.deal_id,
        count=circle.deals,
    )


def _calls(account: AccountStatus, calls: CallsOut) -> Iterator[AlertObservation]:
    """Tell of PBXs to which nothing is given until a person has looked, and of calls of which nobody knows. A PBX that is off, or
    by which no call ever failed to be placed, is not watched for it."""
    yield _seen(account.id, "calls-unknown", "bad" if calls.unknown else "good", count=calls.unknown)
    for connection in account.connections:
        if not connection.is_on or connection.name not in calls.refused:
            continue
        refused = calls.refused[connection.name]
        if refused is None:
            yield _seen(account.id, "calls-refused", "good", connection.name, error="", waiting=0)
        else:
            error, waiting = refused
            yield _seen(account.id, "calls-refused", "bad", connection.name, error=error, waiting=waiting)


def _sms(account: AccountStatus) -> Iterator[AlertObservation]:
    """Tell of providers that take nothing until somebody has acted, and of what waits for them."""
    for provider in account.sms:
        if provider.is_on:
            health: Health = "bad" if provider.stop_reason else "good"
            by, waiting = provider.stop_reason or "", provider.waiting
            yield _seen(account.id, "sms-stopped", health, provider.name, stopped_by=by, waiting=waiting)


def _channels(account: AccountStatus, now: datetime) -> Iterator[AlertObservation]:
    """Tell of messenger channels that do not work, of each state by itself: one that gives way to another is told anew, and a
    channel that is renamed is not. One that takes no part is not watched."""
    for channel in account.channels:
        if not channel.is_on:
            continue
        lasts = (now - channel.state_at).total_seconds()
        for state in ChannelState:
            if state is ChannelState.ACTIVE:
                continue
            health: Health = "bad" if channel.state == state else "good"
            if health == "bad" and state is ChannelState.WAITING and lasts < _WAITS_SECONDS:
                health = "unknown"
            yield _seen(
                account.id,
                "channel-stopped",
                health,
                f"{channel.id} {state}",
                channel=channel.name,
                fares=state,
            )


def _crm_chats(account: AccountStatus) -> Iterator[AlertObservation]:
    """Tell that dialogues do not show in the CRM's own chats. Where they are not set up, or off without trouble, nothing is watched."""
    chats = account.crm_chats
    if chats is not None and (chats.is_on or chats.error):
        yield _seen(account.id, "crm-chats-failing", "bad" if chats.error else "good", chats=chats.error)


def _broken(account: AccountStatus) -> AlertObservation:
    health: Health = "bad" if account.state == "broken" else "good"
    reason = "expired" if account.token.warning == "expired" else ""
    return _seen(account.id, "crm-broken", health, reason=reason, held=account.effects.held)


def _token(account: AccountStatus) -> AlertObservation:
    """Tell of a key in time; one that has expired breaks the account, which is told then."""
    health: Health = "bad" if account.token.warning == "expires-soon" else "good"
    if account.state == "broken":
        health = "unknown"
    return _seen(account.id, "token-expires", health, days=round(account.token.days_left or 0))


def _writer(account: AccountStatus, has_work: bool, now: datetime, *, is_worked: bool) -> AlertObservation:
    if account.state != "on" or not is_worked:  # the broken key, or the worker, is the cause, and is told
        return _seen(account.id, "writer-stopped", "unknown")
    code, error = _why_nothing_is_sent(account, has_work, now)
    waiting = account.effects.waiting + account.effects.sending + account.effects.unknown
    health: Health = "bad" if code else "good"
    return _seen(account.id, "writer-stopped", health, why=code, error=error, waiting=waiting)


def _why_nothing_is_sent(account: AccountStatus, has_work: bool, now: datetime) -> tuple[str, str]:
    """Return ('', '') where it is well; else the key of the reason's words, and the CRM's error, which begins with its code."""
    crm = account.crm
    if crm is None or not crm.is_served:
        return "unserved", ""
    if crm.circuit is not None and crm.circuit.name != "closed":
        return "closed", crm.circuit.reason
    writer = crm.writer
    if writer is None:
        return ("silent", "") if has_work else ("", "")
    if writer.is_alarm:
        return "refused", writer.last_error or writer.reason
    since = (now - writer.last_success).total_seconds() if writer.last_success else None
    if has_work and (since is None or since > _BUSY_SECONDS):
        return ("failing", writer.last_error) if writer.last_error else ("silent", "")
    return "", ""


def _desk(account: AccountStatus, full: int) -> AlertObservation:
    """Between full and half full nothing changes, so that one entry more or less is no news."""
    count = sum(account.desk.values())
    health: Health = "bad" if count >= full else "good" if count <= full // 2 else "unknown"
    return _seen(account.id, "desk-full", health, count=count)


def _connection(
    account: Account, connection: ConnectionState, heard_at: datetime | None, now: datetime
) -> Iterator[AlertObservation]:
    """See link and silence. A link that is down explains the silence; without a worker's fresh report nobody knows whether it is."""
    name, kind, listener = connection.name, connection.kind, connection.listener
    link: Health = "good"
    if listener is not None:
        told_at = datetime.fromisoformat(listener["reported_at"])
        is_fresh = (now - told_at).total_seconds() < SILENT_SECONDS
        link = "unknown" if not is_fresh else "good" if listener.get("connected") else "bad"
        facts = {"address": str(listener.get("address") or ""), "error": str(listener.get("error") or "")}
        yield _seen(account.id, "pbx-link-down", link, name, pbx=kind, **facts)
    patience = account.settings.alerts.pbx_silent_minutes
    if patience is None or heard_at is None:
        return
    silent = "unknown" if link != "good" else _silence(account, heard_at, now, patience * 60)
    yield _seen(account.id, "pbx-silent", silent, name, pbx=kind, heard_at=heard_at.isoformat())


def _silence(account: Account, heard_at: datetime, now: datetime, patience_seconds: int) -> Health:
    time = account.settings.working_time
    zone = ZoneInfo(account.time_zone)
    if (now - heard_at).total_seconds() <= patience_seconds:
        return "good"
    holidays = holidays_around(time, now)
    return (
        "bad" if working_seconds_between(heard_at, now, time, zone, holidays) > patience_seconds else "good"
    )


def just_ended(account: AccountStatus, now: datetime) -> BackfillView | None:
    """Return the backfill that ended within the last hour, by itself or because somebody stopped it."""
    run = account.backfill
    if run is None or run.ended_at is None or run.state not in ("done", "stopped"):
        return None
    return run if (now - run.ended_at).total_seconds() < _JUST_ENDED_SECONDS else None
