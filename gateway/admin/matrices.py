"""The matrices of an account as a person publishes them: from the draft, from a file, an earlier one again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.admin.input_words import refuse_bad_note, refuse_no_number
from gateway.admin.protection.grants import refuse_other_template
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.configuration import number_policy
from gateway.decisions.dry_run import SampleCall, dry_run
from gateway.decisions.replay import VersionName, matrix_named
from gateway.presence.at_work_now import at_work_now
from gateway.store.admin import matrices as store
from gateway.store.admin.accounts import account, connections
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.admin.staff import staff_of
from routing.matrix.by_template.turns import uses_of_templates
from routing.matrix.checks.check import Problem
from routing.matrix.model import Matrix
from routing.matrix.versions.trial import Trial
from routing.texts.catalogue import Language
from runtime.database.pool import Conn, database_now


class MatrixRefused(InputRefused):
    """The checks found errors in the matrix, so that it was not published. problems: all that was found. language: of the
    first one's words."""

    code = "matrix-not-publishable"

    def __init__(self, found: list[Problem], language: Language) -> None:
        self.found = found
        first = self.errors[0]
        super().__init__(first.cell, *first.in_words(language), problems=[p.model_dump() for p in found])

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.found if p.severity == "error"]


class DraftMoved(InputRefused):
    """Somebody else saved or published meanwhile; nothing was overwritten."""

    code = "draft-conflict"

    def __init__(self, who: str, did: str, at: datetime | None, revision: int) -> None:
        self.who = who
        super().__init__(
            "revision",
            f"{who} {did} meanwhile",
            f"read the draft again, at revision {revision} now, and repeat your change; nothing was overwritten",
            problems=[{"by": who, "at": at.isoformat() if at else None, "revision": revision}],
        )


class SameMatrix(InputRefused):
    """It decides like the version that is published already, so that there is nothing to publish."""

    code = "nothing-to-publish"

    def __init__(self, version: int) -> None:
        super().__init__(
            "version",
            f"there is nothing to publish: it decides like version {version}, which is published",
            "change the draft first; see 'callmatrix matrix difference'",
        )


class OnTrial(InputRefused):
    """A version is on trial, against which the published one is compared: that one stays until the trial ends."""

    code = "trial-running"

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        part = f"{trial.percent} % of the clients" if trial.percent else f"the line {trial.line}"
        super().__init__(
            "trial",
            f"version {trial.version} is on trial for {part}",
            "end the trial first: 'callmatrix matrix trial-publish' or 'callmatrix matrix trial-take-back'",
            problems=[trial._asdict()],
        )


class NoVersion(InputRefused):
    """There is no such version of the matrix."""

    code = "no-such-matrix-version"

    def __init__(self, version: object) -> None:
        super().__init__(
            "version", f"there is no version {version} of the matrix", "see 'callmatrix matrix versions'"
        )


async def save_draft(conn: Conn, account_id: str, matrix: Matrix, *, revision: int, by: str) -> store.Draft:
    """Raise DraftMoved, NotBoundTo, NoSuchAccount; nothing is stored then."""
    refuse_others((await store.draft(conn, account_id)).matrix, matrix)
    async with refusals(conn, account_id):
        return await store.save_draft(conn, account_id, matrix, revision=revision, by=by)


async def reset_draft(conn: Conn, account_id: str, *, revision: int, by: str) -> store.Draft:
    """Forget all that is not published. Raise DraftMoved, NotBoundTo, NoSuchAccount; nothing is stored then."""
    await refuse_others_published(conn, account_id, (await store.draft(conn, account_id)).matrix)
    async with refusals(conn, account_id):
        return await store.reset_draft(conn, account_id, revision=revision, by=by)


async def publish_draft(
    conn: Conn, account_id: str, *, revision: int | None, by: str, why: str
) -> store.Published:
    """revision: of the draft that was seen, None = as it is now. Raise InputRefused, NoSuchAccount; nothing is stored then."""
    refuse_bad_note(why, "why", "reason")
    draft = await store.draft(conn, account_id)
    seen = draft.revision if revision is None else revision
    async with refusals(conn, account_id):
        await refuse_others_published(conn, account_id, draft.matrix)
        catalogue = await catalogue_of(conn, account_id)
        return await store.publish(conn, account_id, revision=seen, by=by, why=why, catalogue=catalogue)


async def publish_matrix(
    conn: Conn, account_id: str, matrix: Matrix, *, by: str, why: str
) -> store.Published | None:
    """Return what came from elsewhere; None when it decides like the current version. Raise InputRefused, NoSuchAccount."""
    async with refusals(conn, account_id):
        await refuse_others_published(conn, account_id, matrix)
        catalogue = await catalogue_of(conn, account_id)
        return await store.publish_matrix(conn, account_id, matrix, by=by, why=why, catalogue=catalogue)


async def roll_back(conn: Conn, account_id: str, *, to: int, by: str, why: str) -> store.Published:
    """Raise InputRefused, NoSuchAccount; nothing is stored then."""
    refuse_bad_note(why, "why", "reason")
    async with refusals(conn, account_id):
        await refuse_others_published(conn, account_id, await store.matrix_at(conn, account_id, to))
        return await store.roll_back(conn, account_id, to=to, by=by, why=why)


async def try_call(
    conn: Conn,
    account_id: str,
    version: VersionName,
    made_up: SampleCall,
    connection: str | None,
    language: Language | None = None,
) -> list[dict[str, Any]]:
    """Return what one made-up call would come to, as `dry_run` does. connection: which PBX of the account, None = any.
    language: of the words, else the account's.

    Raise InputRefused, NoSuchAccount.
    """
    refuse_no_number("line", made_up.line)
    of_account = await account(conn, account_id)
    known = await connections(conn, account_id)
    mine = [c for c in known if connection in (None, c.name)]
    if connection is not None and not mine:
        raise NothingOfThatName("connection", connection)
    chosen = mine[0] if mine else None
    policy = number_policy(of_account, chosen, known, await staff_of(conn, account_id))
    line = made_up.line or next((n for c in mine for n in c.lines), None)
    async with refusals(conn, account_id):
        matrix = (await matrix_named(conn, account_id, version)).matrix
    call = replace(made_up, line=line, connection=chosen.id if chosen else "")
    at_work = await at_work_now(conn, of_account, await database_now(conn))
    return await dry_run(conn, of_account, policy, matrix, call, at_work=at_work, language=language)


async def refuse_others_published(conn: Conn, account_id: str, wanted: Matrix) -> None:
    current = await store.current_version(conn, account_id)
    refuse_others(await store.matrix_at(conn, account_id, current), wanted)


def refuse_others(before: Matrix, wanted: Matrix) -> None:
    """Raise NotBoundTo where who acts lets a template choose that is not theirs, or keeps it from choosing."""
    changed = uses_of_templates(before) ^ uses_of_templates(wanted)
    refuse_other_template(*sorted({use.template for use in changed}))


@asynccontextmanager
async def refusals(conn: Conn, account_id: str) -> AsyncIterator[None]:
    """Yield what the store refuses, as people are told."""
    try:
        yield
    except store.NoSuchMatrixVersion as err:
        raise NoVersion(err.version) from err
    except store.NothingToPublish as err:
        raise SameMatrix(err.version) from err
    except store.TrialRunning as err:
        raise OnTrial(err.trial) from err
    except store.DraftConflict as err:
        raise await _moved(conn, account_id, err) from err
    except store.MatrixNotPublishable as err:
        raise MatrixRefused(err.problems, (await account(conn, account_id)).settings.language) from err


async def _moved(conn: Conn, account_id: str, err: store.DraftConflict) -> DraftMoved:
    """Who was faster: the one who saved, or the one who published."""
    await store.current_version(conn, account_id)  # the first is made when it is asked for
    ran = await store.versions(conn, account_id)
    latest = next(v for v in ran if v.trial in (None, "published"))
    draft = err.current
    if draft.saved_by is not None and draft.based_on == latest.version:
        return DraftMoved(draft.saved_by, "saved the draft", draft.saved_at, draft.revision)
    return DraftMoved(
        latest.published_by, f"published version {latest.version}", latest.published_at, draft.revision
    )
