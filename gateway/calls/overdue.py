"""Clients who stay overdue although they get their job again and again: asked for less and less often."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from runtime.backoff import grown_pause

OverdueClient = tuple[str, str]
"""(account_id, client_key)"""

# A job or two may come too early or be lost with its worker.
_AT_ONCE = 3
_FIRST_SECONDS, _LONGEST_SECONDS = 2.0, 300.0


class OverdueClients:
    """What one process remembers of its sweeps: forgotten as soon as the client is overdue no more."""

    def __init__(self) -> None:
        self._known: dict[OverdueClient, tuple[int, datetime]] = {}

    def left_alone(self, now: datetime) -> list[OverdueClient]:
        """Return those who are not to be looked at just now."""
        return [client for client, (_, until) in self._known.items() if until > now]

    def found(self, clients: Collection[OverdueClient], now: datetime) -> None:
        """Note whom a sweep found, all but those who were left alone."""
        known = {client: seen for client, seen in self._known.items() if seen[1] > now}
        for client in clients:
            times = self._known.get(client, (0, now))[0] + 1
            known[client] = times, now + _pause(times)
        self._known = known


def _pause(times: int) -> timedelta:
    if times <= _AT_ONCE:
        return timedelta(0)
    return timedelta(seconds=grown_pause(times - _AT_ONCE, _FIRST_SECONDS, _LONGEST_SECONDS))
