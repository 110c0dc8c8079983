"""Campaigns that a PBX's contact centre dials: what it tells of them in our words, and what becomes of a number that was put there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from campaigns.reasons import MemberReason
from campaigns.states import CampaignState, CampaignStep
from routing.outbound.attempts import AttemptSide

EngineState = Literal["planned", "running", "paused", "finished", "busy"]
"""busy: something is being done with it; it stands where it stood."""

EngineTrouble = Literal["edition", "no_campaign", "pbx_refused", "pbx_unreachable", "pbx_throttled", "pbx_answer_invalid"]  # fmt: skip
"""Why nothing can be asked of the contact centre or put there now. edition: the contract has none."""
ENGINE_TROUBLES: tuple[EngineTrouble, ...] = get_args(EngineTrouble)

TaskResult = Literal[
    "talked",
    "client_busy",
    "client_no_answer",
    "client_declined",
    "client_unreachable",
    "bad_number",
    "operator",
    "operator_hung_up",
    "taken_out",
    "expired",
    "do_not_call",
    "unclear",
]
"""What a number came to there. unclear: a code that nobody knows."""

TaskStanding = Literal["waits", "calls", "stopped", "done", "deleted"]


class EngineCampaign(NamedTuple):
    """words: the vendor's own on where it stands. tasks, done: how many numbers it has, and how many it is done with."""

    ref: str
    name: str
    state: EngineState
    words: str = ""
    tasks: int | None = None
    done: int | None = None


class EngineTask(NamedTuple):
    """One number there. number: in digits. comment: with our marker, where it is ours. tries: calls so far, the latest at last_at."""

    ref: str
    number: str
    comment: str
    standing: TaskStanding
    result: TaskResult | None = None
    words: str = ""
    tries: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """marker: ours, by which it is found again. number: E.164. not_before: it is not called earlier. is_endless: the campaign ends
    by command only."""

    campaign: str
    marker: str
    number: str
    name: str = ""
    not_before: datetime | None = None
    is_endless: bool = False


class TaskAdded(NamedTuple):
    """ref: None where the contact centre takes it and says so later."""

    ref: str | None = None


class TaskThere(NamedTuple):
    """The number is in the campaign already."""

    words: str


class TaskRefused(NamedTuple):
    """Nothing was added. concerns: the campaign takes no number now; the connection, none at all; `later`: it may some time later."""

    reason: MemberReason
    words: str
    concerns: Literal["number", "campaign", "connection", "later"]


class TaskUnknown(NamedTuple):
    """It may have been added or not: it is looked for before anything is sent again."""

    why: str


class TaskThrottled(NamedTuple):
    """Nothing was added: asked too often."""

    after: float | None = None


AddResult = TaskAdded | TaskThere | TaskRefused | TaskUnknown | TaskThrottled


class TaskEnd(NamedTuple):
    """How the item ends."""

    state: Literal["succeeded", "failed", "unknown", "expired", "cleared", "dropped"]
    reason: str
    side: AttemptSide


_ENDS: Mapping[TaskResult, TaskEnd] = {
    "talked": TaskEnd("succeeded", "talked", "talked"),
    "client_busy": TaskEnd("failed", "client_busy", "client"),
    "client_no_answer": TaskEnd("failed", "client_no_answer", "client"),
    "client_declined": TaskEnd("failed", "client_declined", "client"),
    "client_unreachable": TaskEnd("failed", "client_unreachable", "client"),
    "bad_number": TaskEnd("failed", "bad_number", "client"),
    "operator": TaskEnd("failed", "operator", "operator"),
    "operator_hung_up": TaskEnd("failed", "operator_hung_up", "operator"),
    "taken_out": TaskEnd("cleared", "taken_out", "unknown"),
    "expired": TaskEnd("expired", "expired", "unknown"),
    "do_not_call": TaskEnd("dropped", "do_not_call", "unknown"),
    "unclear": TaskEnd("unknown", "never_heard_of", "unknown"),
}

LOOKS = 3
"""So many whole lists must not show a number before it counts as not there."""
_LOST_FOR = timedelta(minutes=5)
_ACCEPTED_FOR = timedelta(hours=1)
AbsentTask = Literal["wait", "send_again", "gone"]


def end_of(task: EngineTask) -> TaskEnd | None:
    """Return how the item of this task ends; None while it may still be called."""
    if task.standing == "deleted":
        return _ENDS["taken_out"]
    return _ENDS[task.result or "unclear"] if task.standing == "done" else None


def when_absent(*, is_answered: bool, looks: int, age: timedelta) -> AbsentTask:
    """Say what becomes of a number that whole lists of the campaign do not show. is_answered: the contact centre had taken it, so
    that it is never sent again. looks: so many lists. age: since it was sent."""
    if looks < LOOKS:
        return "wait"
    if is_answered:
        return "gone" if age >= _ACCEPTED_FOR else "wait"
    return "send_again" if age >= _LOST_FOR else "wait"


def after_engine(step: CampaignStep, state: EngineState, *, is_open: bool) -> CampaignStep:
    """Return where the campaign stands by what its engine says. is_open: some of its numbers have not come to their end: it is
    ending then, which takes nothing more either."""
    if step.state == "finished":
        return step
    if step.state == "stopping" or state == "finished":
        reason = step.reason if step.state == "stopping" else "by_engine"
        return CampaignStep("stopping" if is_open else "finished", reason)
    if state == "busy" or step.state == state:
        return step
    ours: Mapping[EngineState, CampaignState] = {"planned": "planned", "running": "running", "paused": "paused"}  # fmt: skip
    return CampaignStep(ours[state], "by_engine")
