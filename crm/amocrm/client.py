"""One account's requests: paid from the budget, authorised, tried again where that is safe, stopped by the circuit.

A read is tried again after 429, 5xx, a reset and a hang. A write is tried again only where nothing was carried out:
after 429 and when no connection could be made. Everything else about a write is for the writer to decide.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from crm.amocrm.fields import Node
from crm.amocrm.transport import Transport
from crm.amocrm.wire import Reply, Request, error_of, read_answer
from crm.budget import Budget, Slot
from crm.errors import CrmBlocked, CrmError, CrmMoved, CrmThrottled, CrmUnauthorised, CrmUnavailable
from crm.lane import Lane
from runtime.backoff import grown_pause
from runtime.circuit_breaker import CircuitBreaker, Permit
from runtime.exchange import Exchange, shown, shown_target

ATTEMPTS = 4
FIRST_WAIT_SECONDS = 0.5
LONGEST_PATIENCE_SECONDS = 60.0
LONGEST_STALL_SECONDS = 600.0
"""After which requests that were given up count no more, though the CRM's host answers nothing at all."""
_ASKED_AFTER_SECONDS = 0.05
_ASKED_AGAIN_SECONDS = 0.5

OnExchange = Callable[[Exchange], None]


class Bearer(Protocol):
    """Where the client's authorisation comes from."""

    @property
    def base_url(self) -> str:
        """Scheme, host and path of the account, which may change when the account moves."""
        ...

    async def access_token(self) -> str:
        """For the next request. Raises CrmUnauthorised when somebody has to reconnect the account."""
        ...

    def latest(self, token: str) -> str:
        """Return what has taken this token's place by now, itself when nothing has. For requests that waited in the queue."""
        ...

    async def renewed(self, refused: str) -> str:
        """Another token after the CRM refused this one with 401. Raises CrmUnauthorised when there is none."""
        ...

    def accepted(self, token: str) -> None:
        """Hear that the CRM has let this token in."""
        ...


class AmoClient:
    """on_exchange: told every exchange, secrets removed; it must not block. sleep: for waits between attempts."""

    def __init__(
        self,
        transport: Transport,
        tokens: Bearer,
        budget: Budget,
        *,
        circuit: CircuitBreaker | None = None,
        on_exchange: OnExchange | None = None,
        attempts: int = ATTEMPTS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        self.circuit = circuit or CircuitBreaker(clock=clock)
        self.budget = budget
        self.moved_to: str | None = None  # where the account says that it is now
        self.silent_since: datetime | None = None  # when the first of what got no answer was asked
        self._transport, self._tokens = transport, tokens
        self._on_exchange = on_exchange
        self._attempts = attempts
        self._clock, self._sleep, self._random = clock, sleep, random
        self._asking: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        return self._tokens.base_url

    @property
    def clock_offset_seconds(self) -> float | None:
        return self._transport.clock_offset(self.base_url)

    async def ask(self, request: Request, lane: Lane) -> Node | None:
        """Return what a good answer carries, None where it has no body. Raises CrmError."""
        return read_answer(request, await self.reply_to(request, lane))

    async def reply_to(self, request: Request, lane: Lane) -> Reply:
        """Return the answer as it came, an error of the caller's own (400, 404, 422 …) included. Raises other CrmErrors."""
        failures = renewals = 0
        token: str | None = None
        while True:
            try:
                token = token or await self._tokens.access_token()
                reply = await self._attempt(request, lane, token)
                self._tokens.accepted(token)
                return reply
            except CrmUnauthorised:
                if token is None or renewals:  # once: a token just given out and refused will not get better
                    raise
                renewals += 1
                token = await self._tokens.renewed(token)
            except (CrmThrottled, CrmUnavailable) as err:
                failures += 1
                is_lasting = isinstance(err, CrmMoved) or self.circuit.state.name != "closed"
                if failures >= self._attempts or is_lasting:
                    raise
                await self._wait(err, failures)

    async def _wait(self, err: CrmError, failures: int) -> None:
        if isinstance(err, CrmThrottled):
            # The budget is paused and makes us wait by itself; only a pause that is too long ends the attempt.
            if self.budget.use().paused_seconds > LONGEST_PATIENCE_SECONDS:
                raise err
            return
        await self._sleep(
            grown_pause(failures, FIRST_WAIT_SECONDS, LONGEST_PATIENCE_SECONDS) * (1.0 + self._random())
        )

    async def _attempt(self, request: Request, lane: Lane, token: str) -> Reply:
        async with self.budget.slot(lane) as slot:
            token = self._tokens.latest(token)
            permit = self.circuit.permit()
            if permit is None:
                slot.unused()
                raise CrmBlocked(f"the account's API is closed to us: {self.circuit.state.reason}")
            try:
                reply = await self._answered(request, lane, token, slot)
                self._judge(request, reply, slot, permit)
                return reply
            finally:
                self.circuit.undecided(permit)

    async def _answered(self, request: Request, lane: Lane, token: str, slot: Slot) -> Reply:
        """Exchange it. What is given up without an answer, by whomever, may be in the hands of a CRM that stands still."""
        try:
            return await self._exchange(request, lane, token)
        except BaseException as err:
            if not isinstance(err, CrmUnavailable) or err.was_sent:
                slot.lost()
                # Later, so that nothing is begun by a process that ends.
                asyncio.get_running_loop().call_later(_ASKED_AFTER_SECONDS, self._ask_whether_it_answers)
            raise

    def _ask_whether_it_answers(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._until_it_answers())

    async def _until_it_answers(self) -> None:
        """Ask what no limit counts until the CRM answers it; then nothing of ours is in its hands that was sent before."""
        ends = self._clock() + LONGEST_STALL_SECONDS
        try:
            while True:
                if await self._transport.is_answering(self.base_url) or self._clock() >= ends:
                    break
                await asyncio.sleep(_ASKED_AGAIN_SECONDS)
        except RuntimeError:  # the session was closed: nobody asks any more
            return
        self.budget.answering()

    def _judge(self, request: Request, reply: Reply, slot: Slot, permit: Permit) -> None:
        """Tell budget and circuit; raise what is not the caller's own doing."""
        err = _trouble(request, reply)
        if isinstance(err, CrmThrottled):
            slot.throttled(err.retry_after)
            raise err
        slot.on_success()
        self.moved_to = err.address if isinstance(err, CrmMoved) else None
        if isinstance(err, CrmBlocked):
            self.circuit.refused(permit, str(err))
            raise err
        if reply.status < 500:
            self.circuit.passed(permit)
        if err is not None:
            raise err

    async def _exchange(self, request: Request, lane: Lane, token: str) -> Reply:
        started, at = self._clock(), datetime.now(UTC)
        reply: Reply | None = None
        error = ""
        try:
            headers = {"Authorization": f"Bearer {token}"}
            reply = await self._transport.exchange(self._tokens.base_url, request, headers)
            return reply
        except CrmError as err:
            error = str(err)
            raise
        finally:
            self._heard(reply, at)
            if self._on_exchange is not None:
                took = int((self._clock() - started) * 1000)
                self._on_exchange(exchange_record(request, reply, at=at, took=took, lane=lane, error=error))

    def _heard(self, reply: Reply | None, asked_at: datetime) -> None:
        """Note since when there was no answer: none at all, or that the CRM itself has failed."""
        if reply is not None and reply.status < 500:
            self.silent_since = None
        elif self.silent_since is None:
            self.silent_since = asked_at


def exchange_record(
    request: Request, reply: Reply | None, *, at: datetime, took: int, lane: Lane, error: str
) -> Exchange:
    """Return the exchange as it may be kept. took: milliseconds."""
    return Exchange(
        at=at,
        method=request.method,
        target=shown_target(request.target),
        status=reply.status if reply else None,
        milliseconds=took,
        lane=lane.name.lower(),
        sent=shown(request.content()),
        received=shown(reply.body) if reply else "",
        error=shown_target(error),
        request_id=reply.request_id if reply else "",
    )


def _trouble(request: Request, reply: Reply) -> CrmError | None:
    """Return the error of an answer that concerns the connection and not this request's content."""
    if 200 <= reply.status < 300:
        try:
            read_answer(request, reply)
        except CrmError as err:
            return err
        return None
    trouble = error_of(request, reply)
    return None if trouble.code in ("crm-refused", "crm-not-found", "crm-forbidden") else trouble
