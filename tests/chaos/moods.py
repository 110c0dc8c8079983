"""The moods of a CRM: what it answers instead, or how late. All of it the sandbox's own faults."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from tests.chaos.site import Site
from tests.chaos.tenants import Tenant

_WRITES = {"method": "POST", "path": "/api/v4/", "integration": "callmatrix"}
_ALL = {"path": "/api/v4/", "integration": "callmatrix"}

# name -> (what it hits, the sandbox's fault, how many requests it spoils, milliseconds)
_MOODS: Mapping[str, tuple[dict[str, str], str, int, int]] = {
    "429": (_ALL, "429", 2, 0),
    "500": (_WRITES, "500", 1, 0),
    "502": (_WRITES, "502", 1, 0),
    "504": (_WRITES, "504", 1, 0),
    "truncate": (_WRITES, "truncate", 1, 0),
    "answer_lost": (_WRITES, "answer_lost", 2, 0),
    "reset": (_WRITES, "reset", 1, 0),
    "hang": (_WRITES, "hang", 1, 60_000),
    "late": (_WRITES, "latency", 1, 35_000),  # carried out at once, answered after our time-out
    "slow": (_ALL, "latency", 4, 1500),
    "html": (_ALL, "html", 1, 0),
    "403": (_ALL, "403", 1, 0),
    "402": (_ALL, "402", 1, 0),
}
_SPOILT_SECONDS = 120.0
"""How long a mood waits for a request to spoil: writers keep quiet for a while after some of them."""
SHORT = ("429", "500", "502", "504", "truncate", "answer_lost", "reset", "hang", "late", "slow")
LONG = ("sandbox-killed", "401", "403", "html", "402")
"""Those after which a writer keeps quiet for half a minute and more."""


async def spoil(site: Site, tenant: Tenant, kind: str) -> bool | str | None:
    """How many requests were spoilt, as the sandbox counts; None: there was none to spoil."""
    if kind == "sandbox-killed":
        return site.kill(tenant.sandbox)
    match, fault, times, milliseconds = _MOODS[kind]
    rules = [{"match": match, "nth": n, "fault": fault, "ms": milliseconds} for n in range(1, times + 1)]
    fired = await _until_fired(site, tenant, rules, times, seconds=_SPOILT_SECONDS)
    return f"{fired} requests" if fired else None


async def refuse_all(site: Site, tenant: Tenant) -> None:
    await site.crm(tenant, "faults", {"rules": [{"match": _ALL, "fault": "401", "always": True}]})


async def well(site: Site, tenant: Tenant) -> None:
    await site.crm(tenant, "faults", {"rules": []})


async def _until_fired(
    site: Site, tenant: Tenant, rules: list[dict[str, Any]], wanted: int, seconds: float
) -> int:
    """How many requests the plan has spoilt: all that were wanted, or those until the time was up."""
    await site.crm(tenant, "faults", {"rules": rules})
    deadline, most = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and most < wanted:
        await asyncio.sleep(0.2)
        plan = (await site.crm(tenant, "faults"))["rules"]
        if not plan:  # the sandbox was killed meanwhile, and the plan with it
            await site.crm(tenant, "faults", {"rules": rules[: wanted - most]})
            continue
        most = max(most, sum(rule["fired"] for rule in plan))
    await well(site, tenant)
    return most
