"""Which of a PBX's questions was about which call: by the call's id, or by client, line and time where none was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from routing.calls.generations import first_key

JoinedBy = Literal["id", "time"]
"""id: the question named the call. time: same client and line, and nearly the same moment."""

NEAR = timedelta(seconds=10)
"""A PBX asks while it begins to ring; further away it was another call of the same client."""
SAME_ID = timedelta(minutes=10)
"""An id may come again on another day."""


class PbxQuestion(NamedTuple):
    """One question (a lookup) of the call's client. line: E.164 or as the PBX names it, None = it named none."""

    decision_id: str
    at: datetime
    reason: str
    pbx_call_id: str | None
    line: str | None


class LookupOfCall(NamedTuple):
    """What was answered when the PBX asked about this call."""

    decision_id: str
    reason: str
    joined_by: JoinedBy


def lookup_of(
    call_key: str, client: str | None, line: str | None, began: datetime, asked: Sequence[PbxQuestion]
) -> LookupOfCall | None:
    """Return the question about this call, None when there was none. began: by our clock. asked: of the call's client and PBX."""
    named = [a for a in asked if a.pbx_call_id == first_key(call_key) and abs(a.at - began) <= SAME_ID]
    if named:
        return _joined(_nearest(named, began), "id")
    near = [
        a
        for a in asked
        if not a.pbx_call_id
        and abs(a.at - began) <= NEAR
        and (a.line is None or line is None or a.line == line)
    ]
    return _joined(_nearest(near, began), "time") if near and client else None


def _nearest(asked: Sequence[PbxQuestion], began: datetime) -> PbxQuestion:
    return min(asked, key=lambda a: (abs(a.at - began), a.decision_id))


def _joined(asked: PbxQuestion, by: JoinedBy) -> LookupOfCall:
    return LookupOfCall(asked.decision_id, asked.reason, by)
