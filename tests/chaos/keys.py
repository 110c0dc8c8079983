"""What may happen while a key is being renewed: the workers are told to end, or are killed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.chaos.moods import well
from tests.chaos.site import Site
from tests.chaos.tenants import Tenant

_WORKERS = ("worker0", "worker1")
_SLOW = [{"match": {"path": "/oauth2/access_token"}, "always": True, "fault": "latency", "ms": 1500}]


async def worker_ends(site: Site, tenant: Tenant) -> str | None:
    """SIGTERM to both: the key that is on its way is kept. None: there was none on its way."""
    before = await _until_renewal(site, tenant)
    if before is None:
        return None
    await asyncio.gather(*(site.end(name) for name in _WORKERS))
    await well(site, tenant)
    row = await _key(site, tenant)
    # The next worker may have asked for the one after it meanwhile.
    is_kept = row["generation"] > before["generation"]
    assert is_kept, f"the key was lost: {dict(before)}, then {dict(row)}"
    return f"generation {row['generation']}"


async def workers_are_killed(site: Site, tenant: Tenant) -> bool | None:
    """kill -9 of both while a new key is on its way: it is lost, and only a person can help. None: there was none on its way."""
    before = await _until_renewal(site, tenant)
    if before is None:
        return None
    killed = [site.kill(name) for name in _WORKERS]
    await well(site, tenant)
    row = await _key(site, tenant)
    return any(killed) and row["generation"] == before["generation"]


async def _until_renewal(site: Site, tenant: Tenant, seconds: float = 60) -> Any:
    """The key's row once a request for a new one is out; None = there was none in time."""
    await site.crm(tenant, "faults", {"rules": _SLOW})
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        row = await _key(site, tenant)
        if row["refresh_sent_at"] is not None:
            return row
        await asyncio.sleep(0.1)
        if not (await site.crm(tenant, "faults"))["rules"]:  # the sandbox was started again
            await site.crm(tenant, "faults", {"rules": _SLOW})
    await well(site, tenant)
    return None


async def _key(site: Site, tenant: Tenant) -> Any:
    rows = await site.fetch(
        "SELECT generation, refresh_sent_at FROM crm_token WHERE account_id = $1", tenant.account
    )
    return rows[0]
