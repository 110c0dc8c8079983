"""A list comes into its campaign, in portions: each row comes in or is told with what is wrong, and a restart counts nobody twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import asyncpg

from campaigns.list_files import ListUnreadable, rows_of
from campaigns.list_rows import ListedClient, ListShape, RowJudge, RowRefused, shape_of
from campaigns.states import takes_members
from gateway.campaigns.list_words import heading_words
from gateway.campaigns.taking_in import PolicyOf
from gateway.store.campaigns import lists
from gateway.store.campaigns.campaigns import CampaignRow, campaign_of, lock_campaign
from gateway.store.campaigns.members import NewMember, add_members, count_uploaded, uploaded_numbers
from gateway.store.outbound.do_not_call import listed
from routing.settings import NumberPolicy
from runtime.database.pool import Conn
from runtime.progress import Progress

WORK = "campaign_import"
AT_A_TIME = 1000
_SHOWN = 1000


class CampaignTakesNone(Exception):
    """The campaign finished while the list came in: who is in it stays so, the rest of the list did not come."""

    code = "campaign-state"


@dataclass
class ImportReport:
    """rows: that say something. added: who is in the campaign by this list. faults: how many of each; refused: the first of them."""

    rows: int = 0
    added: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    refused: list[RowRefused] = field(default_factory=list)

    def refuse(self, one: RowRefused) -> None:
        self.faults[one.fault] += 1
        if len(self.refused) < _SHOWN:
            self.refused.append(one)

    def as_json(self) -> dict[str, Any]:
        rows = sorted(self.refused, key=lambda one: one.row)
        return {
            "rows": self.rows,
            "added": self.added,
            "faults": dict(self.faults),
            "refused": [one._asdict() for one in rows],
        }


async def import_work(
    pool: asyncpg.Pool, policy_of: PolicyOf, account_id: str, asked: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """As long work of the kind `campaign_import`. asked: campaign and upload."""
    async with pool.acquire() as conn:
        row = await campaign_of(conn, account_id, asked["campaign"])
        body = await lists.body_of(conn, row, asked["upload"]) if row else None
        kept = await lists.list_of(conn, row, asked["upload"]) if row else None
        policy = policy_of(account_id)
        if row is None or kept is None or policy is None:
            return {"rows": 0, "added": 0, "faults": {}, "refused": []}
        if body is None:
            return dict(kept.report or {})
        report = await import_list(conn, row, body, kept.columns, kept.upload, policy, progress)
        await lists.list_read(conn, row, kept.upload, report.as_json())
    return report.as_json()


async def import_list(
    conn: Conn,
    row: CampaignRow,
    body: bytes,
    columns: Mapping[str, str],
    upload: str,
    policy: NumberPolicy,
    progress: Progress,
) -> ImportReport:
    """Raise ListUnreadable, ColumnUnknown before anything came in; CampaignTakesNone."""
    rows = list(rows_of(body))
    if not any(map(any, rows)):
        raise ListUnreadable("the list is empty: nothing stands in it")
    judge = RowJudge(shape_for(rows, policy, columns), policy)
    if not any(map(any, rows[judge.shape.begins - 1 :])):
        raise ListUnreadable("the list is empty: it has a heading and no row")
    report = ImportReport()
    numbered = iter(enumerate(rows[judge.shape.begins - 1 :], judge.shape.begins))
    done = 0
    while portion := list(islice(numbered, AT_A_TIME)):
        clients = list(_judged(judge, portion, report))
        async with conn.transaction():
            await _add(conn, row, clients, upload, report)
        done += len(portion)
        await progress(done, len(rows))
    report.added = await count_uploaded(conn, row, upload)
    return report


def shape_for(rows: Sequence[Sequence[str]], policy: NumberPolicy, columns: Mapping[str, str]) -> ListShape:
    """Raise ColumnUnknown."""
    return shape_of(rows[0] if rows else [], policy, columns, heading_words())  # type: ignore[arg-type]


def _judged(
    judge: RowJudge, portion: Sequence[tuple[int, Sequence[str]]], report: ImportReport
) -> Iterator[tuple[int, ListedClient]]:
    for n, cells in portion:
        found = judge.judged(n, cells)
        report.rows += found is not None
        if isinstance(found, RowRefused):
            report.refuse(found)
        elif found is not None:
            yield n, found


async def _add(
    conn: Conn,
    seen: CampaignRow,
    clients: Sequence[tuple[int, ListedClient]],
    upload: str,
    report: ImportReport,
) -> None:
    row = await lock_campaign(conn, seen.account_id, seen.name)
    if row is None or not takes_members(row.state):
        raise CampaignTakesNone(f"campaign '{seen.name}' takes no numbers any more")
    numbers = [client.number for _, client in clients]
    unwanted = await listed(conn, row.account_id, numbers, row.name)
    wanted = [client for _, client in clients if client.number not in unwanted]
    members = [NewMember(number=c.number, name=c.name, client_id=c.client_id, data=c.data) for c in wanted]
    added = await add_members(conn, row, members, source="list", upload=upload) if members else set()
    others = [number for number in numbers if number not in added and number not in unwanted]
    mine = added | (await uploaded_numbers(conn, row, upload, others) if others else set())
    for n, client in clients:
        if client.number in unwanted:
            report.refuse(RowRefused(n, "do_not_call", client.number))
        elif client.number not in mine:
            report.refuse(RowRefused(n, "already_in_campaign", client.number))
