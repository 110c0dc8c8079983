"""Messages whose PBX gave the id of an older call to a new one are given to the call that they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

import structlog

from gateway.calls.context import JobContext
from gateway.calls.reasons import reason_of
from gateway.store.calls import calls as store
from gateway.store.intake import inbox
from gateway.store.intake.inbox import InboxRow
from routing.calls.generations import CallMessage, CallSpan, assigned, first_key, is_later
from routing.calls.model import EventKind
from routing.client_work.values import CallRow
from runtime.database.errors import may_pass

log = structlog.get_logger(__name__)


async def ids_told_apart(
    context: JobContext, stored: Mapping[tuple[str, str], CallRow], rows: Sequence[InboxRow]
) -> list[InboxRow]:
    """Return the same messages with the keys of their calls. stored: all calls of their ids that are of interest.

    An id that cannot be told apart goes to the desk with what waits of it, and stops no other.
    """
    found: list[InboxRow] = []
    for call_id, group in groupby(sorted(rows, key=_id), key=_id):
        told = list(group)
        spans = [_span(call) for key, call in stored.items() if (key[0], first_key(key[1])) == call_id]
        try:
            found += await _given(context, call_id, told, spans)
        except Exception as err:
            if may_pass(err):
                raise
            found += await _to_the_desk(context, call_id, told, err)
    return sorted(found, key=lambda row: row.event_id)


async def _given(
    context: JobContext, call_id: tuple[str, str], told: Sequence[InboxRow], spans: Sequence[CallSpan]
) -> list[InboxRow]:
    moved: dict[int, str] = {}
    messages = [m for row in told if (m := _message(row)) is not None]
    if any(m.is_pending for m in messages):
        came_again = any(map(is_later, (*(m.key for m in messages), *(span.key for span in spans))))
        latest = await _times_used(context, call_id) if came_again else 1
        moved = assigned(messages, spans, latest)
    if moved:
        async with context.conn.transaction():
            await inbox.give_to_calls(context.conn, context.account.id, moved)
    return [replace(row, call_key=moved.get(row.event_id, row.call_key)) for row in told]


async def _times_used(context: JobContext, call_id: tuple[str, str]) -> int:
    async with context.conn.transaction():
        return await store.times_used(context.conn, context.account.id, call_id)


async def _to_the_desk(
    context: JobContext, call_id: tuple[str, str], told: Sequence[InboxRow], err: Exception
) -> list[InboxRow]:
    waiting = [row.event_id for row in told if row.state == "pending"]
    log.error(
        "event-unprocessable",
        account=context.account.id,
        connection=call_id[0],
        messages=len(waiting),
        error=type(err).__name__,
        exc_info=err,
    )
    await inbox.mark_dead(context.conn, context.account.id, waiting, reason_of(err))
    return [replace(row, state="dead") if row.state == "pending" else row for row in told]


def _id(row: InboxRow) -> tuple[str, str]:
    return row.connection_id, first_key(row.call_key)


def _message(row: InboxRow) -> CallMessage | None:
    """Return what tells calls apart; None of a message on the desk, and of one that cannot be read and will be there."""
    if row.state == "dead":
        return None
    try:
        times = [_time(event) for event in row.events]
        kinds = frozenset(EventKind(event["kind"]) for event in row.events)
        return CallMessage(row.event_id, row.call_key, min(times), row.client, kinds, row.state == "pending")
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _time(event: Mapping[str, str]) -> datetime:
    """When it began what it tells of."""
    return datetime.fromisoformat(event.get("started_at") or event["at"])


def _span(row: CallRow) -> CallSpan:
    call = row.call
    last_at = max(filter(None, (call.started_at, call.answered_at, call.ended_at)))
    return CallSpan(row.call_key, row.client, call.started_at, last_at, call.ended_at)
