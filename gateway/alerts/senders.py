"""The channels as the settings of the process have them."""

from __future__ import annotations

import socket

import aiohttp

from gateway.settings import Settings
from runtime.alerts.delivery import AlertChannel, AlertChannelUnset, AlertMessage, AlertSender
from runtime.alerts.mail import MailSender, MailServer
from runtime.alerts.telegram import TelegramBot, TelegramSender
from runtime.tokens import hash_of


class AlertSenders:
    """Sends by the channel that a message goes by."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._by_channel: dict[AlertChannel, AlertSender] = {}
        if settings.smtp_host:
            self._by_channel["email"] = MailSender(_mail_server(settings, settings.smtp_host))
        if settings.telegram_token:
            token = settings.telegram_token.get_secret_value()
            self._by_channel["telegram"] = TelegramSender(session, token, settings.telegram_api)

    async def send(self, channel: AlertChannel, message: AlertMessage) -> None:
        """Raise AlertNotSent."""
        sender = self._by_channel.get(channel)
        if sender is None:
            raise AlertChannelUnset(f"{channel} is not set up")
        await sender.send(message)


def telegram_bot(settings: Settings, session: aiohttp.ClientSession) -> tuple[TelegramBot | None, str]:
    """Return the bot with a name that tells no secret; None where none is set up."""
    if not settings.telegram_token:
        return None, ""
    token = settings.telegram_token.get_secret_value()
    return TelegramBot(session, token, settings.telegram_api), hash_of(token)


def _mail_server(settings: Settings, host: str) -> MailServer:
    password = settings.smtp_password
    return MailServer(
        host=host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=password.get_secret_value() if password else None,
        sender=settings.smtp_from or _user_as_sender(settings.smtp_user),
        ca_file=settings.smtp_ca_file,
    )


def _user_as_sender(user: str | None) -> str:
    return user if user and "@" in user else f"callmatrix@{socket.gethostname()}"
