"""Channels of a worker: each that is connected is sent through, and asked for what is new where it tells nothing by itself, in one
worker of the installation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import aiohttp
import asyncpg
import structlog

from gateway.channels.addresses import channel_address
from gateway.channels.afterwards.gaps import GapRepair, heard
from gateway.channels.copier import Copier
from gateway.channels.files.fetching import FileFetcher
from gateway.channels.intake import take_channel_news
from gateway.channels.sender import ChannelSender
from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.store.channels.channels import SavedChannel, change_state, saved_channels
from runtime.backoff import Backoff
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import Lease, LeaseLost, Leases
from runtime.keyed_tasks import run_keyed
from runtime.loops import Loop
from runtime.trouble import Trouble
from runtime.vendors.http import NoteExchange
from runtime.vendors.named_addresses import NamedAddresses
from sms.channels.errors import ChannelTrouble
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import ChannelStateTold
from sms.channels.port import ChannelKind, OpenChannel
from sms.channels.reasons import ChannelState
from sms.errors import SmsError

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 2.0
_TURN_SECONDS = 0.25
_ATTACH_SECONDS = 3600.0
_HEARD_SECONDS = 60.0
_GAP_SECONDS = 5.0
_LEAVE_SECONDS = 10.0
_ASK_SECONDS = 600.0
_ASK_SOON_SECONDS = 60.0
"""While a channel is said to be shut: not every messenger tells when it is open again."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _ServedChannel(NamedTuple):
    """What a channel was opened with: changed, it is opened anew."""

    id: str
    name: str
    opened_with: int


class ChannelWork:
    """`loop` sees which channels there are, `run` serves them until cancelled. web: to fetch files that lie at addresses of it."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        leases: Leases,
        session: aiohttp.ClientSession,
        public_url: str,
        kinds: Mapping[str, ChannelKind] = CHANNEL_KINDS,
        exchanges: ExchangeLog | None = None,
        now: Callable[[], datetime] = _utc_now,
        *,
        ask_soon_seconds: float = _ASK_SOON_SECONDS,
        web: Callable[[], NamedAddresses] = NamedAddresses,
    ) -> None:
        self._pool, self._leases, self._session = pool, leases, session
        self._url = public_url
        self._kinds, self._exchanges, self._now = kinds, exchanges, now
        self._ask_soon_seconds, self._web = ask_soon_seconds, web
        self._saved: dict[_ServedChannel, SavedChannel] = {}
        self._heard_at: dict[str, float] = {}
        self._changed = asyncio.Event()
        self.loop = Loop("channels", self.look, _LOOK_SECONDS)

    async def look(self) -> None:
        async with self._pool.acquire() as conn:
            found = await saved_channels(conn)
        saved = {_served(one): one for one in found if one.channel.kind in self._kinds}
        is_other = saved.keys() != self._saved.keys()
        self._saved = saved
        if is_other:
            self._changed.set()

    async def run(self) -> None:
        await run_keyed(
            "channel", lambda: self._saved.keys(), self._serve, self._changed, label=lambda s: s.name
        )

    async def _serve(self, served: _ServedChannel) -> None:
        lease = self._leases.of(served.id, "channel")
        trouble = Trouble("channel-work", channel=served.name)
        while served in self._saved:
            try:
                async with lease:
                    trouble.recovered()
                    await self._work_while(lease, self._saved[served])
            except (LeaseLost, *DATABASE_ERRORS) as err:
                trouble.failed(err)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _work_while(self, lease: Lease, saved: SavedChannel) -> None:
        kind = self._kinds[saved.channel.kind]
        channel = kind.open(self._session, saved.channel, self._noting(saved))
        sender = ChannelSender(self._pool, saved, kind, channel, lease, self._now, public_url=self._url)
        is_whole = not kind.missing(saved.channel)
        work = [self._copy_while(lease, saved)]
        if is_whole:  # without its key nothing is asked of the messenger
            work += [
                self._poll_while(lease, saved, kind, channel),
                self._attach_while(lease, saved, channel),
                self._ask_while(lease, saved, channel),
                self._files_while(lease, saved, channel),
                self._gaps_while(lease, saved, channel),
            ]
        beside = [asyncio.create_task(one) for one in work]
        try:
            while not lease.lost.is_set():
                lease.check()
                await sender.turn()
                await asyncio.sleep(_TURN_SECONDS)
        finally:
            await sender.close()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            if is_whole and all(other.id != saved.id for other in self._saved.values()):
                await self._leave(saved, channel)

    async def _leave(self, saved: SavedChannel, channel: OpenChannel) -> None:
        """Have the messenger of a channel that is removed tell us no more; one that cannot be reached gives up by itself."""
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await channel.detach()
        except (SmsError, TimeoutError) as err:
            log.warning("channel-not-left", channel=saved.name, error=type(err).__name__)

    async def _attach_while(self, lease: Lease, saved: SavedChannel, channel: OpenChannel) -> None:
        """Have the messenger tell us what is new, and say so again every hour: some forget who did not answer for a while. Where
        channels share an address, which is that of one of them, it is given anew as soon as they are others."""
        backoff, trouble = Backoff(5.0, 600.0), Trouble("channel-address", channel=saved.name)
        while not lease.lost.is_set():
            beside = self._beside(saved)
            try:
                await channel.attach(channel_address(self._url, saved) or "")
                trouble.recovered()
                backoff.succeeded()
                pause = _ATTACH_SECONDS
            except SmsError as err:
                trouble.failed(err)
                pause = backoff.failed()
            await self._until_others(saved, beside, pause)

    async def _until_others(self, saved: SavedChannel, beside: frozenset[str], seconds: float) -> None:
        """Wait so long, or until other channels share the address than these."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self._beside(saved) == beside:
            await sleep_unless_cancelled(min(left, _LOOK_SECONDS))

    def _beside(self, saved: SavedChannel) -> frozenset[str]:
        """Return the channels that may share its address."""
        kind = saved.channel.kind
        if not self._kinds[kind].shares_address:
            return frozenset()
        others = self._saved.values()
        return frozenset(s.id for s in others if (s.account_id, s.channel.kind) == (saved.account_id, kind))

    async def _ask_while(self, lease: Lease, saved: SavedChannel, channel: OpenChannel) -> None:
        """Ask how the channel fares, sooner while it is shut: a refused message has shut it, and money or a new key opens it.
        Once more when it is open again: only the answer tells its name."""
        trouble = Trouble("channel-state", channel=saved.name)
        asked_at, was_shut = float("-inf"), False
        while not lease.lost.is_set():
            is_shut = self._known(saved).state is not ChannelState.ACTIVE
            pause = self._ask_soon_seconds if is_shut else 0 if was_shut else _ASK_SECONDS
            if time.monotonic() - asked_at >= pause:
                asked_at, was_shut = time.monotonic(), is_shut
                try:
                    told = await channel.state()
                    await self._note_state(saved, told.state, told.words)
                    was_shut = told.state is not ChannelState.ACTIVE
                    trouble.recovered()
                except (SmsError, *DATABASE_ERRORS) as err:
                    trouble.failed(err)
            await sleep_unless_cancelled(_LOOK_SECONDS)

    async def _copy_while(self, lease: Lease, saved: SavedChannel) -> None:
        """Write what was said into the deals."""
        copier = Copier(self._pool, saved.account_id, saved.id, self._now)
        trouble = Trouble("channel-copies", channel=saved.name)
        while not lease.lost.is_set():
            try:
                await copier.turn()
                trouble.recovered()
            except DATABASE_ERRORS as err:
                trouble.failed(err)
            await sleep_unless_cancelled(_LOOK_SECONDS)

    async def _files_while(self, lease: Lease, saved: SavedChannel, channel: OpenChannel) -> None:
        trouble = Trouble("channel-files", channel=saved.name)
        async with self._web() as web:
            fetcher = FileFetcher(self._pool, saved.id, channel, web, self._now)
            while not lease.lost.is_set():
                tried = 0
                try:
                    tried = await fetcher.turn()
                    trouble.recovered()
                except DATABASE_ERRORS as err:
                    trouble.failed(err)
                except Exception as err:  # a mistake of ours ends no other work of the channel
                    trouble.failed(err, is_mistake=True)
                if not tried:
                    await sleep_unless_cancelled(_LOOK_SECONDS)

    async def _gaps_while(self, lease: Lease, saved: SavedChannel, channel: OpenChannel) -> None:
        """Read afterwards what was missed while nobody listened."""
        repair, trouble = (
            GapRepair(self._pool, saved, channel, self._now),
            Trouble("channel-gaps", channel=saved.name),
        )
        while not lease.lost.is_set():
            was_there = False
            try:
                was_there = await repair.turn(list(self._saved.values()))
                trouble.recovered()
            except DATABASE_ERRORS as err:
                trouble.failed(err)
            except Exception as err:
                trouble.failed(err, is_mistake=True)
            if not was_there:
                await sleep_unless_cancelled(_GAP_SECONDS)

    async def _poll_while(
        self, lease: Lease, saved: SavedChannel, kind: ChannelKind, channel: OpenChannel
    ) -> None:
        """Each list of updates is committed together with the cursor behind it: what is told again is stored once."""
        if not kind.is_polled(saved.channel):
            return
        backoff, trouble, cursor = (
            Backoff(1.0, 60.0),
            Trouble("channel-polls", channel=saved.name),
            saved.cursor,
        )
        while not lease.lost.is_set():
            try:
                cursor = await self._polled(saved, channel, cursor)
                trouble.recovered()
                backoff.succeeded()
            except SmsError as err:
                trouble.failed(err)
                told = err if isinstance(err, ChannelTrouble) else None
                if told and told.state:
                    await self._note_state(saved, told.state, str(err))
                pause = backoff.failed()
                await sleep_unless_cancelled(max(pause, (told.retry_after if told else None) or 0))
            except DATABASE_ERRORS as err:
                trouble.failed(err)
                await sleep_unless_cancelled(backoff.failed())

    async def _polled(self, saved: SavedChannel, channel: OpenChannel, cursor: str | None) -> str | None:
        news = await channel.poll(cursor)
        siblings = list(self._saved.values())
        async with self._pool.acquire() as conn, conn.transaction():
            await take_channel_news(conn, saved, siblings, news, self._now())
            if time.monotonic() - self._heard_at.get(saved.id, float("-inf")) >= _HEARD_SECONDS:
                self._heard_at[saved.id] = time.monotonic()
                await heard(conn, saved, self._now())
        if self._known(saved).state is not ChannelState.ACTIVE:
            await self._note_state(saved, ChannelState.ACTIVE, "")
        return news.cursor or cursor

    async def _note_state(self, saved: SavedChannel, state: ChannelState, words: str) -> None:
        async with self._pool.acquire() as conn:
            told = ChannelStateTold(state=state, words=words)
            if await change_state(conn, saved.account_id, saved.id, told):
                log.warning("channel-state", account=saved.account_id, channel=saved.name, state=state)

    def _known(self, saved: SavedChannel) -> SavedChannel:
        """Return the channel as it was last seen."""
        return self._saved.get(_served(saved), saved)

    def _noting(self, saved: SavedChannel) -> NoteExchange | None:
        exchanges = self._exchanges
        if exchanges is None:
            return None
        return lambda exchange: exchanges.append(saved.account_id, saved.channel.kind, exchange)


def _served(saved: SavedChannel) -> _ServedChannel:
    held = saved.channel
    told = (tuple(sorted(held.keys.items())), tuple(sorted((n, str(v)) for n, v in held.settings.items())))
    return _ServedChannel(held.id, held.name, hash((held.kind, told)))
