"""`sync`: loading the directory from the CRM."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gateway.cli.options import AccountName, Json
from gateway.cli.output import database, print_json, run, the_account
from gateway.settings import Settings
from runtime.failure import Failure

if TYPE_CHECKING:
    from gateway.admin.load_directory import SyncProgress

_KINDS = {"contact": "contacts", "company": "companies", "deal": "deals", "lead": "Unsorted", None: "done"}
_LINE_SECONDS = 5.0


def register(app: typer.Typer) -> None:
    app.command()(sync)


def sync(
    account: AccountName = None,
    full: Annotated[
        bool, typer.Option("--full", help="read everything again; the directory keeps answering meanwhile")
    ] = False,
    json: Json = False,
) -> None:
    """Load the directory from the CRM: asks the running worker, or does it here when none runs. Ctrl-C stops the looking on.

    Example: callmatrix sync --account sales --full
    """
    from crm.store.entries import count_numbers
    from gateway.admin.load_directory import AccountIsOff, SyncFailed, sync_account, sync_progress

    settings = Settings()

    async def work() -> dict[str, Any]:
        async with database(settings) as pool:
            async with pool.acquire() as conn:
                target = await the_account(conn, account)
            try:
                with _Shown(is_quiet=json) as shown:
                    by = await sync_account(settings, pool, target.id, is_full=full, say=shown)
            except AccountIsOff as err:
                raise Failure(
                    f"account '{target.id}' is off",
                    target.state_reason,
                    f"'callmatrix account on {target.id}'",
                ) from err
            except SyncFailed as err:
                raise Failure(str(err), "", err.remedy) from err
            async with pool.acquire() as conn:
                progress = await sync_progress(conn, target.id)
                numbers = await count_numbers(conn, target.id)
            return {
                "account": target.id,
                "by": by,
                "entities": progress.done,
                "numbers": numbers,
                "loaded_at": progress.loaded_at,
                "in_sync_at": progress.in_sync_at,
            }

    done = run(work())
    if json:
        print_json(done)
        return
    who = "the worker" if done["by"] == "worker" else "this command, since no worker runs"
    print(
        f"{done['account']}: loaded by {who}; {done['entities']} entities read, {done['numbers']} numbers in the directory."
    )


class _Shown:
    """A moving line on a terminal; a line now and then elsewhere. The CRM tells no totals, so there is no end to show."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._bar = (
            Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed:,.0f} entities"),
                TimeElapsedColumn(),
            )
            if sys.stderr.isatty() and not is_quiet
            else None
        )
        self._next = 0.0

    def __enter__(self) -> _Shown:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("loading", total=None)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: SyncProgress) -> None:
        what = _KINDS[progress.kind] + (f" ({progress.error})" if progress.error else "")
        if self._bar is not None:
            self._bar.update(
                self._task,
                description=what + _left(progress),
                completed=progress.done,
                total=progress.total,
            )
        elif not self._is_quiet and time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_SECONDS
            print(f"{progress.done} entities read, now: {what}{_left(progress)}", file=sys.stderr)


def _left(progress: SyncProgress) -> str:
    if progress.seconds_left is None:
        return ""
    minutes = round(progress.seconds_left / 60)
    return f", about {minutes} min left" if minutes else ", less than a minute left"
