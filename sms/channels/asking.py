"""Requests to messengers that speak HTTP: what no vendor's table says of an answer, or of none."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import aiohttp

from runtime.vendors.http import MOST_BYTES, AnswerTooLong, HttpAnswer, NoteExchange, VendorSilent, ask
from sms.channels.errors import ChannelTrouble, FileUnavailable
from sms.channels.reasons import ChannelReason, ChannelState, FileReason, MessageDoubt
from sms.channels.sending import MessageRefused, MessageThrottled, MessageUnknown, SendOutcome
from sms.errors import SmsWireInvalid
from sms.port import VendorConnection
from sms.providers.asking import ANSWER_SECONDS, ProviderRequest, question_of

THROTTLED_SECONDS = 1.0
"""To wait where a vendor says "too many" and not for how long."""
_GOOD = frozenset({200})
_T = TypeVar("_T")


class ChannelHttp:
    """The API of one channel. read: what the vendor says in an answer of the wanted statuses is judged by the vendor's folder.

    note: takes each exchange as it may be kept; an adapter with a secret in its paths wraps it and takes the secret out. tls: whom to
    trust, None = whom the system trusts.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        channel: VendorConnection,
        base: str,
        note: NoteExchange | None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._session = session
        self._tls = tls
        self._base = channel.text("base_url", base).rstrip("/")
        self._note = note
        self._seconds = float(channel.number("answer_seconds", ANSWER_SECONDS))

    async def send(
        self,
        request: ProviderRequest,
        read: Callable[[HttpAnswer], SendOutcome],
        *,
        statuses: frozenset[int] = _GOOD,
    ) -> SendOutcome:
        """Post once. statuses: of HTTP, in which the vendor's own words stand."""
        question = question_of(self._base, request, lane="message", seconds=self._seconds)
        try:
            answer = await ask(self._session, replace(question, tls=self._tls), _anything, self._note)
        except VendorSilent as err:
            if err.was_sent:
                return MessageUnknown(why=MessageDoubt.NO_ANSWER, words=str(err))
            return MessageRefused(reason=ChannelReason.NOT_REACHED, words=str(err))
        if answer.status not in statuses:
            return send_outcome_of_status(answer)
        try:
            return read(answer)
        except SmsWireInvalid as err:
            if answer.status != 200:
                return send_outcome_of_status(answer)
            return MessageUnknown(why=MessageDoubt.UNREADABLE_ANSWER, words=str(err))

    async def look(
        self,
        request: ProviderRequest,
        read: Callable[[bytes], _T],
        *,
        statuses: frozenset[int] = _GOOD,
        seconds: float | None = None,
        lane: str = "message-status",
        most_bytes: int = MOST_BYTES,
    ) -> _T:
        """Ask something that changes nothing. seconds: to wait for, None = the channel's. most_bytes: of the answer;
        FileUnavailable where it is longer. Raises SmsError."""
        question = question_of(self._base, request, lane=lane, seconds=seconds or self._seconds)
        try:
            question = replace(question, most_bytes=most_bytes, tls=self._tls)
            answer = await ask(self._session, question, lambda a: _judge_look(a, statuses), self._note)
        except AnswerTooLong as err:
            raise FileUnavailable(FileReason.TOO_LARGE, str(err)) from err
        except VendorSilent as err:
            raise ChannelTrouble(f"no answer: {err}") from err
        return read(answer.body)


def send_outcome_of_status(answer: HttpAnswer) -> SendOutcome:
    """Judge an answer in which the vendor says nothing of its own, or whose body is not its own."""
    said = f"HTTP {answer.status}"
    if answer.status == 429:
        return MessageThrottled(retry_after=answer.retry_after or THROTTLED_SECONDS, words=said)
    if answer.status == 503:
        return MessageRefused(reason=ChannelReason.VENDOR_TROUBLE, words=said)
    if answer.status in (401, 403):
        return MessageRefused(reason=ChannelReason.BAD_KEY, words=said)
    if answer.status >= 500 or answer.status < 300 or answer.status == 408:
        return MessageUnknown(why=MessageDoubt.SERVER_ERROR, words=said)
    return MessageRefused(reason=ChannelReason.BAD_ADDRESS, words=said)


def _anything(answer: HttpAnswer) -> None:
    """Judge nothing: the outcome of a sending is a value, made outside."""


def _judge_look(answer: HttpAnswer, statuses: frozenset[int]) -> None:
    if answer.status in statuses:
        return
    said = f"HTTP {answer.status}"
    if answer.status in (401, 403):
        raise ChannelTrouble(f"the messenger does not take our key ({said})", state=ChannelState.UNAUTHORISED)
    if answer.status == 409:
        raise ChannelTrouble(f"somebody else reads this channel ({said})", state=ChannelState.CONFLICT)
    raise ChannelTrouble(f"the messenger cannot answer now ({said})", retry_after=answer.retry_after)
