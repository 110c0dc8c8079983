"""Which effects go into the next request: values in, one batch out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from crm.effects.model import Ready
from crm.lane import Lane
from crm.portions import BATCH_LIMIT, COMPLEX_LIMIT, Portion
from routing.orders import CREATING, ORDER_KINDS

COMPLEX = "deal_with_contact"
BY_NUMBER = "attach_by_number"
_CATCH_UP_REQUESTS, _CATCH_UP_SECONDS = 3, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one request carries. kind: the request. pairs: of COMPLEX, (contact, deal). is_full: waiting adds nothing."""

    kind: str
    lane: Lane
    rows: tuple[Ready, ...]
    is_full: bool

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(row.key for row in self.rows)


class Sizes:
    """How many items a request of a kind may carry."""

    def __init__(self) -> None:
        self._portions: dict[str, Portion] = {}

    def of(self, kind: str, unknown_attempts: int = 0) -> int:
        return max(1, self._portion(kind).now >> (2 * unknown_attempts))

    def too_large(self, kind: str, sent: int) -> None:
        self._portion(kind).too_large(sent)

    def on_success(self, kind: str, sent: int) -> None:
        self._portion(kind).on_success(sent)

    def _portion(self, kind: str) -> Portion:
        if kind not in self._portions:
            order = ORDER_KINDS.get(kind.partition(":")[0])
            is_alone = order is not None and order.is_alone
            largest = COMPLEX_LIMIT if kind == COMPLEX else 1 if is_alone else BATCH_LIMIT
            self._portions[kind] = Portion(largest)
        return self._portions[kind]


def next_batch(
    rows: Sequence[Ready],
    sizes: Sizes,
    *,
    busy_clients: Collection[str] = (),
    split: Mapping[str, str] | None = None,
    routes: Mapping[str, str] | None = None,
) -> Batch | None:
    """Return the batch to send next, all of the most urgent lane that can send anything.

    rows: by lane, oldest first. busy_clients: something is being created for them just now, so nothing else is. split:
    key -> group, for those that must not travel with just anybody, nor as a pair. routes: key -> kind of request, where it is not the usual one.
    Live lanes send the oldest effect first with whatever fits beside it; the backfill sends full requests first.
    """
    for lane in sorted({row.lane for row in rows}):
        groups = _grouped([r for r in rows if r.lane == lane], busy_clients, split or {}, routes or {})
        batches = [_batch(kind, lane, items, sizes) for (kind, _, _), items in groups.items()]
        if batches:
            return min(batches, key=_urgency if lane < Lane.BACKFILL else _fullness)
    return None


_Unit = tuple[Ready, ...]
_Group = tuple[str, int, str]


def _grouped(
    rows: Sequence[Ready], busy: Collection[str], split: Mapping[str, str], routes: Mapping[str, str]
) -> dict[_Group, list[_Unit]]:
    """Items that may share a request, as units: a contact with its deal is one unit."""
    deals = {
        row.contact: row
        for row in reversed(rows)
        if row.contact and row.key not in split and row.contact not in split and not row.unknown_attempts
    }
    groups: dict[_Group, list[_Unit]] = defaultdict(list)
    creating: set[str] = set(busy)
    for row in rows:
        if row.contact is not None:
            continue  # travels with its contact, or waits for it
        if row.what in CREATING:
            if row.client in creating:
                continue
            creating.add(row.client)
        deal = None if row.unknown_attempts else deals.get(row.key)
        kind = COMPLEX if deal else routes.get(row.key) or _kind(row)
        groups[kind, row.unknown_attempts, split.get(row.key, "")].append((row, deal) if deal else (row,))
    return groups


def _kind(row: Ready) -> str:
    if ORDER_KINDS[row.what].is_per_target:
        return f"{row.what}:{row.target}" if row.target else BY_NUMBER
    return row.what


def _batch(kind: str, lane: Lane, units: Sequence[_Unit], sizes: Sizes) -> Batch:
    size = sizes.of(kind, units[0][0].unknown_attempts)
    taken = tuple(row for unit in units[:size] for row in unit)
    return Batch(kind=kind, lane=lane, rows=taken, is_full=len(units) >= size)


def _urgency(batch: Batch) -> int:
    return batch.rows[0].seq


def _fullness(batch: Batch) -> tuple[bool, bool, int]:
    return (not batch.is_full, batch.rows[0].what not in CREATING, batch.rows[0].seq)


def requests_for(counts: Mapping[str, int], pairs: int, rate: int) -> tuple[int, float]:
    """Return (requests, seconds) for so many effects of each kind, `pairs` of them new contacts with their deals.

    A slot is free again a second and a margin after the answer, so not all of `rate` can be used.
    """
    alone = dict(counts) | {
        "create_contact": counts.get("create_contact", 0) - pairs,
        "create_deal": counts.get("create_deal", 0) - pairs,
    }
    writes = ceil(pairs / COMPLEX_LIMIT) + sum(ceil(n / BATCH_LIMIT) for n in alone.values())
    per_second = rate * 6 / 7
    is_creating = counts.get("create_contact", 0) + counts.get("create_deal", 0) > 0
    reads = _CATCH_UP_REQUESTS * ceil(writes / per_second / _CATCH_UP_SECONDS) if is_creating else 0
    return writes + reads, (writes + reads) / per_second
