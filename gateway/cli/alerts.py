"""`alerts`: who is told when something needs a person, tried and shown."""

from __future__ import annotations

import typer

from gateway.cli.options import AccountName, Json, Lang
from gateway.cli.output import database, print_json, print_table, refusals, run

alerts_app = typer.Typer(help="Alarms by e-mail and Telegram.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(alerts_app, name="alerts")


@alerts_app.command("list")
def list_alerts(account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """List the alarms that are open: what needs a person now.

    Example: callmatrix alerts list
    """
    from gateway.alerts.open_alarms import open_alarms
    from gateway.cli.output import an_account, chosen_language
    from gateway.settings import Settings

    async def work() -> list[dict[str, object]]:
        async with database(Settings()) as pool, pool.acquire() as conn:
            return await open_alarms(conn, await an_account(conn, account), chosen_language(lang))

    found = run(work())
    if json:
        print_json(found)
        return
    print_table(
        ["account", "kind", "since", "alarm"],
        [(a["account"], a["kind"], a["since"], a["title"]) for a in found],
        "No alarm is open.",
    )


@alerts_app.command("test")
def try_alerts(account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Send a test message to everybody who would be told, and say what failed.

    Example: callmatrix alerts test --account sales
    """
    from gateway.alerts.trial import AlertTrial, send_trials
    from gateway.cli.output import chosen_language
    from gateway.settings import Settings

    settings = Settings()

    async def work() -> list[AlertTrial]:
        async with database(settings) as pool:
            return await send_trials(pool, settings, account, chosen_language(lang))

    with refusals("nothing is sent"):
        found = run(work())
    if json:
        print_json(found)
    else:
        print_table(
            ["by", "to", "result", "what to do"],
            [(t.channel, t.recipient, t.error or "sent", t.remedy) for t in found],
            "Nobody is told: set CALLMATRIX_ALERT_EMAILS or CALLMATRIX_ALERT_TELEGRAM_CHATS,"
            " or the account's own (settings.alerts).",
        )
    if not found or any(t.error for t in found):
        raise typer.Exit(1)
