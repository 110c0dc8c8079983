"""How the installation and its accounts fare: what `check`, the status API and the pages show, read from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg
from pydantic import BaseModel

from crm.amocrm.store import read_token
from crm.amocrm.tokens import TokenStatus, status_of
from crm.effects import backfill
from crm.lane import Lane
from crm.store.cursors import feed_states
from crm.store.entries import directory_states
from crm.sync.first_load import load_progress
from gateway.health.matrix_checks import REPORT as MATRIX_REPORT
from gateway.health.reports import PREFIX, SILENT_SECONDS
from gateway.health.views import (
    AccountStatus,
    BackfillView,
    BudgetView,
    CasesView,
    CircuitView,
    ConnectionState,
    CrmView,
    DirectoryView,
    EffectsView,
    FeedView,
    InboxView,
    InstallationStatus,
    JobsView,
    LoadView,
    LoopView,
    MatrixView,
    PeopleView,
    TokenView,
    WebhooksView,
    WorkerView,
    WriterView,
)
from gateway.store.admin import accounts as rows
from gateway.store.admin.staff import staff_of
from gateway.store.calls.missed_calls import case_figures
from gateway.store.crm_accounts.exchanges import reports
from gateway.store.health import status as store
from runtime.database.pool import Conn

_CASE_DAYS = timedelta(days=7)
V = TypeVar("V", bound=BaseModel)


async def installation_status(
    pool: asyncpg.Pool, now: datetime, numbers: Mapping[str, int] | None = None, account_id: str | None = None
) -> InstallationStatus:
    """numbers: how many each account's directory holds in memory, where the caller has one. account_id: only this one."""
    async with pool.acquire() as conn:
        all_accounts = await rows.accounts(conn)
        told = await reports(conn)
        effects = await store.effects_by_account(conn)
        inbox = await store.inbox_by_account(conn)
        wanted = [a for a in all_accounts if account_id in (None, a.id)]
        reader = _Reader(conn, now, numbers or {}, told, effects, inbox)
        return InstallationStatus(
            at=now,
            postgresql=(await store.server(conn))["version"],
            workers=workers_of(told, now),
            jobs_queued=await store.jobs_queued(conn),
            accounts=[await reader.account(account) for account in wanted],
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


class _Reader:
    """What was read once for all accounts, and the rest account by account."""

    def __init__(
        self,
        conn: Conn,
        now: datetime,
        numbers: Mapping[str, int],
        told: Sequence[asyncpg.Record],
        effects: Mapping[str, store.Effects],
        inbox: Mapping[str, store.Inbox],
    ) -> None:
        self._conn, self._now, self._numbers = conn, now, numbers
        self._told = {(r["account_id"], r["report"]): r for r in told}
        self._effects, self._inbox = effects, inbox

    async def account(self, account: rows.Account) -> AccountStatus:
        conn, id = self._conn, account.id
        effects = self._effects.get(id, store.NO_EFFECTS)
        inbox = self._inbox.get(id, store.Inbox())
        crm = self._crm(id)
        return AccountStatus(
            id=id,
            name=account.name,
            url=account.base_url,
            state=account.state,
            state_reason=account.state_reason,
            state_since=account.state_since,
            token=await self._token(id, crm),
            directory=await self._directory(id),
            feeds=[FeedView.model_validate(f) for f in await feed_states(conn, id) if f.feed != "agreed"],
            crm=crm,
            effects=EffectsView(**effects.counts, oldest_at=effects.oldest_at),
            inbox=InboxView(
                pending=inbox.pending,
                lag_seconds=inbox.lag_seconds,
                dead=await store.dead_messages(conn, id),
            ),
            webhooks=WebhooksView.model_validate(await store.webhooks(conn, id)),
            cases=CasesView.model_validate(
                await case_figures(conn, id, since=self._now - _CASE_DAYS, now=self._now)
            ),
            backfill=await self._backfill(id),
            people=await self._people(id),
            matrix=self._matrix(id),
            connections=await self._connections(id),
        )

    def _crm(self, account_id: str) -> CrmView | None:
        row = self._told.get((account_id, "crm"))
        if row is None:
            return None
        body = row["body"]
        return CrmView(
            reported_at=row["at"],
            is_served=(self._now - row["at"]).total_seconds() < SILENT_SECONDS,
            budget=_budget(body.get("budget")),
            circuit=_part(CircuitView, body.get("circuit")),
            writer=_part(WriterView, body.get("writer")),
            clock_offset_seconds=body.get("clock_offset_seconds"),
        )

    async def _token(self, account_id: str, crm: CrmView | None) -> TokenView:
        """The process that serves the account knows what the CRM said of its key; else what is stored must do."""
        row = self._told.get((account_id, "crm"))
        if crm is not None and crm.is_served and row is not None and row["body"].get("token"):
            return TokenView.model_validate(row["body"]["token"])
        token = await read_token(self._conn, account_id)
        found: TokenStatus = status_of(token, self._now, "")
        return TokenView.model_validate(found)

    async def _directory(self, account_id: str) -> DirectoryView:
        state = next(iter(await directory_states(self._conn, [account_id])), None)
        progress = await load_progress(self._conn, account_id)
        loaded_at = state.loaded_at if state else None
        in_sync_at = state.in_sync_at if state else None
        return DirectoryView(
            is_loaded=loaded_at is not None,
            loaded_at=loaded_at,
            in_sync_at=in_sync_at,
            age_seconds=max(0.0, (self._now - in_sync_at).total_seconds()) if in_sync_at else None,
            numbers=self._numbers.get(account_id),
            load=LoadView.model_validate(progress),
        )

    def _matrix(self, account_id: str) -> MatrixView | None:
        row = self._told.get((account_id, MATRIX_REPORT))
        if row is None:
            return None
        body = row["body"]
        first = next(iter(body["problems"]), None)
        return MatrixView(
            checked_at=row["at"],
            version=body["version"],
            errors=body["errors"],
            warnings=body["warnings"],
            first=f"{first['cell']}: {first['message_en']}; {first['remedy_en']}" if first else None,
        )

    async def _backfill(self, account_id: str) -> BackfillView | None:
        try:
            return BackfillView.model_validate(await backfill.progress(self._conn, account_id))
        except backfill.NoSuchRun:
            return None

    async def _people(self, account_id: str) -> PeopleView:
        staff = await staff_of(self._conn, account_id)
        mapped = [p.crm_user_id for p in staff.employees if p.crm_user_id]
        return PeopleView(
            employees=len(staff.employees),
            unmapped=[p.name for p in staff.employees if not p.crm_user_id],
            inactive=[p.name for p in staff.employees if p.crm_user_id and not p.is_active],
            crm_users_unmapped=await store.unmapped_crm_users(self._conn, account_id, mapped),
            senior=staff.senior.name if staff.senior else None,
        )

    async def _connections(self, account_id: str) -> list[ConnectionState]:
        latest = await store.latest_event_of_each_connection(self._conn, account_id)
        found = []
        for connection in await rows.connections(self._conn, account_id):
            row = self._told.get((account_id, f"ami:{connection.name}"))
            swept = self._told.get((account_id, f"reconciliation:{connection.name}"))
            listener = {**row["body"], "reported_at": row["at"].isoformat()} if row else None
            found.append(
                ConnectionState(
                    name=connection.name,
                    kind=connection.kind,
                    is_on=connection.is_on,
                    last_event_at=latest.get(connection.id),
                    listener=listener,
                    reconciliation=dict(swept["body"]) if swept and connection.is_on else None,
                )
            )
        return found


def _budget(body: Mapping[str, Any] | None) -> BudgetView | None:
    if not body:
        return None
    lanes = {Lane(int(number)).name.lower(): use for number, use in body["lanes"].items()}
    return BudgetView.model_validate({**body, "lanes": lanes})


def _part(view: type[V], body: Mapping[str, Any] | None) -> V | None:
    return view.model_validate(body) if body else None
