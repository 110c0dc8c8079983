"""Figures that all processes share (queues, effects, what workers report), on every gateway's /metrics.

Read from the database by a loop of its own, so that a scrape costs nothing and cannot be used to load the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain

import asyncpg

from gateway.health.outbound_metrics import outbound_samples
from gateway.health.status import installation_status
from gateway.health.views import AccountStatus, AlertsView, InstallationStatus
from gateway.store.desk.entries import KINDS
from gateway.store.outbound.figures import OutboundFigures, outbound_figures
from routing.alerts import ALERT_KINDS
from runtime.loops import Loop
from runtime.metrics import Sample

_EVERY_SECONDS = 5.0


class SharedFigures:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._latest: InstallationStatus | None = None
        self._outbound = OutboundFigures()

    async def run(self) -> None:
        """Until cancelled."""
        await Loop("figures", self.read, _EVERY_SECONDS).run()

    async def read(self) -> None:
        """Of readings that overlap the one that began last stays."""
        status = await installation_status(self._pool, datetime.now(UTC), is_full=False)
        async with self._pool.acquire() as conn:
            outbound = await outbound_figures(conn)
        if self._latest is None or status.at >= self._latest.at:
            self._latest, self._outbound = status, outbound

    def samples(self) -> Iterable[Sample]:
        if self._latest is None:
            return ()
        return chain(status_samples(self._latest, datetime.now(UTC)), outbound_samples(self._outbound))


def status_samples(status: InstallationStatus, now: datetime) -> Iterator[Sample]:
    yield "gauge", "figures_age_seconds", "Since the shared figures were read", {}, _since(status.at, now)
    yield "gauge", "jobs_queued", "Client jobs waiting or running", {}, status.jobs_queued
    alive = [w for w in status.workers if w.is_alive]
    yield "gauge", "workers_alive", "Worker processes that report", {}, len(alive)
    for worker in alive:
        labels = {"worker": worker.name}
        yield (
            "gauge",
            "worker_report_age_seconds",
            "Since it reported",
            labels,
            _since(worker.reported_at, now),
        )
        yield "counter", "worker_jobs_done", "Client jobs done", labels, worker.jobs.done
        yield "counter", "worker_jobs_failed", "Client jobs failed", labels, worker.jobs.failed
        yield (
            "counter",
            "worker_jobs_revived",
            "Jobs taken over from dead workers",
            labels,
            worker.jobs.revived,
        )
        lost = worker.exchanges_lost
        yield (
            "counter",
            "exchanges_lost",
            "Exchanges with vendors not kept because too many came",
            labels,
            lost,
        )
        for name, loop in worker.loops.items():
            named = {**labels, "loop": name}
            failing = float(loop.error is not None)
            yield "gauge", "worker_loop_failing", "1 while the loop's latest turn failed", named, failing
            if loop.last_success is not None:
                age = _since(loop.last_success, now)
                yield "gauge", "worker_loop_success_age_seconds", "Since the loop last succeeded", named, age
    for consumer in status.crm_event_consumers:
        of = {"consumer": consumer.name}
        yield "gauge", "crm_events_waiting", "Changes in the CRM still to be worked on", of, consumer.waiting
        yield "gauge", "crm_events_lag_seconds", "Age of the oldest of them", of, consumer.lag_seconds
        yield "gauge", "crm_events_aside", "Changes that failed too often", of, consumer.aside
    yield from _alerts(status.alerts)
    for account in status.accounts:
        yield from _account(account, now)
        yield from _links(account)


def _alerts(alerts: AlertsView) -> Iterator[Sample]:
    for kind in ALERT_KINDS:
        count = sum(alert.kind == kind for alert in alerts.open)
        yield "gauge", "alarms_open", "Alarms that are not over", {"kind": kind}, count
    yield "gauge", "alarms_unsent", "Messages about alarms that did not go out yet", {}, alerts.unsent
    yield "gauge", "alarms_given_up", "Messages that were tried for a day in vain", {}, alerts.given_up


def _account(account: AccountStatus, now: datetime) -> Iterator[Sample]:
    labels = {"account": account.id}
    yield "gauge", "account_on", "1 while the account is on", labels, float(account.state == "on")
    yield "gauge", "account_broken", "1 while the CRM refuses us", labels, float(account.state == "broken")
    for state in ("waiting", "sending", "unknown", "held", "dead"):
        count = getattr(account.effects, state)
        yield "gauge", "effects", "Effects in states that are not final", {**labels, "state": state}, count
    age = _since(account.effects.oldest_at, now) if account.effects.oldest_at else 0.0
    yield "gauge", "effects_oldest_seconds", "Age of the oldest effect that waits", labels, age
    yield "gauge", "inbox_pending", "PBX events not applied yet", labels, account.inbox.pending
    yield "gauge", "inbox_lag_seconds", "Age of the oldest of them", labels, account.inbox.lag_seconds
    yield "gauge", "inbox_dead", "PBX events on the desk", labels, account.inbox.dead
    for kind in KINDS:
        count = account.desk.get(kind, 0)
        yield "gauge", "desk", "What was set aside, for a person to decide", {**labels, "kind": kind}, count
    yield "gauge", "cases_open", "Open missed-call cases", labels, account.cases.open
    yield "gauge", "cases_overdue", "of them overdue", labels, account.cases.overdue
    deals = account.distribution
    yield "gauge", "distribution_waiting", "Deals that wait to be given", labels, deals.waiting
    yield "gauge", "distribution_too_old", "of them longer than their template allows", labels, deals.too_old
    yield "gauge", "distribution_failed", "Deals that could not be given", labels, deals.failed
    if account.token.days_left is not None:
        days = account.token.days_left
        yield "gauge", "token_days_left", "Until a person has to renew the CRM's key", labels, days
    yield from _crm(account, labels, now)
    yield from _reconciliations(account, now)
    if (run := account.backfill) is not None:
        yield "gauge", "backfill_calls_total", "Calls of the latest backfill", labels, run.calls_total
        yield "gauge", "backfill_calls_settled", "of them settled", labels, run.calls_settled
        yield "gauge", "backfill_running", "1 while it runs", labels, float(run.state == "running")


def _crm(account: AccountStatus, labels: dict[str, str], now: datetime) -> Iterator[Sample]:
    for feed in account.feeds:
        named = {**labels, "feed": feed.feed}
        failing = float(feed.last_error is not None)
        yield "gauge", "sync_failing", "1 while the latest turn of the feed failed", named, failing
        if feed.last_success is not None:
            age = _since(feed.last_success, now)
            yield "gauge", "sync_success_age_seconds", "Since the feed last succeeded", named, age
    for kind, rows in account.unread.by_kind.items():
        named = {**labels, "kind": kind}
        yield "gauge", "crm_unread", "Rows of the CRM of which something cannot be read", named, rows
    crm = account.crm
    yield (
        "gauge",
        "crm_served",
        "1 while a worker serves the account",
        labels,
        float(bool(crm and crm.is_served)),
    )
    if crm is None:
        return
    found = crm.unread_found
    yield "counter", "crm_unread_found", "Rows found so, since a worker serves the account", labels, found
    if crm.circuit is not None:
        is_open = float(crm.circuit.name != "closed")
        yield "gauge", "crm_circuit_open", "1 while the CRM is closed to us", labels, is_open
    if crm.writer is not None:
        yield (
            "gauge",
            "crm_alarm",
            "1 when a person should look at the CRM",
            labels,
            float(crm.writer.is_alarm),
        )
    if crm.budget is not None:
        yield "counter", "crm_throttled", "Requests answered 429", labels, crm.budget.throttled
        for lane, use in crm.budget.lanes.items():
            named = {**labels, "lane": lane}
            yield "counter", "crm_requests", "Requests sent to the CRM", named, use.requests
            yield "gauge", "crm_requests_waiting", "Requests that wait for the budget", named, use.waiting


def _links(account: AccountStatus) -> Iterator[Sample]:
    if (matrix := account.matrix) is not None:
        labels = {"account": account.id}
        yield "gauge", "matrix_errors", "Errors of the published matrix, last check", labels, matrix.errors
    for connection in account.connections:
        labels = {"account": account.id, "connection": connection.name}
        spoilt = connection.spoilt_messages
        yield "gauge", "messages_spoilt", "PBX messages of a day with unreadable fields", labels, spoilt
        if connection.listener is not None:
            is_up = float(bool(connection.listener.get("connected")))
            yield "gauge", "listener_connected", "1 while the permanent link to the PBX is up", labels, is_up


def _since(at: datetime, now: datetime) -> float:
    return max(0.0, (now - at).total_seconds())


def _reconciliations(account: AccountStatus, now: datetime) -> Iterator[Sample]:
    for connection in account.connections:
        told = connection.reconciliation
        if told is None:
            continue
        labels = {"account": account.id, "connection": connection.name}
        yield "counter", "reconciliation_compared", "Calls that the PBX listed", labels, told["compared"]
        yield (
            "counter",
            "reconciliation_missing",
            "of them not, or not rightly, in the journal",
            labels,
            told["missing"],
        )
        yield "counter", "reconciliation_imported", "of these imported", labels, told["imported"]
        yield (
            "gauge",
            "reconciliation_alarm",
            "1 when a person should look",
            labels,
            float(bool(told["alarm"])),
        )
        if told["last_success"]:
            age = _since(datetime.fromisoformat(told["last_success"]), now)
            yield "gauge", "reconciliation_success_age_seconds", "Since the list was last read", labels, age
