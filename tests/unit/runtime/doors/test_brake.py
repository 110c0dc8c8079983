from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.doors.brake import BORNE, Brake
from runtime.doors.seldom import OTHERS
from runtime.doors.tally import Tally


def test_so_many_wrong_ones_are_borne_with_and_then_so_many_a_minute() -> None:
    now = [0.0]
    brake = Brake(clock=lambda: now[0])
    assert not any(brake.wrong("192.0.2.1") for _ in range(BORNE))
    wait = brake.wrong("192.0.2.1")
    assert 0 < wait <= 6
    assert brake.wrong("192.0.2.2") == 0.0
    now[0] += wait
    assert brake.wrong("192.0.2.1") == 0.0
    assert brake.wrong("192.0.2.1") > 0
    now[0] += 3600
    assert not any(brake.wrong("192.0.2.1") for _ in range(BORNE))
    assert brake.wrong("192.0.2.1") > 0


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_whatever_the_rhythm_no_more_is_borne_with_than_the_measure(pauses: list[float]) -> None:
    now = [0.0]
    brake = Brake(clock=lambda: now[0])
    borne = 0
    for pause in pauses:
        now[0] += pause
        borne += not brake.wrong("192.0.2.1")
    assert borne <= BORNE + now[0] / 6 + 1e-6


def test_a_network_of_ipv6_is_one_source() -> None:
    brake = Brake(borne=2)
    assert [bool(brake.wrong(f"2001:db8:0:1::{i}")) for i in range(4)] == [False, False, True, True]


def test_a_flood_of_addresses_fills_nothing() -> None:
    brake, tally = Brake(), Tally()
    for i in range(50_000):
        brake.wrong(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
        tally.note("pbx", "", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
    assert len(brake) == 10_000
    counts = tally.fetch()
    assert len(counts) == 501
    assert sum(counts.values()) == 50_000
    assert {s.address: n for s, n in counts.items()}[OTHERS] == 49_500
    assert tally.fetch() == {}
