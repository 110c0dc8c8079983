"""Which side of a trial a call is on: always the same for a client, in the share that was asked for, and named in the trace."""

from __future__ import annotations

import pytest

from routing.matrix.decide import decide
from routing.matrix.presets import recommended
from routing.matrix.reasons import step_in_words
from routing.matrix.situation import Situation
from routing.matrix.versions.trial import Trial, TrialOfCall, side_of
from routing.texts.sentences import TEXTS
from tests.unit.routing.matrix.situations import a_situation

CLIENTS = [f"+7916{n:07}" for n in range(4000)]
LINE, OTHER_LINE = "+74950000001", "+74950000002"


@pytest.mark.parametrize("percent", [1, 10, 50, 99])
def test_the_share_of_clients_is_what_was_asked_for(percent: int) -> None:
    trial = Trial(7, percent=percent)
    on_trial = sum(side_of(trial, "acme", client, LINE).is_on_trial for client in CLIENTS)
    assert on_trial == pytest.approx(len(CLIENTS) * percent / 100, abs=90)


def test_a_client_is_on_one_side_on_every_line_and_anew_for_another_version() -> None:
    trial, next_one = Trial(7, percent=50), Trial(8, percent=50)
    sides = [side_of(trial, "acme", client, LINE).is_on_trial for client in CLIENTS]
    assert sides == [side_of(trial, "acme", client, OTHER_LINE).is_on_trial for client in CLIENTS]
    assert sides != [side_of(next_one, "acme", client, LINE).is_on_trial for client in CLIENTS]
    assert sides != [side_of(trial, "other", client, LINE).is_on_trial for client in CLIENTS]


def test_who_is_in_a_small_share_stays_in_it() -> None:
    """The throw is by account, version and client alone."""
    small = {c for c in CLIENTS if side_of(Trial(7, percent=5), "acme", c, None).is_on_trial}
    large = {c for c in CLIENTS if side_of(Trial(7, percent=50), "acme", c, None).is_on_trial}
    assert small < large


def test_a_line_is_on_trial_and_the_others_are_not() -> None:
    trial = Trial(7, line=LINE)
    assert side_of(trial, "acme", CLIENTS[0], LINE).is_on_trial
    assert not side_of(trial, "acme", CLIENTS[0], OTHER_LINE).is_on_trial
    assert not side_of(trial, "acme", CLIENTS[0], None).is_on_trial


def test_who_waits_for_a_call_back_stays_on_the_side_of_the_missed_call() -> None:
    trial = Trial(7, line=LINE)
    missed = side_of(trial, "acme", CLIENTS[0], LINE)
    again = side_of(trial, "acme", CLIENTS[0], OTHER_LINE, missed)
    assert (again.is_on_trial, again.because) == (True, "case")
    of_another = missed.model_copy(update={"version": 6})
    assert not side_of(trial, "acme", CLIENTS[0], OTHER_LINE, of_another).is_on_trial


@pytest.mark.parametrize("side", [True, False])
@pytest.mark.parametrize("because", ["share", "line", "case"])
def test_the_trace_names_the_side_and_why(side: bool, because: str) -> None:
    trial = TrialOfCall(version=7, is_on_trial=side, because=because, percent=10)
    s = a_situation().model_copy(update={"trial": trial})
    first = decide(recommended(), s).steps[0]
    assert (first.rule, first.verdict) == ("trial", "passed" if side else "excluded")
    for texts in TEXTS.values():
        assert first.because not in step_in_words(first, texts)


def test_without_a_trial_the_trace_is_what_it_was() -> None:
    assert all(step.rule != "trial" for step in decide(recommended(), a_situation()).steps)


def test_a_recorded_side_is_read_back_as_it_was() -> None:
    trial = side_of(Trial(7, percent=10), "acme", CLIENTS[0], None)
    s = a_situation().model_copy(update={"trial": trial})
    stored = s.model_dump(mode="json")
    assert Situation.model_validate(stored).trial == trial
