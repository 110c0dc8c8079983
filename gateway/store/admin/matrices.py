"""Matrices as rows: the draft of an account, and its published versions, which never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from gateway.store.admin.accounts import NoSuchAccount, account
from gateway.store.admin.audit import AuditChange, record
from gateway.texts.sentences import TEXTS
from routing.matrix.checks.check import Catalogue, Problem, can_be_published, check
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from routing.matrix.versions.diff import difference
from routing.matrix.versions.merge import merge
from routing.matrix.versions.trial import Trial
from routing.texts.catalogue import Language
from runtime.database.pool import Conn

_MOST_TOLD = 20  # sentences of one save

_SYSTEM = "callmatrix"
TrialOutcome = Literal["published", "taken_back"]
TrialState = Literal["running"] | TrialOutcome


class NoSuchMatrixVersion(Exception):
    """No version of this number was ever published. List the versions to see which there are."""

    code = "no-such-matrix-version"

    def __init__(self, account_id: str, version: int) -> None:
        super().__init__(f"{account_id}: {version}")
        self.version = version


class DraftConflict(Exception):
    """Somebody else saved or published meanwhile; nothing was overwritten. Read the draft again and repeat the change.

    current: the draft as it is now.
    """

    code = "draft-conflict"

    def __init__(self, message: str, current: Draft) -> None:
        super().__init__(message)
        self.current = current


class NothingToPublish(Exception):
    """It decides like the version that is published already."""

    def __init__(self, version: int) -> None:
        super().__init__(str(version))
        self.version = version


class TrialRunning(Exception):
    """A version is on trial: what is published is not changed before that ends."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(str(trial.version))
        self.trial = trial


class MatrixNotPublishable(Exception):
    """The checks found errors. problems: all of them, each with the cell and what to do."""

    code = "matrix-not-publishable"

    def __init__(self, problems: list[Problem]) -> None:
        errors = [p for p in problems if p.severity == "error"]
        super().__init__("; ".join(f"{p.cell}: {p.message}" for p in errors[:5]))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """revision: name it when saving. based_on: version that was current when it was begun. is_changed: someone saved."""

    matrix: Matrix
    revision: int
    based_on: int
    is_changed: bool
    saved_at: datetime | None
    saved_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """trial: of a version that was on trial, how that stands; None = it was published at once."""

    version: int
    published_at: datetime
    published_by: str
    why: str
    restored: int | None = None
    trial: TrialState | None = None


class MatrixStore:
    """The published matrices, each read once. One instance a process; `conn` is always the caller's."""

    def __init__(self, capacity: int = 500) -> None:
        self._read: OrderedDict[tuple[str, int], Matrix] = OrderedDict()
        self._capacity = capacity

    async def current(self, conn: Conn, account_id: str) -> Matrix:
        """Return the latest version. An account that has none gets the recommended matrix as version 1. Raises NoSuchAccount."""
        return await self.at(conn, account_id, await current_version(conn, account_id))

    async def trial(self, conn: Conn, account_id: str) -> Trial | None:
        """Return the trial that runs."""
        return await running_trial(conn, account_id)

    async def at(self, conn: Conn, account_id: str, version: int) -> Matrix:
        """Return the matrix of this version. Raises NoSuchMatrixVersion."""
        key = (account_id, version)
        if (known := self._read.get(key)) is None:
            known = self._read[key] = await matrix_at(conn, account_id, version)
            if len(self._read) > self._capacity:
                self._read.popitem(last=False)
        self._read.move_to_end(key)
        return known


async def current_version(conn: Conn, account_id: str) -> int:
    """Return the number of the latest version, which is made where there is none. Raises NoSuchAccount."""
    latest = await _latest(conn, account_id)
    if latest is None:
        language = (await account(conn, account_id)).settings.language
        try:
            await conn.execute(
                "INSERT INTO matrix_version (account_id, version, body, published_by, why) VALUES ($1, 1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                account_id,
                body_of(recommended(language)),
                _SYSTEM,
                TEXTS[language].say("preset.why"),
            )
        except asyncpg.ForeignKeyViolationError as err:
            raise NoSuchAccount(account_id) from err
        latest = await _latest(conn, account_id)
    return latest or 1


async def _latest(conn: Conn, account_id: str) -> int | None:
    found: int | None = await conn.fetchval("SELECT callmatrix_published_matrix($1)", account_id)
    return found


async def matrix_at(conn: Conn, account_id: str, version: int) -> Matrix:
    """Return the matrix of this version. Raises NoSuchMatrixVersion."""
    body = await conn.fetchval(
        "SELECT body FROM matrix_version WHERE account_id = $1 AND version = $2", account_id, version
    )
    if body is None:
        raise NoSuchMatrixVersion(account_id, version)
    return matrix_of_body(body, version)


async def versions(conn: Conn, account_id: str) -> list[Published]:
    """Newest first."""
    rows = await conn.fetch(
        "SELECT version, published_at, published_by, why, restored,"
        " CASE WHEN t.version IS NOT NULL THEN coalesce(t.outcome, 'running') END AS trial"
        " FROM matrix_version v LEFT JOIN matrix_trial t USING (account_id, version)"
        " WHERE account_id = $1 ORDER BY version DESC",
        account_id,
    )
    return [Published(**dict(row)) for row in rows]


async def draft(conn: Conn, account_id: str) -> Draft:
    """Return what people edit: the current version where nobody has changed anything. Raises NoSuchAccount."""
    current = await current_version(conn, account_id)
    row = await conn.fetchrow("SELECT * FROM matrix_draft WHERE account_id = $1", account_id)
    if row is None or row["body"] is None:
        return Draft(
            matrix=await matrix_at(conn, account_id, current),
            revision=row["revision"] if row else 0,
            based_on=current,
            is_changed=False,
            saved_at=None,
            saved_by=None,
        )
    return Draft(
        matrix=matrix_of_body(row["body"], current),
        revision=row["revision"],
        based_on=row["based_on"],
        is_changed=True,
        saved_at=row["saved_at"],
        saved_by=row["saved_by"],
    )


async def save_draft(conn: Conn, account_id: str, matrix: Matrix, *, revision: int, by: str) -> Draft:
    """revision: of the draft that the change was made to. Raises DraftConflict, NoSuchAccount."""
    async with conn.transaction():
        seen = await locked_draft(conn, account_id, revision)
        based_on = seen.based_on
        changed = {
            language: [one.text for one in difference(seen.matrix, matrix, texts)[:_MOST_TOLD]]
            for language, texts in TEXTS.items()
        }
        await write_draft(conn, account_id, body_of(matrix), revision + 1, based_on, by, changed)
    return await draft(conn, account_id)


async def reset_draft(conn: Conn, account_id: str, *, revision: int, by: str) -> Draft:
    """Forgets all unpublished changes. Raises DraftConflict, NoSuchAccount."""
    async with conn.transaction():
        await locked_draft(conn, account_id, revision)
        current = await current_version(conn, account_id)
        await write_draft(conn, account_id, None, revision + 1, current, by)
    return await draft(conn, account_id)


async def rebase_draft(conn: Conn, account_id: str, *, revision: int, by: str) -> Draft:
    """Keep what the draft changed although another version was published after it was begun; all else is that version's.
    Raises DraftConflict, NoSuchAccount."""
    async with conn.transaction():
        seen = await locked_draft(conn, account_id, revision)
        current = await current_version(conn, account_id)
        body = body_of(await _kept(conn, account_id, seen, current)) if seen.is_changed else None
        await write_draft(conn, account_id, body, revision + 1, current, by)
    return await draft(conn, account_id)


async def _kept(conn: Conn, account_id: str, seen: Draft, current: int) -> Matrix:
    """Of what both changed, the draft's."""
    base, published = [await matrix_at(conn, account_id, version) for version in (seen.based_on, current)]
    both = merge(base, seen.matrix, published).open
    return merge(base, seen.matrix, published, {part.where: "mine" for part in both}).matrix


async def publish(
    conn: Conn, account_id: str, *, revision: int, by: str, why: str, catalogue: Catalogue
) -> Published:
    """Make the draft the next version. Raises DraftConflict (also when another version was published after the draft
    was begun: see rebase_draft), TrialRunning, NothingToPublish, MatrixNotPublishable, NoSuchAccount."""
    async with conn.transaction():
        seen = await locked_draft(conn, account_id, revision)
        await refuse_while_trial_runs(conn, account_id)
        current = await current_version(conn, account_id)
        if seen.based_on != current:
            raise DraftConflict(f"version {current} was published after this draft was begun", seen)
        problems = check(seen.matrix, catalogue)
        if not can_be_published(problems):
            raise MatrixNotPublishable(problems)
        await refuse_published(conn, account_id, seen.matrix, current)
        done = await add_version(conn, account_id, seen.matrix, by, why)
        await write_draft(conn, account_id, None, revision + 1, done.version, by)
    return done


async def publish_matrix(
    conn: Conn, account_id: str, matrix: Matrix, *, by: str, why: str, catalogue: Catalogue
) -> Published | None:
    """Publish what came from elsewhere (an import); None when it decides like the current version. A draft that
    somebody is editing stays, and is told of it when they publish. Raises MatrixNotPublishable, NoSuchAccount."""
    async with conn.transaction():
        await lock(conn, account_id)
        current = await matrix_at(conn, account_id, await current_version(conn, account_id))
        if body_of(current) == body_of(matrix):
            return None
        await refuse_while_trial_runs(conn, account_id)
        problems = check(matrix, catalogue)
        if not can_be_published(problems):
            raise MatrixNotPublishable(problems)
        return await add_version(conn, account_id, matrix, by, why)


async def roll_back(conn: Conn, account_id: str, *, to: int, by: str, why: str) -> Published:
    """Return the body of an earlier version as the next one, at once: it is not checked again, since it is the way out of
    trouble. Raises NoSuchMatrixVersion, NothingToPublish, NoSuchAccount."""
    async with conn.transaction():
        await lock(conn, account_id)
        await refuse_while_trial_runs(conn, account_id)
        current = await current_version(conn, account_id)
        matrix = await matrix_at(conn, account_id, to)
        await refuse_published(conn, account_id, matrix, current)
        return await add_version(conn, account_id, matrix, by, why, restored=to)


async def running_trial(conn: Conn, account_id: str) -> Trial | None:
    row = await conn.fetchrow(
        "SELECT version, percent, line FROM matrix_trial WHERE account_id = $1 AND outcome IS NULL",
        account_id,
    )
    return Trial(**dict(row)) if row else None


async def refuse_while_trial_runs(conn: Conn, account_id: str) -> None:
    """Raise TrialRunning. The caller holds the account, so that none begins meanwhile."""
    if trial := await running_trial(conn, account_id):
        raise TrialRunning(trial)


async def refuse_published(conn: Conn, account_id: str, matrix: Matrix, current: int) -> None:
    if body_of(matrix) == body_of(await matrix_at(conn, account_id, current)):
        raise NothingToPublish(current)


async def lock(conn: Conn, account_id: str) -> None:
    """One publication or save at a time for an account."""
    found = await conn.fetchval("SELECT 1 FROM account WHERE account_id = $1 FOR NO KEY UPDATE", account_id)
    if found is None:
        raise NoSuchAccount(account_id)


async def held_draft(conn: Conn, account_id: str) -> Draft:
    """Return the draft, which nobody else changes until the transaction ends. Raises NoSuchAccount."""
    await lock(conn, account_id)
    return await draft(conn, account_id)


async def locked_draft(conn: Conn, account_id: str, revision: int) -> Draft:
    seen = await held_draft(conn, account_id)
    if seen.revision != revision:
        who = f" by {seen.saved_by}" if seen.saved_by else ""
        raise DraftConflict(f"the draft is at revision {seen.revision}{who}, not {revision}", seen)
    return seen


async def write_draft(
    conn: Conn,
    account_id: str,
    body: dict[str, Any] | None,
    revision: int,
    based_on: int,
    by: str,
    changed: Mapping[Language, Sequence[str]] | None = None,
) -> None:
    """Keep it. changed: in words, by language, for the record of changes; None: it begins anew."""
    await conn.execute(
        "INSERT INTO matrix_draft (account_id, body, revision, based_on, saved_by) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (account_id) DO UPDATE SET body = $2, revision = $3, based_on = $4, saved_by = $5,"
        " saved_at = now()",
        account_id,
        body,
        revision,
        based_on,
        by,
    )
    said: dict[str, Any] = {"revision": revision, "based_on": based_on, "is_empty": body is None}
    if changed is not None:
        said["changed"] = dict(changed)
    await record(
        conn, AuditChange(what="matrix", object="draft", action="saved", account_id=account_id, after=said)
    )


async def add_version(
    conn: Conn,
    account_id: str,
    matrix: Matrix,
    by: str,
    why: str,
    restored: int | None = None,
    action: str = "published",
) -> Published:
    row = await conn.fetchrow(
        "INSERT INTO matrix_version (account_id, version, body, published_by, why, restored)"
        " SELECT $1, max(version) + 1, $2, $3, $4, $5 FROM matrix_version WHERE account_id = $1"
        " RETURNING version, published_at, published_by, why, restored",
        account_id,
        body_of(matrix),
        by,
        why,
        restored,
    )
    assert row is not None
    published = Published(**dict(row))
    change = AuditChange(
        what="matrix",
        object=f"version {published.version}",
        action=action if restored is None else "restored",
        account_id=account_id,
        after={"version": published.version, "why": why, "restored": restored},
    )
    await record(conn, change)
    return published


def body_of(matrix: Matrix) -> dict[str, Any]:
    return matrix.model_dump(mode="json", exclude={"version"})


def matrix_of_body(body: dict[str, Any], version: int) -> Matrix:
    return Matrix.model_validate({**body, "version": version})
