"""A hundred messages through each provider while it misbehaves: nothing is lost, nothing goes out twice."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sms.errors import SmsError
from sms.model import SmsAccepted, SmsRefused, SmsState, SmsUnknown
from sms.progress import SmsProgress, answered, claimed
from sms.reasons import FailureClass, SmsReason
from tests.fakes.sms.server import Fault
from tests.integration.sms.offices import VENDORS, SmsOffice, message, office

COUNT = 100
FAULTS: tuple[Fault, ...] = ("throttle", "busy", "hang up", "bad gateway", "page", "silent")
WEIGHTS = (12, 6, 6, 4, 2, 1)


class Queue:
    """The smallest sender that does what outcomes say. alarms: how often the queue stopped, each time for one reason."""

    def __init__(self, office: SmsOffice) -> None:
        self._office = office
        self.progress = {own_id: SmsProgress() for own_id in range(1, COUNT + 1)}
        self.alarms: list[SmsReason] = []

    @property
    def waiting(self) -> list[int]:
        return [own_id for own_id, p in self.progress.items() if p.state is SmsState.QUEUED]

    async def work(self) -> bool:
        """Send what waits, each once; False: the queue had to stop."""
        for own_id in self.waiting:
            sms = message(own_id, text=f"Заказ {own_id} готов")
            self.progress[own_id] = claimed(self.progress[own_id])
            asked_at = datetime.now(UTC)
            outcome = await self._office.provider.send(sms)
            self.progress[own_id] = answered(self.progress[own_id], outcome)
            if isinstance(outcome, SmsUnknown) and (found := await self._found(own_id, asked_at)):
                self.progress[own_id] = answered(self.progress[own_id], found)
            if isinstance(outcome, SmsRefused) and outcome.failure_class is FailureClass.ACCOUNT:
                self.alarms.append(outcome.reason)
                return False
        return True

    async def _found(self, own_id: int, asked_at: datetime) -> SmsAccepted | None:
        try:
            return await self._office.provider.find(message(own_id, text=f"Заказ {own_id} готов"), asked_at)
        except SmsError:
            return None


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_hundred_messages_end_in_one_state_each_and_none_goes_out_twice(vendor: str) -> None:
    chance = random.Random(vendor)
    async with office(vendor, money=Decimal("2.50") * 40) as o:
        o.fake.faults.extend(chance.choices([*FAULTS, None], [*WEIGHTS, 69], k=300))
        queue = Queue(o)
        stopped = 0
        while queue.waiting:
            if not await queue.work():
                stopped += 1
                assert queue.waiting, "what was refused for want of money waits"
                o.fake.money += Decimal("2.50") * 40
        taken = Counter(sms.text for sms in o.fake.taken)
    assert set(taken.values()) == {1}
    assert queue.alarms == [SmsReason.NO_MONEY] * stopped
    assert 1 <= stopped <= 2
    states = Counter(progress.state for progress in queue.progress.values())
    assert set(states) == {SmsState.ACCEPTED, SmsState.UNKNOWN}
    for own_id, progress in queue.progress.items():
        is_taken = f"Заказ {own_id} готов" in taken
        assert is_taken or progress.state is SmsState.UNKNOWN
        assert not progress.ids or is_taken
    finds = o.kind.capabilities.has_own_id or vendor == "smsaero"
    unknown_but_taken = [
        n for n, p in queue.progress.items() if p.state is SmsState.UNKNOWN and f"Заказ {n} готов" in taken
    ]
    assert all(bool(queue.progress[own_id].ids) is finds for own_id in unknown_but_taken)
    assert unknown_but_taken
