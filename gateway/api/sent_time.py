"""Moments as they are sent to us."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _of_this_age(at: datetime) -> datetime:
    """Return it. Times are moved to other zones and by spans: what lies at the edge of the calendar cannot be."""
    if not 2000 <= at.year < 2100:
        raise ValueError("a time between the years 2000 and 2099")
    return at


SentTime = Annotated[AwareDatetime, AfterValidator(_of_this_age)]
