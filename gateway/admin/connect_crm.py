"""Connecting a CRM account: check the key, keep it, register the webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from crm.amocrm.store import PgTokenStore
from crm.amocrm.tokens import long_lived
from crm.amocrm.wire_oauth import consent_address
from crm.budget import Budget
from crm.errors import CrmError, CrmUnauthorised
from crm.lane import Lane
from crm.sync.metadata import forbidden_to
from gateway.admin.accounts import refuse_bad_account, refuse_bad_places
from gateway.crm_accounts.access import CrmAccess
from gateway.store.admin import accounts as rows
from gateway.store.crm_accounts.webhooks import Grant, begin_grant
from runtime.addresses import is_local

_NEW = "not authorised yet"
_PER_SECOND = 1
"""Little enough beside a worker that serves the same account meanwhile."""


class ConnectingFailed(Exception):
    """The account could not be connected. remedy: what to do about it."""

    code = "connecting-failed"

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """Either long_lived_token, or client_id and client_secret of an OAuth integration."""

    id: str
    name: str
    base_url: str
    time_zone: str = "Europe/Moscow"
    region: str = "RU"
    long_lived_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class _Offered:
    """A key that somebody offers, not stored yet. Stands where the stored ones do."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url, self._token = base_url, token

    async def access_token(self) -> str:
        return self._token

    def latest(self, token: str) -> str:
        return token

    async def renewed(self, refused: str) -> str:
        raise CrmUnauthorised("the CRM refuses this token")


async def connect_account(pool: asyncpg.Pool, new: NewAccount, public_url: str | None) -> dict[str, Any]:
    """What was done and what is left to do, `say`: in lines for a person. An account that exists is authorised anew.

    Raises AccountRefused: nothing was stored. Raises ConnectingFailed: a new account that could not be authorised stays, switched off; of another nothing changes.
    """
    refuse_bad_account(new.id)
    refuse_bad_places(new.time_zone, new.region)
    if urlsplit(new.base_url).scheme not in ("http", "https") or not urlsplit(new.base_url).netloc:
        raise ConnectingFailed(f"'{new.base_url}' is no address", "give it as https://name.amocrm.ru")
    if not new.long_lived_token and not (new.client_id and new.client_secret):
        raise ConnectingFailed(
            "neither a long-lived token nor an OAuth integration was given",
            "pass --token, or --client-id and --client-secret",
        )
    async with pool.acquire() as conn:
        known = {a.id: a for a in await rows.accounts(conn)}
        if new.id not in known:
            await rows.add_account(
                conn,
                account_id=new.id,
                name=new.name,
                base_url=new.base_url,
                time_zone=new.time_zone,
                region=new.region,
            )
            await rows.set_account_state(conn, new.id, "off", _NEW)
        elif known[new.id].base_url != new.base_url.rstrip("/"):
            raise ConnectingFailed(
                f"account '{new.id}' is at {known[new.id].base_url}, not at {new.base_url}",
                "give its own address to authorise it anew, or another name to connect another CRM",
            )
    if new.long_lived_token:
        return await _with_token(pool, new, public_url)
    return await _with_oauth(pool, new, public_url)


async def _with_token(pool: asyncpg.Pool, new: NewAccount, public_url: str | None) -> dict[str, Any]:
    """Tried before it is stored: a bad one takes the place of nothing."""
    assert new.long_lived_token is not None
    async with pool.acquire() as conn:
        account = await rows.account(conn, new.id)
    async with aiohttp.ClientSession() as session:
        offered = _Offered(account.base_url, new.long_lived_token.strip())
        crm = CrmAccess(pool, session).open_with(account, offered, Budget(_PER_SECOND))
        try:
            seen = await crm.account(Lane.REALTIME)
            forbidden = await forbidden_to(crm, Lane.REALTIME)
            webhook = await _register(crm, account, public_url)
        except CrmError as err:
            if account.state == "off":
                async with pool.acquire() as conn:
                    await rows.set_account_state(conn, new.id, "off", f"not authorised: {err}")
            raise ConnectingFailed(f"the CRM does not let us in: {err}", "check address and token") from err
    await PgTokenStore(pool, new.id).save(long_lived(new.long_lived_token))
    async with pool.acquire() as conn:
        await rows.set_account_state(conn, new.id, "on")
    return {
        "account": new.id,
        "crm_account": seen.name,
        "webhook": webhook,
        "forbidden": list(forbidden),
        "say": [
            f"Account '{new.id}' is connected to «{seen.name}» ({new.base_url}).",
            *_limited(forbidden),
            webhook,
            "The worker loads its directory now; follow it with 'callmatrix sync'.",
            "Next: employees ('callmatrix config import') and a PBX ('callmatrix connection add').",
        ],
    }


def _limited(forbidden: Sequence[str]) -> list[str]:
    """In lines for a person, none for a key that sees everything."""
    if not forbidden:
        return []
    return [
        f"This key is not an administrator's: the CRM does not show it {', '.join(forbidden)}.",
        "Employees cannot be matched with users, and clients whom this user may not see stay unknown callers.",
        "Connect the account again with an administrator's key.",
    ]


async def _register(crm: Any, account: rows.Account, public_url: str | None) -> str:
    if not public_url or is_local(urlsplit(public_url).hostname):
        return (
            "Webhooks are not registered: CALLMATRIX_PUBLIC_URL is not set to an address that the CRM reaches. "
            "Changes in the CRM are noticed by polling, within half a minute."
        )
    destination = webhook_address(public_url, account)
    try:
        await crm.register_webhook(destination, Lane.REALTIME)
    except CrmError as err:
        return (
            f"Webhooks could not be registered ({err}); changes are noticed by polling, within half a minute."
        )
    return f"Webhooks are registered to {public_url.rstrip('/')}/crm/{account.id}/webhooks/…"


def webhook_address(public_url: str, account: rows.Account) -> str:
    """The secret is part of it: never log it."""
    return f"{public_url.rstrip('/')}/crm/{account.id}/webhooks/{account.webhook_secret}"


async def _with_oauth(pool: asyncpg.Pool, new: NewAccount, public_url: str | None) -> dict[str, Any]:
    if not public_url:
        raise ConnectingFailed(
            "OAuth needs an address that the CRM sends the person back to",
            "set CALLMATRIX_PUBLIC_URL and enter <that address>/crm/oauth as the integration's redirect address",
        )
    assert new.client_id is not None
    assert new.client_secret is not None
    grant = Grant(
        account_id=new.id,
        client_id=new.client_id,
        client_secret=new.client_secret,
        redirect_uri=f"{public_url.rstrip('/')}/crm/oauth",
    )
    async with pool.acquire() as conn:
        state = await begin_grant(conn, grant)
    address = consent_address(client_id=new.client_id, state=state)
    return {
        "account": new.id,
        "open": address,
        "say": [
            f"Open this address as an administrator of {new.base_url} and press «Разрешить» (valid for 30 minutes):",
            f"  {address}",
            f"The integration's redirect address must be exactly {grant.redirect_uri}",
        ],
    }
