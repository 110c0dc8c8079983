"""How an account's clients are called and written to by the program itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from routing.outbound.pace import MOST_PER_MINUTE
from routing.outbound.retries import RetryTable
from routing.outbound.windows import CallingHours

ZONE_FIELD = r"^(contact|deal)\.cf_[0-9]{1,12}$"


class OutboundSettings(BaseModel):
    """Nothing goes out because of these: only what a trigger, a matrix, a campaign or a person orders.

    rate: calls a minute, 0 = paused. queue_most: calls that may wait at once. hours: in which clients are called and written to.
    zone_field: of the contact or the deal, where the client's time zone stands. recall_gap_minutes: nobody is called who was
    talked with so shortly before. ring_seconds: of the employee's phone, then client_ring_seconds of the client's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: int = Field(default=6, ge=0, le=MOST_PER_MINUTE)
    queue_most: int = Field(default=1000, ge=1, le=100_000)
    hours: CallingHours = CallingHours()
    zone_field: str | None = Field(default=None, pattern=ZONE_FIELD)
    recall_gap_minutes: int = Field(default=60, ge=0, le=14 * 24 * 60)
    ring_seconds: int = Field(default=25, ge=5, le=120)
    client_ring_seconds: int = Field(default=30, ge=5, le=120)
    retries: RetryTable = RetryTable()
