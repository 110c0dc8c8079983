"""`backfill`: sending what was stored while the CRM could not be reached."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any, Literal

import asyncpg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crm.effects import backfill as core
from gateway.admin import backfill as service
from gateway.admin.input_words import refuse_bad_note
from gateway.cli.options import AccountName, Json, Yes
from gateway.cli.output import confirm, database, local, print_json, print_table, refusals, run, the_account
from gateway.settings import Settings
from runtime.failure import Failure

_LOOK_SECONDS = 0.5
_REPORT_PAGE = 1000

BackfillAction = Literal["start", "preview", "status", "pause", "resume", "stop", "report", "discard"]


def register(app: typer.Typer) -> None:
    app.command()(backfill)


def backfill(
    account: AccountName = None,
    days: Annotated[
        int, typer.Option(help="today and the days before it, in the account's zone; 30 at most")
    ] = core.DAYS,
    preview: Annotated[bool, typer.Option("--preview", help="only say what would be done")] = False,
    status: Annotated[bool, typer.Option("--status", help="how far the latest run is")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="send nothing more until --resume")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the paused run")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="end the run; what was not sent stays stored")] = False,
    report: Annotated[bool, typer.Option("--report", help="every call and what became of it")] = False,
    discard: Annotated[
        str | None, typer.Option(help="send nothing of what is stored; say why", metavar="NOTE")
    ] = None,
    yes: Yes = False,
    detach: Annotated[bool, typer.Option("--detach", help="do not wait until it is done")] = False,
    json: Json = False,
) -> None:
    """Send what was decided and stored while the account was off or its authorisation broken. The worker does it.

    Example: callmatrix backfill --account sales --days 3 --preview
    """
    action = _action(preview, status, pause, resume, stop, report, discard)
    settings = Settings()

    async def work() -> None:
        async with database(settings) as pool:
            async with pool.acquire() as conn:
                meant = await the_account(conn, account)
            command = _Command(pool, meant.id, days, json, meant.time_zone)
            if action == "start":
                await command.start(is_sure=yes or json, waits=not detach)
            elif action == "discard":
                await command.discard(discard or "", is_sure=yes or json)
            else:
                await getattr(command, action)()

    try:
        with refusals("the backfill stays as it is"):
            run(work())
    except core.NoSuchRun as err:
        raise Failure(
            "there was no backfill of this account yet", "", "see with --preview what one would send"
        ) from err


def _action(
    preview: bool, status: bool, pause: bool, resume: bool, stop: bool, report: bool, discard: str | None
) -> BackfillAction:
    chosen: dict[BackfillAction, bool] = {
        "preview": preview,
        "status": status,
        "pause": pause,
        "resume": resume,
        "stop": stop,
        "report": report,
        "discard": discard is not None,
    }
    named = [name for name, is_chosen in chosen.items() if is_chosen]
    if len(named) > 1:
        raise typer.BadParameter(f"only one of --{' and --'.join(named)} at a time")
    return named[0] if named else "start"


class _Command:
    def __init__(self, pool: asyncpg.Pool, account_id: str, days: int, json: bool, zone: str) -> None:
        self._pool, self._account, self._days, self._json = pool, account_id, days, json
        self._zone = zone

    async def preview(self) -> None:
        plan = await self._plan()
        if self._json:
            print_json(plan)
        else:
            _print_plan(plan, self._days, self._zone)

    async def start(self, *, is_sure: bool, waits: bool) -> None:
        plan = await self._plan()
        if not self._json:
            _print_plan(plan, self._days, self._zone)
        if not (plan.calls or plan.older_calls or plan.requests) and not is_sure:
            print("Nothing is stored: there is nothing to send.")
            return
        confirm("Begin?", is_sure=is_sure)
        async with self._pool.acquire() as conn:
            progress = await service.start(conn, self._account, self._days)
        if waits:
            progress = await self._follow(progress)
        self._tell(progress)

    async def status(self) -> None:
        async with self._pool.acquire() as conn:
            progress = await core.progress(conn, self._account)
            waits = await core.hindrance(conn, self._account) if progress.state == "running" else None
        self._tell(progress)
        if waits is not None and not self._json:
            print(_in_words(waits, self._zone))

    async def pause(self) -> None:
        async with self._pool.acquire() as conn:
            self._tell(await service.change(conn, self._account, "pause"))

    async def resume(self) -> None:
        async with self._pool.acquire() as conn:
            self._tell(await service.change(conn, self._account, "resume"))

    async def stop(self) -> None:
        async with self._pool.acquire() as conn:
            self._tell(await service.change(conn, self._account, "stop"))

    async def discard(self, note: str, *, is_sure: bool) -> None:
        refuse_bad_note(note)
        plan = await self._plan()
        confirm(f"{plan.calls + plan.older_calls} calls will never reach the CRM. Go on?", is_sure=is_sure)
        async with self._pool.acquire() as conn:
            count = await service.discard(conn, self._account, note)
        if self._json:
            print_json({"effects": count})
        else:
            print(f"{count} effects are kept and marked as not sent.")

    async def report(self) -> None:
        async with self._pool.acquire() as conn:
            progress = await core.progress(conn, self._account)
            calls: list[core.CallReport] = []
            after = 0
            while page := await core.report(
                conn, self._account, progress.run_id, after=after, limit=_REPORT_PAGE
            ):
                calls += page
                after = page[-1].position
        if self._json:
            print_json({"run_id": progress.run_id, "state": progress.state, "calls": calls})
            return
        print_table(
            ["started", "client", "direction", "ended as", "outcome", "what"],
            [
                (
                    local(c.started_at, self._zone),
                    c.client,
                    c.direction,
                    c.disposition,
                    c.outcome,
                    "; ".join(_effect(e) for e in c.effects),
                )
                for c in calls
            ],
            "This run took up no calls.",
        )

    async def _plan(self) -> core.Preview:
        async with self._pool.acquire() as conn:
            return await service.preview(conn, self._account, self._days)

    async def _follow(self, progress: core.BackfillProgress) -> core.BackfillProgress:
        """Until it is over or paused. Ctrl-C ends the looking on, not the run."""
        bar = Progress(
            TextColumn("calls"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=self._json or not sys.stderr.isatty(),
        )
        told: core.Hindrance | None = None
        try:
            with bar:
                task = bar.add_task("calls", total=progress.calls_total)
                while progress.state == "running":
                    await asyncio.sleep(_LOOK_SECONDS)
                    async with self._pool.acquire() as conn:
                        progress = await core.progress(conn, self._account, progress.run_id)
                        waits = await core.hindrance(conn, self._account)
                    bar.update(task, completed=progress.calls_settled)
                    if waits is not None and (told is None or waits.what != told.what):
                        bar.console.print(_in_words(waits, self._zone), highlight=False)
                    told = waits
        except asyncio.CancelledError:
            print("The run goes on in the worker; see --status, --pause, --stop.", file=sys.stderr)
            raise
        return progress

    def _tell(self, progress: core.BackfillProgress) -> None:
        if self._json:
            print_json(progress)
            return
        print(
            f"{progress.state}: {progress.calls_settled} of {progress.calls_total} calls and"
            f" {progress.clients_settled} of {progress.clients_total} clients of messengers settled;"
            f" effects: {progress.effects_done} done, {progress.effects_open} open,"
            f" {progress.effects_skipped} not needed, {progress.effects_dead} on the desk"
        )


def _print_plan(plan: core.Preview, days: int, zone: str) -> None:
    print(f"Stored calls since {local(plan.since, zone)} {zone} (the last {days} days): {plan.calls}")
    print(
        f"  contacts {plan.contacts}, deals {plan.deals}, incoming leads {plan.leads}, call notes {plan.notes},"
        f" tasks {plan.tasks}, changes {plan.changes}"
    )
    print(f"  clients of messengers who wait for a contact or a deal: {plan.clients}")
    print(f"  not needed any more, since the client was reached: {plan.tasks_not_needed} tasks")
    print(f"  older calls, kept and marked as not sent: {plan.older_calls}")
    print(f"  about {plan.requests} requests, {plan.minutes} minutes")


def _in_words(waits: core.Hindrance, zone: str) -> str:
    if waits.what == "account":
        said = f": {waits.reason}" if waits.reason else ""
        return f"It waits: the account is not on{said}. It goes on once the CRM lets us in."
    since = local(waits.agreed_at, zone) or "never"
    return f"It waits until the directory agrees with the CRM again (last: {since}), so that nothing is made twice."


def _effect(effect: Any) -> str:
    reason = f" ({effect['code']})" if effect.get("code") else ""
    return f"{effect['what']} {effect['state']}{reason}"
