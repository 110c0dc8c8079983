"""What an Asterisk tells of its phones: who talks, whose phone is shut, and what says nothing of anybody."""

from __future__ import annotations

import pytest

from gateway.pbx.asterisk.phones.states import AsteriskPhones
from gateway.pbx.asterisk.wire import message
from gateway.pbx.capabilities import PhoneState


def after(*events: dict[str, str]) -> dict[str, tuple[bool, bool]]:
    phones = AsteriskPhones()
    for event in events:
        phones.take(message(event))
    return {state.address: (state.is_busy, state.is_dnd) for state in phones.states()}


def device(name: str, state: str) -> dict[str, str]:
    return {"Event": "DeviceStateChange", "Privilege": "call,all", "Device": name, "State": state}


def member(
    interface: str, paused: str, queue: str = "sales", event: str = "QueueMemberPause"
) -> dict[str, str]:
    return {"Event": event, "Queue": queue, "Interface": interface, "Paused": paused}


@pytest.mark.parametrize(
    ("state", "is_busy"),
    [
        ("NOT_INUSE", False),
        ("INUSE", True),
        ("BUSY", True),
        ("RINGING", False),
        ("RINGINUSE", True),
        ("ONHOLD", True),
        ("UNAVAILABLE", False),
        ("INVALID", False),
        ("UNKNOWN", False),
    ],
)
def test_a_phone_talks_or_does_not_and_that_it_is_registered_says_nothing(state: str, is_busy: bool) -> None:
    assert after(device("PJSIP/101", state)) == ({"101": (True, False)} if is_busy else {})


@pytest.mark.parametrize(
    ("name", "address"),
    [("SIP/anna", "anna"), ("Local/101@from-queue/n", "101"), ("PJSIP/101@trunk", "101"), ("IAX2/7", "7")],
)
def test_a_phone_is_named_by_its_extension_or_login(name: str, address: str) -> None:
    assert after(device(name, "INUSE")) == {address: (True, False)}


@pytest.mark.parametrize("name", ["Queue:sales", "Custom:night", "confbridge:1", "", "PJSIP/"])
def test_what_is_no_phone_is_nobody(name: str) -> None:
    assert after(device(name, "INUSE")) == {}


def test_who_hung_up_is_free_again() -> None:
    assert after(device("PJSIP/101", "INUSE"), device("PJSIP/101", "NOT_INUSE")) == {}


def test_do_not_disturb_of_freepbx() -> None:
    assert after(device("Custom:DND101", "BUSY")) == {"101": (False, True)}
    assert after(device("Custom:DND101", "BUSY"), device("Custom:DND101", "NOT_INUSE")) == {}


def test_a_hint_talks_too() -> None:
    hint = {"Event": "ExtensionStatus", "Exten": "102", "Hint": "PJSIP/102", "Status": "1"}
    assert after(hint) == {"102": (True, False)}
    assert after(hint, {**hint, "Status": "0"}) == {}
    assert after({**hint, "Hint": "PJSIP/102&Custom:DND102", "Status": "2"}) == {}


def test_who_pauses_in_every_queue_is_shut_who_pauses_in_one_of_two_is_not() -> None:
    both = [member("PJSIP/101", "1"), member("PJSIP/101", "0", "support", "QueueMember")]
    assert after(*both) == {}
    assert after(*both, member("PJSIP/101", "1", "support")) == {"101": (False, True)}
    removed = {"Event": "QueueMemberRemoved", "Queue": "support", "Interface": "PJSIP/101"}
    assert after(*both, removed) == {"101": (False, True)}
    assert after(member("PJSIP/101", "1"), {**removed, "Queue": "sales"}) == {}


def test_a_member_of_freepbx_is_the_phone_behind_it() -> None:
    told = member("Local/101@from-queue/n", "1") | {"StateInterface": "PJSIP/101"}
    assert after(told) == {"101": (False, True)}


def test_news_is_only_what_is_otherwise_than_before() -> None:
    phones = AsteriskPhones()
    assert phones.take(message(device("PJSIP/101", "INUSE")))
    assert not phones.take(message(device("PJSIP/101", "RINGINUSE")))
    assert not phones.take(message(device("PJSIP/102", "NOT_INUSE")))
    assert not phones.take(message({"Event": "Newchannel", "Uniqueid": "1"}))
    assert not phones.take(message({"Event": "DeviceStateChange"}))
    assert phones.states() == (PhoneState("101", True, False),)
