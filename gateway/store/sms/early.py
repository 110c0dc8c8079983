"""What providers told of an id before the answer that gives it: kept for minutes, until somebody knows whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from runtime.database.pool import Conn
from sms.model import SmsReport, SmsState
from sms.reasons import SmsReason


async def keep_early(conn: Conn, account_id: str, connection: str, report: SmsReport) -> None:
    await conn.execute(
        "INSERT INTO sms_early (account_id, connection, ids, report) VALUES ($1, $2, $3, $4)",
        account_id,
        connection,
        [report.id, *report.other_ids],
        _as_json(report),
    )


async def take_early(conn: Conn, account_id: str, connection: str, ids: Sequence[str]) -> list[SmsReport]:
    """Return what was told of these ids, in the order in which it came, and keep it no longer."""
    rows = await conn.fetch(
        "DELETE FROM sms_early WHERE account_id = $1 AND connection = $2 AND ids && $3::text[] RETURNING seq, report",
        account_id,
        connection,
        list(ids),
    )
    return [_report(row["report"]) for row in sorted(rows, key=lambda row: row["seq"])]


async def forget_early(conn: Conn, before: datetime, *, limit: int) -> int:
    done: str = await conn.execute(
        "DELETE FROM sms_early WHERE (account_id, seq) IN (SELECT account_id, seq FROM sms_early"
        " WHERE received_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])


def _as_json(report: SmsReport) -> dict[str, Any]:
    return {
        "id": report.id,
        "state": report.state,
        "at": report.at.isoformat() if report.at else None,
        "reason": report.reason,
        "code": report.vendor_code,
        "price": str(report.price) if report.price is not None else None,
        "other_ids": list(report.other_ids),
    }


def _report(kept: dict[str, Any]) -> SmsReport:
    return SmsReport(
        id=kept["id"],
        state=SmsState(kept["state"]),
        at=datetime.fromisoformat(kept["at"]) if kept["at"] else None,
        reason=SmsReason(kept["reason"]) if kept["reason"] else None,
        vendor_code=kept["code"],
        price=Decimal(kept["price"]) if kept["price"] is not None else None,
        other_ids=tuple(kept["other_ids"]),
    )
