"""The permanent link to one Asterisk: its events become call events in the inbox, and it is known when nobody listened."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from gateway.pbx.asterisk.feeding import AmiFeed, as_message
from gateway.pbx.asterisk.legs import Legs, resumed, step, sweep
from gateway.pbx.asterisk.link import AmiAddress, AmiLink, AmiLost, AmiRefused, ami_link
from gateway.pbx.asterisk.wire import AmiMessage, odd
from gateway.pbx.capabilities import Accept, Report
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.text import SPOILT
from runtime.backoff import Backoff
from runtime.cancellation import sleep_unless_cancelled
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

_SWEEP_SECONDS = 5.0
_REPORT_SECONDS = 15.0
_DRAIN_SECONDS = 5.0
_ABSENCES_KEPT = 20


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Absence:
    """Nobody listened between these moments: calls of that time may be known from their CDR only, or not at all."""

    since: datetime
    until: datetime
    reason: str

    def as_message(self) -> dict[str, Any]:
        return {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "seconds": round((self.until - self.since).total_seconds(), 1),
            "reason": self.reason,
        }


@dataclass(slots=True)
class ListenerStatus:
    """heard_at: when the link was last known to live. absences: the latest ones, newest last; away_seconds: all of them
    since this process listens. can_list: whether Asterisk lets us ask which channels live (manager.conf, write=reporting)."""

    is_connected: bool = False
    connected_at: datetime | None = None
    heard_at: datetime | None = None
    banner: str = ""
    error: str | None = None
    events: int = 0
    unreadable: int = 0
    odd: int = 0
    reconnects: int = 0
    can_list: bool | None = None
    away_seconds: float = 0.0
    absences: list[Absence] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiPauses:
    """Seconds: between attempts to connect (growing), after a refused login, of silence before a Ping, between the first
    and second listing of channels, and between those that follow."""

    first: float = 0.5
    longest: float = 15.0
    refused: float = 30.0
    ping: float = 10.0
    second_list: float = 6.0
    list: float = 60.0


class AmiListener:
    """Listens to one Asterisk until cancelled.

    connection: asked at every message, since lines and settings may change meanwhile. accept: stores one message.
    report: keeps the status where others can read it; its failures are logged and nothing more.
    heard_at: when somebody last listened to this Asterisk, from an earlier process's report; None = never. hears_bridges:
    it told them of bridges.
    """

    def __init__(
        self,
        address: AmiAddress,
        connection: Callable[[], Connection],
        accept: Accept,
        report: Report,
        *,
        heard_at: datetime | None = None,
        hears_bridges: bool = False,
        pauses: AmiPauses | None = None,
    ) -> None:
        self._address = address
        self._connection = connection
        self._report = report
        self._pauses = pauses or AmiPauses()
        self._legs = Legs(hears_bridges=hears_bridges)
        self._away_reason = "no process listened"
        self.feeder = AmiFeed(accept)
        self.status = ListenerStatus(heard_at=heard_at)
        self._trouble = Trouble("ami")

    @property
    def live_calls(self) -> int:
        return len(self._legs.calls)

    async def run(self) -> None:
        """Until cancelled. What was heard until then is still handed on, within some seconds."""
        feeding = asyncio.create_task(self.feeder.run(), name="ami feeder")
        others = [asyncio.create_task(work()) for work in (self._run_sweep, self._run_report)]
        try:
            await self._run_listen()
        finally:
            for task in others:
                task.cancel()
            if left := await self.feeder.drain(_DRAIN_SECONDS):
                log.error("ami-events-lost", connection=self._connection().name, messages=left)
            feeding.cancel()
            await asyncio.gather(feeding, *others, return_exceptions=True)
            await self.tell()

    async def _run_listen(self) -> None:
        backoff = Backoff(self._pauses.first, self._pauses.longest)
        while True:
            pause = 0.0
            try:
                await self._listen()
            except (OSError, TimeoutError, AmiLost, WireInvalid) as err:
                self.status.error = f"{getattr(err, 'code', type(err).__name__)}: {err}"
                if self.status.is_connected:
                    backoff.succeeded()
                pause = self._pauses.refused if isinstance(err, AmiRefused) else 0.0
                self._trouble.failed(err, connection=self._connection().name)
            finally:
                self._left()
            await self.tell()
            await sleep_unless_cancelled(max(pause, backoff.failed()))

    async def _listen(self) -> None:
        async with ami_link(self._address, ping_seconds=self._pauses.ping) as link:
            self._arrived(link)
            await self._resume()
            listing = asyncio.create_task(self._run_list(link), name="ami listing")
            try:
                await self.tell()
                async for message in link.messages():
                    self.status.heard_at = _now()
                    await self._take(message)
            finally:
                listing.cancel()

    async def _resume(self) -> None:
        self._legs, events = resumed(self._legs, _now(), self._connection())
        if events:
            self.status.events += len(events)
            await self.feeder.put(as_message(events, b"", _now()))

    async def _run_list(self, link: AmiLink) -> None:
        """Which channels live: at once, for what we missed; soon again, for calls of which something was heard just
        before; then now and then."""
        for pause in itertools.chain((self._pauses.second_list,), itertools.repeat(self._pauses.list)):
            link.send("CoreShowChannels", ActionID="channels")
            await asyncio.sleep(pause)
            if self.status.can_list is False:
                return

    def _left_out(self, err: WireInvalid) -> None:
        self.status.unreadable += 1
        log.warning("ami-event-unreadable", connection=self._connection().name, field=err.field)

    def _arrived(self, link: AmiLink) -> None:
        link.on_unreadable(self._left_out)
        status, now = self.status, _now()
        if status.heard_at is not None:
            absence = Absence(status.heard_at, now, self._away_reason)
            status.absences = [*status.absences, absence][-_ABSENCES_KEPT:]
            status.away_seconds += (now - status.heard_at).total_seconds()
            log.warning("ami-was-away", connection=self._connection().name, **absence.as_message())
        status.reconnects += status.connected_at is not None
        status.is_connected, status.connected_at, status.heard_at = True, now, now
        status.banner, status.error = link.banner, None
        self._trouble.recovered(connection=self._connection().name)
        log.info("ami-connected", connection=self._connection().name, asterisk=link.banner)

    def _left(self) -> None:
        if self.status.is_connected:
            self.status.is_connected = False
            self._away_reason = self.status.error or "stopped"

    async def _take(self, message: AmiMessage) -> None:
        if message.action_id == "channels" and message.response:
            self.status.can_list = message.response == "Success"
            if not self.status.can_list:
                log.warning(
                    "ami-cannot-list", connection=self._connection().name, message=message.get("Message")
                )
            return
        received_at = _now()
        if what := odd(message):
            self.status.odd += 1
            log.warning("ami-event-odd", connection=self._connection().name, why=what)
        try:
            self._legs, events = step(self._legs, message, received_at, self._connection())
        except WireInvalid as err:
            self._left_out(err)
            return
        except Exception:  # one message that we do not understand must not cost the others
            self.status.unreadable += 1
            log.exception("ami-event-failed", connection=self._connection().name, event_name=message.event)
            return
        if events:
            self.status.events += len(events)
            raw = "".join(f"{key}: {value}\r\n" for key, value in message).encode()
            spoilt = tuple(key for key, value in message if SPOILT in value)
            if message.get("Recording") and not any(event.recording for event in events):
                spoilt += ("Recording",)
            await self.feeder.put(as_message(events, raw, received_at, spoilt))

    async def _run_sweep(self) -> None:
        """Only while the link lives: without it, silence says nothing about a call."""
        while True:
            await sleep_unless_cancelled(_SWEEP_SECONDS)
            if not self.status.is_connected:
                continue
            now = _now()
            self._legs, events = sweep(self._legs, now)
            if events:
                self.status.events += len(events)
                await self.feeder.put(as_message(events, b"", now))

    async def _run_report(self) -> None:
        while True:
            await sleep_unless_cancelled(_REPORT_SECONDS)
            await self.tell()

    async def tell(self) -> None:
        """Store the status."""
        with contextlib.suppress(Exception):
            await self._report(self.figures())

    def figures(self) -> dict[str, Any]:
        """Return the status as JSON values."""
        status = self.status
        return {
            "connected": status.is_connected,
            "connected_at": status.connected_at.isoformat() if status.connected_at else None,
            "heard_at": status.heard_at.isoformat() if status.heard_at else None,
            "asterisk": status.banner,
            "address": f"{self._address.host}:{self._address.port}",
            "error": status.error,
            "events": status.events,
            "unreadable": status.unreadable,
            "odd": status.odd,
            "stored": self.feeder.stored,
            "refused": self.feeder.refused,
            "waiting": self.feeder.waiting,
            "live_calls": self.live_calls,
            "can_list": status.can_list,
            "hears_bridges": self._legs.hears_bridges,
            "reconnects": status.reconnects,
            "away_seconds": round(status.away_seconds, 1),
            "absences": [absence.as_message() for absence in status.absences],
        }


@dataclass(frozen=True, slots=True)
class AmiConnection:
    """The link that a connection with an AMI asks for."""

    address: AmiAddress
    purpose: str = "ami"
    pauses: AmiPauses = AmiPauses()

    def open(
        self, current: Callable[[], Connection], accept: Accept, report: Report, last: Mapping[str, Any]
    ) -> AmiListener:
        heard_at, hears_bridges = _heard_at(last), last.get("hears_bridges") is True
        return AmiListener(
            self.address,
            current,
            accept,
            report,
            heard_at=heard_at,
            hears_bridges=hears_bridges,
            pauses=self.pauses,
        )


def _heard_at(last: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(last["heard_at"])
    except (KeyError, TypeError, ValueError):
        return None
