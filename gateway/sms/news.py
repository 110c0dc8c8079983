"""What providers tell by themselves, taken in: reports, late answers, what clients wrote. Committed before anybody says thanks."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.sms.incoming import take_incoming
from gateway.sms.outcomes import after_answer, after_report
from gateway.sms.settling import settle
from gateway.store.sms.connections import SavedSmsConnection
from gateway.store.sms.early import keep_early, take_early
from gateway.store.sms.links import note_link
from gateway.store.sms.messages import SmsMessageRow, message_known_as
from gateway.store.sms.turns import stop_sending
from runtime.database.pool import Conn
from sms.kinds import SMS_KINDS
from sms.model import SmsRefused, SmsReport
from sms.port import LateOutcome, SmsCapabilities, SmsNews
from sms.reasons import FailureClass

EARLY_IS_KEPT = timedelta(minutes=10)


async def take_news(conn: Conn, saved: SavedSmsConnection, news: SmsNews, now: datetime) -> None:
    """Write down all of it, in the caller's transaction."""
    can = SMS_KINDS[saved.connection.kind].capabilities
    if news.link is not None:
        await note_link(conn, saved.account_id, saved.name, news.link, now)
    for outcome in news.outcomes:
        await _take_outcome(conn, saved, outcome, can, now)
    for report in news.reports:
        await _take_report(conn, saved, report, can, now)
    for incoming in news.incoming:
        await take_incoming(conn, saved, incoming, now)


async def take_early_reports(
    conn: Conn, row: SmsMessageRow, can: SmsCapabilities, now: datetime
) -> SmsMessageRow:
    """Take in what was told of a message before its answer came."""
    for report in await take_early(conn, row.account_id, row.connection, row.as_progress.ids):
        row = await settle(conn, row, after_report(row, report, can, now), now)
    return row


async def _take_outcome(
    conn: Conn, saved: SavedSmsConnection, late: LateOutcome, can: SmsCapabilities, now: datetime
) -> None:
    if isinstance(late.outcome, SmsRefused) and late.outcome.failure_class is FailureClass.ACCOUNT:
        words = f"{late.outcome.vendor_code} {late.outcome.words}".strip()
        await stop_sending(conn, saved.account_id, saved.name, late.outcome.reason, words, now)
    row = await message_known_as(conn, saved.account_id, saved.name, [late.id], _own_ids([late.id]))
    if row is not None:
        await settle(conn, row, after_answer(row, late.outcome, can, now), now)


async def _take_report(
    conn: Conn, saved: SavedSmsConnection, report: SmsReport, can: SmsCapabilities, now: datetime
) -> None:
    ids = [report.id, *report.other_ids]
    own_ids = _own_ids(ids) if can.reports_own_id else []
    row = await message_known_as(conn, saved.account_id, saved.name, ids, own_ids)
    if row is None:
        await keep_early(conn, saved.account_id, saved.name, report)
        return
    await settle(conn, row, after_report(row, report, can, now), now)


def _own_ids(ids: list[str]) -> list[int]:
    return [int(id) for id in ids if id.isascii() and id.isdigit() and len(id) <= 10]
