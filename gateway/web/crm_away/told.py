"""Whether the CRM takes what we send, in one row: what the process that serves the account told last. For what every page says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from crm.errors import CrmBlocked, CrmThrottled, CrmUnauthorised, CrmUnpaid
from gateway.health.reports import SILENT_SECONDS
from gateway.store.crm_accounts.exchanges import key_set_at, latest_report
from gateway.web.frame import AnyPageCall
from gateway.web.words.words import Words
from routing.texts.catalogue import Phrase
from runtime.database.pool import Conn

WhyAway = Literal["key", "moved", "closed", "unpaid", "silent"]
_BY_CODE: Mapping[str, WhyAway] = {
    CrmBlocked.code: "closed",
    CrmUnpaid.code: "unpaid",
    CrmUnauthorised.code: "key",
}
PASSES_BY_ITSELF = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class CrmAway:
    """since: when it was first seen, None where that was not told."""

    why: WhyAway
    since: datetime | None = None


async def crm_away_of(conn: Conn, account_id: str, now: datetime) -> CrmAway | None:
    report = await latest_report(conn, account_id, "crm")
    if report is None or (now - report["at"]).total_seconds() >= SILENT_SECONDS:
        return None
    away = crm_away(report["body"], now)
    if away is not None and away.why == "key":
        key_set = await key_set_at(conn, account_id)
        if key_set is not None and _is_of_the_key_before(away, report["at"], key_set, now):
            return None
    return away


def _is_of_the_key_before(away: CrmAway, told_at: datetime, key_set: datetime, now: datetime) -> bool:
    """Say whether it may be: a key is tried before it is stored, whoever serves the account is given a while to find that out as well."""
    began_before = away.since is not None and away.since < key_set
    return told_at < key_set or (began_before and now - key_set < PASSES_BY_ITSELF)


def crm_away(told: Mapping[str, Any], now: datetime) -> CrmAway | None:
    """told: the report of the process that serves the account. None: the CRM answers, asks to slow down, or failed just now."""
    token, circuit, writer = (told.get(part) or {} for part in ("token", "circuit", "writer"))
    code = writer.get("reason") or ""
    since = datetime.fromisoformat(writer["reason_since"]) if writer.get("reason_since") else None
    if token.get("warning") in ("broken", "expired"):
        return CrmAway("key", since)
    if told.get("moved_to"):
        return CrmAway("moved")
    if circuit.get("name", "closed") != "closed":
        return CrmAway("closed", since)
    silent = told.get("silent_since")
    silent_since = datetime.fromisoformat(silent) if silent else None
    if code in _BY_CODE and since is not None and now - since >= PASSES_BY_ITSELF:
        return CrmAway(_BY_CODE[code], since)
    if code not in ("", CrmThrottled.code, *_BY_CODE):
        silent_since = min(filter(None, (since, silent_since)), default=None)
    if silent_since is None or now - silent_since < PASSES_BY_ITSELF:
        return None
    return CrmAway("silent", silent_since)


async def refresh_said(call: AnyPageCall) -> Phrase:
    """Return what is said to whoever asked that data be read from the CRM anew: whether it answers at all."""
    async with call.connection() as conn:
        away = await crm_away_of(conn, call.account.id, call.now)
    return Phrase("matrix.page.refresh-waits" if away else "matrix.page.refresh-asked", {})


def said(away: CrmAway, words: Words) -> Phrase:
    if away.since is None:
        return Phrase(f"shell.crm_away.{away.why}", {})
    return Phrase(f"shell.crm_away.{away.why}.since", {"since": words.time(away.since)})
