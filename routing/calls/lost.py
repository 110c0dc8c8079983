"""Calls whose hangup never came: when a timer may close them, and as what."""

from __future__ import annotations

from datetime import datetime, timedelta

from routing.calls.model import Call, Disposition


def closes_at(
    call: Call,
    *,
    legs_gone_after: timedelta = timedelta(minutes=1),
    ringing_after: timedelta = timedelta(minutes=30),
    talking_after: timedelta = timedelta(hours=4),
) -> datetime | None:
    """When a timer may take the call's hangup for lost; None for a call that is over.

    legs_gone_after: long enough for the next leg of a transfer or a late report to come.
    """
    if call.is_over:
        return None
    if call.legs_gone_at:
        return call.legs_gone_at + legs_gone_after
    if call.answered_at:
        return call.talks[-1].started_at + talking_after
    return call.started_at + ringing_after


def close_lost(call: Call, now: datetime) -> Call:
    """What a timer makes of a call whose hangup never came: talked if somebody answered, missed otherwise.

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
        talked = int((ended_at - call.answered_at).total_seconds()) if call.legs_gone_at else None
        update = {"disposition": Disposition.ANSWERED, "talks": talks, "talk_seconds": talked}
    elif call.legs_gone_at:
        update["wait_seconds"] = int((ended_at - call.started_at).total_seconds())
    return call.model_copy(
        update={**update, "ended_at": ended_at, "is_over": True, "is_end_lost": call.legs_gone_at is None}
    )
