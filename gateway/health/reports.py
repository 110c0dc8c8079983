"""How processes report, so that every other process can show it: the names of reports, when one is too old, and what gateways
told of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.store.crm_accounts.exchanges import reports
from runtime.database.pool import Conn

PREFIX = "worker:"
GATEWAY_PREFIX = "gateway:"
INSTALLATION = ""
"""Stands for the account in reports that are of no account."""

SILENT_SECONDS = 15.0
"""A report older than this is of a process that is gone or stuck."""


@dataclass(frozen=True, slots=True)
class GatewayFigures:
    """Of all gateways that are alive, the slowest's. count: lookups of the latest hour. p50_ms, p99_ms: upper bounds; None: no
    lookup, or longer than a second. parts: p99_ms of each five minutes of it, 0 where nothing was asked. numbers: by account."""

    alive: int = 0
    count: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    parts: tuple[float, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)


async def gateway_figures(conn: Conn, now: datetime) -> GatewayFigures:
    told = [
        row["body"]
        for row in await reports(conn)
        if not row["account_id"]
        and row["report"].startswith(GATEWAY_PREFIX)
        and (now - row["at"]).total_seconds() < SILENT_SECONDS
    ]
    return figures_of(told)


def figures_of(bodies: Sequence[Mapping[str, Any]]) -> GatewayFigures:
    lookups = [body["lookups"] for body in bodies]
    numbers: dict[str, int] = {}
    for body in bodies:
        for account_id, count in body["numbers"].items():
            numbers[account_id] = max(count, numbers.get(account_id, 0))
    lines: list[list[float | None]] = [one["parts"] for one in lookups]
    slowest = max(lines, key=lambda parts: max((p or 0 for p in parts), default=0), default=[])
    return GatewayFigures(
        alive=len(bodies),
        count=sum(one["count"] for one in lookups),
        p50_ms=_most(one["p50_ms"] for one in lookups),
        p99_ms=_most(one["p99_ms"] for one in lookups),
        parts=tuple(float(part or 0) for part in slowest),
        numbers=numbers,
    )


def _most(values: Any) -> float | None:
    return max((value for value in values if value is not None), default=None)
