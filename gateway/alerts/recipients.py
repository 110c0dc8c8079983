"""Who is told: the operators of the installation of everything, an account's own people of that account."""

from __future__ import annotations

from typing import NamedTuple

from gateway.settings import Settings
from gateway.store.admin.accounts import Account
from runtime.alerts.delivery import AlertChannel


class AlertRecipient(NamedTuple):
    channel: AlertChannel
    address: str


def recipients(settings: Settings, account: Account | None) -> list[AlertRecipient]:
    """Each once. account: None = of what is the installation's."""
    own = account.settings.alerts if account else None
    emails = (*settings.alert_emails, *(own.emails if own else ()))
    chats = (*settings.alert_telegram_chats, *(own.telegram_chats if own else ()))
    found = [AlertRecipient("email", address) for address in emails]
    return list(dict.fromkeys([*found, *(AlertRecipient("telegram", chat) for chat in chats)]))
