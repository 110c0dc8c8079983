"""What one run of a client's job has at hand: the transaction, the account as it is now, and its configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from gateway.at_work import AtWork
from gateway.calendars import holidays_around
from gateway.calls.pbx_clocks import PbxClocks
from gateway.store.admin.accounts import Account
from gateway.store.admin.staff import StaffStore, write_snapshot
from gateway.store.calls.trials import trial_of_open_case
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from routing.client_work.values import CallRow, Setup
from routing.matrix.model import Matrix
from routing.matrix.versions.trial import Trial, TrialOfCall, side_of
from routing.settings import NumberPolicy
from routing.staff import Staff
from runtime.database.pool import Conn

Clock = Callable[[], datetime]


class Matrices(Protocol):
    """The matrices of accounts. Both may be cached; a published version never changes."""

    async def current(self, conn: Conn, account_id: str) -> Matrix:
        """Return the published one."""
        ...

    async def at(self, conn: Conn, account_id: str, version: int) -> Matrix: ...

    async def trial(self, conn: Conn, account_id: str) -> Trial | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """policies: number policies by connection id. snapshots: versions of the staff written down in this transaction."""

    conn: Conn
    account: Account
    staff: Staff
    staff_store: StaffStore
    matrices: Matrices
    policies: Mapping[str, NumberPolicy]
    now: datetime
    at_work: AtWork
    clocks: PbxClocks
    snapshots: list[int] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        return self.account.state != "on"

    @property
    def setup(self) -> Setup:
        settings = self.account.settings
        holidays = holidays_around(settings.working_time, self.now)
        return Setup(self.staff, settings, self.account.time_zone, holidays, self.now)

    async def matrix_of(self, row: CallRow) -> tuple[Matrix, TrialOfCall | None]:
        """Return the one that was current when the call was first seen with its client, and its side of the trial that ran
        then; at first sight those of now."""
        conn, account_id = self.conn, self.account.id
        if row.client_kind is not None and row.matrix_version is not None:
            return await self.matrices.at(conn, account_id, row.matrix_version), row.trial
        trial = await self.matrices.trial(conn, account_id)
        if trial is None or row.client is None:
            return await self.matrices.current(conn, account_id), None
        of_case = await trial_of_open_case(conn, account_id, row.client)
        side = side_of(trial, account_id, row.client, row.line, of_case)
        if side.is_on_trial:
            return await self.matrices.at(conn, account_id, trial.version), side
        return await self.matrices.current(conn, account_id), side

    async def record(
        self,
        decision_id: str,
        *,
        kind: str,
        call_id: str | None,
        client: str | None,
        reason: str,
        outcome: Mapping[str, Any],
        steps: list[dict[str, Any]],
        inputs: Mapping[str, Any],
    ) -> None:
        """Write the decision down, with the version of the staff that it was taken with."""
        if not self.snapshots and not self.staff_store.is_written(self.account.id, self.staff.version):
            await write_snapshot(self.conn, self.account.id, self.staff)
            self.snapshots.append(self.staff.version)
        row = DecisionRow(
            account_id=self.account.id,
            decision_id=decision_id,
            kind=kind,
            at=self.now,
            call_id=call_id,
            client=client,
            reason=reason,
            outcome=outcome,
            steps=steps,
            inputs={**inputs, "staff_version": self.staff.version},
        )
        await add_decisions(self.conn, [row])
