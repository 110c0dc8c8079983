"""Accounts as a person describes them, on the command line, by API or in a file."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import SUPPORTED_REGIONS

from routing.settings import AccountSettings

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class AccountRefused(Exception):
    """What was ordered is not what an account can be. field: which part of it; remedy: what to write instead."""

    code = "invalid-input"

    def __init__(self, field: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.field, self.message, self.remedy = field, message, remedy


def refuse_bad_account(account_id: str) -> None:
    """Raise AccountRefused where this cannot be an account's short name."""
    if not _ID.fullmatch(account_id):
        remedy = "write up to 63 small letters, digits, - and _, with a letter or digit first"
        raise AccountRefused("account", f"'{account_id}' is no short name of an account", remedy)


def refuse_bad_places(time_zone: str, region: str) -> None:
    """Raise AccountRefused for a time zone or country that does not exist."""
    if not is_time_zone(time_zone):
        remedy = "write its IANA name, e.g. Europe/Moscow"
        raise AccountRefused("time_zone", f"there is no time zone '{time_zone}'", remedy)
    if region not in SUPPORTED_REGIONS:
        remedy = "write a country's two letters, e.g. RU"
        raise AccountRefused("region", f"there is no country code '{region}'", remedy)


def refuse_bad_settings(settings: AccountSettings) -> None:
    """Raise AccountRefused for settings with which nobody would ever be rung."""
    order = settings.lookup.priority
    if not order or len(set(order)) < len(order):
        remedy = "name lead, contact and deal in the order of the search, each at most once"
        raise AccountRefused("lookup.priority", "the order of the search is empty or names one twice", remedy)


def is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
