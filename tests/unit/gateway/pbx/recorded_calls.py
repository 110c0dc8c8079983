"""Calls that real Asterisk 22 made with each other, as their manager interface told of them; numbers are invented.

What really happened is known for each: whatever reads a recording has to come to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from gateway.pbx.asterisk.wire import AmiMessage, AmiReader
from routing.calls.model import Direction, FailedSide
from tests.unit.gateway.pbx.builders import CASES

FOLDER = CASES / "asterisk" / "recorded"
LINES = tuple(f"+749500000{n:02d}" for n in range(1, 24))
TRUNKS = ["provider"]
PROBED = "79033334403"
OWN_MOBILE = "79051110001"
"""Of an employee: 109's own number."""


@dataclass(frozen=True)
class Truth:
    """client: with the digits of the line where it came in on one. talks: who talked with the client, in order. seconds: while
    anybody did, without the music in between. beside: a second client, who was in the same room."""

    direction: Direction
    client: str | None
    talks: tuple[str, ...] = ()
    seconds: int = 0
    beside: str | None = None


def inbound(client: str, *talks: str, seconds: int = 0) -> Truth:
    return Truth("inbound", client, talks, seconds)


def outbound(client: str, *talks: str, seconds: int = 0) -> Truth:
    return Truth("outbound", client, talks, seconds)


CLIENT, MOBILE = "79031112233", "79095554433"
TRUTH = {
    "agent_behind_a_queue": inbound("79035550007", "102", seconds=2),
    "announced_to_the_employee": inbound("79035550011", "101", seconds=2),
    "answered": inbound(CLIENT, "101", seconds=6),
    "asked_into_a_conference": inbound("79035550005", "101", "101", "102", seconds=5),
    "attended_transfer_by_code": inbound(CLIENT, "101", "102", seconds=16),
    "attended_transfer_by_code_new_client": inbound("79033334407", "101", "102", seconds=16),
    "blind_transfer": inbound(CLIENT, "101", "102", seconds=11),
    "blind_transfer_to_a_queue": inbound("79035550006", "101", "104", seconds=3),
    "blind_transfer_to_a_mobile": inbound(CLIENT, "101", MOBILE, seconds=11),
    "callback_client_first_into_a_queue": outbound("79000000001", "103", seconds=3),
    "callback_from_an_own_mobile": outbound("79000000001", OWN_MOBILE, seconds=2),
    "callback_client_first": outbound("79033334408", "101", seconds=6),
    "callback_client_first_employee_does_not_answer": outbound("79033334408"),
    "callback_client_first_local": outbound("79033334408", "101", seconds=6),
    "callback_client_first_local_employee_does_not_answer": outbound("79033334408"),
    "blind_transfer_by_key": inbound("79035550001", "101", "102", seconds=3),
    "click_to_call": outbound(CLIENT, "101", seconds=6),
    "click_to_call_client_does_not_answer": outbound(CLIENT),
    "click_to_call_direct_client_does_not_answer": outbound(CLIENT),
    "click_to_call_employee_does_not_answer": outbound("79033334408"),
    "click_to_a_desk_and_a_mobile": outbound("79000000002", OWN_MOBILE, seconds=2),
    "click_to_a_desk_and_a_mobile_client_does_not_answer": outbound("79000000004"),
    "click_to_a_phone_that_redirects": outbound("79000000005", OWN_MOBILE, seconds=2),
    "click_to_an_own_mobile": outbound("79000000007", OWN_MOBILE, seconds=2),
    "click_to_an_own_mobile_by_the_recipe": outbound("79000000001", OWN_MOBILE, seconds=2),
    "click_to_an_own_mobile_client_does_not_answer": outbound("79000000008"),
    "conference": inbound("79033334406", "101", seconds=9),
    "conference_of_three": inbound(CLIENT, "101", "102", seconds=12),
    "consulted_on_an_own_mobile": inbound("79035550017", "101", OWN_MOBILE, seconds=6),
    "desk_and_own_mobile_ring": inbound("79035550004", OWN_MOBILE, seconds=2),
    "follow_me_accepted": inbound("79035550001", OWN_MOBILE, seconds=3),
    "follow_me_declined": inbound("79035550002", "109", seconds=1),
    "follow_me_to_a_mailbox": inbound("79035550001"),
    "forged_headers_in_a_name": inbound(PROBED, "101", seconds=6),
    "forwarded_through_a_local_channel": inbound("79033334409", MOBILE, seconds=6),
    "internal_attended_transfer": Truth("internal", None, ("102",), 6),
    "internal_pickup": Truth("internal", None),
    "internal_to_an_own_mobile": Truth("internal", None, (OWN_MOBILE,), 2),
    "joined_with_another_client": Truth("inbound", "79035550016", ("101",), 3, beside="79000000007"),
    "left_during_a_consultation": inbound("79035550010", "101", seconds=5),
    "left_in_the_delay_of_a_queue": inbound("79035550002"),
    "left_while_announced": inbound("79035550012"),
    "leg_made_by_ari": inbound("79035550001", "101", seconds=2),
    "outbound": outbound("79033334408", "101", seconds=5),
    "outbound_over_a_local_channel": outbound("79000000002", "101", seconds=2),
    "outbound_over_a_local_channel_not_answered": outbound("79000000004"),
    "outside_prefix": outbound("79033334405", "101", seconds=6),
    "parked_and_fetched": inbound(CLIENT, "101", "102", seconds=12),
    "phone_redirects_to_a_mobile": inbound(CLIENT, MOBILE, seconds=6),
    "pickup": inbound(CLIENT, "103", seconds=7),
    "pickup_of_a_new_client": inbound("79033334401", "103", seconds=7),
    "pickup_of_a_transferred_call": inbound("79035550010", "101", "103", seconds=3),
    "pickup_behind_a_queue": inbound("79035550001", "103", seconds=1),
    "queue_of_phones_abandoned": inbound(CLIENT),
    "queue_of_phones_answered": inbound("79035550001", "102", seconds=2),
    "queue_with_a_delay": inbound("79035550001", "103", seconds=3),
    "queue_over_local_channels": inbound(CLIENT, "102", seconds=6),
    "redirected_by_a_panel": inbound("79035550005", "101", "102", seconds=4),
    "refused_transfer": inbound("79035550001", "101", "101", seconds=8),
    "robot_alone": outbound("79000000002"),
    "robot_and_then_an_operator": outbound("79000000004", "103", seconds=2),
    "ring_group_optimised": inbound(CLIENT, "102", seconds=6),
    "second_trunk_with_prefix": outbound("79033334409", "102", seconds=6),
    "supervisor_listens_in": inbound("79033334409", "101", seconds=15),
    "survey_after_the_talk": inbound("79035550004", "101", seconds=2),
    "transfer_by_code_comes_back": inbound("79035550009", "101", "101", seconds=7),
    "transfer_by_code_while_it_rings": inbound("79035550008", "101", "102", seconds=7),
    "transfer_to_a_mailbox": inbound("79035550008", "101", seconds=1),
    "transfer_key": inbound("79033334401", "101", "102", seconds=23),
    "two_clients_in_a_room": Truth("inbound", "79035550001", ("101",), 2, beside="79035550002"),
    "voicemail": inbound(CLIENT),
}

# What records alone tell: that a phone was picked up is an answer, whether or not the client was ever put through to it, and a
# leg over the trunk has no number once it is not the one that was dialled.
FROM_RECORDS = {
    "agent_behind_a_queue": inbound("79035550007", "", seconds=0),
    "click_to_an_own_mobile": outbound("79000000007", "", seconds=3),
    "consulted_on_an_own_mobile": inbound("79035550017", "101", seconds=6),
    "follow_me_accepted": inbound("79035550001", OWN_MOBILE, seconds=5),
    "follow_me_declined": inbound("79035550002", OWN_MOBILE, "109", seconds=2),
    "follow_me_to_a_mailbox": inbound("79035550001", OWN_MOBILE, seconds=8),
    "left_during_a_consultation": inbound("79035550010", "101", "102", seconds=5),
    "left_in_the_delay_of_a_queue": inbound("79035550002", "103", seconds=4),
    "left_while_announced": inbound("79035550012", "101"),
    "pickup_of_a_transferred_call": inbound("79035550010", "101", "102", "103", seconds=4),
    "queue_with_a_delay": inbound("79035550001", "103", seconds=6),
    "transfer_by_code_comes_back": inbound("79035550009", "101", "101", seconds=11),
}
NOT_CONNECTED = {
    "follow_me_to_a_mailbox": OWN_MOBILE,
    "left_in_the_delay_of_a_queue": "103",
    "left_while_announced": "101",
}
"""Who picked up a call that was missed all the same."""

UNREACHED = {
    "click_to_a_desk_and_a_mobile_client_does_not_answer": FailedSide.CLIENT_NOT_REACHED,
    "click_to_an_own_mobile_client_does_not_answer": FailedSide.CLIENT_NOT_REACHED,
    "outbound_over_a_local_channel_not_answered": FailedSide.CLIENT_NOT_REACHED,
    "robot_alone": FailedSide.EMPLOYEE_NOT_REACHED,
    "callback_client_first_employee_does_not_answer": FailedSide.EMPLOYEE_NOT_REACHED,
    "callback_client_first_local_employee_does_not_answer": FailedSide.EMPLOYEE_NOT_REACHED,
    "click_to_call_client_does_not_answer": FailedSide.CLIENT_NOT_REACHED,
    "click_to_call_direct_client_does_not_answer": FailedSide.CLIENT_NOT_REACHED,
    "click_to_call_employee_does_not_answer": FailedSide.EMPLOYEE_NOT_REACHED,
}


@cache
def recorded(name: str) -> tuple[AmiMessage, ...]:
    return tuple(AmiReader(banner="as read before").feed(raw_recording(name)))


def raw_recording(name: str) -> bytes:
    """Without the banner of the link."""
    return (FOLDER / f"{name}.txt").read_bytes()
