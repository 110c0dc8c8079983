from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.circuit_breaker import Circuit, Permit

ORDINARY = Permit(is_probe=False)


def name_of(circuit: Circuit) -> str:
    return circuit.state.name


def opened() -> Circuit:
    circuit = Circuit(first=10, longest=40, random=lambda: 0.0)
    circuit.refused(ORDINARY, 0.0, "403")
    return circuit


def probe(circuit: Circuit, now: float) -> Permit:
    permit = circuit.permit(now)
    assert permit is not None
    assert permit.is_probe
    return permit


def test_nothing_goes_while_open_and_one_probe_when_it_is_time() -> None:
    circuit = opened()
    assert circuit.permit(9.9) is None
    probe(circuit, 10.0)
    assert circuit.permit(10.0) is None
    assert circuit.state.name == "probing"


def test_probes_come_at_growing_intervals_up_to_the_longest() -> None:
    circuit = opened()
    waits = []
    for _ in range(5):
        at = circuit.state.probe_at
        assert at is not None
        circuit.refused(probe(circuit, at), at, "403")
        assert circuit.state.probe_at is not None
        waits.append(circuit.state.probe_at - at)
    assert waits == [20, 40, 40, 40, 40]
    assert circuit.state.since == 0.0


def test_a_probe_that_passes_closes_it_and_the_next_trouble_starts_small() -> None:
    circuit = opened()
    circuit.passed(probe(circuit, 10.0))
    assert circuit.permit(10.0) == ORDINARY
    circuit.refused(ORDINARY, 50.0, "403")
    assert circuit.state.probe_at == 60.0


def test_a_probe_without_a_verdict_is_followed_by_another() -> None:
    circuit = opened()
    circuit.undecided(probe(circuit, 10.0), 12.0)
    assert circuit.permit(21.0) is None
    probe(circuit, 22.0)


def test_what_was_under_way_when_it_opened_changes_nothing() -> None:
    circuit = opened()
    before = circuit.state
    circuit.refused(ORDINARY, 1.0, "403")
    circuit.passed(ORDINARY)
    circuit.undecided(ORDINARY, 1.0)
    assert circuit.state == before
    waiting = probe(circuit, 10.0)
    circuit.passed(ORDINARY)
    assert name_of(circuit) == "probing"
    circuit.passed(waiting)
    assert name_of(circuit) == "closed"


@given(st.lists(st.tuples(st.sampled_from(["permit", "refused", "passed", "undecided"]), st.floats(0, 30))))
def test_at_most_one_probe_is_ever_under_way(acts: list[tuple[str, float]]) -> None:
    circuit = opened()
    now = 0.0
    probing: Permit | None = None
    for what, after in acts:
        now += after
        if what == "permit":
            permit = circuit.permit(now)
            if permit is not None and permit.is_probe:
                assert probing is None
                probing = permit
        elif probing is not None:
            if what == "refused":
                circuit.refused(probing, now, "403")
            elif what == "passed":
                circuit.passed(probing)
            else:
                circuit.undecided(probing, now)
            probing = None
