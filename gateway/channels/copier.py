"""Copies of one channel's dialogues in their deals: what was said becomes notes, and what changes is changed in them.

A note is ordered in the transaction that keeps what it holds, under keys of its own: broken off anywhere, it is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from crm.effects.model import NOTE_GONE
from crm.effects.order import order
from crm.lane import Lane
from gateway.store.admin.accounts import Account, account
from gateway.store.admin.staff import staff_of
from gateway.store.calls.calls import lock_client
from gateway.store.channels import copies as store
from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.store.channels.copies import CopiedRow, CopyChange, CopyRow
from gateway.store.channels.dialogues import Dialogue, dialogue, ids_of_effects
from gateway.store.channels.messages import ChatMessage
from gateway.texts.sentences import TEXTS
from routing.client import Ref
from routing.decision import decision_id_of
from routing.dialogues.copies import (
    CopyPeriod,
    NoteWriting,
    change_key,
    due_at,
    is_changeable,
    is_same_deal,
    mark_of,
    note_key,
    period_of,
    writings,
)
from routing.dialogues.copy_text import (
    CopiedMessage,
    CopiedPart,
    CopyDoubt,
    CopyWords,
    content_mark,
    in_order,
    line_of,
    notes_of,
)
from routing.effects import AddNote, ChangeNote, Effect
from routing.staff import Staff
from runtime.database.errors import may_pass
from runtime.database.pool import Conn
from sms.channels.model import AuthorKind, MessageStatus, PartTold

log = structlog.get_logger(__name__)

_CLIENTS_AT_ONCE = 500
_NOTES_AT_ONCE = 250
"""What is left waits for the next turn: however many write, notes are written too."""
_AFTER_A_FAULT = timedelta(minutes=10)
_LOOK_EVERY = timedelta(seconds=15)
_UNDER_WAY = ("waiting", "sending", "unknown", "held")
_NEVER_WRITTEN = (None, "skipped", "expired")
_DOUBTS: dict[MessageStatus, CopyDoubt] = {
    MessageStatus.UNKNOWN: "unknown",
    MessageStatus.REFUSED: "refused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _CopyContext:
    """The channel and its account as they are now."""

    conn: Conn
    saved: SavedChannel
    account: Account
    staff: Staff
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.account.time_zone)


class Copier:
    """`turn` does what is to be done now; any number may try, one at a time does."""

    def __init__(
        self, pool: asyncpg.Pool, account_id: str, channel_id: str, now: Callable[[], datetime]
    ) -> None:
        self._pool, self._account_id, self._channel_id, self._now = pool, account_id, channel_id, now
        self._looked_at: datetime | None = None

    async def turn(self) -> None:
        """Do what is to be done now. Raises asyncpg.PostgresError and OSError when the database is in trouble."""
        async with self._pool.acquire() as conn:
            await self._look(conn)
            for client in await store.clients_with_news(conn, self._channel_id, _CLIENTS_AT_ONCE):
                await self._sort(conn, client)
            await self._write(conn)

    async def _sort(self, conn: Conn, client: str) -> None:
        """Say of a client's messages in which note they stand."""
        async with conn.transaction():
            await lock_client(conn, self._account_id, client)
            rows = await store.take_news(conn, self._channel_id, client)
            context = await self._context(conn)
            for row in rows if context else ():
                assert context is not None
                try:
                    async with conn.transaction():
                        await _sorted(context, row)
                except Exception as err:
                    if may_pass(err):
                        raise
                    log.error("chat-message-not-copied", account=self._account_id, exc_info=err)
                    await store.leave_out(conn, row.message)

    async def _write(self, conn: Conn) -> None:
        context = await self._context(conn)
        if context is None:
            return
        rule, now = context.saved.rules.copies, context.now
        for copy_id, client in await store.due_copies(conn, self._channel_id, now, rule, _NOTES_AT_ONCE):
            try:
                async with conn.transaction():
                    await lock_client(conn, self._account_id, client)
                    await _written(context, copy_id)
            except Exception as err:
                if may_pass(err):
                    raise
                log.error("chat-copy-not-written", account=self._account_id, exc_info=err)
                await store.put_off(conn, self._account_id, copy_id, now + _AFTER_A_FAULT)

    async def _look(self, conn: Conn) -> None:
        """See how changes of notes have ended: what a deleted note was to say becomes an addition."""
        now = self._now()
        if self._looked_at is not None and now - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = now
        of_copy: dict[int, list[CopyChange]] = {}
        for change in await store.changes_under_way(conn, self._channel_id):
            of_copy.setdefault(change.copy_id, []).append(change)
        for copy_id, changes in of_copy.items():
            async with conn.transaction():
                await lock_client(conn, self._account_id, changes[0].client_key)
                await self._ended(conn, copy_id, changes, now)

    async def _ended(self, conn: Conn, copy_id: int, changes: Sequence[CopyChange], now: datetime) -> None:
        first = changes[0]
        gone = {_part_of(c.key) for c in changes if c.error_code == NOTE_GONE}
        if not gone:
            ended = [c.key for c in changes if c.state not in _UNDER_WAY]
            await store.confirm(conn, self._account_id, copy_id, ended, first.revision)
            return
        done = [_revision_of(c.key) for c in changes if c.state == "done" and _part_of(c.key) in gone]
        lost = await store.changed_after(conn, self._account_id, copy_id, max(1, first.confirmed, *done))
        await store.seal(conn, await store.copy_of_id(conn, self._account_id, copy_id), now, lost)

    async def _context(self, conn: Conn) -> _CopyContext | None:
        """None: the channel was removed."""
        found = [c for c in await saved_channels(conn, self._account_id) if c.id == self._channel_id]
        if not found:
            return None
        return _CopyContext(
            conn=conn,
            saved=found[0],
            account=await account(conn, self._account_id),
            staff=await staff_of(conn, self._account_id),
            now=self._now(),
        )


async def _sorted(context: _CopyContext, row: CopiedRow) -> None:
    conn, message = context.conn, row.message
    if row.copy_id is None:
        copy = await _first_copy(context, message)
    else:
        copy = await _later_copy(context, row, await store.copy_of_id(conn, message.account_id, row.copy_id))
    if copy is None:
        return
    if copy.copy_id != row.copy_id:
        await store.put_into(conn, message, copy)
    is_written = copy.revision > 0 or copy.addition > 0
    await store.make_due(conn, copy, due_at(copy.period, context.now, is_written=is_written))


async def _first_copy(context: _CopyContext, message: ChatMessage) -> CopyRow | None:
    """Return where a new message stands; by the rule that holds while it comes."""
    saved = context.saved
    period = period_of(saved.rules.copies, message.at, context.zone) if saved.is_on else None
    if period is None:
        await store.leave_out(context.conn, message)
        return None
    if message.status is MessageStatus.REFUSED:  # nothing was said
        return None
    return await _open_copy(context, message, period)


async def _later_copy(context: _CopyContext, row: CopiedRow, copy: CopyRow) -> CopyRow | None:
    """Return where a message stands that says something else now; None: it does not."""
    conn, message = context.conn, row.message
    if not copy.period.holds(message.at):
        if row.mark is not None:
            await store.taken_out(conn, copy)
        await store.make_due(conn, copy, context.now)
        period = period_of(copy.period.mode, message.at, context.zone)
        assert period is not None
        return await _open_copy(context, message, period)
    if _is_open(copy, context.now):
        return copy
    if row.mark == content_mark(_told(context, row)):
        return None
    if copy.period.mode == "each":
        deal = Ref.model_validate(message.deal)
        return await store.add_copy(conn, message, deal, copy.period, addition=copy.addition + 1)
    return await _open_copy(context, message, copy.period)


async def _open_copy(context: _CopyContext, message: ChatMessage, period: CopyPeriod) -> CopyRow:
    """Return the note of this period, an addition to it where it can no more be changed, a new one where there is none."""
    conn, deal = context.conn, Ref.model_validate(message.deal)
    if period.mode == "each":
        return await store.add_copy(conn, message, deal, period)
    there = await store.copies_of_period(conn, message.account_id, message.dialogue_id, period)
    made = await ids_of_effects(conn, message.account_id, [deal, *(copy.deal for copy in there)])
    of_deal = [copy for copy in there if is_same_deal(copy.deal, deal, made)]
    if not of_deal:
        return await store.add_copy(conn, message, deal, period)
    if _is_open(of_deal[0], context.now):
        return of_deal[0]
    return await store.add_copy(conn, message, deal, period, addition=of_deal[0].addition + 1)


async def _written(context: _CopyContext, copy_id: int) -> None:
    """Order what differs in a copy from what stands in the CRM."""
    conn = context.conn
    copy = await store.copy_of_id(conn, context.account.id, copy_id)
    rows = await store.messages_in(conn, copy)
    told = {row.message.message_id: _told(context, row) for row in rows}
    marks = {id: content_mark(message) for id, message in told.items()}
    if copy.is_sealed:
        await store.nothing_to_write(conn, copy)
        return
    if copy.revision and await _is_lost(conn, copy, rows):
        anew = [row.message.message_id for row in rows if row.mark != marks[row.message.message_id]]
        await store.seal(conn, copy, context.now, anew)
        return
    of = await dialogue(conn, copy.account_id, copy.dialogue_id)
    assert of is not None
    words = _words(context, of)
    lines = [line_of(message, words) for message in in_order(list(told.values()))]
    texts = notes_of(copy.period, lines, words, is_addition=copy.addition > 0) if lines else ()
    changes = writings(copy.marks, texts, words.texts.say("crm.copy.surplus"))
    if not changes:
        await store.nothing_to_write(conn, copy)
        return
    made = await ids_of_effects(conn, copy.account_id, [copy.deal])
    copy = replace(copy, deal=made.get(copy.deal.effect or "", copy.deal))
    effects = [_effect(copy, change) for change in changes]
    await order(
        conn,
        account_id=copy.account_id,
        decision_id=decision_id_of(copy.account_id, "copy", str(copy.copy_id)),
        call_id=None,
        client=of.client_key,
        lane=Lane.SYNC,
        effects=effects,
        held=context.account.state != "on",
    )
    kept = dict(enumerate(copy.marks, 1)) | {change.number: mark_of(change.text) for change in changes}
    await store.keep_written(
        conn,
        copy,
        marks=[kept[number] for number in sorted(kept)],
        messages=marks,
        changing=[e.key for e in effects if isinstance(e.order, ChangeNote)],
        now=context.now,
    )


async def _is_lost(conn: Conn, copy: CopyRow, rows: Sequence[CopiedRow]) -> bool:
    """Whether it cannot be written anew: what stands in it is no longer kept, or nothing is known of its notes."""
    if len(rows) < copy.members or any(not row.message.parts and row.mark for row in rows):
        return True
    keys = [note_key(copy.copy_id, number) for number in range(1, len(copy.marks) + 1)]
    states = await store.kept_effects(conn, copy.account_id, keys)
    return any(states.get(key) in _NEVER_WRITTEN for key in keys)


def _effect(copy: CopyRow, change: NoteWriting) -> Effect:
    key = note_key(copy.copy_id, change.number)
    if change.is_new:
        at = copy.period.starts_at if copy.period.mode == "each" else None
        return Effect(key=key, order=AddNote(target=copy.deal, text=change.text, form="service", at=at))
    anew = ChangeNote(note=key, target=copy.deal, text=change.text, form="service")
    return Effect(key=change_key(copy.copy_id, change.number, copy.revision + 1), order=anew)


def _part_of(key: str) -> int:
    return int(key.split(":")[2])


def _revision_of(key: str) -> int:
    return int(key.split(":")[3])


def _is_open(copy: CopyRow, now: datetime) -> bool:
    return not copy.is_sealed and is_changeable(copy.written_at, now)


def _words(context: _CopyContext, of: Dialogue) -> CopyWords:
    return CopyWords(
        texts=TEXTS[context.account.settings.language],
        zone=context.zone,
        channel=context.saved.name,
        client=of.name or of.username or of.number or "",
        keeps_deleted_text=context.saved.rules.keeps_deleted_text,
    )


def _told(context: _CopyContext, row: CopiedRow) -> CopiedMessage:
    message = row.message
    employee = context.staff.by_id.get(message.employee_id or "")
    is_client = message.author_kind == AuthorKind.CLIENT
    return CopiedMessage(
        id=message.message_id,
        at=message.at,
        sequence=message.sequence,
        author_kind=message.author_kind,
        author=employee.name if employee else "" if is_client else message.author_name,
        parts=copied_parts(message.parts),
        quoted=_quoted(context, row),
        former=tuple(copied_parts(parts) for parts in row.former),
        edited_at=message.edited_at,
        is_deleted=message.deleted_at is not None,
        doubt=_DOUBTS.get(message.status, ""),
    )


def _quoted(context: _CopyContext, row: CopiedRow) -> str:
    """Return what is answered: as the messenger told it, else as it stands here; nothing of what was taken back."""
    quoted = row.quoted
    if quoted is not None and quoted.deleted_at and not context.saved.rules.keeps_deleted_text:
        return ""
    return row.message.quoted_text or (" ".join(part.text for part in quoted.parts) if quoted else "")


def copied_parts(parts: Sequence[PartTold]) -> tuple[CopiedPart, ...]:
    """Return parts of a message as texts in the CRM are made of them."""
    return tuple(
        CopiedPart(
            kind=part.kind,
            text=part.text,
            name=part.file.name if part.file else "",
            phone=part.phone,
            latitude=part.latitude,
            longitude=part.longitude,
            vendor_kind=part.vendor_kind,
        )
        for part in parts
    )
