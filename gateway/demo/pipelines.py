"""Pipelines that the demo makes in the CRM sandbox, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp


async def headers_of(
    session: aiohttp.ClientSession, sandbox_url: str, integration: str = "pages"
) -> Mapping[str, str]:
    """As whoever works in the CRM. integration: each may ask seven times a second."""
    async with session.get(f"{sandbox_url}/_sandbox/token?integration={integration}") as response:
        return {"Authorization": f"Bearer {(await response.json())['access_token']}"}


async def pipeline_of(
    session: aiohttp.ClientSession,
    sandbox_url: str,
    name: str,
    stages: Sequence[str],
    integration: str = "pages",
) -> tuple[dict[str, Any], bool]:
    """Return the pipeline of this name, and whether it was made now; one that is there stays as it is."""
    headers = await headers_of(session, sandbox_url, integration)
    address = f"{sandbox_url}/api/v4/leads/pipelines"
    async with session.get(address, headers=headers) as response:
        found = (await response.json())["_embedded"]["pipelines"]
    there = next((one for one in found if one["name"] == name), None)
    if there is not None:
        return there, False
    wanted = {"name": name, "sort": 100, "is_main": False, "is_unsorted_on": False}
    made = [{"name": stage, "sort": 20 + 10 * n} for n, stage in enumerate(stages)]
    async with session.post(
        address, headers=headers, json=[{**wanted, "_embedded": {"statuses": made}}]
    ) as response:
        response.raise_for_status()
        return (await response.json())["_embedded"]["pipelines"][0], True


def stage_ids(pipeline: Mapping[str, Any]) -> dict[str, int]:
    return {stage["name"]: stage["id"] for stage in pipeline["_embedded"]["statuses"]}
