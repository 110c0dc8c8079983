"""One HTTP request to a PBX: its answers and failures as our own values."""

from __future__ import annotations

import aiohttp

from gateway.pbx.call_log import PbxAnswerInvalid, PbxRefused, PbxThrottled, PbxUnreachable
from runtime.exchange import shown
from runtime.vendors import http as vendor_http
from runtime.vendors.http import HttpAnswer, NoteExchange, Question, VendorSilent


async def ask(
    session: aiohttp.ClientSession, question: Question, on_exchange: NoteExchange | None = None
) -> tuple[int, bytes]:
    """(status, body), where the status is one of those expected.

    Raises PbxUnreachable, PbxThrottled, PbxRefused, PbxAnswerInvalid.
    """
    try:
        answer = await vendor_http.ask(session, question, lambda a: _judge(a, question.statuses), on_exchange)
    except VendorSilent as err:
        raise PbxUnreachable(f"no answer: {err}") from err
    return answer.status, answer.body


def _judge(answer: HttpAnswer, expected: frozenset[int]) -> None:
    status = answer.status
    if status in expected:
        return
    if status in (401, 403):
        raise PbxRefused(f"the PBX does not take our key (HTTP {status})")
    if status == 429:
        raise PbxThrottled("asked too often (HTTP 429)", answer.retry_after)
    if status in (408, 425) or status >= 500:
        raise PbxUnreachable(f"the PBX cannot answer now (HTTP {status})")
    raise PbxAnswerInvalid(f"unexpected HTTP {status}: {shown(answer.body[:200])}")
