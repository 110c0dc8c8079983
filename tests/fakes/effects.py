"""`EffectStore` in memory, with the directory that goes with it: for simulations with thousands of seeds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crm.effects.match import same_number
from crm.effects.model import OPEN, EffectOutcome, EffectState, KnownEntities, OwnedNow, Ready, StoredEffect
from crm.effects.order import needs
from crm.effects.owners import as_handed_on, refused_owners
from crm.effects.refs import filled
from crm.lane import Lane
from crm.port import CrmEntity
from routing.client import Ref
from routing.effects import AttachCall, CreateContact, CreateDeal, Effect, UpdateEntity
from routing.orders import changed_by

_ENDED = ("dead", "skipped", "expired")


@dataclass
class Row:
    effect: Effect
    seq: int
    lane: Lane
    client: str
    created_at: datetime
    state: EffectState = "waiting"
    attempts: int = 0
    unknown_attempts: int = 0
    crm_id: str | None = None
    extra: dict[str, str] = field(default_factory=dict)
    was_found: bool = False
    code: str | None = None
    next_try_at: datetime | None = None
    sent_at: datetime | None = None


class FakeEffects:
    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.directory: dict[tuple[str, str], CrmEntity] = {}
        self.broken: str | None = None

    # --- what a test does --------------------------------------------------------------------------------------

    def order(self, client: str, lane: Lane, at: datetime, *effects: Effect) -> None:
        for effect in effects:
            row = Row(effect, len(self.rows), lane, client, at)
            self.rows.setdefault(effect.key, row)

    def learn(self, entities: Collection[CrmEntity]) -> None:
        self.directory.update({(e.kind, e.id): e for e in entities})

    @property
    def is_settled(self) -> bool:
        return not any(row.state in OPEN for row in self.rows.values())

    # --- EffectStore -------------------------------------------------------------------------------------------

    async def ready(self, now: datetime, lanes: Collection[Lane], limit: int) -> list[Ready]:
        self._share_fate()
        rows = sorted(self.rows.values(), key=lambda r: (r.lane, r.seq))
        return [self._ready(r) for r in rows if r.lane in lanes and self._is_ready(r, now)][:limit]

    async def take(self, keys: Sequence[str], now: datetime) -> list[StoredEffect]:
        rows = [self.rows[key] for key in keys if self.rows[key].state == "waiting"]
        for row in rows:
            row.state, row.sent_at, row.next_try_at = "sending", now, None
            row.attempts += 1
        return [self._stored(row) for row in rows]

    async def record(
        self,
        outcomes: Sequence[EffectOutcome],
        entities: Sequence[CrmEntity],
        now: datetime,
        gone: Collection[tuple[str, str]] = (),
    ) -> None:
        for ref in gone:
            self.directory.pop(ref, None)
        for outcome in outcomes:
            row = self.rows[outcome.key]
            if row.attempts != outcome.attempt or row.state not in OPEN:
                continue
            row.state, row.code, row.next_try_at = outcome.state, outcome.code, outcome.next_try_at
            row.crm_id = outcome.crm_id or row.crm_id
            row.extra |= dict(outcome.extra)
            row.was_found |= outcome.was_found
            row.unknown_attempts += outcome.is_unknown
        self.learn(entities)
        self._share_fate()

    async def recover_in_flight(self, look_at: datetime) -> int:
        rows = [r for r in self.rows.values() if r.state == "sending"]
        for row in rows:
            row.state, row.next_try_at = "unknown", look_at
            row.unknown_attempts += 1
        return len(rows)

    async def unverified(self, now: datetime, limit: int) -> list[StoredEffect]:
        due = [
            r
            for r in self.rows.values()
            if r.state == "unknown"
            and r.next_try_at
            and r.next_try_at <= now
            and not any(need.state == "unknown" for need in self._pending(r))
        ]
        due.sort(key=lambda r: r.lane)
        same = [r for r in due if (r.lane, r.effect.order.do) == (due[0].lane, due[0].effect.order.do)]
        return [self._stored(r) for r in same[:limit]]

    async def known(self, numbers: Collection[str]) -> dict[str, KnownEntities]:
        found = {}
        for number in numbers:
            contacts = [
                e
                for e in self.directory.values()
                if e.kind in ("contact", "company") and any(same_number(n, number) for n in e.numbers)
            ]
            if contacts:
                first = contacts[0]
                deals = [
                    (e.id, e.created_at)
                    for e in self.directory.values()
                    if e.kind == "deal" and e.is_open and first.id in (*e.contact_ids, *e.company_ids)
                ]
                found[number] = KnownEntities(
                    contact=(first.kind, first.id), deals=tuple(deals), is_alone=len(contacts) == 1
                )
        return found

    async def owned_now(self, effects: Sequence[StoredEffect]) -> dict[str, OwnedNow]:
        return {
            effect.key: OwnedNow(owner_id=known.owner_id, is_open=known.is_open)
            for effect in effects
            if isinstance(effect.order, UpdateEntity)
            and (known := self.directory.get((effect.order.target.kind, effect.order.target.id or "")))
        }

    async def claimed(self, ids: Collection[str]) -> set[str]:
        return {
            r.crm_id
            for r in self.rows.values()
            if r.crm_id is not None and r.crm_id in ids and r.state == "done"
        }

    async def break_account(self, reason: str) -> None:
        self.broken = reason
        for row in self.rows.values():
            row.state = "held" if row.state == "waiting" else row.state

    async def next_due(self, now: datetime) -> datetime | None:
        times = [r.next_try_at for r in self.rows.values() if r.state in OPEN]
        return min((t for t in times if t and t > now), default=None)

    # --- inside ------------------------------------------------------------------------------------------------

    def _is_ready(self, row: Row, now: datetime) -> bool:
        if row.state != "waiting" or (row.next_try_at and row.next_try_at > now):
            return False
        pending = self._pending(row)
        order = row.effect.order
        is_pair = isinstance(order, CreateDeal) and order.contact is not None
        is_pair = is_pair and [r.effect.key for r in pending] == [order.contact.effect]  # type: ignore[union-attr]
        return not pending or (is_pair and pending[0].state == "waiting")

    def _pending(self, row: Row) -> list[Row]:
        return [self.rows[k] for k in needs(row.effect) if self.rows[k].state != "done"]

    def _ready(self, row: Row) -> Ready:
        order = row.effect.order
        target = getattr(order, "target", None)
        pending = self._pending(row)
        return Ready(
            key=row.effect.key,
            seq=row.seq,
            lane=row.lane,
            what=order.do,
            client=row.client,
            target=target.kind if isinstance(target, Ref) else None,
            contact=pending[0].effect.key if pending else None,
            number=order.number if isinstance(order, AttachCall | CreateContact) else None,
            unknown_attempts=row.unknown_attempts,
        )

    def _stored(self, row: Row) -> StoredEffect:
        needed = [self.rows[k] for k in needs(row.effect) if self.rows[k].state == "done"]
        ids = {r.effect.key: (r.extra.get("kind"), r.crm_id) for r in needed if r.crm_id}
        order = as_handed_on(filled(row.effect.order, ids), row.extra)
        return StoredEffect(
            key=row.effect.key,
            seq=row.seq,
            lane=row.lane,
            client=row.client,
            order=order,
            attempt=row.attempts,
            unknown_attempts=row.unknown_attempts,
            created_at=row.created_at,
            sent_at=row.sent_at,
            changed_id=ids[key][1] if (key := changed_by(order)) in ids else None,
            contact_found=any(r.was_found and r.effect.order.do == "create_contact" for r in needed),
            refused_owners=refused_owners(row.extra),
        )

    def _share_fate(self) -> None:
        for row in self.rows.values():  # in the order they were made: what is needed comes first
            fates = [self.rows[k].state for k in needs(row.effect) if self.rows[k].state in _ENDED]
            if row.state == "waiting" and fates:
                row.state, row.code = fates[0], "dependency"
