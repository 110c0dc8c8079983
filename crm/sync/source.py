"""What every feed of the sync works with: one account, its CRM, its database, and what time it is."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from crm.errors import CrmError, CrmRefused, CrmUnavailable, CrmUnreadable
from crm.lane import Lane
from crm.port import Crm, CrmEntity, CrmEvent, Observed
from crm.portions import halves
from crm.store.cursors import ask_reread, read_cursor, write_cursor
from crm.store.directory import Applied, EntityRef, apply_entities, inside_leads, remove_entities
from crm.store.entries import lock_directory
from crm.store.lead_owners import mark_read, read_owners
from crm.store.listing import disputed_entities, with_what_was_known
from crm.store.news import keep_fields, record_news
from crm.store.unread import keep_unread, unread_refs
from crm.unread import Unread, UnreadKind
from routing.settings import NumberPolicy
from runtime.database.errors import is_refused, storable
from runtime.database.pool import Conn
from runtime.masking import mask_error, mask_text

log = structlog.get_logger(__name__)

READ_AT_ONCE = 250  # ids in one by_ids
_GONE_SECONDS = 600.0  # longer than any page is under way
_UNSEEN_SECONDS = 3600.0  # a letter or a chat may lie in Unsorted for days, and each poll would ask again
_MOST_FAILED = 3  # entities that the CRM fails on one by one, before it is the CRM that fails
OWNER_SECONDS = 900.0  # longer than any adapter believes what it read of a deal inside a lead


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Source:
    """policy: may be replaced while the sync runs; numbers read before keep their reading until the next full load."""

    crm: Crm
    pool: asyncpg.Pool
    account_id: str
    policy: NumberPolicy
    now: Callable[[], datetime] = field(default=utc_now)
    _owners: dict[str, tuple[float, str]] = field(default_factory=dict)
    _gone_at: dict[EntityRef, float] = field(default_factory=dict)
    _strangers: dict[str, None] = field(default_factory=dict)
    _unseen_at: dict[str, float] = field(default_factory=dict)
    _knows_unread: bool = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Conn]:
        """Also keeps what could not be read so far: no cursor moves past a row that nobody has noted.

        The directory is locked first of all: loads, polls, feeds and webhooks touch the same rows, in any order.
        """
        unread = self.crm.unread
        async with self.pool.acquire() as conn, conn.transaction():
            await lock_directory(conn, self.account_id)
            if not self._knows_unread:
                unread.remember(await unread_refs(conn, self.account_id))
                self._knows_unread = True
            told, asked = unread.take(), unread.take_asked()
            try:
                new = await keep_unread(conn, self.account_id, told)
                if asked:
                    await ask_reread(conn, self.account_id, asked)
                yield conn
            except BaseException:
                unread.give_back(told)
                for ref in asked:
                    unread.ask(ref)
                raise
        _log_unread(self.account_id, new)

    async def keep_unread(self) -> None:
        """For those who write nothing else: a webhook of which nothing was taken over."""
        async with self.transaction():
            pass

    async def cursor(self, feed: str) -> dict[str, Any]:
        async with self.pool.acquire() as conn:
            return await read_cursor(conn, self.account_id, feed)

    async def apply(
        self,
        entities: Iterable[CrmEntity] = (),
        *,
        gone: Collection[EntityRef] = (),
        feed: str | None = None,
        cursor: dict[str, Any] | None = None,
        heard: Sequence[CrmEvent] = (),
        is_first: bool = False,
        read_at: float | None = None,
    ) -> Applied:
        """Rows, what of them is news, and the cursor that speaks of them, in one transaction.

        heard: events of the CRM's feed. is_first: a load, which is no news. read_at: `time.monotonic` before these rows
        were asked for; another feed may have told since that one of them is gone.
        """
        batch = [e for e in entities if read_at is None or self._gone_at.get((e.kind, e.id), 0.0) < read_at]
        self._note_gone(gone)
        try:
            return await self._apply(
                batch, gone=gone, feed=feed, cursor=cursor, heard=heard, is_first=is_first
            )
        except Exception as err:
            if not is_refused(err) or not (batch or heard):
                raise
        applied = await self._apply_apart(batch, heard, is_first=is_first)
        rest = await self._apply([], gone=gone, feed=feed, cursor=cursor)
        return Applied(applied.numbers + rest.numbers, applied.stale + rest.stale)

    async def _apply_apart(
        self, batch: Sequence[CrmEntity], heard: Sequence[CrmEvent], *, is_first: bool
    ) -> Applied:
        """One by one: what the database refuses costs itself only, and is noted as what could not be read."""
        total = Applied()
        for entity in batch:
            try:
                applied = await self._apply([entity], is_first=is_first)
            except Exception as err:
                self._note_refused(entity.kind, entity.id, err)
            else:
                total = Applied(total.numbers + applied.numbers, total.stale + applied.stale)
        for event in heard:
            try:
                await self._apply([], heard=[event])
            except Exception as err:
                self._note_refused("event", event.id, err)
        return total

    def _note_refused(self, kind: UnreadKind, id: str, err: Exception) -> None:
        if not is_refused(err):
            raise err
        why = storable(f"it cannot be stored: {mask_error(err)}")
        self.crm.unread.tell(kind, id, [Unread(field="", why=why, raw="", is_lost=True)])

    async def _apply(
        self,
        batch: Sequence[CrmEntity],
        *,
        gone: Collection[EntityRef] = (),
        feed: str | None = None,
        cursor: dict[str, Any] | None = None,
        heard: Sequence[CrmEvent] = (),
        is_first: bool = False,
    ) -> Applied:
        async with self.transaction() as conn:
            shown = [observed for entity in batch if (observed := shown_by(entity))]
            if is_first:
                await keep_fields(conn, self.account_id, shown)
            else:
                await record_news(conn, self.account_id, observed=shown, told_by="poll", heard=heard)
            self._remember(await inside_leads(conn, self.account_id, batch))
            batch = await with_what_was_known(conn, self.account_id, batch)
            if not is_first:
                disputed = await disputed_entities(conn, self.account_id, batch, self.policy)
                await ask_reread(conn, self.account_id, disputed)
            removed = await remove_entities(conn, self.account_id, gone) if gone else Applied()
            applied = await apply_entities(conn, self.account_id, batch, self.policy)
            if feed is not None and cursor is not None:
                await write_cursor(conn, self.account_id, feed, cursor)
        return Applied(removed.numbers + applied.numbers, applied.stale)

    async def apply_leads(
        self,
        leads: Sequence[CrmEntity],
        *,
        gone: Collection[EntityRef] = (),
        feed: str | None = None,
        cursor: dict[str, Any] | None = None,
        is_first: bool = False,
        read_at: float | None = None,
    ) -> None:
        """As `apply`, for rows of a list of leads: it may know no owner, or an older one than the deal inside had when
        it was read."""
        async with self.pool.acquire() as conn:
            read = await read_owners(conn, self.account_id, [lead.id for lead in leads])
        seen = {lead.id: owner for lead in leads if (owner := self._seen_owner(lead))}
        known = read | seen
        owned = [replace(lead, owner_id=known[lead.id]) if lead.id in known else lead for lead in leads]
        await self.apply(owned, gone=gone, feed=feed, cursor=cursor, is_first=is_first, read_at=read_at)
        async with self.pool.acquire() as conn:
            await mark_read(conn, self.account_id, [e.deal_id for e in leads if e.deal_id and e.id in seen])

    def _seen_owner(self, lead: CrmEntity) -> str | None:
        """Which the deal inside it was lately seen to have."""
        at, owner = self._owners.get(lead.deal_id or "", (0.0, ""))
        return owner if owner and time.monotonic() - at < OWNER_SECONDS else None

    def meet(self, contact_ids: Iterable[str]) -> None:
        """Contacts of leads, unknown so far, to be read in the background."""
        self._strangers |= dict.fromkeys(contact_ids)

    def take_strangers(self, most: int) -> list[str]:
        """Take some of those; what becomes of them is not told: the list of leads names them again."""
        taken = list(self._strangers)[:most]
        self._strangers = dict.fromkeys(list(self._strangers)[most:])
        return taken

    def note_unseen(self, refs: Iterable[EntityRef]) -> None:
        """Contacts of leads that were asked for in vain: the CRM hides them until the lead is accepted."""
        self._unseen_at |= {id: time.monotonic() for kind, id in refs if kind == "contact"}

    def unseen(self) -> set[str]:
        """Those asked for in vain of late. When such a one comes into sight the CRM tells, nobody has to ask."""
        now = time.monotonic()
        self._unseen_at = {id: at for id, at in self._unseen_at.items() if now - at < _UNSEEN_SECONDS}
        return {*self._unseen_at}

    def heard_gone(self, refs: Iterable[EntityRef]) -> None:
        """Somebody says that these are gone."""
        self._note_gone(refs)

    def is_gone(self, ref: EntityRef) -> bool:
        """Say whether it was lately told or found to be gone."""
        return time.monotonic() - self._gone_at.get(ref, -_GONE_SECONDS) < _GONE_SECONDS

    def _note_gone(self, refs: Iterable[EntityRef]) -> None:
        now = time.monotonic()
        self._gone_at = {ref: at for ref, at in self._gone_at.items() if now - at < _GONE_SECONDS}
        self._gone_at |= dict.fromkeys(refs, now)

    def _remember(self, inside: Iterable[CrmEntity]) -> None:
        now = time.monotonic()
        self._owners = {k: v for k, v in self._owners.items() if now - v[0] < OWNER_SECONDS}
        self._owners |= {d.id: (now, d.owner_id) for d in inside if d.owner_id}

    async def read_again(
        self, refs: Collection[EntityRef], lane: Lane
    ) -> tuple[list[CrmEntity], list[EntityRef]]:
        """Return what the CRM has of these now, and those that it no longer has. One that cannot be read is neither."""
        found: list[CrmEntity] = []
        for kind, ids in _by_kind(refs).items():
            for start in range(0, len(ids), READ_AT_ONCE):
                found += await self.crm.by_ids(kind, ids[start : start + READ_AT_ONCE], lane)
        present = {(e.kind, e.id) for e in found if not e.is_deleted}
        gone = [ref for ref in refs if ref not in present and not self.crm.unread.is_lost(*ref)]
        for ref in gone:
            self.crm.unread.tell(*ref)
        return [e for e in found if not e.is_deleted], gone

    async def read_apart(
        self, refs: Sequence[EntityRef], lane: Lane
    ) -> tuple[list[CrmEntity], list[EntityRef]]:
        """Return the same; one that the CRM fails on is noted as unread, so that it holds up no other. Raises CrmError where
        none can be read, or many cannot: then it is not them."""
        failed: dict[EntityRef, CrmError] = {}
        found, gone = await self._read_halves(refs, lane, failed)
        if failed and not found and not gone:
            raise next(iter(failed.values()))
        for (kind, id), err in failed.items():
            fault = Unread(field="", why=mask_text(f"{err.code}: {err}"), raw="", is_lost=True)
            self.crm.unread.tell(kind, id, [fault])
        return found, [ref for ref in gone if ref not in failed]

    async def _read_halves(
        self, refs: Sequence[EntityRef], lane: Lane, failed: dict[EntityRef, CrmError]
    ) -> tuple[list[CrmEntity], list[EntityRef]]:
        try:
            return await self.read_again(refs, lane)
        except (CrmRefused, CrmUnavailable, CrmUnreadable) as err:
            if len(refs) == 1:
                failed[refs[0]] = err
                if len(failed) < _MOST_FAILED:
                    return [], []
            if len(refs) == 1 or len(failed) >= _MOST_FAILED:
                raise
        parts = [await self._read_halves(some, lane, failed) for some in halves(refs)]
        return [e for found, _ in parts for e in found], [ref for _, gone in parts for ref in gone]


_STANDS_IN: Mapping[str, frozenset[str]] = {
    "stage": frozenset(("stage_id", "pipeline_id")),
    "responsible": frozenset(("owner_id",)),
    "price": frozenset(),
    "name": frozenset(("name",)),
    "numbers": frozenset(("numbers",)),
    "fields": frozenset(("numbers",)),
}
_LOGGED = 10


def _log_unread(account_id: str, new: Sequence[tuple[str, str, str]]) -> None:
    for kind, id, field_path in new[:_LOGGED]:
        log.warning(
            "crm-row-unread", account=account_id, kind=kind, id=id, field=field_path, more=len(new) - 1
        )


def shown_by(entity: CrmEntity) -> Observed | None:
    """Return what a poll shows of a contact, company or deal; None for a lead, and for what says no time."""
    if entity.kind == "lead" or entity.updated_at is None or entity.is_deleted:
        return None
    told = {
        "stage": f"{entity.pipeline_id}/{entity.stage_id}"
        if entity.pipeline_id and entity.stage_id
        else None,
        "responsible": entity.owner_id,
        "price": None if entity.price is None else str(entity.price),
        "name": entity.name,
        "numbers": None if entity.kind == "deal" else ", ".join(sorted(entity.numbers)),
        "fields": entity.fields,
    }
    told = {aspect: value for aspect, value in told.items() if not entity.unread & _STANDS_IN[aspect]}
    values = {name: value for name, value in told.items() if value is not None}
    return Observed(kind=entity.kind, id=entity.id, at=entity.updated_at, values=values)


def _by_kind(refs: Iterable[EntityRef]) -> dict[Any, Sequence[str]]:
    kinds: dict[Any, list[str]] = {}
    for kind, id in sorted(refs):
        kinds.setdefault(kind, []).append(id)
    return dict(kinds)


def as_text(at: datetime) -> str:
    return at.isoformat()


def from_text(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
