"""One message to one person, and why it did not go out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

AlertChannel = Literal["email", "telegram"]

PATIENCE_SECONDS = 15.0
"""For each step of a delivery: connecting, logging in, handing over."""


_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,63}")


def is_email(text: str) -> bool:
    """Whether a mail server could take it as an address."""
    return _EMAIL.fullmatch(text) is not None


def is_telegram_chat(text: str) -> bool:
    """Whether it is the id of a chat, or the public name of a channel."""
    return _CHAT.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """id: the same at every attempt, so that a mail program shows a repeated message once. to: an e-mail address or the id
    of a Telegram chat."""

    id: str
    to: str
    subject: str
    text: str


class AlertSender(Protocol):
    """Sends by one channel."""

    async def send(self, message: AlertMessage) -> None:
        """Return once the server has taken it. Raises AlertNotSent."""


class AlertNotSent(Exception):
    """The message did not go out, for a reason that the server gave."""

    code = "alert-not-sent"

    def __init__(self, why: str, *, is_in_doubt: bool = False, retry_after: float | None = None) -> None:
        """Take the reason. is_in_doubt: the server may have taken it all the same. retry_after: seconds, None when not told."""
        super().__init__(why)
        self.is_in_doubt = is_in_doubt
        self.retry_after = retry_after


class AlertChannelUnset(AlertNotSent):
    """Nobody set up the channel that the message is to go by."""

    code = "alert-channel-unset"


class AlertHostUnknown(AlertNotSent):
    """No such name in the DNS."""

    code = "alert-host-unknown"


class AlertUnreachable(AlertNotSent):
    """The connection is refused, breaks, or nothing answers."""

    code = "alert-unreachable"


class AlertTlsRefused(AlertNotSent):
    """The server cannot speak TLS, or shows a certificate that nobody vouches for."""

    code = "alert-tls-refused"


class AlertLoginRefused(AlertNotSent):
    """The mail server does not take user and password, or Telegram does not know the bot's token."""

    code = "alert-login-refused"


class AlertInTheClear(AlertNotSent):
    """Password or token would travel without TLS to another machine: nothing was asked, and nobody has refused anything."""

    code = "alert-in-the-clear"


class AlertRecipientRefused(AlertNotSent):
    """There is no such mailbox or chat, or it does not take messages from us."""

    code = "alert-recipient-refused"


class AlertThrottled(AlertNotSent):
    """Too many messages at once."""

    code = "alert-throttled"
