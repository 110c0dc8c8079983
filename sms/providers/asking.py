"""Requests to providers that speak HTTP: what no vendor's table says of an answer, or of none.

Every request has a connection of its own: on one that is kept, nobody could tell a request that was never read from one that
was carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

import aiohttp
import orjson

from runtime.vendors.http import HttpAnswer, NoteExchange, Question, VendorSilent, ask
from sms.errors import SmsError, SmsProviderRefused, SmsProviderUnreachable, SmsWireInvalid
from sms.model import SmsOutcome, SmsRefused, SmsUnknown
from sms.port import SmsConnection
from sms.reasons import SmsDoubt, SmsReason

ANSWER_SECONDS = 30
_FORM = "application/x-www-form-urlencoded"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRequest:
    """path: behind the API's base address; url: in place of both, of another place that the vendor has named; shown_path: in its place in the record of exchanges, where a secret stands in it. fields: of the form, or the query of a GET; secrets: those of the form that nobody
    may read. json: a body in place of the form. body: one that is written already."""

    path: str = field(default="", repr=False)
    url: str = field(default="", repr=False)
    shown_path: str = ""
    method: str = "POST"
    fields: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, object] | None = None
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class ProviderHttp:
    """The API of one connection. read: what the vendor says in an answer of HTTP 200 is judged by the vendor's folder."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        connection: SmsConnection,
        base: str,
        on_exchange: NoteExchange | None,
    ) -> None:
        self._session = session
        self._base = connection.text("base_url", base).rstrip("/")
        self._on_exchange = on_exchange
        self._seconds = float(connection.number("answer_seconds", ANSWER_SECONDS))

    async def send(
        self,
        request: ProviderRequest,
        read: Callable[[HttpAnswer], SmsOutcome],
        *,
        statuses: frozenset[int] = frozenset({200}),
    ) -> SmsOutcome:
        """Post once. statuses: of HTTP, in which the vendor's own words stand."""
        try:
            answer = await ask(self._session, self._question(request, "sms"), _anything, self._on_exchange)
        except VendorSilent as err:
            if err.was_sent:
                return SmsUnknown(why=SmsDoubt.NO_ANSWER, words=str(err))
            return SmsRefused(reason=SmsReason.NOT_REACHED, words=str(err))
        if answer.status not in statuses:
            return outcome_of_status(answer)
        try:
            return read(answer)
        except SmsWireInvalid as err:
            if answer.status != 200:
                return outcome_of_status(answer)
            return SmsUnknown(why=SmsDoubt.UNREADABLE_ANSWER, words=str(err))

    async def look(
        self,
        request: ProviderRequest,
        read: Callable[[bytes], _T],
        *,
        statuses: frozenset[int] = frozenset({200}),
    ) -> _T:
        """Ask something that changes nothing. Raises SmsError."""
        question = self._question(request, "sms-status")
        try:
            answer = await ask(self._session, question, lambda a: _judge(a, statuses), self._on_exchange)
        except VendorSilent as err:
            raise SmsProviderUnreachable(f"no answer: {err}") from err
        return read(answer.body)

    def _question(self, request: ProviderRequest, lane: str) -> Question:
        return question_of(self._base, request, lane=lane, seconds=self._seconds)


def question_of(base: str, request: ProviderRequest, *, lane: str, seconds: float) -> Question:
    """Return the request as it goes out, and what of it may be recorded."""
    url = request.url or f"{base}/{request.path}"
    shown_url = f"{base}/{request.shown_path}" if request.shown_path else ""
    headers = {"Accept": "application/json", "Connection": "close", **request.headers}
    if request.method == "GET":
        url = f"{url}?{urlencode(request.fields)}" if request.fields else url
        return Question(
            method="GET", url=url, shown_url=shown_url, headers=headers, lane=lane, seconds=seconds
        )
    form = {**request.secrets, **request.fields}
    body, kind = request.body or urlencode(form).encode(), _FORM
    shown = orjson.dumps(dict(request.fields))
    if request.json is not None:
        body = shown = orjson.dumps(request.json)
        kind = "application/json"
    return Question(
        method=request.method,
        url=url,
        shown_url=shown_url,
        headers={"Content-Type": kind, **headers},
        body=body,
        shown=shown,
        lane=lane,
        seconds=seconds,
    )


def outcome_of_status(answer: HttpAnswer) -> SmsOutcome:
    """Judge an answer in which the vendor says nothing of its own, or whose body is not its own."""
    said = f"HTTP {answer.status}"
    if answer.status in (429, 503):
        reason = SmsReason.THROTTLED if answer.status == 429 else SmsReason.PROVIDER_TROUBLE
        return SmsRefused(reason=reason, words=said, retry_after=answer.retry_after)
    if answer.status in (401, 403):
        return SmsRefused(reason=SmsReason.BAD_KEY, words=said)
    if answer.status >= 500 or answer.status < 300 or answer.status == 408:
        return SmsUnknown(why=SmsDoubt.SERVER_ERROR, words=said)
    return SmsRefused(reason=SmsReason.BAD_ADDRESS, words=said)


def _anything(answer: HttpAnswer) -> None:
    """Judge nothing: the outcome of a sending is a value, made outside."""


def _judge(answer: HttpAnswer, statuses: frozenset[int]) -> None:
    if answer.status in statuses:
        return
    if answer.status in (401, 403):
        raise SmsProviderRefused(f"the provider does not take our key (HTTP {answer.status})")
    if answer.status == 429 or answer.status >= 500:
        raise SmsProviderUnreachable(f"the provider cannot answer now (HTTP {answer.status})")
    raise SmsError(f"unexpected HTTP {answer.status}")
