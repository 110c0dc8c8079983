"""The fourth step of `init`: an account of the CRM whose key was tried."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from gateway.admin.accounts import refuse_bad_account, refuse_bad_places, refuse_bad_region
from gateway.admin.connect_crm import NewAccount, connect_account, trusted_crm_address
from gateway.admin.refused import InputRefused
from gateway.cli.first_use.guide import FirstUse, InitOutcome
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account
from runtime.database.pool import Conn

_CONSENT_SECONDS = 600.0
_LOOK_SECONDS = 1.0
_ZONE, _REGION = "Europe/Moscow", "RU"
_KEYS = ("token", "client_id", "client_secret")
_ALL = ("account", "url", *_KEYS, "time_zone", "region")
_AGAIN = {
    "id": ("account",),
    "url": ("url", "account"),  # another CRM, or another name for this one
    "token": ("url", *_KEYS),
    "client_id": _KEYS,
    "time_zone": ("time_zone",),
    "region": ("region",),
}


def crm(guide: FirstUse) -> InitOutcome:
    talk, given = guide.talk, guide.answers
    if _find_account(guide):
        assert guide.account is not None
        _refuse_another(guide, guide.account)
        talk.say("crm.found", account=guide.account.id, url=guide.account.base_url)
        if given.token or given.client_secret:
            talk.say("crm.key-unused", account=guide.account.id)
        return "found"
    if not (given.url and (given.token or given.client_id)) and not talk.is_person:
        talk.say("crm.left")
        return "left"
    told = guide.until_right(lambda: _connect(guide), *_ALL, again=_AGAIN)
    if "open" in told:
        talk.say("crm.serve-first")
    talk.lines(told["say"][:-2] if "crm_account" in told else told["say"])
    if "open" in told and not _wait_for_consent(guide, told["account"]):
        talk.say("crm.consent-open")
        return "left"
    _find_account(guide, told["account"])
    return "done"


def _refuse_another(guide: FirstUse, there: Account) -> None:
    """Raise Failure where options tell of another CRM, zone or country than the account that is there has."""
    given = guide.answers
    url = trusted_crm_address(given.url, Settings().named_crm_hosts()) if given.url else None
    guide.refuse_other("--url", url, there.base_url, "crm", account=there.id)
    guide.refuse_other("--time-zone", given.time_zone, there.time_zone, "account", account=there.id)
    guide.refuse_other("--region", given.region, there.region, "account", account=there.id)


def _find_account(guide: FirstUse, named: str | None = None) -> bool:
    """See whether an account that lets us in is there: the one that was named, else the first."""
    wanted = named or guide.answers.account

    async def look(conn: Conn) -> Account | None:
        for account in await rows.accounts(conn):
            if wanted in (None, account.id) and await rows.is_authorised(conn, account.id):
                return account
        return None

    guide.account = guide.on_database(look)
    return guide.account is not None


def _connect(guide: FirstUse) -> dict[str, Any]:
    settings, new = Settings(), _new_account(guide)
    return guide.on_pool(
        lambda pool: connect_account(pool, new, settings.public_url, settings.named_crm_hosts())
    )


def _new_account(guide: FirstUse) -> NewAccount:
    """Ask for what is missing, each answer judged as it is given."""
    ask = guide.answer
    url = ask("url", "crm.ask-url", judge=_judge_url)
    account = ask("account", "crm.ask-account", default="main", judge=refuse_bad_account)
    if not guide.answers.client_id:
        ask("token", "crm.ask-token", is_secret=True)
    if not guide.answers.token:
        ask("client_id", "crm.ask-client-id", judge=partial(_refuse_empty, "client_id"))
        ask(
            "client_secret",
            "crm.ask-client-secret",
            judge=partial(_refuse_empty, "client_secret"),
            is_secret=True,
        )
    zone = ask(
        "time_zone", "crm.ask-zone", default=_ZONE, judge=lambda told: refuse_bad_places(told, _REGION)
    )
    return NewAccount(
        id=account,
        name=account,
        base_url=url,
        time_zone=zone,
        region=ask("region", "crm.ask-region", default=_REGION, judge=refuse_bad_region),
        long_lived_token=guide.answers.token,
        client_id=guide.answers.client_id,
        client_secret=guide.answers.client_secret,
    )


def _judge_url(told: str) -> None:
    """Raise InputRefused for what is no address of a CRM, our own public one too."""
    address, ours = trusted_crm_address(told, Settings().named_crm_hosts()), Settings().public_url
    if ours and urlsplit(ours).netloc == urlsplit(address).netloc:
        remedy = "write the address at which you open the CRM in the browser"
        raise InputRefused("url", "this is the public address of this gateway", remedy)


def _refuse_empty(field: str, told: str) -> None:
    if not told:
        remedy = (
            "copy it from the page of the integration in the CRM; Ctrl-C ends here, and begins again later"
        )
        raise InputRefused(field, "nothing was typed", remedy)


def _wait_for_consent(guide: FirstUse, account_id: str) -> bool:
    if not guide.talk.is_person:
        return False
    guide.talk.say("crm.wait-for-consent")

    async def wait(pool: asyncpg.Pool) -> bool:
        for _ in range(round(_CONSENT_SECONDS / _LOOK_SECONDS)):
            async with pool.acquire() as conn:
                if await rows.is_authorised(conn, account_id):
                    return True
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    return guide.on_pool(wait)
