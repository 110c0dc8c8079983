"""Public holidays of a country as the rules need them: a set of dates around a moment."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

import holidays


def holidays_around(country: str | None, now: datetime) -> frozenset[date]:
    """Free days of the years around `now`, moved days included. Empty for no country and for one that is not known."""
    return _between(country.upper(), now.year - 1, now.year + 1) if country else frozenset()


def has_holidays(country: str) -> bool:
    """Whether the holidays of this country (ISO code) are known."""
    return country.upper() in holidays.list_supported_countries()


@lru_cache(maxsize=64)
def _between(country: str, first: int, last: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=range(first, last + 1)))
    except NotImplementedError:
        return frozenset()
