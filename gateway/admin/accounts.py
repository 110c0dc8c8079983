"""Accounts as a person describes them, on the command line, by API or in a file."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonenumbers import SUPPORTED_REGIONS

from gateway.admin.input_words import SHORT_NAME
from gateway.admin.refused import InputRefused
from gateway.store.admin import accounts as rows
from routing.settings import AccountSettings
from runtime.database.pool import Conn

_LONGEST_NAME = 200


async def change_account(
    conn: Conn, account_id: str, *, name: str, time_zone: str, region: str
) -> rows.Account:
    """Raise InputRefused, NoSuchAccount; nothing is stored then."""
    refuse_bad_name(name)
    refuse_bad_places(time_zone, region)
    await rows.rename_account(conn, account_id, name=name, time_zone=time_zone, region=region)
    return await rows.account(conn, account_id)


async def save_settings(conn: Conn, account_id: str, settings: AccountSettings) -> None:
    """Raise InputRefused, NoSuchAccount; nothing is stored then."""
    refuse_bad_settings(settings)
    await rows.save_settings(conn, account_id, settings)


async def refuse_unknown_account(conn: Conn, account_id: str | None) -> None:
    """Raise InputRefused where something is to belong to an account that does not exist. None: it belongs to all."""
    if account_id is not None and account_id not in {a.id for a in await rows.accounts(conn)}:
        remedy = "name one of 'callmatrix account list', or none"
        raise InputRefused("account", f"there is no account '{account_id}'", remedy)


def refuse_bad_account(account_id: str) -> None:
    """Raise InputRefused where this cannot be an account's short name."""
    if not re.fullmatch(SHORT_NAME, account_id):
        remedy = "write up to 63 small letters, digits, - and _, with a letter or digit first"
        raise InputRefused("id", f"'{account_id}' is no short name of an account", remedy)


def refuse_bad_name(name: str) -> None:
    """Raise InputRefused where people could not call an account so."""
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise InputRefused("name", "the name is empty or too long", f"write 1 to {_LONGEST_NAME} characters")


def refuse_bad_places(time_zone: str, region: str) -> None:
    """Raise InputRefused for a time zone or country that does not exist."""
    if not is_time_zone(time_zone):
        remedy = "write its IANA name, e.g. Europe/Moscow"
        raise InputRefused("time_zone", f"there is no time zone '{time_zone}'", remedy)
    if region not in SUPPORTED_REGIONS:
        remedy = "write a country's two letters, e.g. RU"
        raise InputRefused("region", f"there is no country code '{region}'", remedy)


def refuse_bad_settings(settings: AccountSettings) -> None:
    """Raise InputRefused for settings with which nobody would ever be rung."""
    order = settings.lookup.priority
    if not order or len(set(order)) < len(order):
        remedy = "name lead, contact and deal in the order of the search, each at most once"
        raise InputRefused("lookup.priority", "the order of the search is empty or names one twice", remedy)


def is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
