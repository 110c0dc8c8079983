"""Who is in running campaigns, in the memory of a gateway: whoever is called back sees by which campaign, while the phone rings."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg

from gateway.store.campaigns.callers import RunningCampaign, callers_of, running_campaigns
from runtime.database import channels
from runtime.database.listen import Listener
from runtime.loops import Loop

EVERY_SECONDS = 3.0
_MOST = 500_000
"""Numbers of one campaign; some 50 bytes each."""
_ANEW_AFTER = timedelta(hours=1)
"""So that those who came in since stand with the others, and nothing that was emptied stays for longer."""
_BETWEEN = "\0"


class CampaignOfCaller(NamedTuple):
    """client, client_id: as the list has them."""

    id: str
    name: str
    client: str
    client_id: str

    def as_json(self) -> dict[str, str]:
        return self._asdict()


class _Book:
    """Members of one campaign, ascending in one run of bytes; those who came in since stand in front of them."""

    def __init__(self, campaign: RunningCampaign, read_at: datetime) -> None:
        self.campaign, self.read_at, self.places = campaign, read_at, 0
        self._numbers, self._ends, self._blob = array("Q"), array("I", (0,)), bytearray()
        self._recent: dict[int, bytes] = {}

    def append(self, number: int, said: bytes) -> None:
        """Put one behind all others: numbers ascend."""
        self._numbers.append(number)
        self._blob += said
        self._ends.append(len(self._blob))

    def add(self, number: int, said: bytes) -> None:
        self._recent[number] = said

    def find(self, number: int) -> CampaignOfCaller | None:
        said = self._recent.get(number)
        if said is None:
            at = bisect_left(self._numbers, number)
            if at == len(self._numbers) or self._numbers[at] != number:
                return None
            said = bytes(self._blob[self._ends[at] : self._ends[at + 1]])
        name, _, client_id = said.decode().partition(_BETWEEN)
        return CampaignOfCaller(self.campaign.campaign_id, self.campaign.name, name, client_id)


class CampaignCallers:
    """`find` on the path of the lookup; `run` until cancelled."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._books: dict[str, tuple[_Book, ...]] = {}
        self._stale: set[str] = set()
        self.loop = Loop("campaign_callers", self.look, EVERY_SECONDS)

    async def run(self, listener: Listener) -> None:
        with listener.subscribe([channels.FORGOTTEN], self._forgotten, self._connected):
            await self.loop.run()

    def _forgotten(self, _channel: str, account_id: str) -> None:
        """Drop at once what is known of an account whose clients were emptied, and read it anew."""
        self._books.pop(account_id, None)
        self._stale.add(account_id)
        self.loop.wake()

    def _connected(self) -> None:
        """Something may have been missed."""
        self._stale.update(self._books)
        self.loop.wake()

    def find(self, account_id: str, e164: str) -> CampaignOfCaller | None:
        """Return the campaign that began last of those that run and have this number."""
        books = self._books.get(account_id)
        if not books:
            return None
        number = int(e164[1:])
        for book in books:
            if (found := book.find(number)) is not None:
                return found
        return None

    async def look(self) -> None:
        now = datetime.now(UTC)
        stale, self._stale = self._stale, set()
        known = {id: books for id, books in self._books.items() if id not in stale}
        kept = {b.campaign.campaign_id: b for books in known.values() for b in books}
        books: dict[str, list[_Book]] = {}
        async with self._pool.acquire() as conn:
            running = await running_campaigns(conn)
        for campaign in running:
            book = await self._read(campaign, kept.get(campaign.campaign_id), now)
            books.setdefault(campaign.account_id, []).append(book)
        self._books = {id: tuple(found) for id, found in books.items() if id not in self._stale}

    async def _read(self, campaign: RunningCampaign, book: _Book | None, now: datetime) -> _Book:
        is_new = book is None or now - book.read_at > _ANEW_AFTER
        if is_new or book is None:
            book = _Book(campaign, now)
        if campaign.places == book.places:
            return book
        put = book.append if is_new else book.add
        async with self._pool.acquire() as conn, conn.transaction(readonly=True):
            async for one in callers_of(conn, campaign, after=book.places, most=_MOST):
                put(one.number, f"{one.name}{_BETWEEN}{one.client_id}".encode())
        book.places = campaign.places
        return book
