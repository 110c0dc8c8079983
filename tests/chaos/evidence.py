"""What there is to see after a run: the journal's tables, the CRM's rows and its ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from tests.chaos.site import Site
from tests.chaos.tenants import Tenant

Row = dict[str, Any]

SKEW_SECONDS = 600
"""Calls told by a PBX whose clock is behind have notes that are older than the run. The sample data are from last year."""


@dataclass
class Evidence:
    """Of one account. inbox, calls, effects, cases, decisions: rows of ours. contacts, deals, tasks, notes: the CRM's, deleted ones and
    those that were there before the run included. ledger: every request to the CRM. since: the run's begin. unread: rows
    of the CRM that were set aside. known: ids of the contacts that we know."""

    since: datetime
    account: str
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
    unread: list[Row] = field(default_factory=list)
    known: frozenset[str] = frozenset()
    webhooks_aside: int = 0

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


async def gather(site: Site, tenant: Tenant, since: datetime) -> Evidence:
    async def rows(kind: str) -> list[Row]:
        return list((await site.crm(tenant, f"state?kind={kind}"))["rows"])

    async def ours(sql: str) -> list[Row]:
        return _plain(await site.fetch(sql, tenant.account))

    return Evidence(
        since=since,
        account=tenant.account,
        inbox=await ours(
            "SELECT connection_id, call_key, client, state, error FROM inbox WHERE account_id = $1"
        ),
        calls=await ours("SELECT * FROM call WHERE account_id = $1 ORDER BY started_at"),
        effects=await ours("SELECT * FROM effect WHERE account_id = $1 ORDER BY seq"),
        cases=await ours("SELECT * FROM missed_case WHERE account_id = $1 ORDER BY opened_at"),
        decisions=await ours(
            "SELECT at, call_id, client, kind, reason FROM decision"
            " WHERE account_id = $1 AND kind <> 'lookup' ORDER BY seq"
        ),
        contacts=await rows("contact"),
        deals=await rows("deal"),
        tasks=await rows("task"),
        notes=await rows("note"),
        unread=await ours(
            "SELECT kind, entity_id, field, why, is_lost FROM crm_unread WHERE account_id = $1"
        ),
        known=frozenset(
            row["entity_id"]
            for row in await ours(
                "SELECT entity_id FROM directory_entity WHERE account_id = $1 AND kind = 'contact'"
            )
        ),
        webhooks_aside=len(
            await ours("SELECT 1 FROM crm_webhook WHERE account_id = $1 AND aside_at IS NOT NULL")
        ),
        ledger=list((await site.crm(tenant, "ledger?since=0"))["requests"]),
    )


def _plain(rows: Iterable[Any]) -> list[Row]:
    return [
        {k: json.loads(v) if k == "order" and isinstance(v, str) else v for k, v in row.items()}
        for row in rows
    ]


def busiest_second(ledger: Iterable[Row], integration: str = "callmatrix") -> list[Row]:
    """The most requests to the API that one integration sent in any window of one second, as the CRM counts them. Who
    authorises anew asks for a key from here: those requests are none of the programs'."""
    asked = sorted(
        (r for r in ledger if r["integration"] == integration and not r["path"].startswith("/oauth2/")),
        key=itemgetter("at"),
    )
    most: list[Row] = []
    first = 0
    for last, request in enumerate(asked):
        while asked[first]["at"] <= request["at"] - 1.0:
            first += 1
        if last - first + 1 > len(most):
            most = asked[first : last + 1]
    return most
