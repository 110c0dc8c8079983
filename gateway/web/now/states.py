"""Whether everything works: one line for each part that could fail. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from gateway.health.account_checks import failing_feeds
from gateway.health.views import AccountStatus, ConnectionState
from gateway.web.crm_away.told import PASSES_BY_ITSELF
from gateway.web.words.words import Words
from routing.settings import AlertPolicy
from routing.texts.catalogue import Phrase, phrase

StateLineTone = Literal["good", "warn", "bad", ""]


@dataclass(frozen=True, slots=True)
class StateLine:
    """side: at the right. detail: a second line, where something is to be done; path: and where."""

    name: Phrase | str
    tone: StateLineTone
    side: Phrase
    detail: Phrase | None = None
    path: str = ""


def states_of(account: AccountStatus, alerts: AlertPolicy, words: Words) -> Iterator[StateLine]:
    """alerts: of the account, which say when silence of a PBX is too long."""
    yield _crm(account)
    yield _requests(account, words)
    yield _changes(account, words)
    yield _access(account, words)
    for connection in account.connections:
        yield _connection(connection, alerts, words)
    yield _stuck(account, words)


def _crm(account: AccountStatus) -> StateLine:
    name, crm = phrase("now.state.crm"), account.crm
    if account.state != "on":
        tone: StateLineTone = "bad" if account.state == "broken" else "warn"
        return StateLine(name, tone, phrase(f"now.state.crm.{account.state}"), path="/setup")
    if crm is None or not crm.is_served:
        return StateLine(name, "bad", phrase("now.state.crm.unserved"), path="/setup")
    if crm.circuit is not None and crm.circuit.name != "closed":
        return StateLine(name, "bad", phrase("now.state.crm.closed"), path="/setup")
    if crm.silent_since is not None and crm.reported_at - crm.silent_since >= PASSES_BY_ITSELF:
        return StateLine(name, "bad", phrase("now.state.crm.silent"), path="/setup")
    if crm.writer is not None and crm.writer.reason:
        return StateLine(name, "warn", phrase("now.state.crm.trouble"), path="/setup")
    return StateLine(name, "good", phrase("now.state.crm.answers"))


def _requests(account: AccountStatus, words: Words) -> StateLine:
    name, budget = phrase("now.state.requests"), account.crm.budget if account.crm else None
    if budget is None:
        return StateLine(name, "", phrase("now.state.unknown"))
    used = sum(lane.last_second for lane in budget.lanes.values())
    side = phrase("now.state.requests.rate", used=words.count(used), rate=words.count(budget.rate))
    if budget.paused_seconds > 0:
        return StateLine(name, "warn", side, phrase("now.state.requests.slower"))
    return StateLine(name, "good", side)


def _changes(account: AccountStatus, words: Words) -> StateLine:
    name, directory = phrase("now.state.changes"), account.directory
    if not directory.is_loaded:
        side = phrase("now.state.changes.loading", done=words.count(directory.load.done))
        return StateLine(name, "warn", side, path="/setup")
    last = max(filter(None, (account.webhooks.last_at, directory.in_sync_at)), default=None)
    if last is None:
        return StateLine(name, "", phrase("now.state.unknown"))
    is_failing = bool(failing_feeds(account))
    side = phrase("now.state.changes.last", ago=words.ago(last))
    return StateLine(name, "warn" if is_failing else "good", side)


def _access(account: AccountStatus, words: Words) -> StateLine:
    name, token = phrase("now.state.access"), account.token
    if token.warning in ("broken", "expired") or token.kind == "none":
        return StateLine(name, "bad", phrase("now.state.access.refused"), path="/setup")
    tone: StateLineTone = "warn" if token.warning else "good"
    if token.kind == "oauth":
        return StateLine(name, tone, phrase("now.state.access.renews"))
    if token.expires_at is None:
        return StateLine(name, tone, phrase("now.state.access.no-end"))
    until = words.day(token.expires_at, with_year=True)
    return StateLine(
        name, tone, phrase("now.state.access.until", until=until), path="/setup" if tone == "warn" else ""
    )


def _connection(connection: ConnectionState, alerts: AlertPolicy, words: Words) -> StateLine:
    name = connection.name
    if not connection.is_on:
        return StateLine(name, "", phrase("now.state.pbx.off"))
    check = phrase("now.state.pbx.check")
    if connection.listener is not None and not connection.listener.get("connected"):
        return StateLine(name, "bad", phrase("now.state.pbx.no_link"), check, "/setup/pbx")
    last = connection.last_event_at
    if last is None:
        return StateLine(name, "warn", phrase("now.state.pbx.never"), check, "/setup/pbx")
    silent, allowed = words.now - last, alerts.pbx_silent_minutes
    if allowed is not None and silent > timedelta(minutes=allowed):
        side = phrase("now.state.pbx.silent", since=words.duration(silent))
        return StateLine(name, "warn", side, check, "/setup/pbx")
    return StateLine(name, "good", phrase("now.state.pbx.last", ago=words.ago(last)))


def _stuck(account: AccountStatus, words: Words) -> StateLine:
    stuck = sum(account.desk.values())
    name = phrase("now.state.stuck")
    if stuck:
        side = phrase("now.state.stuck.some", count=words.count(stuck))
        return StateLine(name, "bad", side, phrase("now.state.stuck.see"), "/setup/not-sent")
    return StateLine(name, "good", phrase("now.state.stuck.none"))
