"""Calls of the last days played through two versions of the matrix: what would have come out differently.

Reads only: the CRM is not asked, and nothing is written anywhere but the result of the one who asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, Literal, NamedTuple

import asyncpg

from gateway.at_work import AtWork
from gateway.calendars import holidays_around
from gateway.calls.call import known_client
from gateway.calls.turns import NOBODY, turns_asked, turns_of_client
from gateway.decisions.dry_run import made_decision
from gateway.decisions.names_then import NamesThen, names_now
from gateway.decisions.order_summary import order_in_words
from gateway.store.admin import accounts, matrices
from gateway.store.admin.accounts import Account
from gateway.store.admin.staff import NoSuchStaffVersion, staff_at, staff_of
from gateway.store.decisions.decisions import Explained
from gateway.store.decisions.replayable import KnownClient, PastCall, PastCalls
from gateway.texts.sentences import TEXTS
from routing.client import Client
from routing.client_work.play import Played, play, same_orders
from routing.client_work.values import CallRow, Setup
from routing.matrix.model import Matrix
from routing.orders import ORDER_KINDS
from routing.staff import Staff
from routing.texts.catalogue import Language, Texts
from runtime.database.pool import Conn
from runtime.progress import Progress

VersionName = int | Literal["draft"] | None
"""A published number, the draft, or None = the current version."""

MOST_LISTED = 1000
_PAGE = 200
_SLICE = 10  # calls; some 5 ms, so that whatever else the process does is not held up


class Compared(NamedTuple):
    """name: "draft" or the version's number. revision: of the draft, else None."""

    name: str
    matrix: Matrix
    revision: int | None = None


async def matrix_named(conn: Conn, account_id: str, name: VersionName) -> Compared:
    """Return the matrix of this version. Raises NoSuchMatrixVersion."""
    if name == "draft":
        draft = await matrices.draft(conn, account_id)
        return Compared("draft", draft.matrix, draft.revision)
    version = await matrices.current_version(conn, account_id) if name is None else name
    return Compared(str(version), await matrices.matrix_at(conn, account_id, version))


@dataclass(slots=True)
class _Table:
    """What is counted while calls are played."""

    texts: Texts
    zone: str
    published: Counter[str] = field(default_factory=Counter)
    draft: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    differing: int = 0
    reconstructed: int = 0
    listed: list[dict[str, Any]] = field(default_factory=list)

    def add(self, past: PastCall, names: NamesThen, old: Played, new: Played) -> None:
        self.calls += 1
        self.reconstructed += past.known is None
        self.published.update(old.counts)
        self.draft.update(new.counts)
        if same_orders(old, new):
            return
        self.differing += 1
        if len(self.listed) < MOST_LISTED:
            self.listed.append(
                {
                    "call_id": past.call_id,
                    "client": past.number,
                    "started_at": past.started_at.isoformat(),
                    "row": new.decisions[-1].row if new.decisions else None,
                    "published": [order_in_words(e.order, names, self.texts, self.zone) for e in old.effects],
                    "draft": [order_in_words(e.order, names, self.texts, self.zone) for e in new.effects],
                }
            )

    def counts(self) -> list[dict[str, Any]]:
        return [
            {
                "what": what,
                "message": self.texts.word("order.count", what),
                "published": self.published[what],
                "draft": self.draft[what],
                "difference": self.draft[what] - self.published[what],
            }
            for what in ORDER_KINDS
            if self.published[what] or self.draft[what]
        ]


class DraftPlayed(NamedTuple):
    """is_reconstructed: what was known when it was is not stored any more, and what is known now took its place."""

    decisions: list[Explained]
    is_reconstructed: bool


class _Begin(NamedTuple):
    """A past call, and what was known when it began."""

    row: CallRow
    client: Client
    setup: Setup


class Replay:
    """One account's past calls. now: the end of the days that are replayed. language: of the words, else the account's."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        account_id: str,
        now: datetime | None = None,
        language: Language | None = None,
        at_work: AtWork | None = None,
    ) -> None:
        self._at_work = at_work or AtWork()
        self._pool = pool
        self._account_id = account_id
        self._language = language
        self._now = now or datetime.now(UTC)
        self._past = PastCalls()
        self._staff: dict[int, Staff] = {}

    async def run(
        self, days: int, version: VersionName, against: VersionName, progress: Progress
    ) -> dict[str, Any]:
        """Return the table published / draft / difference with counts, and the calls that differ. version: what takes the place
        of "draft" in it, against: of "published". Raises NoSuchMatrixVersion, NoSuchAccount; Stopped by `progress`."""
        began = perf_counter()
        since = self._now - timedelta(days=days)
        async with self._pool.acquire() as conn:
            account = await accounts.account(conn, self._account_id)
            old = await matrix_named(conn, self._account_id, against)
            new = await matrix_named(conn, self._account_id, version)
            names = await names_now(conn, self._account_id)
            turns = [
                await turns_asked(conn, account, names.staff, self._at_work, m.matrix, NOBODY, self._now)
                for m in (old, new)
            ]
            total = await self._past.count(conn, self._account_id, since, self._now)
        table = _Table(TEXTS[self._language or account.settings.language], account.time_zone)
        await progress(0, total)
        after: tuple[datetime, str] | None = None
        while page := await self._page(account, since, after):
            for past, begin in page:
                played = [
                    play(
                        m.matrix,
                        *begin,
                        past.arrived,
                        turns=turns_of_client(known, begin.client, account, begin.setup.staff),
                    )
                    for m, known in ((old, turns[0]), (new, turns[1]))
                ]
                table.add(past, names._replace(staff=begin.setup.staff), *played)
                if table.calls % _SLICE == 0:
                    await progress(min(table.calls, total), total)
            last = page[-1][0]
            after = (last.started_at, last.call_id)
        return {
            "published": {"version": old.name, "revision": old.revision},
            "draft": {"version": new.name, "revision": new.revision},
            "since": since.isoformat(),
            "until": self._now.isoformat(),
            "calls": table.calls,
            "same": table.calls - table.differing,
            "different": table.differing,
            "reconstructed": table.reconstructed,
            "counts": table.counts(),
            "list": table.listed,
            "is_list_complete": table.differing == len(table.listed),
            "took_ms": int((perf_counter() - began) * 1000),
        }

    async def one(self, call_id: str, version: VersionName) -> DraftPlayed | None:
        """Return what this version decides of one call, with what was known then; None where there is no such call to replay.
        Raises NoSuchMatrixVersion, NoSuchAccount."""
        async with self._pool.acquire() as conn:
            account = await accounts.account(conn, self._account_id)
            matrix = (await matrix_named(conn, self._account_id, version)).matrix
            past = await self._past.one(conn, self._account_id, call_id)
            if past is None:
                return None
            row, client, setup = await self._begin(conn, account, past)
            turns = await turns_asked(
                conn, account, setup.staff, self._at_work, matrix, client, past.started_at
            )
        played = play(matrix, row, client, setup, past.arrived, turns=turns)
        made = [made_decision(row, client, decision, setup.staff.version) for decision in played.decisions]
        return DraftPlayed(made, past.known is None)

    async def _page(
        self, account: Account, since: datetime, after: tuple[datetime, str] | None
    ) -> list[tuple[PastCall, _Begin]]:
        async with self._pool.acquire() as conn:
            calls = await self._past.page(conn, self._account_id, since, self._now, after, _PAGE)
            return [(past, await self._begin(conn, account, past)) for past in calls]

    async def _begin(self, conn: Conn, account: Account, past: PastCall) -> _Begin:
        known = past.known or await self._reconstructed(conn, account, past)
        row = CallRow(
            account_id=account.id,
            call_id=past.call_id,
            connection_id=past.connection,
            call_key=past.call.call_key,
            client=past.number,
            line=past.line,
            call=past.call,
            client_kind=past.client_kind or known.client_kind,
            heard_at=past.started_at,
        )
        staff = await self._staff_at(conn, known.staff_version)
        setup = Setup(staff, known.settings, known.time_zone, known.holidays, past.started_at)
        return _Begin(row, known.client, setup)

    async def _reconstructed(self, conn: Conn, account: Account, past: PastCall) -> KnownClient:
        """No decision of this call is stored any more: the client as now known, without what came after the call began."""
        now = await known_client(conn, account.id, past.number)
        client = Client(
            number=now.number,
            entities=tuple(e for e in now.entities if e.created_at is None or e.created_at < past.started_at),
        )
        settings = account.settings
        return KnownClient(
            client=client,
            client_kind=client.kind,
            staff_version=account.staff_version,
            settings=settings,
            time_zone=account.time_zone,
            holidays=holidays_around(settings.working_time, past.started_at),
        )

    async def _staff_at(self, conn: Conn, version: int) -> Staff:
        if version not in self._staff:
            try:
                staff = await staff_at(conn, self._account_id, version)
            except NoSuchStaffVersion:
                staff = await staff_of(conn, self._account_id)
            self._staff[version] = staff
        return self._staff[version]


async def replay_work(
    pool: asyncpg.Pool,
    account_id: str,
    asked: Mapping[str, Any],
    progress: Progress,
    at_work: AtWork | None = None,
) -> dict[str, Any]:
    """As long work of the kind `replay`. asked: days, version, against; language: of the words, else the account's."""
    replay = Replay(pool, account_id, language=asked.get("language"), at_work=at_work)
    return await replay.run(asked["days"], asked["version"], asked.get("against"), progress)
