"""One run: traffic, faults and lookups at once; then quiet until everything is settled; then the checker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from crm.effects import backfill
from tests.chaos.checker import Verdict, Violation, check
from tests.chaos.evidence import Evidence, gather
from tests.chaos.faults import Nemesis, Pace
from tests.chaos.oracle import CallFacts, facts_of
from tests.chaos.pbx import Pbx
from tests.chaos.prober import DEADLINE_SECONDS
from tests.chaos.site import Site, running_site
from tests.chaos.traffic import plan
from tests.e2e.stack import ACCOUNT

LOOKUPS_PER_SECOND = 20.0
CALM_SECONDS = 8.0


@dataclass
class Result:
    """figures: name -> value, in the order to be shown."""

    seed: int
    verdict: Verdict
    facts: list[CallFacts]
    evidence: Evidence
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def violations(self) -> list[Violation]:
        return self.verdict.violations


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
        if wanted.keep:
            say(f"logs are kept in {site.folder}")
        return await _run(site, wanted)


async def _run(site: Site, wanted: Plan) -> Result:
    calls = plan(wanted.seed, wanted.seconds, wanted.calls)
    nemesis = Nemesis(site, Pace(wanted.seconds, is_short=wanted.is_short), wanted.seed)
    if wanted.is_short:
        nemesis.pace.database, nemesis.pace.mood = 30.0, 1.0
    since = datetime.now(UTC)
    supervision = asyncio.create_task(site.supervise())
    file = site.folder / "lookups.json"
    prober = _start_prober(site, file)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        pbx = Pbx(site.urls, session, wanted.seed)
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(pbx.play(calls))
            group.create_task(nemesis.run())
            progress = asyncio.create_task(_tell_progress(pbx, nemesis))
        progress.cancel()
        traffic_seconds = time.monotonic() - began
    prober.send_signal(signal.SIGTERM)
    await asyncio.to_thread(prober.wait, 30)
    say("drain")
    began = time.monotonic()
    left = await _until_settled(site, wanted.drain_seconds)
    drain_seconds = time.monotonic() - began
    facts = facts_of(pbx.accepted)
    evidence = await gather(site, since)
    supervision.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await supervision
    verdict = check(facts, evidence)
    lookups = json.loads(file.read_text())
    verdict.violations += _other_violations(site, pbx, nemesis, lookups, left)
    result = Result(wanted.seed, verdict, facts, evidence)
    result.figures = {
        "seed": wanted.seed,
        "seconds of traffic and faults": round(traffic_seconds),
        "seconds until settled": round(drain_seconds),
        "calls planned": len(calls),
        **verdict.figures,
        "events accepted": len(pbx.accepted),
        "of them told again after a failure": sum(1 for a in pbx.accepted if a.attempts > 1),
        "answers that made a PBX try again": dict(pbx.failures),
        **_fault_figures(nemesis),
        **_lookup_figures(lookups),
        "calls lost": verdict.count("lost"),
        "things doubled": verdict.count("doubled"),
        "violations": len(verdict.violations),
    }
    return result


def say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


async def _tell_progress(pbx: Pbx, nemesis: Nemesis) -> None:
    while True:
        await asyncio.sleep(30)
        say(f"{pbx.elapsed:.0f} s: {len(pbx.accepted)} events, {nemesis.counts.total()} faults")


def _start_prober(site: Site, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.prober", str(file), str(LOOKUPS_PER_SECOND), *site.urls]
    )


_LEFT = """
SELECT (SELECT count(*) FROM inbox WHERE state = 'pending') AS events,
       (SELECT count(*) FROM effect WHERE state IN ('waiting', 'sending', 'unknown')) AS effects,
       (SELECT count(*) FROM effect WHERE state = 'held') AS held,
       (SELECT count(*) FROM call WHERE due_at IS NOT NULL) AS calls,
       (SELECT count(*) FROM backfill_run WHERE state = 'running') AS runs,
       (SELECT state FROM account WHERE account_id = 'demo') AS account
"""


async def _until_settled(site: Site, seconds: float) -> Mapping[str, Any]:
    """What is left when nothing changes any more, or when the time is up. What is held is sent, as an operator would."""
    deadline, calm_since = time.monotonic() + seconds, None
    told_at = 0.0
    while time.monotonic() < deadline:
        left = dict((await site.fetch(_LEFT))[0])
        if time.monotonic() - told_at > 20:
            say(f"left: {left}")
            told_at = time.monotonic()
        if left["held"] and not left["runs"]:
            with contextlib.suppress(backfill.RunIsOpen, backfill.AccountNotOn):
                async with site.stack.pool.acquire() as conn:
                    await backfill.start(conn, ACCOUNT, datetime.now(UTC))
        is_calm = left["account"] == "on" and not any(v for k, v in left.items() if k != "account")
        calm_since = (calm_since or time.monotonic()) if is_calm else None
        if calm_since is not None and time.monotonic() - calm_since > CALM_SECONDS:
            return {}
        await asyncio.sleep(0.5)
    return left


def _other_violations(
    site: Site, pbx: Pbx, nemesis: Nemesis, lookups: list[list[Any]], left: Mapping[str, Any]
) -> list[Violation]:
    found = [Violation("unfinished", f"not settled: {dict(left)}")] if left else []
    found += [
        Violation("not-fired", f"{f.kind} planned at {f.at:.0f} s: {f.detail}") for f in nemesis.not_fired
    ]
    found += [Violation("refused", text) for text in pbx.refused]
    found += [Violation("died", f"{name} ended by itself with {code}") for name, code in site.deaths]
    unanswered = [x for x in lookups if not x[4]]
    failed = sum(1 for x in lookups if x[4] == "failure")
    if failed:
        found.append(Violation("lookup", f"{failed} lookups of known numbers failed inside a gateway"))
    late = [x for x in lookups if x[4] and x[3] > DEADLINE_SECONDS]
    if unanswered:
        found.append(Violation("lookup", f"{len(unanswered)} lookups were answered by neither gateway"))
    if late:
        found.append(Violation("lookup", f"{len(late)} lookups were answered after {DEADLINE_SECONDS:g} s"))
    return found


def _fault_figures(nemesis: Nemesis) -> dict[str, Any]:
    counts = nemesis.counts
    kills = sum(n for kind, n in counts.items() if kind.startswith("kill-9"))
    return {
        "kill -9 of gateways and workers": kills,
        "restarts of PostgreSQL": sum(n for kind, n in counts.items() if kind.startswith("postgresql")),
        "faults planned / fired": f"{len(nemesis.faults)} / {counts.total()}",
        "fired by kind": dict(sorted(counts.items())),
    }


def _lookup_figures(lookups: list[list[Any]]) -> dict[str, Any]:
    times: list[float] = sorted(x[1] for x in lookups) or [0.0]
    retried = [x for x in lookups if x[2] > 1]

    def at(share: float) -> float:
        return round(times[min(int(len(times) * share), len(times) - 1)] * 1000, 1)

    return {
        "lookups": len(lookups),
        "answered by neither": sum(1 for x in lookups if not x[4]),
        "answered by the other gateway at the first retry": sum(1 for x in retried if x[4]),
        "lookup ms p50 / p99 / p99.9 / most": f"{at(0.5)} / {at(0.99)} / {at(0.999)} / {at(1)}",
        "later than the gateway's own 150 ms, as seen from outside": sum(1 for t in times if t > 0.15),
        "reasons": dict(Counter(x[4] or "none" for x in lookups).most_common()),
    }
