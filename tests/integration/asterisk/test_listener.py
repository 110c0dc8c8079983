"""The link to a manager interface: nothing heard is lost, and it is known when nobody listened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.pbx.asterisk.feeding import AmiFeed
from gateway.pbx.asterisk.link import AmiAddress
from gateway.pbx.asterisk.listener import AmiConnection, AmiListener, AmiPauses
from gateway.pbx.asterisk.wire import AmiMessage, message
from gateway.pbx.capabilities import InboundMessage
from gateway.pbx.port import InboxUnavailable, MessageUnstorable
from routing.calls.model import CallEvent, EventKind
from tests.integration.asterisk.fake_ami import FakeAmi, fake_ami
from tests.unit.gateway.pbx.ami_talk import Talk
from tests.unit.gateway.pbx.builders import a_connection
from tests.waiting import until

QUICK = AmiPauses(first=0.05, longest=0.1, refused=0.1, ping=0.2, second_list=0.3, list=0.3)


@dataclass
class Store:
    """Stands for the inbox. fails: so many messages are refused before one is taken."""

    fails: int = 0
    unstorable: Callable[[InboundMessage], bool] = lambda _: False
    taken: list[InboundMessage] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)

    async def accept(self, told: InboundMessage) -> None:
        if self.fails:
            self.fails -= 1
            raise InboxUnavailable("the database is away")
        if self.unstorable(told):
            raise MessageUnstorable("never")
        self.taken.append(told)

    async def report(self, body: dict[str, Any]) -> None:
        self.reports.append(body)

    @property
    def events(self) -> list[CallEvent]:
        return [event for told in self.taken for event in told.parsed.events]

    async def until(self, fact: Callable[[], bool], seconds: float = 10) -> None:
        await until(fact, f"what was waited for; heard {[e.kind for e in self.events]}", seconds=seconds)

    async def until_kinds(self, *kinds: EventKind) -> None:
        await self.until(lambda: [e.kind for e in self.events][-len(kinds) :] == list(kinds))


@asynccontextmanager
async def listening(
    ami: FakeAmi, store: Store, *, secret: str = "s3cret", last: dict[str, Any] | None = None
) -> AsyncIterator[AmiListener]:
    address = AmiAddress(host="127.0.0.1", port=ami.port, user="callmatrix", secret=secret)
    connection = a_connection("asterisk", settings={"trunks": ["trunk"]})
    link = AmiConnection(address, pauses=QUICK)
    listener = link.open(lambda: connection, store.accept, store.report, last or {})
    task = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def a_missed_call(key: str = "1.1") -> list[AmiMessage]:
    talk = Talk(key)
    return [
        talk.came_in(0, "79161234567", "74951234567"),
        *talk.rings(1, key, "1.02", "101"),
        talk.dial_end(5, key, "1.02", "NOANSWER"),
        talk.hangup(5, "1.02", "19"),
        talk.hangup(6, key),
    ]


async def test_a_call_is_handed_on_as_it_happens() -> None:
    store = Store()
    async with fake_ami() as ami, listening(ami, store) as listener:
        await ami.until_links(1)
        ami.say(a_missed_call())
        await store.until_kinds(EventKind.ENDED)
        assert listener.status.is_connected
    kinds = [event.kind for event in store.events]
    assert kinds[0] == EventKind.STARTED
    assert EventKind.RANG in kinds
    assert {event.call_key for event in store.events} == {"1.1"}
    assert b"Newchannel" in store.taken[0].raw


async def test_the_same_message_heard_twice_has_the_same_canonical_form_and_others_have_another() -> None:
    first, second = Store(), Store()
    async with fake_ami() as ami, listening(ami, first), listening(ami, second):
        await ami.until_links(2)
        ami.say(a_missed_call())
        await first.until_kinds(EventKind.ENDED)
        await second.until_kinds(EventKind.ENDED)
    told = [t.parsed.canonical for t in first.taken]
    assert told == [t.parsed.canonical for t in second.taken]
    assert len(set(told)) == len(told)


async def test_nothing_is_lost_while_the_inbox_takes_nothing() -> None:
    store = Store(fails=7)
    async with fake_ami() as ami, listening(ami, store) as listener:
        await ami.until_links(1)
        ami.say(a_missed_call("1.1"), a_missed_call("2.1"))
        await store.until(lambda: sum(e.kind is EventKind.ENDED for e in store.events) == 2)
        assert listener.feeder.waiting == 0
        assert listener.feeder.refused == 0
    assert [e.kind for e in store.events].count(EventKind.STARTED) == 2


async def test_what_can_never_be_stored_is_counted_and_the_rest_goes_on() -> None:
    store = Store(unstorable=lambda told: told.parsed.events[0].kind is EventKind.RANG)
    async with fake_ami() as ami, listening(ami, store) as listener:
        await ami.until_links(1)
        ami.say(a_missed_call())
        await store.until_kinds(EventKind.ENDED)
        assert listener.feeder.refused == 1


async def test_what_was_heard_before_the_end_is_still_stored() -> None:
    store = Store(fails=3)
    async with fake_ami() as ami:
        async with listening(ami, store) as listener:
            await ami.until_links(1)
            ami.say(a_missed_call())
            await store.until(lambda: listener.status.events >= 3)
        assert EventKind.ENDED in [event.kind for event in store.events]


async def test_a_message_that_nobody_understands_does_not_end_the_link() -> None:
    store = Store()
    bad = message({"Event": "Cdr", "UniqueID": "9.9", "Disposition": "NONSENSE", "EndTime": "yesterday"})
    async with fake_ami() as ami, listening(ami, store) as listener:
        await ami.until_links(1)
        ami.say(bad, message({"Event": "SomethingNew", "Privilege": "call,all"}), a_missed_call())
        await store.until_kinds(EventKind.ENDED)
        assert listener.status.unreadable == 1
        assert ami.logins == 1


async def test_after_a_break_the_link_comes_back_and_the_absence_is_told() -> None:
    store = Store()
    async with fake_ami() as ami, listening(ami, store) as listener:
        await ami.until_links(1)
        assert listener.status.absences == []
        ami.drop()
        await ami.until_links(0)
        await ami.until_links(1)
        ami.say(a_missed_call())
        await store.until_kinds(EventKind.ENDED)
        await store.until(lambda: bool(store.reports and store.reports[-1]["absences"]))
        told = store.reports[-1]
    assert told["connected"]
    assert told["reconnects"] == 1
    assert told["absences"][0]["reason"].startswith("ami-lost")
    assert told["absences"][0]["since"] < told["absences"][0]["until"]


async def test_a_call_that_ended_during_a_break_is_closed_when_the_list_does_not_know_it() -> None:
    store = Store()
    talk = Talk("1.1")
    async with fake_ami() as ami, listening(ami, store):
        await ami.until_links(1)
        ami.say(talk.came_in(0, "79161234567", "74951234567"), talk.rings(1, "1.1", "1.02", "101"))
        await store.until_kinds(EventKind.STARTED, EventKind.RANG)
        ami.drop()
        await store.until(lambda: EventKind.ENDED in [e.kind for e in store.events], 15)
    assert {e.call_key for e in store.events} == {"1.1"}


async def test_a_call_that_still_lives_after_a_break_is_not_closed() -> None:
    store = Store()
    talk = Talk("1.1")
    began = talk.came_in(0, "79161234567", "74951234567")
    async with fake_ami() as ami, listening(ami, store) as listener:
        await ami.until_links(1)
        ami.channels = [message(f for f in began if f[0] not in ("Event", "Timestamp"))]
        ami.say(began)
        await store.until_kinds(EventKind.STARTED)
        ami.drop()
        await store.until(lambda: listener.status.reconnects == 1)
        await store.until(lambda: ami.actions.count("CoreShowChannels") >= 4)
        assert listener.live_calls == 1
        assert EventKind.ENDED not in [e.kind for e in store.events]


async def test_a_wrong_secret_is_told_and_tried_again() -> None:
    store = Store()
    async with fake_ami() as ami, listening(ami, store, secret="wrong") as listener:
        await store.until(lambda: ami.actions.count("Login") >= 2)
        assert not listener.status.is_connected
        assert (listener.status.error or "").startswith("ami-refused: Authentication failed")
        assert store.reports[-1]["connected"] is False
    assert "wrong" not in str(store.reports)


async def test_an_asterisk_that_does_not_answer_a_ping_is_left() -> None:
    store = Store()
    async with fake_ami() as ami, listening(ami, store) as listener:
        await ami.until_links(1)
        ami.is_mute = True
        await ami.until_links(0)
        assert "silent" in (listener.status.error or "")
        ami.is_mute = False
        await ami.until_links(1)


async def test_what_is_no_manager_interface_is_left_alone() -> None:
    async def web_server(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await asyncio.start_server(web_server, "127.0.0.1", 0)
    store = Store()
    async with server, listening(FakeAmi(port=server.sockets[0].getsockname()[1]), store) as listener:
        await store.until(lambda: bool(listener.status.error))
        assert "banner" in (listener.status.error or "")


async def test_a_denied_listing_is_told_and_not_asked_for_again() -> None:
    store = Store()
    async with fake_ami(may_list=False) as ami, listening(ami, store) as listener:
        await store.until(lambda: listener.status.can_list is False)
        await store.until(lambda: ami.actions.count("Ping") >= 3)
        assert ami.actions.count("CoreShowChannels") == 1
        assert listener.status.is_connected


async def test_the_time_since_an_earlier_process_listened_counts_as_absence() -> None:
    store = Store()
    heard_at = datetime.now(UTC) - timedelta(minutes=5)
    last = {"heard_at": heard_at.isoformat(), "hears_bridges": True}
    async with fake_ami() as ami, listening(ami, store, last=last) as listener:
        await ami.until_links(1)
        await store.until(lambda: listener.status.is_connected)
        assert 299 <= listener.status.absences[0].as_message()["seconds"] <= 310
        assert listener.status.absences[0].reason == "no process listened"
        assert listener.figures()["hears_bridges"] is True


async def test_a_full_queue_makes_the_link_wait_instead_of_losing_events() -> None:
    store = Store(fails=1000)
    feeder = AmiFeed(store.accept, limit=2)
    running = asyncio.create_task(feeder.run())
    try:
        events = (CallEvent(kind=EventKind.STARTED, call_key="1", at=datetime.now(UTC)),)

        async def put_all() -> None:
            from gateway.pbx.asterisk.feeding import as_message

            for number in range(10):
                await feeder.put(as_message(events, str(number).encode(), datetime.now(UTC)))

        putting = asyncio.create_task(put_all())
        done, _ = await asyncio.wait({putting}, timeout=0.2)
        assert not done, "it waits"
        store.fails = 0
        await asyncio.wait_for(putting, 10)
        assert await feeder.drain(10) == 0
        assert [told.raw for told in store.taken] == [str(n).encode() for n in range(10)]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
