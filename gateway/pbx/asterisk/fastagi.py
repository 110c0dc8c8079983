"""FastAGI: `AGI(agi://host:4573/lookup?connection=<name>&token=<secret>,<dialled number>)` asks whose client is calling.

Sets CALLMATRIX_TARGET (empty: carry on with your scheme), CALLMATRIX_OUTCOME and CALLMATRIX_REASON and closes, which
lets the dialplan go on. Asterisk waits for us without a limit of its own, so every connection ends by the deadline,
answered or not; a variable that was not set reads as empty.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping

import structlog

from gateway.pbx import dialects
from gateway.pbx.asterisk.agi import AgiRequest, parse_reply, parse_request, set_variable
from gateway.pbx.capabilities import AskLookup, TellRefused
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from runtime.doors.admissions import Admissions
from runtime.doors.descriptors import most_connections
from runtime.doors.seldom import SeldomTold
from runtime.metrics import Sample

log = structlog.get_logger(__name__)

_MOST_BYTES = 64 * 1024
_MOST_AT_ONCE = 1000
_SHARE = 0.25  # of the descriptors that are left for doors


class _Caller:
    """One connection, which may be sent away for a newcomer until it has shown its secret."""

    is_known = False
    asked_at = 0.0

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        self._writer = writer
        self.address: str = peer[0] if isinstance(peer, tuple) else ""
        self.is_waiting = True

    def send_away(self) -> None:
        self._writer.transport.abort()


class FastAgi:
    """connections: those of the installation by name, asked at each call. deadline_seconds: from connect to close. most: callers at once."""

    def __init__(
        self,
        connections: Callable[[], Mapping[str, Connection]],
        ask: AskLookup,
        tell_refused: TellRefused = lambda _address, _connection: None,
        *,
        deadline_seconds: float = 0.5,
        most: int = _MOST_AT_ONCE,
    ) -> None:
        self._connections = connections
        self._ask, self._tell_refused = ask, tell_refused
        self._deadline = deadline_seconds
        self._admissions = Admissions(most_connections(most, _SHARE), most)
        self.answered = 0
        self.refused = 0
        self.late = 0
        self._told_late = SeldomTold("fastagi-late")
        self._told_unreadable = SeldomTold("fastagi-unreadable")
        self._told_forbidden = SeldomTold("fastagi-forbidden")

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Listen from now on."""
        return await asyncio.start_server(self._handle, host, port, limit=_MOST_BYTES, backlog=1024)

    async def run(self, host: str, port: int, started: Callable[[int], None] | None = None) -> None:
        """Until cancelled. started: told the port that is listened on."""
        server = await self.serve(host, port)
        listening_on = server.sockets[0].getsockname()[1]
        log.info("fastagi-listens", host=host, port=listening_on)
        if started is not None:
            started(listening_on)
        async with server:
            await server.serve_forever()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = _Caller(writer)
        try:
            if self._admissions.admit(caller):
                async with asyncio.timeout(self._deadline):
                    await self._answer(reader, writer, caller)
        except TimeoutError:
            self.late += 1
            self._told_late.note(caller.address, seconds=self._deadline)
            writer.transport.abort()  # what Asterisk does not read any more must not keep the socket open
        except (WireInvalid, ValueError) as err:
            self.refused += 1
            self._told_unreadable.note(caller.address, error=str(err))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the caller left
        finally:
            self._admissions.release(caller)
            with contextlib.suppress(OSError):
                writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caller: _Caller
    ) -> None:
        try:
            request = parse_request((await reader.readuntil(b"\n\n"))[:-2])
        except asyncio.LimitOverrunError as err:
            raise WireInvalid("request", f"is longer than {_MOST_BYTES} bytes") from err
        variables = self._variables(request)
        if variables is None:
            self.refused += 1
            self._told_forbidden.note(caller.address)
            named = request.query.get("connection", "")
            self._tell_refused(caller.address, named if named in self._connections() else "")
            return
        caller.is_waiting = False
        # The target last: who sees it sees the others too.
        writer.write(b"".join(set_variable(name, value) for name, value in variables))
        await writer.drain()
        for _ in variables:
            if parse_reply(await reader.readline()).is_gone:
                return
        self.answered += 1

    def _variables(self, request: AgiRequest) -> list[tuple[str, str]] | None:
        """None: the request bears no valid secret of a connection."""
        connection = self._connections().get(request.query.get("connection", ""))
        token = request.query.get("token", "")
        if (
            connection is None
            or not connection.is_on
            or connection.kind != "asterisk"
            or not connection.knows(token)
        ):
            return None
        if request.path != "lookup":
            raise WireInvalid("path", "must be lookup")
        answer = self._ask(connection, request.question())
        targets = [target for target in answer.get("targets") or () if target.get("address")]
        return [
            ("CALLMATRIX_OUTCOME", str(answer["outcome"])),
            ("CALLMATRIX_REASON", str(answer["reason"])),
            ("CALLMATRIX_TARGET", dialects.address(targets[0], connection) if targets else ""),
        ]

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "counter", "fastagi_answered", "FastAGI questions answered", {}, self.answered
        yield (
            "counter",
            "fastagi_refused",
            "FastAGI questions without a secret or unreadable",
            {},
            self.refused,
        )
        yield "counter", "fastagi_late", "FastAGI questions let go at the deadline", {}, self.late
