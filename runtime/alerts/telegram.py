"""Telegram's Bot API: a bot that is asked by method, and alarms by `sendMessage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from runtime.addresses import is_local
from runtime.alerts.delivery import (
    PATIENCE_SECONDS,
    AlertInTheClear,
    AlertLoginRefused,
    AlertMessage,
    AlertNotSent,
    AlertRecipientRefused,
    AlertThrottled,
    AlertUnreachable,
)
from runtime.alerts.unreachable import unreachable

BOT_API = "https://api.telegram.org"
_LONGEST_TEXT = 4096  # characters of a message


class TelegramBot:
    """Speaks as one bot. token: stands in the address, which therefore is never told. api: where a Bot API server of one's own is used."""

    def __init__(self, session: aiohttp.ClientSession, token: str, api: str = BOT_API) -> None:
        self._session = session
        self._address = f"{api.rstrip('/')}/bot{token}"
        parts = urlsplit(api)
        self._where = f"{parts.hostname}:{parts.port or (80 if parts.scheme == 'http' else 443)}"
        self._is_plain = parts.scheme != "https" and not is_local(parts.hostname)

    async def ask(
        self, method: str, body: Mapping[str, Any], patience_seconds: float = PATIENCE_SECONDS
    ) -> Any:
        """Return its `result`. Raises AlertNotSent."""
        if self._is_plain:
            raise AlertInTheClear(f"the bot's token goes to {self._where} over TLS only")
        status, told = await self._exchange(method, body, patience_seconds)
        if told.get("ok") is not True:
            raise _refusal(status, told, self._where)
        return told.get("result")

    async def _exchange(
        self, method: str, body: Mapping[str, Any], patience_seconds: float
    ) -> tuple[int, Mapping[str, Any]]:
        patience = aiohttp.ClientTimeout(total=patience_seconds)
        try:
            async with self._session.post(
                f"{self._address}/{method}", json=body, timeout=patience, allow_redirects=False
            ) as response:
                return response.status, await _answer(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as err:
            raise unreachable(self._where, err) from None  # the error's request knows the address
        except (aiohttp.InvalidURL, ValueError):
            raise AlertLoginRefused("the bot's token or the API's address cannot stand in a URL") from None
        except (aiohttp.ClientError, OSError) as err:
            why = f"{self._where} broke the connection off ({type(err).__name__})"
            raise AlertUnreachable(why, is_in_doubt=True) from None


class TelegramSender:
    """Sends alarms as one bot."""

    def __init__(self, session: aiohttp.ClientSession, token: str, api: str = BOT_API) -> None:
        self._bot = TelegramBot(session, token, api)

    async def send(self, message: AlertMessage) -> None:
        await self._bot.ask(
            "sendMessage",
            {
                "chat_id": message.to,
                "text": f"{message.subject}\n\n{message.text}"[:_LONGEST_TEXT],
                "link_preview_options": {"is_disabled": True},
            },
        )


async def _answer(response: aiohttp.ClientResponse) -> Mapping[str, Any]:
    """Return what was said, {} where that is no JSON object: of a proxy in between."""
    try:
        told = orjson.loads(await response.read())
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _refusal(status: int, told: Mapping[str, Any], where: str) -> AlertNotSent:
    why = f"{where}: {status} {told.get('description', '')}".strip()
    if status in (401, 404):  # 404: a token that is not even of the form of one
        return AlertLoginRefused(why)
    if status == 429:
        parameters = told.get("parameters")
        seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
        return AlertThrottled(why, retry_after=float(seconds) if isinstance(seconds, int | float) else None)
    if status in (400, 403):
        return AlertRecipientRefused(why)
    return AlertUnreachable(why, is_in_doubt=status >= 500)
