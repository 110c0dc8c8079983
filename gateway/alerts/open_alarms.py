"""The alarms that are open, in words."""

from __future__ import annotations

from typing import Any

from gateway.alerts.words import PAGES, AlertPlace, alert_title, local_time
from gateway.store.admin.accounts import accounts
from gateway.store.alerts.alarms import remembered
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language
from runtime.database.pool import Conn


async def open_alarms(conn: Conn, account_id: str | None, language: Language | None) -> list[dict[str, Any]]:
    """account_id: None = of all, and the installation's. language: None = each account's own. Oldest first."""
    known = {account.id: account for account in await accounts(conn)}
    found = []
    for alert in await remembered(conn):
        cause, began_at = alert.cause, alert.state.bad_since or alert.state.told_at
        if not alert.state.is_open or began_at is None or account_id not in (None, cause.account_id):
            continue
        account = known.get(cause.account_id)
        spoken = language or (account.settings.language if account else DEFAULT_LANGUAGE)
        place = AlertPlace(account=account, language=spoken, url="")
        found.append(
            {
                "account": cause.account_id,
                "kind": cause.kind,
                "object": cause.object,
                "title": alert_title(cause, alert.facts, place),
                "began_at": began_at,
                "since": local_time(began_at, place.zone),
                "page": PAGES[cause.kind],
            }
        )
    return sorted(found, key=lambda alarm: alarm["began_at"])
