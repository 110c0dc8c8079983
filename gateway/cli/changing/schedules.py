"""`schedule`: who works when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from gateway.admin.config_document import schedule_yaml
from gateway.admin.refused import InputRefused
from gateway.admin.schedules import saved, seen
from gateway.cli.changing.schedule_words import (
    ScheduleChanges,
    asked_day,
    asked_moment,
    judged,
    schedule_in_file,
    schedule_refusals,
    typed,
    whose_plan,
    with_head,
)
from gateway.cli.options import AccountName, Json, Lang, Yes
from gateway.cli.output import (
    chosen_language,
    confirm,
    language_of,
    local,
    me,
    on_account,
    print_json,
    print_table,
    refusals,
)
from gateway.store.admin import schedules as store
from gateway.store.admin.accounts import account as the_account_of
from gateway.texts.sentences import TEXTS
from routing.schedules.edits import Whose
from routing.schedules.model import Schedule
from routing.schedules.timetable import WorkDay
from routing.texts.catalogue import Language, Texts
from runtime.database.pool import Conn

schedule_app = typer.Typer(
    help="Who works when: schedules of people, groups and everybody.", no_args_is_help=True
)

ScheduleName = Annotated[str, typer.Argument(help="what you call it, e.g. shifts", metavar="SCHEDULE")]
ScheduleKind = Annotated[
    Literal["weekly", "by-day"] | None,
    typer.Option(help="hours by weekday, or named dates only; of a new one weekly"),
]
Zone = Annotated[str | None, typer.Option(help="IANA name; '' = the account's")]
Holidays = Annotated[
    bool | None,
    typer.Option(
        "--holidays/--no-holidays",
        help="whether the calendar's free and working days count; else in weekly ones only",
    ),
]
File = Annotated[str | None, typer.Option(help="the whole schedule as YAML; - reads standard input")]


def register(app: typer.Typer) -> None:
    app.add_typer(schedule_app, name="schedule")


@schedule_app.command("list")
def list_schedules(account: AccountName = None, json: Json = False) -> None:
    """List schedules.

    Example: callmatrix schedule list --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[store.StoredSchedule], str]:
        zone = (await the_account_of(conn, account_id)).time_zone
        return await store.schedules_of(conn, [account_id]), zone

    found, zone = on_account(account, work)
    if json:
        print_json([_line(s) for s in found])
        return
    print_table(
        ["schedule", "kind", "version", "people", "zone", "saved", "by"],
        [
            (s.name, s.schedule.kind, s.version, _who(s.schedule), s.schedule.zone or zone,
             local(s.saved_at, zone), s.saved_by)
            for s in found
        ],
        "None. Add one with 'callmatrix schedule add'.",
    )  # fmt: skip


def _line(stored: store.StoredSchedule) -> dict[str, Any]:
    schedule = stored.schedule
    return {
        "name": stored.name,
        "kind": schedule.kind,
        "version": stored.version,
        "zone": schedule.zone,
        "people": len(schedule.people),
        "saved_at": stored.saved_at,
        "saved_by": stored.saved_by,
    }


def _who(schedule: Schedule) -> str:
    groups = [f"group {name}" for name in schedule.groups]
    return ", ".join((*(["everybody"] if schedule.everybody else []), *groups, *schedule.people)) or "nobody"


@schedule_app.command("add")
def add_schedule(
    name: ScheduleName,
    account: AccountName = None,
    kind: ScheduleKind = None,
    zone: Zone = None,
    holidays: Holidays = None,
    week: Annotated[str | None, typer.Option(help="of everybody, e.g. 'mon-fri 09:00-18:00'")] = None,
    file: File = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Add a schedule; it holds at once. People are put into it by `schedule set`, or all at once with --file.

    Example: callmatrix schedule add office --week "mon-fri 09:00-18:00; sat 10:00-14:00"
    """

    async def work(conn: Conn, account_id: str) -> saved.ScheduleSaved:
        schedule = with_head(schedule_in_file(file) if file else Schedule(), kind, zone, holidays)
        if week is not None:
            schedule = ScheduleChanges(week=week).made_to(schedule, Whose())
        return await saved.save_schedule(
            conn,
            account_id,
            name,
            judged(schedule),
            by=me(),
            version=saved.ABSENT,
            language=chosen_language(lang),
        )

    with schedule_refusals(f"schedule '{name}' is not added"):
        _say(on_account(account, work), json)


@schedule_app.command("set")
def set_schedule(
    name: ScheduleName,
    account: AccountName = None,
    person: Annotated[str | None, typer.Option(help="whose hours: employee id")] = None,
    group: Annotated[str | None, typer.Option(help="whose hours: a group of employees")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="hours of all who are not named")] = False,
    week: Annotated[str | None, typer.Option(help="e.g. 'mon-fri 09:00-13:00, 14:00-18:00; sat off'")] = None,
    month: Annotated[
        str | None, typer.Option(help="of --days, e.g. 2026-12; its other days are taken out")
    ] = None,
    days: Annotated[
        str | None, typer.Option(help="e.g. '1-15: 09:00-18:00; 16: 22:00-06:00'; - reads standard input")
    ] = None,
    leave: Annotated[str | None, typer.Option(help="away: 2026-12-01, or 2026-12-01..2026-12-10")] = None,
    substitute: Annotated[str | None, typer.Option(help="with --leave: employee who works the hours")] = None,
    no_leave: Annotated[bool, typer.Option("--no-leave", help="forget all leave")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="take them out of the schedule")] = False,
    own_zone: Annotated[str | None, typer.Option(help="zone of these hours; '' = the schedule's")] = None,
    kind: ScheduleKind = None,
    zone: Zone = None,
    holidays: Holidays = None,
    file: File = None,
    version: Annotated[
        int | None,
        typer.Option(min=1, max=999_999_999, help="that you saw: refused where it is another by now"),
    ] = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Change a schedule; it holds at once. One person's week, month or leave, or the whole of it with --file.

    Example: callmatrix schedule set shifts --person olga --month 2026-12 --days "1-15: 09:00-18:00; 16, 18: 22:00-06:00"
    """
    changes = ScheduleChanges(week, month, typed(days), leave, substitute, no_leave, drop, own_zone)

    async def work(conn: Conn, account_id: str) -> saved.ScheduleSaved:
        now = await saved.the_schedule(conn, account_id, name)
        schedule = with_head(schedule_in_file(file) if file else now.schedule, kind, zone, holidays)
        whose = whose_plan(person, group, everybody)
        if whose is not None:
            schedule = changes.made_to(schedule, whose)
        elif changes.is_any:
            raise InputRefused(
                "person", "it is not said whose hours change", "name --person, --group or --everybody"
            )
        seen_version = now.version if version is None else version
        return await saved.save_schedule(
            conn,
            account_id,
            name,
            judged(schedule),
            by=me(),
            version=seen_version,
            language=chosen_language(lang),
        )

    with schedule_refusals(f"schedule '{name}' is not changed"):
        _say(on_account(account, work), json)


def _say(done: saved.ScheduleSaved, json: bool) -> None:
    if json:
        print_json({**_line(done.stored), "problems": done.warnings})
        return
    stored = done.stored
    print(f"Schedule '{stored.name}' is saved: version {stored.version}, {_who(stored.schedule)}.")
    for problem in done.warnings:
        message, remedy = problem.in_words(done.language)
        print(f"  {problem.where}: {message}; {remedy}")


@schedule_app.command("show")
def show_schedule(
    name: ScheduleName,
    account: AccountName = None,
    month: Annotated[str | None, typer.Option(help="as a table of dates, e.g. 2026-12")] = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show a schedule as YAML, which `schedule set --file` reads; with --month, the hours of each person on each date.

    Example: callmatrix schedule show shifts --month 2026-12
    """
    if month is not None:
        _show_month(name, account, month, lang, json)
        return

    async def work(conn: Conn, account_id: str) -> store.StoredSchedule:
        return await saved.the_schedule(conn, account_id, name)

    with refusals(f"schedule '{name}' cannot be shown"):
        found = on_account(account, work)
    if json:
        print_json({**_line(found), "schedule": found.schedule})
        return
    print(f"# {name}, version {found.version}, saved by {found.saved_by}")
    print(schedule_yaml(found.schedule), end="")


def _show_month(name: str, account: str | None, month: str, lang: Language | None, json: bool) -> None:
    async def work(conn: Conn, account_id: str) -> tuple[list[seen.PersonDays], Texts]:
        looked = await seen.look(conn, account_id, name)
        first = asked_day(f"{month}-01", "month", "write it as 2026-12")
        texts = TEXTS[await language_of(conn, account_id, lang)]
        return seen.days_of(looked, *seen.dates_asked(looked, first, None)), texts

    with refusals(f"schedule '{name}' cannot be shown"):
        found, texts = on_account(account, work)
    if json:
        print_json([{**one._asdict(), "days": [_shown(day, one.zone) for day in one.days]} for one in found])
        return
    for one in found:
        rows = [(f"{day.day:%a %d.%m}", _shown(day, one.zone)["hours"], _why(day, texts)) for day in one.days]
        print(f"\n{one.employee_id}  {one.name}  ({one.zone})")
        print_table(["date", "hours", ""], rows)


def _shown(day: WorkDay, zone: str) -> dict[str, Any]:
    return {
        "day": day.day,
        "hours": seen.clock_times(day, zone),
        "reason": day.reason,
        "substitute_id": day.substitute_id,
    }


def _reason(reason: str, texts: Texts) -> str:
    return texts.word("distribution.step", reason) if reason else ""


def _why(day: WorkDay, texts: Texts) -> str:
    said = [_reason(day.reason, texts)] if day.reason in ("holiday", "on_leave", "not_in_schedule") else []
    said += [f"{day.substitute_id} works instead"] if day.substitute_id else []
    said += [f"instead of {who}" for who in day.instead_of]
    return ", ".join(said)


@schedule_app.command("who")
def who(
    name: Annotated[
        str | None, typer.Argument(help="schedule; else the account's working time", metavar="SCHEDULE")
    ] = None,
    account: AccountName = None,
    at: Annotated[
        str | None, typer.Option(help="moment, e.g. 2026-12-01T10:00 in the account's zone; else now")
    ] = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show who is on shift at a moment, until when, and why somebody is not.

    Example: callmatrix schedule who shifts --at 2026-12-24T23:30
    """

    async def work(conn: Conn, account_id: str) -> tuple[datetime, list[seen.SeenShift], ZoneInfo, Texts]:
        looked = await seen.look(conn, account_id, name)
        zone = looked.timetable.zone
        moment = asked_moment(at, zone)
        texts = TEXTS[await language_of(conn, account_id, lang)]
        return moment, seen.who_is_on(looked, moment), zone, texts

    with refusals("nobody is looked up"):
        moment, found, zone, texts = on_account(account, work)
    if json:
        print_json(
            {
                "at": moment,
                "people": [
                    {"employee_id": f.employee_id, "name": f.name, **f.shift._asdict()} for f in found
                ],
            }
        )
        return
    print(local(moment, str(zone)))
    print_table(
        ["employee", "name", "on shift", "why not", "until", "next", "instead"],
        [
            (f.employee_id, f.name, "yes" if f.shift.is_on else "no", _reason(f.shift.reason, texts), local(f.shift.until, str(zone)),
             local(f.shift.next_start, str(zone)), f.shift.substitute_id)
            for f in found
        ],
        "Nobody is in the schedule.",
    )  # fmt: skip


@schedule_app.command("remove")
def remove_schedule(
    name: ScheduleName,
    account: AccountName = None,
    even_if_used: Annotated[
        bool, typer.Option("--even-if-used", help="although something stands on it")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove a schedule. What stands on it is told, and keeps it; its versions stay.

    Example: callmatrix schedule remove shifts --yes
    """

    async def work(conn: Conn, account_id: str) -> None:
        await saved.remove_schedule(conn, account_id, name, even_if_used=even_if_used)

    confirm(f"Nobody will be on shift by schedule '{name}' any more. Go on?", is_sure=yes or json)
    with refusals(f"schedule '{name}' is not removed"):
        on_account(account, work)
    if json:
        print_json({"removed": name})
    else:
        print(f"Schedule '{name}' is removed.")
