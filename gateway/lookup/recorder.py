"""Lookup decisions are written down after the answer has gone, in batches, and never hold an answer up.

When more arrive than may be written, answers stay fast and the rest is counted as lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg
import structlog

from gateway.lookup.decided import DecidedLookup
from gateway.store.decisions.decisions import DecisionRow, add_decisions
from gateway.store.decisions.lookup_inputs import InputsWritten, digest_of
from routing.lookup.available import ANYBODY
from routing.lookup.decide import LookupDecision
from routing.numbers.normalise import Number, PublicNumber
from routing.settings import LookupPolicy, NumberPolicy
from routing.staff import Staff
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS, may_pass
from runtime.masking import mask_error
from runtime.metrics import Sample
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_AT_ONCE = 20  # written in one statement: encoding them holds up lookups for that long
_BATCH_SECONDS = 0.25


class LookupRecord(NamedTuple):
    """One answered lookup. took_us: until it was handed to the socket.

    staff, numbers, rules: what it was decided with; written down once each, so that it can be computed again."""

    account_id: str
    connection: str
    decided: DecidedLookup
    took_us: int
    staff: Staff
    numbers: NumberPolicy
    rules: LookupPolicy


class Recorder:
    """`note` is called on the path of the ringing phone: one append. `run` writes until cancelled, `close` the rest."""

    def __init__(self, pool: asyncpg.Pool, per_second: int, *, room: int | None = None) -> None:
        self._pool = pool
        self._per_batch = max(1, int(per_second * _BATCH_SECONDS))
        self._room = room or per_second * 5
        self._waiting: deque[LookupRecord] = deque()
        self._inputs = InputsWritten()
        self._trouble = Trouble("decision-recorder")
        self.lost = 0
        self.written = 0
        self.last_error: str | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def has_room(self) -> bool:
        """Asked before each `note`; without room the decision counts as lost."""
        if len(self._waiting) < self._room:
            return True
        self.lost += 1
        return False

    def record(self, looked: LookupRecord) -> None:
        self._waiting.append(looked)

    async def run(self) -> None:
        while True:
            await sleep_unless_cancelled(_BATCH_SECONDS)
            await self._write_some()

    async def close(self) -> None:
        while self._waiting and await self._write_some():
            pass

    async def _write_some(self) -> bool:
        if not self._waiting:
            return True
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._per_batch))]
        by_account: dict[str, list[LookupRecord]] = {}
        for looked in batch:
            by_account.setdefault(looked.account_id, []).append(looked)
        on_success = True
        for of_account in by_account.values():
            on_success = await self._write(of_account) and on_success
        return on_success

    async def _write(self, batch: list[LookupRecord]) -> bool:
        """Of one account."""
        try:
            async with self._pool.acquire(timeout=5) as conn:
                for looked in batch:
                    await self._inputs.write(
                        conn, looked.account_id, looked.staff, looked.numbers, looked.rules
                    )
                for start in range(0, len(batch), _AT_ONCE):  # the phone that rings now comes first
                    await add_decisions(conn, [_row(looked) for looked in batch[start : start + _AT_ONCE]])
        except DATABASE_ERRORS as err:
            self.last_error = mask_error(err)
            if not may_pass(err) and len(batch) > 1:
                # One of them is bad: each by itself, so that only that one is left out.
                return all([await self._write([looked]) for looked in batch])
            if not may_pass(err):  # or of an account that was removed meanwhile: it will never be taken
                self.lost += len(batch)
                log.warning("decisions-refused", count=len(batch), error=self.last_error)
                return True
            self._trouble.failed(err, waiting=len(self._waiting) + len(batch))
            self._put_back(batch)
            return False
        self.written += len(batch)
        self.last_error = None
        self._trouble.recovered(lost=self.lost)
        return True

    def _put_back(self, batch: list[LookupRecord]) -> None:
        space = self._room - len(self._waiting)
        self.lost += max(0, len(batch) - space)
        self._waiting.extendleft(reversed(batch[:space] if space > 0 else []))

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "gauge", "decisions_waiting", "Lookup decisions not yet written", {}, self.waiting
        yield "counter", "decisions_written", "Lookup decisions written", {}, self.written
        yield "counter", "decisions_lost", "Lookup decisions not written because too many came", {}, self.lost


def _row(looked: LookupRecord) -> DecisionRow:
    decided = looked.decided
    asked, number, decision = decided.asked, decided.number, decided.decision
    return DecisionRow(
        account_id=looked.account_id,
        decision_id=decided.decision_id,
        kind="lookup",
        at=datetime.fromtimestamp(decided.at, UTC),
        call_id=None,
        client=number.e164 if isinstance(number, PublicNumber) else None,
        reason=decision.reason,
        outcome=outcome_of(decision),
        steps=[step.as_json() for step in decision.steps],
        inputs={
            "connection": looked.connection,
            "phone": asked.phone,
            "did": asked.did,
            "pbx_call_id": asked.call_id,
            "candidates": [list(c) for c in decided.candidates],
            "staff_version": looked.staff.version,
            "rules": digest_of(looked.numbers, looked.rules),
            "directory_age_ms": decided.directory_age_ms,
            "took_us": looked.took_us,
            **_available(decided, number),
            **({} if decided.campaign is None else {"campaign": decided.campaign.as_json()}),
        },
    )


def _available(decided: DecidedLookup, number: Number | None) -> dict[str, Any]:
    """Return what was known of the people who were looked at; nothing where nothing was."""
    if decided.available is ANYBODY:
        return {}
    e164 = number.e164 if isinstance(number, PublicNumber) else None
    seen = decided.available.seen_by(e164, decided.candidates, decided.decision.steps)
    return {"available": seen} if seen else {}


def outcome_of(decision: LookupDecision) -> dict[str, Any]:
    entity, person = decision.entity, decision.responsible
    return {
        "outcome": decision.outcome,
        "entity": None if entity is None else {"kind": entity.kind, "id": entity.id, "name": entity.name},
        "responsible": None if person is None else {"id": person.id, "name": person.name},
        "targets": [target.as_json() for target in decision.targets],
    }
