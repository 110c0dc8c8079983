"""One HTTP request to a PBX: answers and failures as our own values, and a redacted record of what was said."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from gateway.pbx.call_log import PbxAnswerInvalid, PbxRefused, PbxThrottled, PbxUnreachable
from runtime.exchange import Exchange, shown, shown_target

NoteExchange = Callable[[Exchange], None]

_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """url: encoded. shown: what of the body may be kept in the exchange log, never a key or signature."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    shown: bytes = b""
    lane: str = "reconciliation"
    seconds: float = 30.0
    statuses: frozenset[int] = frozenset({200})


async def ask(
    session: aiohttp.ClientSession, question: Question, on_exchange: NoteExchange | None = None
) -> tuple[int, bytes]:
    """(status, body), where the status is one of those expected.

    Raises PbxUnreachable, PbxThrottled, PbxRefused, PbxAnswerInvalid.
    """
    at, began = datetime.now(UTC), time.monotonic()
    status, body, error = None, b"", ""
    try:
        timeout = aiohttp.ClientTimeout(total=question.seconds, connect=min(question.seconds, 10))
        async with session.request(
            question.method,
            URL(question.url, encoded=True),
            headers=question.headers,
            data=question.body,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            status = response.status
            body = await _body(response)
            _judge(status, response.headers, body, question.statuses)
            return status, body
    except (aiohttp.ClientError, OSError, TimeoutError) as err:
        error = f"{type(err).__name__}: {err}"
        raise PbxUnreachable(f"no answer: {error}") from err
    except (PbxUnreachable, PbxThrottled, PbxRefused, PbxAnswerInvalid) as err:
        error = f"{err.code}: {err}"
        raise
    finally:
        if on_exchange is not None:
            took = int((time.monotonic() - began) * 1000)
            target = shown_target(URL(question.url, encoded=True).raw_path_qs)
            on_exchange(
                Exchange(
                    at=at,
                    method=question.method,
                    target=target,
                    status=status,
                    milliseconds=took,
                    lane=question.lane,
                    sent=shown(question.shown),
                    received=shown(body),
                    error=error,
                )
            )


async def _body(response: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for part in response.content.iter_chunked(65536):
        read += part
        if len(read) > _MOST_BYTES:
            raise PbxAnswerInvalid(f"the answer is longer than {_MOST_BYTES} bytes")
    return bytes(read)


def _judge(status: int, headers: Mapping[str, str], body: bytes, expected: frozenset[int]) -> None:
    if status in expected:
        return
    if status in (401, 403):
        raise PbxRefused(f"the PBX does not take our key (HTTP {status})")
    if status == 429:
        after = headers.get("Retry-After", "")
        raise PbxThrottled("asked too often (HTTP 429)", float(after) if after.isdigit() else None)
    if status in (408, 425) or status >= 500:
        raise PbxUnreachable(f"the PBX cannot answer now (HTTP {status})")
    raise PbxAnswerInvalid(f"unexpected HTTP {status}: {shown(body[:200])}")
