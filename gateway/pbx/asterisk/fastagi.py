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
from gateway.pbx.capabilities import AskLookup
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from runtime.metrics import Sample

log = structlog.get_logger(__name__)

_MOST_BYTES = 64 * 1024
_MOST_AT_ONCE = 1000


class FastAgi:
    """connections: those of the installation by name, asked at each call. deadline_seconds: from connect to close."""

    def __init__(
        self,
        connections: Callable[[], Mapping[str, Connection]],
        ask: AskLookup,
        *,
        deadline_seconds: float = 0.5,
    ) -> None:
        self._connections = connections
        self._ask = ask
        self._deadline = deadline_seconds
        self._open = 0
        self.answered = 0
        self.refused = 0
        self.late = 0

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
        self._open += 1
        try:
            if self._open <= _MOST_AT_ONCE:
                async with asyncio.timeout(self._deadline):
                    await self._answer(reader, writer)
        except TimeoutError:
            self.late += 1
            log.warning("fastagi-late", seconds=self._deadline)
            writer.transport.abort()  # what Asterisk does not read any more must not keep the socket open
        except (WireInvalid, ValueError) as err:
            self.refused += 1
            log.info("fastagi-unreadable", error=str(err))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the caller left
        finally:
            self._open -= 1
            with contextlib.suppress(OSError):
                writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = parse_request((await reader.readuntil(b"\n\n"))[:-2])
        except asyncio.LimitOverrunError as err:
            raise WireInvalid("request", f"is longer than {_MOST_BYTES} bytes") from err
        variables = self._variables(request)
        if variables is None:
            self.refused += 1
            return
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
            log.warning("fastagi-forbidden", connection=connection.name if connection else None)
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
