"""One run over channels: clients, employees and faults at once; quiet until all is settled; the checker; three days without anybody;
quiet again, and the checker again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.chaos.channels.checker import channel_faults, figures
from tests.chaos.channels.evidence import gather
from tests.chaos.channels.harm import Harm, statuses_seen
from tests.chaos.channels.history import history
from tests.chaos.channels.outage import Outage
from tests.chaos.channels.plan import PlannedChat, plan
from tests.chaos.channels.settling import until_settled
from tests.chaos.channels.shop import TENANT, Shop, open_shop
from tests.chaos.checker import Violation
from tests.chaos.saying import say
from tests.chaos.site import Site, running_site

CHATS_PER_MINUTE = 48
SHORT_SECONDS = 35.0
_OUTAGE_CHATS = 9


@dataclass
class ChannelsResult:
    """histories: of what was violated, for whoever has to find out."""

    seed: int
    violations: list[Violation]
    figures: dict[str, Any] = field(default_factory=dict)
    histories: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsPlan:
    seed: int
    seconds: float
    is_short: bool = False
    settle_seconds: float = 600.0
    keep: bool = False

    @property
    def chats(self) -> int:
        return max(12, round(self.seconds / 60 * CHATS_PER_MINUTE))


async def run_channels(wanted: ChannelsPlan) -> ChannelsResult:
    async with (
        running_site(keep=wanted.keep, tenants=(TENANT,)) as site,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        _supervised(site),
        open_shop(site, session, wanted.seed) as shop,
    ):
        say(f"channels run{f', logs are kept in {site.folder}' if wanted.keep else ''}")
        return await _Run(wanted, shop).result()


@contextlib.asynccontextmanager
async def _supervised(site: Site) -> Any:
    supervision = asyncio.create_task(site.supervise())
    try:
        yield
    finally:
        supervision.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervision


class _Run:
    def __init__(self, wanted: ChannelsPlan, shop: Shop) -> None:
        self._wanted, self._shop = wanted, shop
        self._since = time.time() - 1
        self._chats = plan(wanted.seed, wanted.seconds, wanted.chats)
        self._harm = Harm(shop, wanted.seed, wanted.seconds, wanted.is_short)
        self._outage = Outage(shop, wanted.seed, self._chats, _OUTAGE_CHATS)
        self._lowered: dict[int, set[str]] = {}
        self._violations: list[Violation] = []
        self._figures: dict[str, Any] = {"seed of channels": wanted.seed}

    async def result(self) -> ChannelsResult:
        watching = asyncio.create_task(statuses_seen(self._shop, self._lowered))
        try:
            await self._part("traffic and faults", self._traffic())
            await self._settled("until settled")
            await self._check()
            await self._part("outage", self._outage_passes())
            await self._settled("until settled after the outage")
            await self._outage.look()
        finally:
            watching.cancel()
        seen = await self._check(is_last=True)
        return ChannelsResult(self._wanted.seed, self._violations, self._figures, seen)

    async def _part(self, name: str, work: Any) -> None:
        say(f"channels: {name}")
        began = time.monotonic()
        await work
        self._figures[f"seconds of {name}" if "settled" not in name else f"seconds {name}"] = round(
            time.monotonic() - began
        )

    async def _traffic(self) -> None:
        shop = self._shop
        began = time.monotonic()

        async def until(at: float) -> None:
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))

        async with asyncio.TaskGroup() as group:
            group.create_task(shop.clients.play(self._chats))
            group.create_task(shop.employees.play(self._chats, until))
            group.create_task(self._harm.run())

    async def _outage_passes(self) -> None:
        await self._outage.pass_by()
        await self._outage.tells_again()
        self._shop.site.kill("worker0")  # in the middle of reading the history, as likely as not

    async def _settled(self, name: str) -> None:
        async def settle() -> None:
            if left := await until_settled(self._shop, self._wanted.settle_seconds):
                self._violations.append(Violation("unfinished", f"{name}: {left}"))

        await self._part(name, settle())

    async def _check(self, *, is_last: bool = False) -> list[str]:
        """Return histories of what was violated."""
        shop = self._shop
        lowered = [f"message {id}: {sorted(what)}" for id, what in self._lowered.items()]
        seen = await gather(shop, self._since, lowered)
        found = channel_faults(shop.truth, seen)
        if is_last:
            found += [*self._outage.faults(seen), *self._of_the_harness()]
            self._figures |= {**figures(shop.truth, seen), **self._fault_figures()}
        known = {violation.what for violation in self._violations}
        when = "after the outage" if is_last else "before the outage"
        self._violations += [Violation(kind, f"{what} [{when}]") for kind, what in found if what not in known]
        self._figures[f"violations {when}"] = len(found)
        return history([what for _, what in found], shop.truth, seen)

    def _of_the_harness(self) -> Sequence[tuple[str, str]]:
        shop = self._shop
        return [
            *(("refused", what) for what in shop.teller.refused),
            *(("answer", what) for what in shop.employees.wrong),
            *(("not-fired", f"'{kind}' never was") for kind in self._harm.not_fired),
            *(("died", f"{name} ended by itself with {code}") for name, code in shop.site.deaths),
        ]

    def _fault_figures(self) -> dict[str, Any]:
        return {
            "answers sent again over a weak line": self._shop.employees.repeated,
            "faults of channels by kind": dict(sorted(self._harm.counts.items())),
            "faults of channels that found nothing to hit": dict(self._harm.in_vain),
            "faults of messengers that never came": self._shop.missing,
        }


__all__ = ["ChannelsPlan", "ChannelsResult", "PlannedChat", "run_channels"]
