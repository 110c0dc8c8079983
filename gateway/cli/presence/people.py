"""`presence`: who is at work."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import AccountName, Json, Lang, Limit
from gateway.cli.output import (
    chosen_language,
    local,
    on_database,
    print_json,
    print_table,
    refusals,
    the_account,
)

if TYPE_CHECKING:
    from gateway.admin.presence.chats import ChatLink
    from gateway.admin.presence.people import PersonNow, PresenceNow
    from gateway.store.admin.accounts import Account
    from gateway.store.presence.attendance import PresenceInterval
    from routing.texts.catalogue import Language, Texts
    from runtime.database.pool import Conn

ListedEmployee = Annotated[
    str, typer.Argument(help="the employee's id, as 'callmatrix presence list' shows it")
]

presence_app = typer.Typer(help="Who is at work.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(presence_app, name="presence")


@presence_app.command("list")
def list_presence(account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Show who is at work now, why, and whether silence counts.

    Example: callmatrix presence list --account sales
    """
    from gateway.admin.presence.people import presence_now

    async def work(conn: Conn) -> tuple[PresenceNow, Account]:
        which = await the_account(conn, account)
        return await presence_now(conn, which, datetime.now(UTC)), which

    found, whose = on_database(work)
    texts, zone = _texts(whose, lang), whose.time_zone
    if json:
        print_json(
            {
                "is_on": found.is_on,
                "doubt": found.doubt,
                "feed_error": found.feed_error,
                "items": [_row(person) for person in found.people],
            }
        )
        return
    if not found.is_on:
        print("Presence is not watched: everybody counts as available. The setting is presence.is_on.")
    elif found.doubt:
        doubt = texts.word("presence.doubt", found.doubt)
        print(f"Nobody is taken offline just now: {doubt} ({found.doubt}). {found.feed_error}".rstrip())
    print_table(
        ["employee", "name", "state", "since", "source", "reason", "by", "last seen"],
        [_cells(person, texts, zone) for person in found.people],
        "No employees.",
    )


@presence_app.command("on")
def switch_on(
    employee: ListedEmployee, account: AccountName = None, lang: Lang = None, json: Json = False
) -> None:
    """Start an employee's counter: they are at work.

    Example: callmatrix presence on anna
    """
    _switch(employee, account, lang, json, is_on=True)


@presence_app.command("off")
def switch_off(
    employee: ListedEmployee, account: AccountName = None, lang: Lang = None, json: Json = False
) -> None:
    """Stop an employee's counter: they are offline until it is started, or their next shift begins.

    Example: callmatrix presence off anna
    """
    _switch(employee, account, lang, json, is_on=False)


def _switch(employee: str, account: str | None, lang: Language | None, json: bool, *, is_on: bool) -> None:
    from gateway.admin.presence.people import switch_presence

    async def work(conn: Conn) -> tuple[PersonNow, Account]:
        which = await the_account(conn, account)
        done = await switch_presence(conn, which, employee, datetime.now(UTC), is_on=is_on)
        return done, which

    with refusals(f"'{employee}' is not switched {'on' if is_on else 'off'}"):
        _tell(*on_database(work), lang, json)


@presence_app.command("answer")
def answer(
    employee: ListedEmployee,
    no: Annotated[bool, typer.Option("--no", help="they are not there")] = False,
    account: AccountName = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Answer the question "are you there?" for an employee.

    Example: callmatrix presence answer anna
    """
    from gateway.admin.presence.people import answer_question

    async def work(conn: Conn) -> tuple[PersonNow, Account]:
        which = await the_account(conn, account)
        done = await answer_question(conn, which, employee, datetime.now(UTC), is_here=not no, asked_at=None)
        return done, which

    with refusals(f"the question to '{employee}' is not answered"):
        _tell(*on_database(work), lang, json)


@presence_app.command("telegram")
def telegram(
    employee: ListedEmployee,
    unlink: Annotated[bool, typer.Option("--unlink", help="ask them there no more")] = False,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Make a code with which an employee links their Telegram chat, to be asked there whether they are at work.

    Example: callmatrix presence telegram anna
    """
    from gateway.admin.presence import chats
    from gateway.settings import Settings

    async def work(conn: Conn) -> tuple[ChatLink, str]:
        which = await the_account(conn, account)
        if unlink:
            await chats.unlink(conn, which, employee)
            return chats.ChatLink(), which.time_zone
        return await chats.new_code(conn, Settings(), which, employee, datetime.now(UTC)), which.time_zone

    with refusals(f"'{employee}' is not {'un' if unlink else ''}linked"):
        link, zone = on_database(work)
    if json:
        print_json(asdict(link))
    elif unlink:
        print(f"{employee} is asked by Telegram no more.")
    else:
        print(
            f"Until {local(link.code_until, zone)}, once: {employee} sends this to the bot, from their own chat with it:"
        )
        print(f"/start {link.code}")


@presence_app.command("history")
def history(
    employee: ListedEmployee,
    days: Annotated[int, typer.Option(min=1, max=366, help="back from now")] = 7,
    account: AccountName = None,
    limit: Limit = 200,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show when an employee was at work, with what told of it and why.

    Example: callmatrix presence history anna --days 31
    """
    from gateway.admin.presence.people import online_seconds, presence_history
    from gateway.admin.refused import NothingOfThatName
    from gateway.store.admin.staff import staff_of
    from routing.attendance.model import mark_said

    now = datetime.now(UTC)
    since = now - timedelta(days=days)

    async def work(conn: Conn) -> tuple[list[PresenceInterval], Account]:
        which = await the_account(conn, account)
        kept = await presence_history(conn, which, employee, since, now, limit=limit)
        if not kept and employee not in (await staff_of(conn, which.id)).by_id:
            raise NothingOfThatName("employee", employee, "employees list")
        return kept, which

    with refusals("nothing can be shown"):
        found, whose = on_database(work)
    texts, zone = _texts(whose, lang), whose.time_zone
    seconds = online_seconds(found, since, now, now)
    if json:
        items = [replace(i, state=mark_said(i.state)) for i in found]
        print_json({"online_seconds": seconds, "items": items})
        return
    print_table(
        ["from", "to", "state", "source", "reason", "by"],
        [
            (
                local(i.since, zone),
                local(i.until, zone),
                mark_said(i.state),
                i.source,
                _why(i.reason, texts),
                i.switched_by,
            )
            for i in found
        ],
        "Nothing is kept of that time.",
    )
    print(f"At work for {seconds // 3600} h {seconds % 3600 // 60} min of it.")


def _texts(account: Account, given: Language | None) -> Texts:
    from gateway.texts.sentences import TEXTS

    return TEXTS[chosen_language(given) or account.settings.language]


def _why(reason: str | None, texts: Texts) -> str:
    return texts.word("presence.reason", reason) if reason else ""


def _tell(person: PersonNow, account: Account, lang: Language | None, json: bool) -> None:
    if json:
        print_json(_row(person))
        return
    row = _row(person)
    print(f"{row['name']} ({row['employee']}): {row['state']}, {_why(row['reason'], _texts(account, lang))}")


def _row(person: PersonNow) -> dict[str, Any]:
    from routing.attendance.model import mark_said, state_of
    from routing.presence import PresenceState

    known = person.attendance
    return {
        "employee": person.employee.id,
        "name": person.employee.name,
        "state": (state_of(known) if known else PresenceState.UNKNOWN).value,
        "mark": mark_said(known.mark) if known else None,
        "since": known.since if known else None,
        "source": known.source if known else None,
        "reason": known.reason.value if known else None,
        "switched_by": known.by if known else "",
        "last_sign_at": known.last_sign_at if known else None,
        "asked_at": known.question.asked_at if known and known.question and known.mark == "asked" else None,
        "answer_by": known.question.answer_by if known and known.question and known.mark == "asked" else None,
    }


def _cells(person: PersonNow, texts: Texts, zone: str) -> tuple[Any, ...]:
    row = _row(person)
    state = f"{row['state']}, asked" if row["mark"] == "asked" else row["state"]
    return (
        row["employee"],
        row["name"],
        state,
        local(row["since"], zone),
        row["source"] or "",
        _why(row["reason"], texts),
        row["switched_by"],
        local(row["last_sign_at"], zone),
    )
