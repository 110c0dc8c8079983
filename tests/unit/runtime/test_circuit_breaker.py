"""A breaker lets one probe through at a time, ever later while it is refused, and all once one has passed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.effects.pauses import FIRST_SECONDS, LONGEST_SECONDS, SPREAD, is_alarm, pause_after
from crm.errors import CrmBlocked, CrmError, CrmThrottled, CrmUnavailable, CrmUnpaid
from runtime.circuit_breaker import CircuitBreaker, Permit

ORDINARY = Permit(is_probe=False)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    breaker = CircuitBreaker(first=10, longest=40, clock=clock, random=lambda: 0.0)
    breaker.refused(ORDINARY, "403")
    return breaker, clock


def probe(breaker: CircuitBreaker) -> Permit:
    permit = breaker.permit()
    assert permit is not None
    assert permit.is_probe
    return permit


def name_of(breaker: CircuitBreaker) -> str:
    return breaker.state.name


def test_nothing_goes_while_open_and_one_probe_when_it_is_time() -> None:
    breaker, clock = opened()
    clock.now = 9.9
    assert breaker.permit() is None
    assert breaker.wait_seconds() == pytest.approx(0.1)
    clock.now = 10.0
    probe(breaker)
    assert breaker.permit() is None
    assert name_of(breaker) == "probing"


def test_probes_come_at_growing_intervals_up_to_the_longest() -> None:
    breaker, clock = opened()
    waits = []
    for _ in range(5):
        clock.now += breaker.wait_seconds()
        breaker.refused(probe(breaker), "403")
        waits.append(breaker.wait_seconds())
    assert waits == [20, 40, 40, 40, 40]
    assert breaker.state.since == 0.0


def test_a_probe_that_passes_closes_it_and_the_next_trouble_starts_small() -> None:
    breaker, clock = opened()
    clock.now = 10.0
    breaker.passed(probe(breaker))
    assert breaker.permit() == ORDINARY
    clock.now = 50.0
    breaker.refused(ORDINARY, "403")
    assert breaker.state.probe_at == 60.0


def test_a_probe_without_a_verdict_is_followed_by_another() -> None:
    breaker, clock = opened()
    clock.now = 10.0
    lost = probe(breaker)
    clock.now = 12.0
    breaker.undecided(lost)
    clock.now = 21.0
    assert breaker.permit() is None
    clock.now = 22.0
    probe(breaker)


def test_a_probe_that_was_never_sent_leaves_its_place_to_the_next_at_once() -> None:
    breaker, clock = opened()
    clock.now = 10.0
    breaker.unused(probe(breaker))
    breaker.refused(probe(breaker), "403")
    assert breaker.state.refusals == 2


def test_what_was_under_way_when_it_opened_changes_nothing() -> None:
    breaker, clock = opened()
    before = breaker.state
    for tell in (breaker.passed, breaker.undecided, breaker.unused):
        tell(ORDINARY)
    breaker.refused(ORDINARY, "403")
    assert breaker.state == before
    clock.now = 10.0
    waiting = probe(breaker)
    breaker.passed(ORDINARY)
    assert name_of(breaker) == "probing"
    breaker.passed(waiting)
    assert name_of(breaker) == "closed"


ACTS = ["permit", "refused", "passed", "undecided", "unused"]


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.floats(0, 30), st.booleans())), st.booleans())
def test_at_most_one_probe_is_ever_under_way(acts: list[tuple[str, float, bool]], is_inner: bool) -> None:
    """Whoever tells late, twice or never: also of two breakers one of which stands before the other."""
    outer, clock = opened()
    breaker = CircuitBreaker(first=1, longest=8, clock=clock, within=outer) if is_inner else outer
    under_way: list[Permit] = []
    told: list[Permit] = []
    for what, after, is_late in acts:
        clock.now += after
        if what == "permit":
            permit = breaker.permit()
            if permit is not None and permit.is_probe:
                assert under_way == []
                under_way.append(permit)
        elif under_way or (is_late and told):
            permit = told[0] if is_late and told else under_way.pop()
            tell = {
                "refused": lambda p: breaker.refused(p, "403"),
                "passed": breaker.passed,
                "undecided": breaker.undecided,
                "unused": breaker.unused,
            }[what]
            tell(permit)
            told.append(permit)


def test_what_stands_before_it_is_known_to_it() -> None:
    """The writer asks for nothing while its client knows the account to be closed, then for one thing at a time."""
    account, clock = opened()
    writer = CircuitBreaker(first=1, longest=60, clock=clock, random=lambda: 0.0, within=account)
    assert writer.permit() is None
    assert writer.wait_seconds() == 10
    clock.now = 10.0
    first = probe(writer)
    assert writer.permit() is None
    of_client = probe(account)
    account.refused(of_client, "403")
    pause_after(CrmBlocked("closed"), writer, first)
    assert writer.wait_seconds() == account.wait_seconds() == 20
    clock.now = 30.0
    of_sync = probe(account)  # whoever asks next: here it is a read of the sync
    assert writer.permit() is None
    account.passed(of_sync)
    assert writer.permit() == ORDINARY


def of_writer(clock: Clock, drawn: float = 0.5) -> CircuitBreaker:
    return CircuitBreaker(
        first=FIRST_SECONDS, longest=LONGEST_SECONDS, spread=SPREAD, clock=clock, random=lambda: drawn
    )


def test_pauses_grow_with_every_failure_and_end_with_the_first_success() -> None:
    clock, pauses = Clock(), []
    breaker = of_writer(clock)
    for _ in range(8):
        permit = breaker.permit()
        assert permit is not None
        pause_after(CrmUnavailable("no"), breaker, permit)
        pauses.append(round(breaker.wait_seconds(), 3))
        clock.now += breaker.wait_seconds()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    breaker.passed(probe(breaker))
    assert breaker.is_closed


def test_failures_of_requests_under_way_together_count_once() -> None:
    clock = Clock()
    breaker = of_writer(clock)
    together = [breaker.permit() for _ in range(3)]
    for permit in together:
        assert permit is not None
        pause_after(CrmUnavailable("no"), breaker, permit)
    assert breaker.state.refusals == 1


@pytest.mark.parametrize("before", [[], [CrmUnavailable("no")]])
def test_the_crm_is_obeyed_when_it_says_how_long_to_wait(before: list[CrmError]) -> None:
    breaker = of_writer(Clock(), 0.0)
    for error in [*before, CrmThrottled("429", 300)]:
        pause_after(error, breaker, ORDINARY)
    assert breaker.wait_seconds() == 300
    assert not is_alarm(breaker.state.reason)


@pytest.mark.parametrize(("error", "seconds"), [(CrmBlocked("html"), 30), (CrmUnpaid("402"), 60)])
def test_a_closed_api_is_an_alarm_with_long_pauses(error: CrmError, seconds: float) -> None:
    breaker = of_writer(Clock())
    pause_after(error, breaker, ORDINARY)
    assert is_alarm(breaker.state.reason)
    assert breaker.wait_seconds() == seconds
