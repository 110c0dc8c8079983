"""What every provider that speaks HTTP does when things go well, and when they do not: over real sockets."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sms.model import SmsAccepted, SmsRefused, SmsUnknown
from sms.reasons import FailureClass, SmsDoubt, SmsReason
from tests.fakes.sms.server import Fault
from tests.integration.sms.offices import SECRET, VENDORS, message, office

each_vendor = pytest.mark.parametrize("vendor", VENDORS)


@each_vendor
async def test_a_message_arrives_as_it_was_written(vendor: str) -> None:
    async with office(vendor) as o:
        outcome = await o.provider.send(message(text="Привет,\r\n«Олег» & 100% + 😀"))
        assert isinstance(outcome, SmsAccepted)
        (taken,) = o.fake.taken
    assert (taken.number, taken.text) == ("79161234567", "Привет,\n«Олег» & 100% + 😀")
    assert outcome.ids == (taken.id,)


@each_vendor
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("silent", SmsDoubt.NO_ANSWER),
        ("hang up", SmsDoubt.NO_ANSWER),
        ("bad gateway", SmsDoubt.SERVER_ERROR),
        ("page", SmsDoubt.UNREADABLE_ANSWER),
    ],
)
async def test_a_message_that_may_have_gone_out_is_unknown_and_asked_for_once(
    vendor: str, fault: Fault, why: SmsDoubt
) -> None:
    async with office(vendor) as o:
        await o.provider.send(message(own_id=1))
        o.fake.faults.append(fault)
        outcome = await o.provider.send(message(own_id=2))
        assert o.fake.asked == 2
    assert isinstance(outcome, SmsUnknown)
    assert outcome.why is why


@each_vendor
async def test_each_request_has_a_connection_of_its_own(vendor: str) -> None:
    """On one that is kept and just then closed, a message that was never read would count as unknown."""
    async with office(vendor) as o:
        for own_id in (1, 2, 3):
            await o.provider.send(message(own_id))
        assert len(set(o.fake.connections)) == 3


@each_vendor
@pytest.mark.parametrize("fault", ["throttle", "busy"])
async def test_what_is_throttled_goes_out_later(vendor: str, fault: Fault) -> None:
    async with office(vendor) as o:
        o.fake.faults.append(fault)
        refused = await o.provider.send(message())
        assert isinstance(refused, SmsRefused)
        assert refused.failure_class is FailureClass.LATER
        assert refused.retry_after == (7.0 if fault == "busy" else None)
        assert o.fake.taken == []
        assert isinstance(await o.provider.send(message()), SmsAccepted)


@each_vendor
async def test_where_nobody_listens_nothing_was_sent(vendor: str) -> None:
    async with office(vendor, base_url="http://127.0.0.1:9") as o:
        outcome = await o.provider.send(message())
    assert isinstance(outcome, SmsRefused)
    assert (outcome.reason, outcome.failure_class) == (SmsReason.NOT_REACHED, FailureClass.LATER)


@each_vendor
async def test_an_address_that_is_not_the_api_stops_the_queue(vendor: str) -> None:
    async with office(vendor) as o, office(vendor, base_url=f"{o.fake.url}/somewhere") as lost:
        outcome = await lost.provider.send(message())
    assert isinstance(outcome, SmsRefused)
    assert (outcome.reason, outcome.failure_class) == (SmsReason.BAD_ADDRESS, FailureClass.ACCOUNT)


@each_vendor
async def test_money_that_ends_stops_the_queue_and_goes_on_when_it_is_back(vendor: str) -> None:
    async with office(vendor, money=Decimal("5.00")) as o:
        outcomes = [await o.provider.send(message(own_id=n)) for n in (1, 2, 3)]
        assert [type(outcome) for outcome in outcomes] == [SmsAccepted, SmsAccepted, SmsRefused]
        last = outcomes[2]
        assert isinstance(last, SmsRefused)
        assert (last.reason, last.failure_class) == (SmsReason.NO_MONEY, FailureClass.ACCOUNT)
        o.fake.money = Decimal("2.50")
        left = await o.provider.balance()
        assert left
        assert left.amount == Decimal("2.50")
        assert isinstance(await o.provider.send(message(own_id=3)), SmsAccepted)
        assert [sms.number for sms in o.fake.taken] == ["79161234567"] * 3


@each_vendor
async def test_a_wrong_key_concerns_every_message(vendor: str) -> None:
    keys = {
        name: f"wrong-{value}" if value == SECRET else value for name, value in VENDORS[vendor].keys.items()
    }
    async with office(vendor, keys=keys) as o:
        outcome = await o.provider.send(message())
        assert o.fake.taken == []
    assert isinstance(outcome, SmsRefused)
    assert (outcome.reason, outcome.failure_class) == (SmsReason.BAD_KEY, FailureClass.ACCOUNT)


@each_vendor
async def test_the_record_of_exchanges_holds_no_secret_and_no_whole_number(vendor: str) -> None:
    async with office(vendor, money=Decimal("99.00")) as o:
        accepted = await o.provider.send(message())
        assert isinstance(accepted, SmsAccepted)
        await o.provider.statuses([(message(), accepted.ids[0])])
        await o.provider.balance()
    assert len(o.exchanges) >= 2
    assert SECRET not in repr(o.exchanges)
    assert "9161234567" not in repr(o.exchanges)
    assert "Привет" in o.exchanges[0].sent


@each_vendor
async def test_the_connection_says_what_it_lacks(vendor: str) -> None:
    async with office(vendor) as o:
        assert o.kind.missing(o.connection) == ()
    async with office(vendor, keys={}) as o:
        assert o.kind.missing(o.connection) == o.kind.keys
