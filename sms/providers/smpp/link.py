"""One link to a message centre, bound: units out and in, a window of those that are not answered, a sign of life."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from runtime.backoff import Backoff
from sms.errors import SmsWireInvalid
from sms.providers.smpp.wire import (
    ANSWER,
    HEADER_BYTES,
    SmppCommand,
    SmppPdu,
    SmppStatus,
    answer_to,
    packed,
    read_head,
)

log = structlog.get_logger(__name__)

_LARGEST_SEQUENCE = 0x7FFFFFFF
_MOST_UNTAKEN = 1000
_UNBIND_SECONDS = 2.0

TakeDelivery = Callable[[SmppPdu], Awaitable[None]]
"""Returns once what was delivered is kept; what it raises lets it be given again."""
TakeLateAnswer = Callable[[int, SmppPdu], Awaitable[None]]
"""Given the key of a request that was waited for in vain, and its answer."""


class SmppLinkLost(Exception):
    """The link is no more. was_written: the request may have reached the centre."""

    code, retryable = "smpp-link-lost", True

    def __init__(self, message: str, *, was_written: bool) -> None:
        super().__init__(message)
        self.was_written = was_written


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppTiming:
    """Seconds. silence: after which the other side is asked for a sign of life. answer: for any answer, that one too.
    connect: until the link is bound. pauses: before each try after a link was lost, the last one for all that follow."""

    silence: float = 60.0
    answer: float = 30.0
    connect: float = 15.0
    pauses: tuple[float, ...] = (60.0, 90.0)


@dataclass(slots=True)
class _Asked:
    """A request on its way. key: what a late answer is told by, 0 = nobody wants to know."""

    key: int
    answer: asyncio.Future[SmppPdu]


class _Untaken(NamedTuple):
    """What is to be kept: a delivery, which is answered then, or the late answer to the request of this key."""

    pdu: SmppPdu
    key: int | None = None


class SmppLink:
    """window: requests that may wait for their answer at once."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        window: int,
        timing: SmppTiming,
        take: TakeDelivery,
        take_late: TakeLateAnswer,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._timing = timing
        self._take, self._take_late = take, take_late
        self._window = asyncio.Semaphore(window)
        self._asked: dict[int, _Asked] = {}
        self._untaken: asyncio.Queue[_Untaken] = asyncio.Queue(_MOST_UNTAKEN)
        self._sequence = 0
        self._heard = asyncio.Event()
        self._lost: str | None = None

    async def run(self) -> None:
        """Serve the link until it is lost. Raises SmppLinkLost; whoever waits for an answer is told the same."""
        tasks = [asyncio.ensure_future(work) for work in (self._read(), self._keep_alive(), self._hand_on())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except (OSError, EOFError, SmsWireInvalid) as err:
            self._lost = f"{type(err).__name__}: {err}"
            raise SmppLinkLost(self._lost, was_written=True) from err
        finally:
            await self._end(tasks)

    async def ask(self, command: SmppCommand, body: bytes = b"", *, key: int = 0) -> SmppPdu:
        """Send a request and return its answer, of whatever status. Raises SmppLinkLost; TimeoutError where no answer came."""
        async with self._window:
            return await self._exchange(command, body, key)

    async def unbind(self) -> None:
        """Say good-bye, as far as the other side still listens."""
        with contextlib.suppress(SmppLinkLost, TimeoutError):
            async with asyncio.timeout(_UNBIND_SECONDS):
                await self._exchange(SmppCommand.UNBIND, b"", 0)

    async def _exchange(self, command: SmppCommand, body: bytes, key: int) -> SmppPdu:
        if self._lost is not None:
            raise SmppLinkLost(self._lost, was_written=False)
        self._sequence = self._sequence % _LARGEST_SEQUENCE + 1
        asked = _Asked(key, asyncio.get_running_loop().create_future())
        sequence = self._sequence
        self._asked[sequence] = asked
        try:
            async with asyncio.timeout(self._timing.answer):
                await self._write(SmppPdu(command, SmppStatus.OK, sequence, body))
                return await asked.answer
        finally:
            if not key or not asked.answer.cancelled():  # of a sending, a late answer still tells something
                self._asked.pop(sequence, None)

    async def _write(self, pdu: SmppPdu) -> None:
        self._writer.write(packed(pdu))
        try:
            await self._writer.drain()
        except OSError as err:
            raise SmppLinkLost(f"{type(err).__name__}: {err}", was_written=True) from err

    async def _read(self) -> None:
        while True:
            length, pdu = read_head(await self._reader.readexactly(HEADER_BYTES))
            pdu = pdu._replace(body=await self._reader.readexactly(length))
            self._heard.set()
            if not await self._dispatched(pdu):
                raise EOFError("the centre has unbound")

    async def _dispatched(self, pdu: SmppPdu) -> bool:
        """Do what a unit asks for; False: the link is over."""
        if pdu.is_answer:
            await self._answered(pdu)
        elif pdu.command == SmppCommand.DELIVER_SM:
            await self._untaken.put(_Untaken(pdu))
        elif pdu.command in (SmppCommand.ENQUIRE_LINK, SmppCommand.UNBIND):
            await self._write(answer_to(pdu))
            return pdu.command != SmppCommand.UNBIND
        else:
            await self._write(SmppPdu(SmppCommand.GENERIC_NACK, SmppStatus.INVALID_COMMAND, pdu.sequence))
        return True

    async def _answered(self, pdu: SmppPdu) -> None:
        asked = self._asked.pop(pdu.sequence, None)
        if asked is None:
            log.warning("smpp-answer-strange", command=hex(pdu.command), sequence=pdu.sequence)
        elif not asked.answer.done():
            asked.answer.set_result(pdu)
        elif pdu.command == SmppCommand.SUBMIT_SM | ANSWER:
            await self._untaken.put(_Untaken(pdu, asked.key))

    async def _keep_alive(self) -> None:
        while True:
            self._heard.clear()
            try:
                async with asyncio.timeout(self._timing.silence):
                    await self._heard.wait()
            except TimeoutError:
                await self._enquire()

    async def _enquire(self) -> None:
        try:
            await self._exchange(SmppCommand.ENQUIRE_LINK, b"", 0)
        except TimeoutError as err:
            raise EOFError("the centre gives no sign of life") from err

    async def _hand_on(self) -> None:
        """One delivery after the other, each answered once it is kept: always with status 0, anything else would reset the
        session at some centres."""
        backoff = Backoff(first=0.5, longest=30.0)
        told = await self._untaken.get()
        while True:
            if not await self._is_taken(told):
                await asyncio.sleep(backoff.failed())
                continue
            backoff.succeeded()
            if told.key is None:
                await self._write(answer_to(told.pdu, b"\x00"))
            told = await self._untaken.get()

    async def _is_taken(self, told: _Untaken) -> bool:
        try:
            await (self._take(told.pdu) if told.key is None else self._take_late(told.key, told.pdu))
        except SmsWireInvalid as err:  # it would never be read, however often it came
            log.warning("smpp-delivery-unreadable", field=err.field, error=str(err))
        except Exception as err:
            log.warning("smpp-delivery-not-kept", error=f"{type(err).__name__}: {err}")
            return False
        return True

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self._lost = self._lost or "the link is closed"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(SmppLinkLost(self._lost, was_written=True))
        self._writer.close()
