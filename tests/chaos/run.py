"""One run: traffic, faults and lookups at once; then quiet until everything is settled; then the checker."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.checker import Verdict, Violation, check
from tests.chaos.evidence import Evidence, gather
from tests.chaos.facts import CallFacts, facts_of
from tests.chaos.fault import Pace
from tests.chaos.faults import Nemesis
from tests.chaos.lookups import Lookups
from tests.chaos.nonsense import Nonsense
from tests.chaos.outgoing.part import Outgoing
from tests.chaos.outgoing.settling import LEFT as OUTGOING_LEFT
from tests.chaos.pbx import Pbx
from tests.chaos.saying import say
from tests.chaos.site import HarnessFailed, Site, running_site
from tests.chaos.standstill import StoodStill, Watch
from tests.chaos.traffic import PlannedCall, plan

LOOKUPS_PER_SECOND = 20.0
CALM_SECONDS = 8.0
_PROBER_SECONDS = 60.0
_END_SECONDS = 300.0
"""How long after its time a run may still tell events and see faults fire: longer than a mood waits for something to spoil."""
_STUCK_SECONDS = 240.0
"""What is left has so long to become less."""


@dataclass
class Result:
    """evidence: by account. figures: name -> value, in the order to be shown. faults: around the time of each violation that
    has one."""

    seed: int
    facts: list[CallFacts]
    evidence: Mapping[str, Evidence]
    violations: list[Violation]
    figures: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(1 for v in self.violations if v.kind == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    seed: int
    seconds: float
    calls: int
    is_short: bool = False
    drain_seconds: float = 600.0
    keep: bool = False


async def run(wanted: Plan) -> Result:
    async with running_site(keep=wanted.keep) as site:
        say(f"everything runs{f', logs are kept in {site.folder}' if wanted.keep else ''}")
        return await _run(site, wanted)


async def _run(site: Site, wanted: Plan) -> Result:
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        Outgoing.running(site, session, wanted.seed) as outgoing,
    ):
        return await _played(site, wanted, session, outgoing)


async def _played(site: Site, wanted: Plan, session: aiohttp.ClientSession, outgoing: Outgoing) -> Result:
    calls = plan(wanted.seed, wanted.seconds, wanted.calls, site.tenants)
    nemesis = Nemesis(site, Pace(wanted.seconds, is_short=wanted.is_short), wanted.seed, outgoing)
    if wanted.is_short:
        nemesis.pace.database, nemesis.pace.mood, nemesis.pace.freeze = 30.0, 1.0, 4.0
        nemesis.pace.point = 2.0
    since = datetime.now(UTC)
    supervision = asyncio.create_task(site.supervise())
    file = site.folder / "lookups.json"
    stood: list[Violation] = []
    pbx, nonsense = Pbx(site.urls, session, wanted.seed), Nonsense(site, session, wanted.seed)
    began = time.monotonic()
    async with _probing(site, file):
        try:
            await _traffic(site, pbx, nemesis, nonsense, calls, wanted.seconds, supervision, outgoing)
        except* StoodStill as errors:
            stood = [Violation("stood-still", str(err)) for err in errors.exceptions]
            say(stood[0].what)
    traffic_seconds = time.monotonic() - began
    say("drain")
    began = time.monotonic()
    left = await _until_settled(site, nemesis, wanted.drain_seconds, outgoing)
    went_out = await outgoing.check()
    drain_seconds = time.monotonic() - began
    facts = facts_of(pbx.accepted)
    evidence = {tenant.account: await gather(site, tenant, since) for tenant in site.tenants}
    supervision.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await supervision
    verdicts = [
        check(
            [one for one in facts if one.call.account == account],
            seen,
            site.tenant(account),
            [call for call in nonsense.calls if call.account == account],
            nonsense.entities.get(account, ()),
        )
        for account, seen in evidence.items()
    ]
    lookups = Lookups.read(file)
    violations = [found for verdict in verdicts for found in verdict.violations]
    violations += [*stood, *_other_violations(site, pbx, nemesis, left)]
    violations += outgoing.violations(went_out)
    violations += [Violation("answer", text) for text in nonsense.wrong]
    violations += [Violation("lookup", text) for text in lookups.faults()]
    result = Result(wanted.seed, facts, evidence, violations)
    result.faults = [line for found in violations if found.at for line in nemesis.around(found.at)]
    result.figures = {
        "seed": wanted.seed,
        "accounts": len(evidence),
        "seconds of traffic and faults": round(traffic_seconds),
        "seconds until settled": round(drain_seconds),
        "calls planned": len(calls),
        **_together(verdicts),
        "events accepted": len(pbx.accepted),
        "of them told again after a failure": sum(1 for a in pbx.accepted if a.attempts > 1),
        "answers that made a PBX try again": dict(pbx.failures),
        "pieces of nonsense, and what was said to them": dict(nonsense.answers),
        **outgoing.figures(went_out),
        **_fault_figures(nemesis),
        **lookups.figures(),
        "calls lost": result.count("lost"),
        "things doubled": result.count("doubled"),
        "things wrong": result.count("wrong"),
        "violations": len(violations),
    }
    return result


def _together(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Of all accounts: added up, but the busiest second, which is each account's own."""
    names = verdicts[0].figures
    return {
        name: (max if name.startswith("most") else sum)(verdict.figures[name] for verdict in verdicts)
        for name in names
    }


async def _traffic(
    site: Site,
    pbx: Pbx,
    nemesis: Nemesis,
    nonsense: Nonsense,
    calls: Sequence[PlannedCall],
    seconds: float,
    supervision: asyncio.Task[None],
    outgoing: Outgoing,
) -> None:
    """Everything at once, to its end. Raises StoodStill in a group."""
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(Watch(site, pbx, nemesis, say).run(seconds + _END_SECONDS))
        supervised = group.create_task(_not_ended(supervision))
        is_enough = lambda: pbx.elapsed > seconds and not nemesis.has_points_left  # noqa: E731
        parts = [pbx.play(calls), nemesis.run(), nonsense.run(seconds), outgoing.play(is_enough)]
        async with asyncio.TaskGroup() as all_of_it:
            for part in parts:
                all_of_it.create_task(part)
        watch.cancel()
        supervised.cancel()


async def _not_ended(supervision: asyncio.Task[None]) -> None:
    """Nobody would start again what was killed. Raises HarnessFailed."""
    await asyncio.wait([supervision])
    error = None if supervision.cancelled() else supervision.exception()
    raise HarnessFailed(f"the supervisor has ended: {error!r}")


@contextlib.asynccontextmanager
async def _probing(site: Site, file: Path) -> AsyncIterator[None]:
    """Lookups all the while; their figures are in `file` afterwards."""
    connections = ",".join(next(iter(tenant.skews)) for tenant in site.tenants)
    prober = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.chaos.prober",
            str(file),
            str(LOOKUPS_PER_SECOND),
            connections,
            *site.urls,
        ]
    )
    try:
        yield
        prober.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(prober.wait, _PROBER_SECONDS)
        except subprocess.TimeoutExpired as err:
            raise HarnessFailed(f"the prober did not end within {_PROBER_SECONDS:g} s") from err
    finally:
        prober.kill()
        prober.wait()


_GOES_OUT = ", ".join(f'({sql}) AS "{name} that go out"' for name, sql in OUTGOING_LEFT.items())
_LEFT = f"""
SELECT {_GOES_OUT},
       (SELECT count(*) FROM inbox WHERE state = 'pending') AS events,
       (SELECT count(*) FROM crm_webhook WHERE aside_at IS NULL) AS webhooks,
       (SELECT count(*) FROM effect WHERE state IN ('waiting', 'sending', 'unknown')) AS effects,
       (SELECT count(*) FROM effect WHERE state = 'held') AS held,
       (SELECT count(*) FROM call WHERE due_at IS NOT NULL) AS calls,
       (SELECT count(*) FROM backfill_run WHERE state = 'running') AS runs,
       (SELECT count(*) FROM account WHERE state <> 'on') AS "accounts that are not on"
"""


async def _until_settled(
    site: Site, nemesis: Nemesis, seconds: float, outgoing: Outgoing
) -> Mapping[str, Any]:
    """What is left when nothing changes any more, or when the time is up. What is held is sent, as an operator would."""
    deadline, calm_since = time.monotonic() + seconds, None
    told_at, before, changed_at = 0.0, None, time.monotonic()
    while (now := time.monotonic()) < deadline:
        left = dict((await site.fetch(_LEFT))[0])
        if left != before:
            before, changed_at = left, now
        if now - told_at > 20:
            say(f"left: {left}")
            told_at = now
        if any(left.values()) and now - changed_at > _STUCK_SECONDS:
            say(f"nothing of it has changed for {_STUCK_SECONDS:g} s")
            return left
        if not (left["events"] or left["calls"]):
            await outgoing.hurry()
        for row in await site.fetch("SELECT account_id FROM account WHERE state = 'broken'"):
            await nemesis.reconnect(site.tenant(row["account_id"]))
        if left["held"] and not left["runs"]:
            for row in await site.fetch("SELECT DISTINCT account_id FROM effect WHERE state = 'held'"):
                await nemesis.send_stored(site.tenant(row["account_id"]))
        calm_since = None if any(left.values()) else calm_since or time.monotonic()
        if calm_since is not None and time.monotonic() - calm_since > CALM_SECONDS:
            return {}
        await asyncio.sleep(0.5)
    return left


def _other_violations(site: Site, pbx: Pbx, nemesis: Nemesis, left: Mapping[str, Any]) -> list[Violation]:
    found = [Violation("unfinished", f"not settled: {dict(left)}")] if left else []
    found += [
        Violation("not-fired", f"{f.kind} planned at {f.at:.0f} s: {f.detail}") for f in nemesis.not_fired
    ]
    found += [Violation("refused", text) for text in pbx.refused]
    found += [Violation("died", f"{name} ended by itself with {code}") for name, code in site.deaths]
    return found


def _fault_figures(nemesis: Nemesis) -> dict[str, Any]:
    counts = nemesis.counts
    kills = sum(n for kind, n in counts.items() if kind.startswith("kill-9"))
    return {
        "kill -9 of gateways and workers": kills,
        "restarts of PostgreSQL": sum(n for kind, n in counts.items() if kind.startswith("postgresql")),
        "faults planned / fired": f"{counts.total() + len(nemesis.not_fired)} / {counts.total()}",
        "faults that found nothing to hit": dict(nemesis.in_vain),
        "fired by kind": dict(sorted(counts.items())),
        "times that a person authorised anew": dict(nemesis.reconnected),
    }
