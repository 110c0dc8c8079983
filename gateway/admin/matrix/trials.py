"""A version on trial as a person orders it: begun from the draft, compared, ended by publishing or taking it back."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.admin.input_words import refuse_bad_note
from gateway.admin.matrices import refusals, refuse_others_published
from gateway.admin.refused import InputRefused
from gateway.configuration import policy_of
from gateway.store.admin import matrices as store
from gateway.store.admin.matrices import TrialOutcome
from gateway.store.admin.matrix.trials import NoTrialRuns, StoredTrial, begin_trial, end_trial, trials
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.calls.trials import TrialFigures, figures_of_trial
from routing.matrix.versions.trial import Trial
from routing.numbers.normalise import PublicNumber, normalise
from runtime.database.pool import Conn


class NoTrial(InputRefused):
    """No version is on trial."""

    code = "no-trial"

    def __init__(self) -> None:
        super().__init__(
            "trial", "no version is on trial", "begin one: see 'callmatrix matrix trial-begin --help'"
        )


@dataclass(frozen=True, slots=True)
class ComparedTrial:
    trial: StoredTrial
    figures: TrialFigures


async def begin(
    conn: Conn,
    account_id: str,
    *,
    percent: int | None,
    line: str | None,
    revision: int | None,
    by: str,
    why: str,
) -> store.Published:
    """Make the draft a version that decides about part of the calls. percent: of clients; line: one of ours, in any spelling.
    revision: of the draft that was seen, None = as it is now. Raise InputRefused, NoSuchAccount; nothing is stored then."""
    refuse_bad_note(why, "why", "reason")
    _refuse_odd_part(percent, line)
    draft = await store.draft(conn, account_id)
    number = await _line_of(conn, account_id, line) if line is not None else None
    async with refusals(conn, account_id):
        await refuse_others_published(conn, account_id, draft.matrix)
        return await begin_trial(
            conn,
            account_id,
            percent=percent,
            line=number,
            revision=draft.revision if revision is None else revision,
            by=by,
            why=why,
            catalogue=await catalogue_of(conn, account_id),
        )


async def end(conn: Conn, account_id: str, *, outcome: TrialOutcome, by: str, why: str) -> Trial:
    """Raise InputRefused, NoSuchAccount; nothing is stored then."""
    refuse_bad_note(why, "why", "reason")
    try:
        async with refusals(conn, account_id):
            return await end_trial(conn, account_id, outcome=outcome, by=by, why=why)
    except NoTrialRuns as err:
        raise NoTrial from err


async def compared(conn: Conn, account_id: str, version: int | None = None) -> ComparedTrial | None:
    """Return what the calls of both sides came to. version: None = of the trial that runs, else the latest."""
    for ran in await trials(conn, account_id):
        if version in (None, ran.trial.version):
            figures = await figures_of_trial(conn, account_id, ran.trial.version, ran.begun_at)
            return ComparedTrial(ran, figures)
    return None


def _refuse_odd_part(percent: int | None, line: str | None) -> None:
    if (percent is None) == (line is None):
        raise InputRefused(
            "percent", "it is not clear which calls are meant", "name a share of the clients, or one line"
        )
    if percent is not None and not 1 <= percent <= 99:
        raise InputRefused(
            "percent", f"{percent} is no share", "write a whole number from 1 to 99; for all calls publish it"
        )


async def _line_of(conn: Conn, account_id: str, line: str) -> str:
    """Return one of the account's lines as calls name it."""
    number = normalise(line, await policy_of(conn, account_id))
    named = number.e164 if isinstance(number, PublicNumber) else line.strip()
    lines = (await catalogue_of(conn, account_id)).lines
    if named not in lines:
        known = ", ".join(sorted(lines)) or "no connection has any"
        raise InputRefused("line", f"'{line}' is none of the account's lines", f"one of: {known}")
    return named
