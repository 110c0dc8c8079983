"""How the installation and its accounts fare: what `check`, the status API and the pages show, read from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from crm.effects.backfill import BackfillProgress, latest_progress
from crm.effects.store.left_out import left_out_by_account
from crm.kinds import StoredToken, TokenStatus, read_tokens, status_of
from crm.store.cursors import FeedState, feeds_by_account
from crm.store.entries import DirectoryState, directory_states
from crm.store.numberless import NumberlessValues, numberless_by_account
from crm.store.unread import NOTHING_UNREAD, UnreadCounts, unread_by_account
from crm.sync import hooks, metadata
from crm.sync.first_load import FEED, progress_at
from crm.sync.source import from_text
from gateway.calendars import is_working_now
from gateway.calls.pbx_clocks import REPORT as CLOCK_REPORT
from gateway.health.campaign_checks import running_campaigns
from gateway.health.check_views import budget_view, matrix_view, reported_part, templates_view
from gateway.health.daily_checks import MATRIX_REPORT, TEMPLATE_REPORT, TRIGGER_REPORT
from gateway.health.message_checks import channel_standings, rule_misfits, sms_states
from gateway.health.reports import PREFIX, SILENT_SECONDS
from gateway.health.secret_checks import secrets_state
from gateway.health.views import (
    AccountStatus,
    AlertsView,
    BackfillView,
    CampaignAtWork,
    CasesView,
    CircuitView,
    ConnectionState,
    ConsumerView,
    CrmView,
    DirectoryView,
    DistributionFigures,
    EffectsView,
    FeedView,
    InboxView,
    InstallationStatus,
    JobsView,
    LoadView,
    LoopView,
    NumberlessView,
    OpenAlertView,
    PeopleView,
    TokenView,
    UnreadView,
    WebhooksView,
    WorkerView,
    WriterView,
)
from gateway.pbx.connection import Connection
from gateway.store.admin import accounts as rows
from gateway.store.admin.staff import staff_by_account
from gateway.store.alerts import alarms, messages
from gateway.store.calls.missed_calls import NO_CASES, CaseFigures, case_figures_by_account
from gateway.store.campaigns.standing import CampaignStanding, campaign_standing
from gateway.store.channels.channels import SavedChannel, channels_by_account
from gateway.store.channels.gaps import latest_open_gaps
from gateway.store.crm_accounts.exchanges import reports
from gateway.store.crm_chats.standing import CrmChatsStanding, crm_chats_standing
from gateway.store.crm_events.work import backlog_by_consumer
from gateway.store.desk.entries import DeskKind, counts_by_account
from gateway.store.distribution.listing import ItemBacklog, backlogs
from gateway.store.health import status as store
from gateway.store.presence.watches import watches
from gateway.store.sms.standing import SmsStanding, sms_standing
from routing.attendance.trust import Watch, doubt
from routing.dialable import undialable
from routing.dialogues.gaps import ListeningGap
from routing.dialogues.rule_problems import RuleProblem
from routing.staff import Staff
from runtime.database.pool import Conn
from runtime.masking import mask_digits

_SPOILT_FOR = timedelta(days=1)
_CASE_DAYS = timedelta(days=7)
_GAP_DAYS = timedelta(days=7)
_SHOWN_TEXT = 60  # of a phone value that was not read


async def installation_status(
    pool: asyncpg.Pool,
    now: datetime,
    numbers: Mapping[str, int] | None = None,
    account_id: str | None = None,
    *,
    is_full: bool = True,
) -> InstallationStatus:
    """Read the status, with the same number of queries whatever the number of accounts.

    numbers: how many each account's directory holds in memory, where the caller has one. account_id: only this one.
    is_full: with people, latest events and secrets, which the metrics do not show.
    """
    ids = None if account_id is None else [account_id]
    async with pool.acquire() as conn:
        told = await reports(conn)
        facts = await _facts(conn, now, ids, is_full=is_full)
        reader = _Reader(now, numbers or {}, told, facts)
        return InstallationStatus(
            at=now,
            postgresql=(await store.server(conn))["version"],
            workers=workers_of(told, now),
            jobs_queued=await store.jobs_queued(conn),
            crm_event_consumers=await _consumers(conn, ids),
            accounts=[reader.account(account) for account in await rows.accounts(conn, ids)],
            alerts=await _alerts(conn, ids),
            secrets=await secrets_state(conn) if is_full and ids is None else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the tables say, by account; an account of which there is nothing is not there."""

    effects: Mapping[str, store.Effects]
    inbox: Mapping[str, store.InboxFigures]
    dead: Mapping[str, int]
    desk: Mapping[str, Mapping[DeskKind, int]]
    webhooks: Mapping[str, store.Webhooks]
    unread: Mapping[str, UnreadCounts]
    left_out: Mapping[str, Mapping[str, int]]
    cases: Mapping[str, CaseFigures]
    distribution: Mapping[str, ItemBacklog]
    feeds: Mapping[str, list[FeedState]]
    directories: Mapping[str, DirectoryState]
    numberless: Mapping[str, NumberlessValues]
    tokens: Mapping[str, StoredToken]
    connections: Mapping[str, list[Connection]]
    backfills: Mapping[str, BackfillProgress]
    staff: Mapping[str, Staff]
    crm_users: Mapping[str, list[tuple[str, str]]]
    latest_events: Mapping[tuple[str, str], datetime]
    spoilt: Mapping[tuple[str, str], store.SpoiltMessages]
    watches: Mapping[str, Watch]
    sms: Mapping[str, list[SmsStanding]]
    channels: Mapping[str, list[SavedChannel]]
    crm_chats: Mapping[str, CrmChatsStanding]
    gaps: Mapping[str, ListeningGap]
    misfits: Mapping[str, tuple[RuleProblem, ...]]
    campaigns: Mapping[str, list[CampaignStanding]]


async def _facts(conn: Conn, now: datetime, ids: Sequence[str] | None, *, is_full: bool) -> _Facts:
    channels = await channels_by_account(conn, ids)
    connections: dict[str, list[Connection]] = {}
    for connection in await rows.connections_of(conn, ids):
        connections.setdefault(connection.account_id, []).append(connection)
    return _Facts(
        effects=await store.effects_by_account(conn),
        inbox=await store.inbox_by_account(conn),
        dead=await store.dead_by_account(conn, ids),
        desk=await counts_by_account(conn),
        webhooks=await store.webhooks_by_account(conn, ids),
        unread=await unread_by_account(conn, ids),
        left_out=await left_out_by_account(conn, ids),
        cases=await case_figures_by_account(conn, ids, since=now - _CASE_DAYS, now=now),
        distribution={b.account_id: b for b in await backlogs(conn, ids)},
        feeds=await feeds_by_account(conn, ids),
        directories={s.account_id: s for s in await directory_states(conn, ids)},
        numberless=await numberless_by_account(conn, ids),
        tokens=await read_tokens(conn, ids),
        connections=connections,
        backfills=await latest_progress(conn, ids),
        staff=await staff_by_account(conn, ids) if is_full else {},
        crm_users=await store.active_crm_users(conn, ids) if is_full else {},
        latest_events=await store.latest_event_of_each_connection(conn, ids) if is_full else {},
        spoilt=await store.spoilt_by_connection(conn, ids, now - _SPOILT_FOR),
        watches=await watches(conn, ids),
        sms=await sms_standing(conn, ids),
        channels=channels,
        crm_chats=await crm_chats_standing(conn, ids),
        misfits=await rule_misfits(conn, channels) if is_full else {},
        gaps=await latest_open_gaps(conn, now - _GAP_DAYS),
        campaigns=await campaign_standing(conn, ids) if is_full else {},
    )


async def _consumers(conn: Conn, ids: Sequence[str] | None) -> list[ConsumerView]:
    return [
        ConsumerView(name=name, waiting=left.waiting, lag_seconds=left.lag_seconds, aside=left.aside)
        for name, left in (await backlog_by_consumer(conn, ids)).items()
    ]


async def _alerts(conn: Conn, ids: Sequence[str] | None) -> AlertsView:
    """ids: alarms of these accounts only. What did not go out is the installation's."""
    told = [alert for alert in await alarms.remembered(conn) if ids is None or alert.cause.account_id in ids]
    unsent = await messages.unsent(conn)
    return AlertsView(
        open=[
            OpenAlertView(
                account=alert.cause.account_id,
                kind=alert.cause.kind,
                object=alert.cause.object,
                since=alert.state.bad_since or alert.state.told_at,
            )
            for alert in told
            if alert.state.told_at is not None
        ],
        unsent=unsent.waiting,
        given_up=unsent.given_up,
        error=unsent.error,
    )


def workers_of(told: Sequence[asyncpg.Record], now: datetime) -> list[WorkerView]:
    found = []
    for row in told:
        if row["account_id"] or not row["report"].startswith(PREFIX):
            continue
        body = row["body"]
        found.append(
            WorkerView(
                name=row["report"].removeprefix(PREFIX),
                started_at=body.get("started_at"),
                reported_at=row["at"],
                is_alive=(now - row["at"]).total_seconds() < SILENT_SECONDS,
                jobs=JobsView.model_validate(body["jobs"]),
                loops={name: LoopView.model_validate(loop) for name, loop in body.get("loops", {}).items()},
                exchanges_lost=body.get("exchanges_lost", 0),
                configuration_heard=body.get("configuration_heard", True),
            )
        )
    return found


def _numberless(values: NumberlessValues) -> NumberlessView:
    shown = [f"{v.kind} {v.entity_id}: {mask_digits(v.value)[:_SHOWN_TEXT]!r}" for v in values.samples]
    return NumberlessView(total=values.total, samples=shown)


class _Reader:
    """Puts an account's view together from what was read once for all accounts."""

    def __init__(
        self,
        now: datetime,
        numbers: Mapping[str, int],
        told: Sequence[asyncpg.Record],
        facts: _Facts,
    ) -> None:
        self._now, self._numbers = now, numbers
        self._told = {(r["account_id"], r["report"]): r for r in told}
        self._facts = facts

    def account(self, account: rows.Account) -> AccountStatus:
        facts, id = self._facts, account.id
        effects = facts.effects.get(id, store.NO_EFFECTS)
        inbox = facts.inbox.get(id, store.InboxFigures())
        deals = facts.distribution.get(id) or DistributionFigures()
        crm = self._crm(id)
        return AccountStatus(
            id=id,
            name=account.name,
            url=account.base_url,
            time_zone=account.time_zone,
            state=account.state,
            state_reason=account.state_reason,
            state_since=account.state_since,
            token=self._token(id, crm),
            directory=self._directory(id),
            feeds=[FeedView.model_validate(f) for f in facts.feeds.get(id, ()) if f.feed != "agreed"],
            crm=crm,
            effects=EffectsView(**effects.counts, oldest_at=effects.oldest_at),
            inbox=InboxView(pending=inbox.pending, lag_seconds=inbox.lag_seconds, dead=facts.dead.get(id, 0)),
            webhooks=self._webhooks(id),
            unread=UnreadView.model_validate(facts.unread.get(id, NOTHING_UNREAD)),
            desk={str(kind): n for kind, n in facts.desk.get(id, {}).items()},
            cases=CasesView.model_validate(facts.cases.get(id, NO_CASES)),
            distribution=DistributionFigures.model_validate(deals),
            backfill=self._backfill(id),
            people=self._people(id),
            forbidden=self._forbidden(id),
            left_out=dict(facts.left_out.get(id, {})),
            presence_doubt=self._presence_doubt(account),
            matrix=matrix_view(self._told.get((id, MATRIX_REPORT))),
            templates=templates_view(self._told.get((id, TEMPLATE_REPORT))),
            triggers=templates_view(self._told.get((id, TRIGGER_REPORT)), "trigger"),
            connections=self._connections(id),
            sms=sms_states(facts.sms.get(id, ())),
            channels=channel_standings(facts.channels.get(id, ()), facts.gaps, facts.misfits),
            crm_chats=facts.crm_chats.get(id),
            campaigns=self._campaigns(account),
        )

    def _presence_doubt(self, account: rows.Account) -> str:
        policy, watch = account.settings.presence, self._facts.watches.get(account.id)
        if not policy.is_on or watch is None:
            return ""
        is_working = is_working_now(account.settings.working_time, account.time_zone, self._now)
        return doubt(watch, policy, self._now, is_working_time=is_working)

    def _campaigns(self, account: rows.Account) -> list[CampaignAtWork]:
        facts, of = self._facts, account.id
        found, staff = facts.campaigns.get(of, ()), facts.staff.get(of) or Staff.of((), 0)
        return running_campaigns(found, account, facts.connections.get(of, ()), staff, self._now)

    def _forbidden(self, account_id: str) -> list[str]:
        return list(self._cursor(account_id, metadata.FEED).get(metadata.FORBIDDEN, ()))

    def _cursor(self, account_id: str, feed: str) -> Mapping[str, Any]:
        """Where the feed stands, empty when it was never read."""
        feeds = self._facts.feeds.get(account_id, ())
        return next((f.cursor for f in feeds if f.feed == feed and f.cursor), {})

    def _crm(self, account_id: str) -> CrmView | None:
        row = self._told.get((account_id, "crm"))
        if row is None:
            return None
        body = row["body"]
        return CrmView(
            reported_at=row["at"],
            is_served=(self._now - row["at"]).total_seconds() < SILENT_SECONDS,
            budget=budget_view(body.get("budget")),
            circuit=reported_part(CircuitView, body.get("circuit")),
            writer=reported_part(WriterView, body.get("writer")),
            clock_offset_seconds=body.get("clock_offset_seconds"),
            unread_found=body.get("sync", {}).get("unread", 0),
            moved_to=body.get("moved_to"),
            silent_since=body.get("silent_since"),
        )

    def _token(self, account_id: str, crm: CrmView | None) -> TokenView:
        """Check the key: the process that serves the account knows what the CRM said of it, unless another was given since."""
        row, token = self._told.get((account_id, "crm")), self._facts.tokens.get(account_id)
        if crm is not None and crm.is_served and row is not None and (said := row["body"].get("token")):
            given_at = token.updated_at if token else None
            if given_at is None or given_at < crm.reported_at:
                return TokenView.model_validate(said)
        found: TokenStatus = status_of(token, self._now, "")
        return TokenView.model_validate(found)

    def _directory(self, account_id: str) -> DirectoryView:
        state = self._facts.directories.get(account_id)
        progress = progress_at(dict(self._cursor(account_id, FEED)))
        loaded_at = state.loaded_at if state else None
        in_sync_at = state.in_sync_at if state else None
        return DirectoryView(
            is_loaded=loaded_at is not None,
            loaded_at=loaded_at,
            in_sync_at=in_sync_at,
            age_seconds=max(0.0, (self._now - in_sync_at).total_seconds()) if in_sync_at else None,
            numbers=self._numbers.get(account_id),
            load=LoadView.model_validate(progress),
            numberless=_numberless(self._facts.numberless.get(account_id, NumberlessValues())),
        )

    def _webhooks(self, account_id: str) -> WebhooksView:
        told = self._facts.webhooks.get(account_id, store.Webhooks())
        looked = self._cursor(account_id, hooks.FEED)
        again = {"registered_again_at": from_text(looked.get("at")), "registration_was": looked.get("was")}
        return WebhooksView.model_validate(told).model_copy(update=again)

    def _backfill(self, account_id: str) -> BackfillView | None:
        run = self._facts.backfills.get(account_id)
        return None if run is None else BackfillView.model_validate(run)

    def _people(self, account_id: str) -> PeopleView:
        staff = self._facts.staff.get(account_id) or Staff.of((), 0)
        mapped = {p.crm_user_id for p in staff.employees if p.crm_user_id}
        return PeopleView(
            employees=len(staff.employees),
            unmapped=[p.name for p in staff.employees if not p.crm_user_id],
            undialable=list(undialable(staff.employees)),
            inactive=[p.name for p in staff.employees if p.crm_user_id and not p.is_active],
            crm_users_unmapped=[
                name for user, name in self._facts.crm_users.get(account_id, ()) if user not in mapped
            ],
            senior=staff.senior.name if staff.senior else None,
        )

    def _connections(self, account_id: str) -> list[ConnectionState]:
        found = []
        for connection in self._facts.connections.get(account_id, ()):
            row = self._told.get((account_id, f"ami:{connection.name}"))
            swept = self._told.get((account_id, f"reconciliation:{connection.name}"))
            listener = {**row["body"], "reported_at": row["at"].isoformat()} if row else None
            spoilt = self._facts.spoilt.get((account_id, connection.id))
            clock = self._told.get((account_id, f"{CLOCK_REPORT}:{connection.id}"))
            found.append(
                ConnectionState(
                    name=connection.name,
                    kind=connection.kind,
                    is_on=connection.is_on,
                    last_event_at=self._facts.latest_events.get((account_id, connection.id)),
                    listener=listener,
                    reconciliation=dict(swept["body"]) if swept and connection.is_on else None,
                    spoilt_messages=spoilt.messages if spoilt else 0,
                    spoilt_fields=list(spoilt.fields) if spoilt else [],
                    clock_offset_seconds=clock["body"]["offset_seconds"] or None if clock else None,
                )
            )
        return found
