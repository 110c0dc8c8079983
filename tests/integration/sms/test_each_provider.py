"""What only one provider does: finding a message whose answer was lost, inner errors, signatures, reports."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from sms.errors import SmsProviderRefused, SmsProviderUnreachable
from sms.model import OutboundSms, SmsAccepted, SmsRefused, SmsState, SmsUnknown
from sms.progress import SmsProgress, answered, claimed, given_up, reported
from sms.reasons import SmsReason
from tests.integration.sms.offices import message, office


async def test_smsc_finds_a_message_by_our_own_id_after_doubt() -> None:
    async with office("smsc") as o:
        o.fake.faults.append("hang up")
        assert isinstance(await o.provider.send(message(7)), SmsUnknown)
        found = await o.provider.find(message(7), datetime.now(UTC))
        assert found == SmsAccepted(ids=("7",))
        assert await o.provider.find(message(8), datetime.now(UTC)) is None
        assert len(o.fake.taken) == 1


async def test_smsc_refuses_the_same_message_again() -> None:
    async with office("smsc") as o:
        await o.provider.send(message(7))
        again = await o.provider.send(message(7))
    assert isinstance(again, SmsRefused)
    assert again.reason is SmsReason.DUPLICATE


async def test_smsc_takes_an_api_key_in_place_of_a_login() -> None:
    async with office("smsc", login="") as o:
        assert isinstance(await o.provider.send(message()), SmsAccepted)


async def test_smsc_says_that_a_message_waits_for_the_morning() -> None:
    async with office("smsc") as o:
        progress = answered(claimed(SmsProgress()), await o.provider.send(message(7)))
        for status, state in ((-1, SmsState.DEFERRED), (0, SmsState.SENT), (2, SmsState.DELIVERED)):
            o.fake.states["7"] = status
            (report,) = await o.provider.statuses([(message(7), "7"), (message(8), "8")])
            progress = reported(progress, report)
            assert progress.state is state


async def test_smsc_reports_are_believed_with_the_right_signature_only() -> None:
    async with office("smsc") as o:
        await o.provider.send(message(7))
        good, wrong = o.fake.report("7", 1), o.fake.report("7", 1, secret="other")
        assert o.kind.is_genuine(o.pushed(good), o.connection) is True
        assert o.kind.is_genuine(o.pushed(wrong), o.connection) is False
        assert o.kind.is_genuine(o.pushed({**good, "status": "20"}), o.connection) is False
        assert (
            o.kind.is_genuine(o.pushed({n: v for n, v in good.items() if n != "sha1"}), o.connection) is True
        )
        assert o.kind.is_genuine(o.pushed({"id": "7", "phone": "1", "status": "1"}), o.connection) is False
        (report,) = o.kind.read(o.pushed(good), o.connection).reports
    assert (report.id, report.state) == ("7", SmsState.DELIVERED)


async def test_smsc_without_a_secret_for_reports_leaves_it_to_the_address() -> None:
    async with office("smsc", keys={"password": "hush"}) as o:
        await o.provider.send(message(7))
        assert o.kind.is_genuine(o.pushed(o.fake.report("7", 1)), o.connection) is None


async def test_smsru_refuses_inside_of_an_answer_that_says_ok() -> None:
    async with office("smsru") as o:
        o.fake.no_route.add("79161234567")
        outcome = await o.provider.send(message())
    assert isinstance(outcome, SmsRefused)
    assert (outcome.reason, outcome.vendor_code) == (SmsReason.NO_ROUTE, "207")


async def test_smsru_reports_come_early_twice_and_in_any_order() -> None:
    async with office("smsru") as o:
        o.fake.faults.append("silent")
        doubt = await o.provider.send(message())
        (taken,) = o.fake.taken
        form = o.fake.pushed((taken.id, 103), (taken.id, 102), (taken.id, 103), ("strange", 104))
        assert o.kind.is_genuine(o.pushed(form), o.connection) is True
        news = o.kind.read(o.pushed(form), o.connection)
        assert news.answer == b"100"
        progress = answered(claimed(SmsProgress()), doubt)
        for report in news.reports:
            progress = reported(progress, report) if report.id == taken.id else progress
    assert progress.state is SmsState.DELIVERED


async def test_smsru_hashes_are_looked_at_where_there_is_one() -> None:
    async with office("smsru") as o:
        form = o.fake.pushed(("1", 103))
        assert o.kind.is_genuine(o.pushed(o.fake.pushed(("1", 103), key="other")), o.connection) is False
        assert o.kind.is_genuine(o.pushed({**form, "data[0]": "sms_status\n1\n104"}), o.connection) is False
        del form["hash"]
        assert o.kind.is_genuine(o.pushed(form), o.connection) is None


async def test_smsru_is_asked_for_a_hundred_at_once() -> None:
    async with office("smsru") as o:
        o.fake.states.update({f"000-{n}": 103 for n in range(150)})
        told = await o.provider.statuses([(message(), f"000-{n}") for n in range(151)])
    assert len(told) == 150
    assert len(o.exchanges) == 2


async def test_smsru_in_test_mode_reaches_nobody() -> None:
    async with office("smsru", is_test=True) as o:
        await o.provider.send(message())
    assert '"test":"1"' in o.exchanges[0].sent


async def test_smsaero_finds_a_message_by_number_text_and_time() -> None:
    async with office("smsaero") as o:
        asked_at = datetime.now(UTC)
        o.fake.faults.append("hang up")
        assert isinstance(await o.provider.send(message()), SmsUnknown)
        found = await o.provider.find(message(), asked_at)
        assert found
        assert found.ids == (o.fake.taken[0].id,)
        assert await o.provider.find(message(text="Пока"), asked_at) is None
        assert await o.provider.find(message(), asked_at + timedelta(hours=1)) is None


async def test_smsaero_says_nothing_of_a_message_that_it_does_not_know() -> None:
    async with office("smsaero") as o:
        sent = await o.provider.send(message())
        assert isinstance(sent, SmsAccepted)
        (report,) = await o.provider.statuses([(message(8), "999"), (message(), sent.ids[0])])
    assert report.id == sent.ids[0]


async def test_smsc_is_given_a_day_at_most() -> None:
    async with office("smsc") as o:
        for own_id, lives in ((1, timedelta(days=3)), (2, timedelta(seconds=5)), (3, timedelta(minutes=90))):
            await o.provider.send(OutboundSms(own_id=own_id, number="+79161234567", text="x", lives=lives))
    assert [json.loads(e.sent)["valid"] for e in o.exchanges] == ["24:00", "00:01", "01:30"]


async def test_smsaero_is_told_where_to_report_each_message() -> None:
    async with office("smsaero") as o:
        secret = "https://gate.example/sms/texts/reports/s3cr3t"
        await o.provider.send(OutboundSms(own_id=1, number="+79161234567", text="Привет", report_url=secret))
        assert o.fake.taken[0].report_url == secret
    assert "s3cr3t" not in repr(o.exchanges)


async def test_smsaero_takes_texts_of_its_length_only() -> None:
    async with office("smsaero") as o:
        outcome = await o.provider.send(message(text="a" * 641))
        assert o.fake.asked == 0
    assert isinstance(outcome, SmsRefused)
    assert outcome.reason is SmsReason.TOO_LONG


async def test_smsaero_with_a_sender_that_is_not_approved_stops_the_queue() -> None:
    async with office("smsaero", sign="Other") as o:
        outcome = await o.provider.send(message())
    assert isinstance(outcome, SmsRefused)
    assert outcome.reason is SmsReason.SENDER_NOT_APPROVED


async def test_mango_tells_the_result_of_a_command_after_the_request_is_over() -> None:
    async with office("mango") as o:
        sent = answered(claimed(SmsProgress()), await o.provider.send(message(7)))
        assert sent.state is SmsState.ACCEPTED
        body = o.fake.push({"command_id": "7", "result": 2240})
        assert o.kind.is_genuine(o.pushed(body), o.connection) is True
        (late,) = o.kind.read(o.pushed(body, "result/sms"), o.connection).outcomes
    assert late.id == "7"
    assert answered(sent, late.outcome).state is SmsState.QUEUED


async def test_mango_pushes_are_believed_with_the_right_signature_only() -> None:
    async with office("mango") as o:
        told = {"command_id": "7", "timestamp": 1, "reason": 1000}
        good = o.fake.push(told)
        assert o.kind.is_genuine(o.pushed(good), o.connection) is True
        assert o.kind.is_genuine(o.pushed(o.fake.push(told, salt="other")), o.connection) is False
        assert o.kind.is_genuine(o.pushed(good.replace(b"1000", b"4301")), o.connection) is False
        assert o.kind.is_genuine(o.pushed(b"x=1"), o.connection) is False
        (report,) = o.kind.read(o.pushed(good, "events/sms"), o.connection).reports
    assert report.state is SmsState.DELIVERED


async def test_mango_whose_report_never_comes_leaves_the_message_unknown() -> None:
    async with office("mango") as o:
        sent = answered(claimed(SmsProgress()), await o.provider.send(message(7)))
        assert await o.provider.statuses([(message(7), "7")]) == ()
        assert await o.provider.find(message(7), datetime.now(UTC)) is None
    assert given_up(sent).state is SmsState.UNKNOWN


async def test_mango_charges_an_employee_and_sends_nothing_for_who_has_no_extension() -> None:
    async with office("mango", from_extension="") as o:
        outcome = await o.provider.send(message())
        assert o.fake.asked == 0
    assert isinstance(outcome, SmsRefused)
    assert outcome.reason is SmsReason.EXTENSION_MISSING


@pytest.mark.parametrize("text", ["я" * 269, "a" * 613])
async def test_mango_takes_four_parts_and_is_not_asked_for_more(text: str) -> None:
    async with office("mango") as o:
        outcome = await o.provider.send(message(text=text))
        assert o.fake.asked == 0
    assert isinstance(outcome, SmsRefused)
    assert outcome.reason is SmsReason.TOO_LONG


@pytest.mark.parametrize("vendor", ["smsc", "smsru", "smsaero"])
async def test_a_question_that_cannot_be_asked_is_an_error_and_no_report(vendor: str) -> None:
    async with office(vendor, base_url="http://127.0.0.1:9") as o:
        with pytest.raises(SmsProviderUnreachable):
            await o.provider.statuses([(message(), "1")])
    async with office(vendor, keys={"password": "x", "api_id": "x", "api_key": "x"}) as o:
        with pytest.raises(SmsProviderRefused):
            await o.provider.balance()
