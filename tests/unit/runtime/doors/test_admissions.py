from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from runtime.doors.admissions import Admissions


@dataclass(eq=False)
class Caller:
    address: str = "192.0.2.1"
    is_known: bool = False
    asked_at: float = 0.0
    is_waiting: bool = True
    is_gone: bool = False

    def send_away(self) -> None:
        self.is_gone = True


class Hand:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_oldest_stranger_who_waits_goes_first() -> None:
    held = Admissions(3, 3)
    busy, oldest, younger = Caller(is_waiting=False), Caller(), Caller()
    assert all(held.admit(caller) for caller in (busy, oldest, younger))
    assert held.admit(Caller(address="198.51.100.7"))
    assert [c.is_gone for c in (busy, oldest, younger)] == [False, True, False]
    assert (len(held), held.sent_away) == (3, 1)


def test_a_pbx_that_asks_is_not_sent_away_and_one_that_rests_is_last() -> None:
    clock = Hand()
    held = Admissions(3, 3, clock=clock)
    asks, rests = Caller(is_known=True, asked_at=95.0), Caller(is_known=True, asked_at=50.0)
    stranger = Caller()
    assert all(held.admit(caller) for caller in (asks, rests, stranger))
    newcomers = [Caller(is_known=True, asked_at=100.0) for _ in range(3)]
    assert [held.admit(newcomer) for newcomer in newcomers] == [True, True, False]
    assert (stranger.is_gone, rests.is_gone, asks.is_gone) == (True, True, False)
    assert held.refused == 1


def test_one_address_uses_up_its_own_share_only() -> None:
    held = Admissions(100, 2)
    crowd = [Caller(is_waiting=False) for _ in range(5)]
    assert [held.admit(caller) for caller in crowd] == [True, True, False, False, False]
    assert held.admit(Caller(address="198.51.100.7"))


def test_a_network_of_ipv6_is_one_address_and_a_proxy_is_many() -> None:
    held = Admissions(100, 1, is_shared=lambda address: address == "10.0.0.5")
    assert held.admit(Caller("2001:db8:1:2::1", is_waiting=False))
    assert not held.admit(Caller("2001:db8:1:2:ffff::2", is_waiting=False))
    assert held.admit(Caller("2001:db8:1:3::1", is_waiting=False))
    assert held.admit(Caller("::ffff:192.0.2.1", is_waiting=False))
    assert not held.admit(Caller("192.0.2.1", is_waiting=False))
    assert all(held.admit(Caller("10.0.0.5", is_waiting=False)) for _ in range(9))


def test_where_nobody_can_go_nobody_is_looked_for_again_at_once() -> None:
    clock = Hand()
    held = Admissions(1, 1, clock=clock)
    busy = Caller(is_waiting=False)
    assert held.admit(busy)
    assert not held.admit(Caller())
    busy.is_waiting = True
    assert not held.admit(Caller())
    clock.now += 1.0
    assert held.admit(Caller())
    assert busy.is_gone


def test_a_part_of_those_who_wait_can_be_sent_away_at_once() -> None:
    held = Admissions(100, 100)
    crowd = [Caller(is_waiting=n % 2 == 0) for n in range(20)]
    for caller in crowd:
        held.admit(caller)
    assert held.thin_out(0.25) == 5
    assert all(caller.is_waiting for caller in crowd if caller.is_gone)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans(), st.booleans()), max_size=60))
def test_never_more_are_held_than_may_be(moves: list[tuple[int, bool, bool, bool]]) -> None:
    held = Admissions(5, 3)
    inside: list[Caller] = []
    for place, is_known, is_waiting, leaves in moves:
        if leaves and inside:
            held.release(inside.pop(0))
            continue
        caller = Caller(f"192.0.2.{place}", is_known=is_known, is_waiting=is_waiting)
        if held.admit(caller):
            inside.append(caller)
        inside = [c for c in inside if not c.is_gone]
        assert len(held) == len(inside) <= 5
        assert all(sum(c.address == f"192.0.2.{n}" for c in inside) <= 3 for n in range(4))
    for caller in inside:
        held.release(caller)
    assert len(held) == 0
