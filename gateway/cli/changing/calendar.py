"""`calendar`: days that are not as their weekday says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from gateway.admin.refused import InputRefused
from gateway.admin.schedules import days
from gateway.cli.options import AccountName, Json, Lang, Yes
from gateway.cli.output import chosen_language, confirm, on_account, print_json, print_table, refusals
from gateway.store.admin.accounts import account as the_account_of
from routing.schedules.calendar import OwnDay
from routing.schedules.clock import local_date
from routing.schedules.written import WEEKDAYS, hours_in_words, hours_written
from runtime.database.pool import Conn

calendar_app = typer.Typer(
    help="Days that are not as their weekday says: holidays, working Saturdays, your own.",
    no_args_is_help=True,
)

Day = Annotated[str, typer.Argument(help="e.g. 2026-12-31", metavar="DAY")]


def register(app: typer.Typer) -> None:
    app.add_typer(calendar_app, name="calendar")


@calendar_app.command("list")
def list_days(
    year: Annotated[
        int | None, typer.Argument(min=1992, max=2099, help="else this year", metavar="[YEAR]")
    ] = None,
    account: AccountName = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """List the days of a year that are free or worked on although their weekday says otherwise, and who says so.

    Example: callmatrix calendar list 2027
    """

    async def work(conn: Conn, account_id: str) -> days.CalendarYear:
        account = await the_account_of(conn, account_id)
        today = local_date(datetime.now(UTC), ZoneInfo(account.time_zone))
        return days.calendar_year(account, year or today.year, chosen_language(lang))

    with refusals("nothing is listed"):
        found = on_account(account, work)
    if json:
        print_json({**found._asdict(), "days": [day._asdict() for day in found.days]})
        return
    print_table(
        ["day", "", "kind", "name", "hours", "who says so"],
        [
            (
                day.day,
                f"{day.day:%a}",
                day.kind,
                day.name,
                _hours(day),
                "you" if day.source == "own" else found.country,
            )
            for day in found.days
        ],
        "All days are as their weekday says. 'working_time.holidays' of the settings names a country.",
    )
    if not found.is_known:
        print(
            f"\nWhich days {found.country} moves in {found.year} is not known: only what never moves stands here."
            " Add the rest with 'callmatrix calendar set'."
        )


def _hours(day: days.CalendarDay) -> str:
    if day.kind == "free":
        return ""
    return (
        hours_in_words(day.hours)
        if day.hours
        else f"as on {WEEKDAYS[day.like - 1]}"
        if day.like
        else "as usual"
    )


@calendar_app.command("set")
def set_day(
    day: Day,
    kind: Annotated[Literal["free", "working"], typer.Argument(help="what it is, for all")],
    account: AccountName = None,
    name: Annotated[str, typer.Option(help="e.g. 'company party'")] = "",
    hours: Annotated[
        str | None, typer.Option(help="of a working day, e.g. 09:00-15:00; else as usual")
    ] = None,
    like: Annotated[
        int | None, typer.Option(min=1, max=7, help="weekday whose hours hold, 1 = Monday")
    ] = None,
    json: Json = False,
) -> None:
    """Say of a day that it is free or worked on, whatever country and weekday say.

    Example: callmatrix calendar set 2026-12-31 working --hours 09:00-15:00 --name "short day"
    """
    with refusals(f"{day} is not set"):
        own = OwnDay(kind=kind, name=_short(name), hours=_spans(hours), like=like)
        on_account(account, lambda conn, account_id: days.set_day(conn, account_id, day, own))
    if json:
        print_json({"day": day, **own.model_dump(mode="json")})
    else:
        print(f"{day} is {kind}.")


def _short(name: str) -> str:
    if len(name) > 200:
        raise InputRefused("name", "the name is too long", "write 200 characters or fewer")
    return name


def _spans(hours: str | None) -> tuple[tuple[str, str], ...]:
    try:
        spans: tuple[tuple[str, str], ...] = hours_written(hours) if hours else ()
    except ValueError as err:
        message, _, remedy = str(err).partition(": ")
        raise InputRefused("hours", message, remedy) from err
    if hours is not None and not spans:
        raise InputRefused("hours", f"'{hours}' are no hours", "say 'free', or leave --hours out: as usual")
    if len(spans) > 24:
        raise InputRefused("hours", f"{len(spans)} spans are too many", "write 24 or fewer")
    return spans


@calendar_app.command("remove")
def remove_day(day: Day, account: AccountName = None, yes: Yes = False, json: Json = False) -> None:
    """Forget what was said of a day: it is again as country and weekday say.

    Example: callmatrix calendar remove 2026-12-31 --yes
    """
    confirm(f"{day} will be as country and weekday say. Go on?", is_sure=yes or json)
    with refusals(f"{day} is not forgotten"):
        on_account(account, lambda conn, account_id: days.clear_day(conn, account_id, day))
    if json:
        print_json({"removed": day})
    else:
        print(f"{day} is again as country and weekday say.")
