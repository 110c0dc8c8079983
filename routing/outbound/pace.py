"""So many calls a minute, evenly spread: one each 60/n seconds, never several at once."""

from __future__ import annotations

from datetime import datetime, timedelta

MOST_PER_MINUTE = 600
_MINUTE = timedelta(minutes=1)


class RateRefused(ValueError):
    """A rate is a whole number from 0, written with the digits 0 to 9."""


def rate_from(text: str) -> int:
    """Read a rate as people type it. Raises RateRefused for signs, fractions, words, other digits and what is too much."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > MOST_PER_MINUTE:
        raise RateRefused(f"write a whole number from 0 to {MOST_PER_MINUTE}; 0 pauses")
    return int(text)


def next_turn(
    rate: int, last_placed_at: datetime | None, now: datetime, *, is_slower: bool = False
) -> datetime | None:
    """Return when the next call may be placed; None = none is, the rate is 0. A new rate counts at once: from the last call on
    by the new distance, and never in the past, so that a pause saves nothing up. is_slower: at half the rate."""
    if rate <= 0:
        return None
    if last_placed_at is None:
        return now
    return max(now, min(last_placed_at, now) + _MINUTE * (2 if is_slower else 1) / rate)
