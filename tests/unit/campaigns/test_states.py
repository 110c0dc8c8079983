"""How a campaign runs and ends: every command in every state, and what it does by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.keep_open import KeepOpenRow, on_trigger_add, removed
from campaigns.states import (
    CAMPAIGN_STATES,
    CampaignCommand,
    CampaignLoad,
    CampaignState,
    CampaignStep,
    after_command,
    after_look,
    takes_members,
)

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
BUSY = CampaignLoad(members=5, open=3, dialling=1)
WAITING = CampaignLoad(members=5, open=3)
DONE = CampaignLoad(members=5)
COMMANDS: tuple[CampaignCommand, ...] = ("plan", "start", "pause", "stop", "finish")


@pytest.mark.parametrize(
    ("state", "command", "load", "expected"),
    [
        ("draft", "plan", WAITING, "planned"),
        ("draft", "start", WAITING, "running"),
        ("draft", "pause", WAITING, None),
        ("draft", "stop", WAITING, None),
        ("planned", "start", WAITING, "running"),
        ("planned", "pause", WAITING, "draft"),
        ("running", "start", WAITING, "running"),
        ("running", "plan", WAITING, None),
        ("running", "pause", BUSY, "paused"),
        ("paused", "start", WAITING, "running"),
        ("running", "stop", BUSY, "stopping"),
        ("running", "stop", WAITING, "stopping"),
        ("running", "stop", DONE, "finished"),
        ("paused", "finish", DONE, "finished"),
        ("running", "finish", BUSY, "stopping"),
        ("running", "finish", WAITING, "stopping"),
        ("stopping", "finish", DONE, "finished"),
        ("stopping", "start", BUSY, None),
    ],
)
def test_a_command_leads_where_it_may(
    state: CampaignState, command: CampaignCommand, load: CampaignLoad, expected: CampaignState | None
) -> None:
    step = after_command(state, command, load)
    assert (step.state if step else None) == expected


@pytest.mark.parametrize("command", COMMANDS)
def test_what_has_finished_obeys_nobody(command: CampaignCommand) -> None:
    assert after_command("finished", command, BUSY) is None
    assert not takes_members("finished")


def look(
    state: CampaignState,
    load: CampaignLoad,
    *,
    is_endless: bool = False,
    starts_at: datetime | None = None,
    now: datetime = NOW,
) -> CampaignStep:
    step = CampaignStep(state, "stopped" if state == "stopping" else "by_command")
    return after_look(step, load, is_endless=is_endless, starts_at=starts_at, now=now)


def test_a_campaign_ends_by_itself_when_nobody_waits_and_nobody_is_on_the_line() -> None:
    assert look("running", BUSY).state == "running"
    assert look("running", DONE) == ("finished", "all_done")
    assert look("paused", DONE).state == "paused"


def test_one_that_is_endless_or_kept_open_never_does() -> None:
    assert look("running", DONE, is_endless=True).state == "running"
    assert look("running", CampaignLoad(members=5, is_kept_open=True)).state == "running"


def test_a_planned_one_begins_at_its_time_and_waits_for_its_first_number() -> None:
    assert look("planned", WAITING, starts_at=NOW + timedelta(seconds=1)).state == "planned"
    assert look("planned", WAITING, starts_at=NOW) == ("running", "planned_start")
    assert look("planned", CampaignLoad(), starts_at=NOW) == ("planned", "nobody_yet")
    assert look("planned", CampaignLoad(), starts_at=NOW, is_endless=True).state == "running"


def test_a_stopping_one_ends_once_what_has_begun_is_over_and_says_why_it_stopped() -> None:
    assert look("stopping", WAITING).state == "stopping"
    assert look("stopping", DONE) == ("finished", "stopped")


@given(
    st.sampled_from(CAMPAIGN_STATES),
    st.lists(
        st.tuples(st.sampled_from((*COMMANDS, "look")), st.integers(0, 3), st.integers(0, 3)), max_size=12
    ),
    st.booleans(),
)
def test_whatever_happens_nothing_leads_back_from_the_end(
    state: CampaignState, happenings: list[tuple[str, int, int]], is_endless: bool
) -> None:
    step, over = CampaignStep(state, ""), state == "finished"
    for what, waiting, dialling in happenings:
        load = CampaignLoad(members=3, open=waiting + dialling, dialling=dialling)
        if what == "look":
            step = after_look(step, load, is_endless=is_endless, starts_at=NOW, now=NOW)
        elif next_step := after_command(step.state, what, load):  # type: ignore[arg-type]
            step = next_step
        assert not over or step.state == "finished"
        over = over or step.state == "finished"
        assert not (step.state == "finished" and state != "finished" and dialling and not over)


def test_the_first_number_of_a_trigger_makes_the_technical_row_and_no_later_one_does() -> None:
    made = on_trigger_add(KeepOpenRow(), is_endless=False, now=NOW)
    assert made.holds
    assert on_trigger_add(made, is_endless=False, now=NOW + timedelta(days=1)) == made
    gone = removed(made, NOW + timedelta(hours=1))
    assert not gone.holds
    assert not on_trigger_add(gone, is_endless=False, now=NOW + timedelta(hours=2)).holds
    assert not on_trigger_add(KeepOpenRow(), is_endless=True, now=NOW).holds
