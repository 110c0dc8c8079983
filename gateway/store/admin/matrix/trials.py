"""A draft becomes a version on trial; a trial ends: its version becomes the published one, or is taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from gateway.store.admin import matrices
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.matrices import (
    DraftConflict,
    MatrixNotPublishable,
    Published,
    TrialOutcome,
    refuse_while_trial_runs,
    running_trial,
)
from routing.matrix.checks.check import Catalogue, can_be_published, check
from routing.matrix.versions.trial import Trial
from runtime.database.pool import Conn


class NoTrialRuns(Exception):
    """No version is on trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrial:
    """against: the version that is published meanwhile. why: as of the version. outcome: None while it runs."""

    trial: Trial
    against: int
    begun_at: datetime
    begun_by: str
    why: str
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None
    outcome: TrialOutcome | None


async def begin_trial(
    conn: Conn,
    account_id: str,
    *,
    percent: int | None,
    line: str | None,
    revision: int,
    by: str,
    why: str,
    catalogue: Catalogue,
) -> Published:
    """Make the draft the next version, on trial; the draft stays as it is. Raises DraftConflict, TrialRunning,
    NothingToPublish, MatrixNotPublishable, NoSuchAccount."""
    async with conn.transaction():
        seen = await matrices.locked_draft(conn, account_id, revision)
        await refuse_while_trial_runs(conn, account_id)
        current = await matrices.current_version(conn, account_id)
        if seen.based_on != current:
            raise DraftConflict(f"version {current} was published after this draft was begun", seen)
        problems = check(seen.matrix, catalogue)
        if not can_be_published(problems):
            raise MatrixNotPublishable(problems)
        await matrices.refuse_published(conn, account_id, seen.matrix, current)
        done = await matrices.add_version(conn, account_id, seen.matrix, by, why, action="trial begun")
        await conn.execute(
            "INSERT INTO matrix_trial (account_id, version, against, percent, line, begun_by) VALUES ($1, $2, $3, $4, $5, $6)",
            account_id,
            done.version,
            current,
            percent,
            line,
            by,
        )
    return done


async def end_trial(conn: Conn, account_id: str, *, outcome: TrialOutcome, by: str, why: str) -> Trial:
    """End the one that runs. A draft that is the same as its version is done with once it is published.
    Raises NoTrialRuns, NoSuchAccount."""
    async with conn.transaction():
        await matrices.lock(conn, account_id)
        trial = await running_trial(conn, account_id)
        if trial is None:
            raise NoTrialRuns
        draft = await matrices.draft(conn, account_id)
        await conn.execute(
            "UPDATE matrix_trial SET outcome = $3, ended_at = now(), ended_by = $4, ended_why = $5"
            " WHERE account_id = $1 AND version = $2",
            account_id,
            trial.version,
            outcome,
            by,
            why,
        )
        await record(conn, _change(account_id, trial, outcome, why))
        is_done = matrices.body_of(draft.matrix) == matrices.body_of(
            await matrices.matrix_at(conn, account_id, trial.version)
        )
        if outcome == "published" and is_done:
            await matrices.write_draft(conn, account_id, None, draft.revision + 1, trial.version, by)
    return trial


def _change(account_id: str, trial: Trial, outcome: TrialOutcome, why: str) -> AuditChange:
    said: dict[str, Any] = {"version": trial.version, "why": why}
    action = "published" if outcome == "published" else "trial taken back"
    name = f"version {trial.version}"
    return AuditChange(what="matrix", object=name, action=action, account_id=account_id, after=said)


async def trials(conn: Conn, account_id: str) -> list[StoredTrial]:
    """Return all that ran, newest first."""
    rows = await conn.fetch(
        "SELECT t.*, v.why FROM matrix_trial t JOIN matrix_version v USING (account_id, version)"
        " WHERE t.account_id = $1 ORDER BY t.version DESC",
        account_id,
    )
    return [_stored(row) for row in rows]


def _stored(row: asyncpg.Record) -> StoredTrial:
    names = ("against", "begun_at", "begun_by", "why", "ended_at", "ended_by", "ended_why", "outcome")
    trial = Trial(version=row["version"], percent=row["percent"], line=row["line"])
    return StoredTrial(trial=trial, **{name: row[name] for name in names})
