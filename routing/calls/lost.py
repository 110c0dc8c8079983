"""Calls whose hangup never came: when a timer may close them, and as what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from routing.calls.model import Call, Disposition, Talk

_LEGS_GONE = timedelta(minutes=1)
"""Long enough for the next leg of a transfer or a late report to come."""


def lost_at(call: Call, heard_at: datetime, patience: timedelta) -> datetime | None:
    """When a timer may take the call's hangup for lost; None for a call that is over.

    A minute after its last leg is gone, where the PBX told of its legs; else after `patience`. heard_at: our time of the
    latest event, whatever time the PBX's own clock has.
    """
    if call.is_over:
        return None
    return heard_at + (min(patience, _LEGS_GONE) if call.legs_gone_at is not None else patience)


def close_lost(call: Call, now: datetime) -> Call:
    """Return what a timer makes of a call whose hangup never came: talked if somebody answered, missed otherwise.

    A call that is over already is returned as it is. Where the last leg is known to have gone, that was the end;
    otherwise how long was talked stays unknown.
    """
    if call.is_over:
        return call
    ended_at = max(call.legs_gone_at or now, call.started_at, *(talk.started_at for talk in call.talks))
    update: dict[str, object] = {"disposition": Disposition.NO_ANSWER, "talk_seconds": 0}
    if call.answered_at:
        talks = tuple(
            talk if talk.ended_at else talk.model_copy(update={"ended_at": ended_at}) for talk in call.talks
        )
        talked = int(_together(talks).total_seconds()) if call.legs_gone_at else None
        legs = tuple(
            leg.model_copy(update={"left_at": ended_at}) if leg.answered_at and not leg.left_at else leg
            for leg in call.legs
        )
        update = {"disposition": Disposition.ANSWERED, "talks": talks, "legs": legs, "talk_seconds": talked}
    elif call.legs_gone_at:
        update["wait_seconds"] = int((ended_at - call.started_at).total_seconds())
    return call.model_copy(
        update={**update, "ended_at": ended_at, "is_over": True, "is_end_lost": call.legs_gone_at is None}
    )


def _together(talks: Sequence[Talk]) -> timedelta:
    """How long anybody talked: two at once count once."""
    total, until = timedelta(), None
    for talk in talks:
        begins = max(talk.started_at, until) if until else talk.started_at
        ends = max(begins, talk.ended_at or begins)
        total, until = total + (ends - begins), ends
    return total
