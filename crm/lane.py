"""Who pays for a request to the CRM."""

from __future__ import annotations

from enum import IntEnum


class Lane(IntEnum):
    """Who pays for a request; a lower number goes first. All lanes share the account's one budget.

    MOVES: what many deals at once are given to others by."""

    REALTIME = 0
    EVENTS = 1
    SYNC = 2
    BACKFILL = 3
    MOVES = 4
