"""Calls placed over AMI: once, and whatever breaks, what is answered is what is known."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest

from gateway.pbx.asterisk.originate.originator import AmiOriginator
from gateway.pbx.asterisk.wire import AmiMessage, message
from gateway.pbx.capabilities import (
    Cancelled,
    CannotTell,
    Live,
    NotSeen,
    Placed,
    PlaceOrder,
    PlaceResult,
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from tests.integration.asterisk.fake_ami import FakeAmi, fake_ami
from tests.unit.gateway.pbx.builders import a_connection

ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"
ORDER = PlaceOrder(
    attempt_id=ATTEMPT, extension="101", number="+79161234567", line="+74951234567", ring_seconds=20
)
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
QUEUED = message({"Response": "Success", "ActionID": ATTEMPT, "Message": "Originate successfully queued"})
CHANNEL = message({"Event": "Newchannel", "Uniqueid": ATTEMPT, "Linkedid": ATTEMPT})
NOTHING_CAME = message(
    {"Event": "OriginateResponse", "ActionID": ATTEMPT, "Response": "Failure", "Reason": "0"}
)
ORIGINATOR = AmiOriginator(answer_seconds=0.3, channel_seconds=0.1)


def refusal(words: str) -> AmiMessage:
    return message({"Response": "Error", "ActionID": ATTEMPT, "Message": words})


def a_channel(uniqueid: str = ATTEMPT, state: str = "Up", bridge: str = "") -> AmiMessage:
    return message(
        {
            "Channel": f"PJSIP/{uniqueid[:3]}-00000001",
            "Uniqueid": uniqueid,
            "Linkedid": ATTEMPT,
            "ChannelStateDesc": state,
            "BridgeId": bridge,
        }
    )


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


def connection_to(ami: FakeAmi, *, secret: str | None = None) -> Connection:
    return a_connection(
        "asterisk",
        settings={"ami_host": "127.0.0.1", "ami_port": ami.port, "originate_context": "callmatrix-client"},
        keys={"ami_user": "callmatrix", "ami_secret": secret or ami.secret},
    )


async def placed(session: aiohttp.ClientSession, ami: FakeAmi, order: PlaceOrder = ORDER) -> PlaceResult:
    return await ORIGINATOR.place(session, connection_to(ami), order)


async def test_the_order_is_written_once_and_names_the_attempt(session: aiohttp.ClientSession) -> None:
    async with fake_ami(originates=[QUEUED, CHANNEL]) as ami:
        assert (
            await placed(session, ami, replace(ORDER, display_name='Анна, "x" <1>\r\nAction: Logoff'))
            == Placed()
        )
    assert ami.actions == ["Login", "Originate"]
    written = ami.blocks[1]
    assert (written.get("ChannelId"), written.get("ActionID"), written.get("Async")) == (
        ATTEMPT,
        ATTEMPT,
        "true",
    )
    assert (written.get("Channel"), written.get("Exten"), written.get("Timeout")) == (
        "PJSIP/101",
        "79161234567",
        "20000",
    )
    assert written.get("CallerID") == '"Анна x 1 Action: Logoff" <+79161234567>'
    assert written.all("Variable") == (
        f"__CALLMATRIX_ATTEMPT={ATTEMPT}",
        "__CALLMATRIX_LINE=+74951234567",
        "__CALLMATRIX_RING_SECONDS=30",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"extension": "101\r\nAction: Logoff"},
        {"extension": "101&PJSIP/102"},
        {"extension": None},
        {"extension": "101", "group": "200"},
        {"number": "79161234567"},
        {"number": "+79161234567\n"},
        {"line": "+7495,X=1"},
        {"line": "a\r\nb"},
        {"attempt_id": "x,y=1-abcdef"},
        {"ring_seconds": 0},
        {"client_ring_seconds": 100000},
    ],
)
async def test_what_would_be_another_order_is_refused_before_asterisk_hears_of_it(
    session: aiohttp.ClientSession, wrong: dict[str, object]
) -> None:
    async with fake_ami(originates=[QUEUED, CHANNEL]) as ami:
        told = await placed(session, ami, replace(ORDER, **wrong))  # type: ignore[arg-type]
    assert isinstance(told, RefusedByPbx)
    assert (told.code, told.concerns, ami.actions) == ("order-invalid", "this_call", [])


async def test_a_context_that_is_none_stops_the_connection(session: aiohttp.ClientSession) -> None:
    async with fake_ami() as ami:
        wrong = replace(connection_to(ami), settings={"ami_host": "127.0.0.1", "originate_context": "a,b"})
        told = await ORIGINATOR.place(session, wrong, ORDER)
    assert isinstance(told, RefusedByPbx)
    assert told.concerns == "connection"


@pytest.mark.parametrize(
    ("words", "concerns"),
    [("Permission denied", "connection"), ("Invalid channel", "this_call")],
)
async def test_what_asterisk_refuses_has_its_words(
    session: aiohttp.ClientSession, words: str, concerns: str
) -> None:
    async with fake_ami(originates=[refusal(words)]) as ami:
        told = await placed(session, ami)
    assert isinstance(told, RefusedByPbx)
    assert (told.words, told.concerns) == (words, concerns)


async def test_whoever_may_not_log_in_has_rung_nobody(session: aiohttp.ClientSession) -> None:
    async with fake_ami(originates=[QUEUED]) as ami:
        told = await ORIGINATOR.place(session, connection_to(ami, secret="another"), ORDER)
    assert isinstance(told, RefusedByPbx)
    assert (told.code, told.concerns, ami.actions) == ("ami-refused", "connection", ["Login"])


async def test_an_asterisk_that_is_away_has_rung_nobody(session: aiohttp.ClientSession) -> None:
    async with fake_ami() as ami:
        connection = connection_to(ami)
    told = await ORIGINATOR.place(session, connection, ORDER)
    assert isinstance(told, RefusedByPbx)
    assert (told.code, told.concerns) == ("ami-lost", "link")


async def test_a_link_that_breaks_after_the_order_leaves_it_unknown(session: aiohttp.ClientSession) -> None:
    async with fake_ami(originates=None) as ami:
        told = await placed(session, ami)
    assert isinstance(told, PlaceUnknown)
    assert ami.actions == ["Login", "Originate"]


async def test_an_asterisk_that_says_nothing_leaves_it_unknown(session: aiohttp.ClientSession) -> None:
    async with fake_ami(originates=[]) as ami:
        told = await placed(session, ami)
    assert told == PlaceUnknown("Asterisk did not answer in time")
    assert ami.actions == ["Login", "Originate"]


@pytest.mark.parametrize("said", [[QUEUED], [QUEUED, CHANNEL, NOTHING_CAME], [CHANNEL, QUEUED]])
async def test_what_is_queued_is_placed_however_it_goes_on(
    session: aiohttp.ClientSession, said: Sequence[AmiMessage]
) -> None:
    async with fake_ami(originates=said) as ami:
        assert await placed(session, ami) == Placed()


async def test_a_phone_that_asterisk_does_not_know_is_refused(session: aiohttp.ClientSession) -> None:
    async with fake_ami(originates=[QUEUED, NOTHING_CAME]) as ami:
        told = await placed(session, ami)
    assert isinstance(told, RefusedByPbx)
    assert (told.code, told.concerns) == ("originate-failed", "this_call")


async def test_an_attempt_that_lives_already_is_no_refusal(session: aiohttp.ClientSession) -> None:
    """Case 35: the same id placed twice."""
    async with fake_ami(originates=[QUEUED, NOTHING_CAME], channels=[a_channel()]) as ami:
        assert await placed(session, ami) == Placed()


@pytest.mark.parametrize(
    ("channels", "is_found"),
    [
        ([], NotSeen()),
        ([a_channel(state="Down")], Live("placing")),
        ([a_channel(state="Ringing")], Live("operator_ringing")),
        ([a_channel()], Live("operator_answered")),
        ([a_channel(), a_channel("client-1", "Ringing")], Live("client_ringing")),
        ([a_channel("client-1", "Up", "b1")], Live("client_ringing")),
        ([a_channel(bridge="b1"), a_channel("client-1", "Up", "b1")], Live("talking")),
    ],
)
async def test_an_attempt_is_found_by_its_channels(
    session: aiohttp.ClientSession, channels: list[AmiMessage], is_found: object
) -> None:
    strangers = message({"Channel": "PJSIP/9", "Uniqueid": "1.1", "Linkedid": "1.1", "BridgeId": "b1"})
    async with fake_ami(channels=[strangers, *channels]) as ami:
        assert await ORIGINATOR.find(session, connection_to(ami), ATTEMPT, NOW) == is_found


async def test_nobody_can_tell_without_the_list_or_the_link(session: aiohttp.ClientSession) -> None:
    async with fake_ami(may_list=False) as ami:
        connection = connection_to(ami)
        assert isinstance(await ORIGINATOR.find(session, connection, ATTEMPT, NOW), CannotTell)
        assert isinstance(await ORIGINATOR.cancel(session, connection, ATTEMPT), CannotTell)
    assert isinstance(await ORIGINATOR.find(session, connection, ATTEMPT, NOW), CannotTell)
    assert "Hangup" not in ami.actions


async def test_the_one_channel_is_hung_up_by_its_exact_name(session: aiohttp.ClientSession) -> None:
    done = message({"Response": "Success", "ActionID": "cancel", "Message": "Channel Hungup"})
    async with fake_ami(originates=[done], channels=[a_channel("client-1"), a_channel()]) as ami:
        assert await ORIGINATOR.cancel(session, connection_to(ami), ATTEMPT) == Cancelled()
    assert ami.blocks[-1].get("Channel") == f"PJSIP/{ATTEMPT[:3]}-00000001"


async def test_what_is_over_cannot_be_cancelled(session: aiohttp.ClientSession) -> None:
    gone = message({"Response": "Error", "ActionID": "cancel", "Message": "No such channel"})
    async with fake_ami(originates=[gone], channels=[a_channel()]) as ami:
        assert await ORIGINATOR.cancel(session, connection_to(ami), ATTEMPT) == NotSeen()
        ami.channels = []
        assert await ORIGINATOR.cancel(session, connection_to(ami), ATTEMPT) == NotSeen()
    assert ami.actions.count("Hangup") == 1


async def test_a_name_that_asterisk_takes_for_a_pattern_is_not_hung_up(
    session: aiohttp.ClientSession,
) -> None:
    all_of_them = message({"Channel": "/.*/", "Uniqueid": ATTEMPT, "Linkedid": ATTEMPT})
    async with fake_ami(originates=[], channels=[all_of_them]) as ami:
        assert await ORIGINATOR.cancel(session, connection_to(ami), ATTEMPT) == NotSeen()
    assert "Hangup" not in ami.actions


def test_only_a_connection_that_is_told_the_context_places_calls() -> None:
    without = a_connection("asterisk", settings={"ami_host": "pbx.example"})
    able = replace(without, settings={**without.settings, "originate_context": "callmatrix-client"})
    no_link = replace(able, settings={"originate_context": "callmatrix-client"})
    is_able = [KINDS["asterisk"].originator(one) is not None for one in (without, able, no_link)]
    assert is_able == [False, True, False]
