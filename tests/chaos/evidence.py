"""What there is to see after a run: the journal's tables, the CRM's rows and its ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.chaos.site import Site

Row = dict[str, Any]

SKEW_SECONDS = 600
"""Calls told by a PBX whose clock is behind have notes that are older than the run. The sample data are from last year."""


@dataclass
class Evidence:
    """inbox, calls, effects, cases, decisions: rows of ours. contacts, deals, tasks, notes: the CRM's, deleted ones and
    those that were there before the run included. ledger: every request to the CRM. since: the run's begin."""

    since: datetime
    inbox: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)
    effects: list[Row] = field(default_factory=list)
    cases: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    deals: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    ledger: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contacts_of: dict[str, list[Row]] = defaultdict(list)
        for contact in self.contacts:
            for phone in {tail(p) for p in contact["phones"]}:
                self.contacts_of[phone].append(contact)

    def contacts_with(self, number: str) -> list[Row]:
        return self.contacts_of.get(tail(number), [])

    def deals_with(self, number: str) -> list[Row]:
        ids = {c["id"] for c in self.contacts_with(number)}
        return [d for d in self.deals if ids & set(d["contacts"])]

    def is_new(self, row: Row) -> bool:
        return bool(row["created_at"] >= self.since.timestamp() - SKEW_SECONDS)


def tail(phone: str) -> str:
    return "".join(c for c in phone if c.isdigit())[-10:]


async def gather(site: Site, since: datetime) -> Evidence:
    async def rows(kind: str) -> list[Row]:
        return list((await site.sandbox(f"state?kind={kind}"))["rows"])

    notes = [n for n in await rows("note") if n["created_at"] >= since.timestamp() - SKEW_SECONDS]
    return Evidence(
        since=since,
        inbox=_plain(await site.fetch("SELECT connection_id, call_key, client, state, error FROM inbox")),
        calls=_plain(await site.fetch("SELECT * FROM call ORDER BY started_at")),
        effects=_plain(await site.fetch("SELECT * FROM effect ORDER BY seq")),
        cases=_plain(await site.fetch("SELECT * FROM missed_case ORDER BY opened_at")),
        decisions=_plain(
            await site.fetch(
                "SELECT at, call_id, client, kind, reason FROM decision WHERE kind <> 'lookup' ORDER BY seq"
            )
        ),
        contacts=await rows("contact"),
        deals=await rows("deal"),
        tasks=await rows("task"),
        notes=notes,
        ledger=list((await site.sandbox("ledger?since=0"))["requests"]),
    )


def _plain(rows: Iterable[Any]) -> list[Row]:
    return [
        {k: json.loads(v) if k == "order" and isinstance(v, str) else v for k, v in row.items()}
        for row in rows
    ]


def busiest_second(ledger: Iterable[Row], integration: str = "callmatrix") -> int:
    """The most requests that one integration sent in any window of one second, as the CRM counts them."""
    times = sorted(r["at"] for r in ledger if r["integration"] == integration)
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
