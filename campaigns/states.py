"""How a campaign runs and ends: draft, planned, running or paused, stopping, finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, get_args

CampaignState = Literal["draft", "planned", "running", "paused", "stopping", "finished"]
CAMPAIGN_STATES: tuple[CampaignState, ...] = get_args(CampaignState)

CampaignCommand = Literal["plan", "start", "pause", "stop", "finish"]
"""stop: nobody new is called, who was tried already is tried to the end. finish: nothing is dialled any more, calls under way
end as they do."""

CampaignReason = Literal[
    "", "by_command", "planned_start", "nobody_yet", "all_done", "stopped", "finished_by_hand", "by_engine"
]
CAMPAIGN_REASONS: tuple[CampaignReason, ...] = get_args(CampaignReason)

_LEADS_TO: Mapping[CampaignCommand, Mapping[CampaignState, CampaignState]] = {
    "plan": {"draft": "planned", "planned": "planned"},
    "start": {"draft": "running", "planned": "running", "paused": "running", "running": "running"},
    "pause": {"planned": "draft", "running": "paused", "paused": "paused"},
    "stop": {"running": "stopping", "paused": "stopping", "stopping": "stopping"},
    "finish": {state: "stopping" for state in CAMPAIGN_STATES if state != "finished"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLoad:
    """members: ever taken. open: those that are not done with, of which `dialling` are on the line. is_kept_open: by its technical
    row."""

    members: int = 0
    open: int = 0
    dialling: int = 0
    is_kept_open: bool = False


class CampaignStep(NamedTuple):
    """Where it stands from now on, and why."""

    state: CampaignState
    reason: CampaignReason


def takes_members(state: CampaignState) -> bool:
    """Whether numbers may be added: one that is ending or has ended takes none, and never will again."""
    return state not in ("stopping", "finished")


def after_command(state: CampaignState, command: CampaignCommand, load: CampaignLoad) -> CampaignStep | None:
    """Return what a command makes of it; None: the state forbids it. What has finished stays so."""
    target = _LEADS_TO[command].get(state)
    if target is None:
        return None
    reason: CampaignReason = {"stop": "stopped", "finish": "finished_by_hand"}.get(command, "by_command")  # type: ignore[assignment]
    return CampaignStep("finished" if target == "stopping" and not load.open else target, reason)


def after_look(
    step: CampaignStep, load: CampaignLoad, *, is_endless: bool, starts_at: datetime | None, now: datetime
) -> CampaignStep:
    """Return where it stands by itself now: what was planned begins, what has nobody left ends unless something keeps it open."""
    is_open_ended = is_endless or load.is_kept_open
    if step.state == "planned" and starts_at is not None and now >= starts_at:
        return (
            CampaignStep("running", "planned_start")
            if load.members or is_open_ended
            else CampaignStep("planned", "nobody_yet")
        )
    if step.state == "running" and load.members and not load.open and not is_open_ended:
        return CampaignStep("finished", "all_done")
    if step.state == "stopping" and not load.open:
        return CampaignStep("finished", step.reason)
    return step
