"""Who sees a dialogue and writes in it, and what is refused before it is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from routing.dialogues.access import (
    ChannelRight,
    Onlooker,
    default_channel,
    is_of_another,
    may_read,
    may_write,
    owners_of,
    seen_in,
)
from routing.dialogues.sending import SEND_REFUSALS, MessageToSend, refusal_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANNA = Onlooker(employee_id="anna", rights={"read": "read", "send": "send", "none": "none"})
OWN = replace(ANNA, visibility="own")


@pytest.mark.parametrize("channel", ["read", "send", "none", "other"])
@pytest.mark.parametrize("owner", [None, "anna", "boris"])
@pytest.mark.parametrize(
    "who", [ANNA, OWN, replace(OWN, is_observer=True), Onlooker(employee_id=None, rights={})]
)
def test_cases_41_43_44_who_sees_a_dialogue_is_who_finds_it(
    who: Onlooker, owner: str | None, channel: str
) -> None:
    seen = seen_in(who)
    is_found = (seen.channels is None or channel in seen.channels) and (
        seen.owner is None or owner in (None, seen.owner)
    )
    assert may_read(who, channel, owner) is is_found
    assert not may_write(who, channel, owner) or is_found


def test_cases_41_43_44_what_each_may() -> None:
    assert [may_read(ANNA, c, "boris") for c in ("read", "send", "none", "other")] == [
        True,
        True,
        False,
        False,
    ]
    assert [may_write(ANNA, c, None) for c in ("read", "send")] == [False, True]
    assert [may_read(OWN, "send", owner) for owner in (None, "anna", "boris")] == [True, True, False]
    observer = replace(OWN, is_observer=True)
    assert (may_read(observer, "send", "boris"), may_write(observer, "send", None)) == (True, False)
    admin = Onlooker(employee_id=None, rights={})
    assert (may_read(admin, "other", "boris"), may_write(admin, "other", None)) == (True, False)


def test_a_dialogue_of_somebody_who_cannot_look_after_it_is_nobodys() -> None:
    rights: dict[str, dict[str, ChannelRight]] = {
        "anna": {"send": "send"},
        "boris": {"send": "read"},
        "without-right": {"send": "none"},
        "elsewhere": {"read": "send"},
        "observer": {"send": "read"},
        "left": {"send": "send"},
    }
    owners = owners_of(rights, {"observer"}, rights.keys() - {"left"})
    own = replace(OWN, owners=owners)
    seen = {owner: may_read(own, "send", owner) for owner in (*rights, "unknown", None)}
    assert seen == {**dict.fromkeys(seen, True), "boris": False}
    assert is_of_another(own, "send", "boris")
    assert not is_of_another(own, "send", "left")
    assert not is_of_another(replace(own, rights={"send": "read"}), "send", "boris")


def test_whoever_is_switched_off_in_the_crm_has_no_right_whatever_they_hold() -> None:
    for one in (ANNA, OWN, replace(OWN, is_observer=True)):
        gone = replace(one, is_gone=True)
        assert seen_in(gone).channels == ()
        for channel, owner in product(("read", "send"), (None, "anna")):
            assert not may_read(gone, channel, owner)
            assert not may_write(gone, channel, owner)
            assert not is_of_another(gone, channel, owner)


def test_case_42_a_person_writes_from_the_chosen_channel_else_from_the_only_one() -> None:
    assert default_channel({"a": "send", "b": "send"}, "b") == "b"
    assert default_channel({"a": "send", "b": "read"}, "b") == "a"
    assert default_channel({"a": "send", "b": "send"}, None) is None
    assert default_channel({"a": "read"}, "a") is None


GOOD = MessageToSend(
    now=NOW,
    may_write=True,
    is_on=True,
    state="active",
    can_write=True,
    can_write_first=False,
    last_in_at=NOW - timedelta(hours=1),
    window=timedelta(hours=24),
    length=5,
    longest=4096,
)


def test_case_45_each_limit_is_told_by_its_reason_and_what_is_within_all_goes_out() -> None:
    broken = (
        {"may_write": False, "is_gone": True},
        {"may_write": False, "is_observer": True},
        {"may_write": False},
        {"may_write": False, "is_of_another": True},
        {"is_on": False},
        {"state": "unauthorised"},
        {"state": "no_money"},
        {"can_write": False},
        {"last_in_at": NOW - timedelta(hours=24)},
        {"last_in_at": None},
        {"length": 0},
        {"length": 4097},
        {"file_bytes": 11, "largest_file": 10},
        {"is_taken": True},
    )
    told = [refusal_of(replace(GOOD, **change)) for change in broken]
    assert set(told) == set(SEND_REFUSALS)
    assert refusal_of(GOOD) is None
    assert refusal_of(replace(GOOD, is_taken=True, is_anyway=True)) is None
    assert refusal_of(replace(GOOD, length=0, file_bytes=10, largest_file=10)) is None
    assert refusal_of(replace(GOOD, state="disabled")) == "channel-off"
