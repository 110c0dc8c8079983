"""Connecting a CRM account: check the key, keep it, register the webhooks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import asyncpg

from crm.borrowed_budget import BorrowedBudget
from crm.errors import CrmBudgetTaken, CrmError
from crm.kinds import (
    ADDRESSES_IN_WORDS,
    NEW_ACCOUNTS_KIND,
    UntrustedAddress,
    consent_address,
    long_lived,
    store_long_lived_token,
    trusted_address,
)
from crm.lane import Lane
from crm.port import CrmAccount
from crm.store.cursors import forget_failures
from crm.store.metadata import connected_twice
from crm.sync.metadata import forbidden_to
from gateway.admin.accounts import refuse_bad_account, refuse_bad_places
from gateway.admin.input_words import refuse_bad_name, refuse_long
from gateway.admin.refused import InputRefused
from gateway.admin.switch_account import CrmInUse
from gateway.crm_accounts.access import CrmAccess, OfferedKey, webhook_of
from gateway.crm_accounts.same_crm import AnotherCrm, CrmTaken, note_same_crm
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditChange, current_actor, record
from gateway.store.crm_accounts.webhooks import Grant, begin_grant
from routing.settings import AccountSettings
from runtime.database.pool import Conn
from runtime.tokens import new_secret

_TIME_ZONE, _REGION = "Europe/Moscow", "RU"
LONGEST_SECRET, LONGEST_CLIENT_ID = 8192, 200


class ConnectingFailed(InputRefused):
    """The account could not be connected; nothing was stored."""

    code = "connecting-failed"


class KeyNotTried(ConnectingFailed):
    """The account's worker has no request to spare just now, so that the key could not be tried; nothing was stored."""

    code = "key-not-tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """Either long_lived_token, or client_id and client_secret of an OAuth integration. What is None stays as it is, or is the
    default of a new account. is_moved: its CRM is to be found at base_url from now on, where it was elsewhere before."""

    id: str
    name: str | None = None
    base_url: str | None = None
    time_zone: str | None = None
    region: str | None = None
    is_moved: bool = False
    long_lived_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


async def connect_account(
    pool: asyncpg.Pool, new: NewAccount, public_url: str | None, crm_hosts: Collection[str] = ()
) -> dict[str, Any]:
    """Connect an account; return what was done and what is left to do, `say`: in lines for a person. An account that exists is authorised anew; one
    that never was is told anew whole, so that the same order can be repeated with what was wrong put right.

    Raises InputRefused: nothing was stored.
    """
    refuse_bad_account(new.id)
    if new.name is not None:
        refuse_bad_name(new.name)
    refuse_bad_places(new.time_zone or _TIME_ZONE, new.region or _REGION)
    if new.base_url is not None:
        new = replace(new, base_url=trusted_crm_address(new.base_url, crm_hosts))
    if not new.long_lived_token and not (new.client_id and new.client_secret):
        raise ConnectingFailed(
            "token",
            "neither a long-lived token nor an OAuth integration was given",
            "pass --token, or --client-id and --client-secret",
        )
    _refuse_broken_keys(new)
    async with pool.acquire() as conn:
        account = await _account(conn, new)
    if new.long_lived_token:
        return await _with_token(pool, new, account, public_url)
    return await _with_oauth(pool, new, account, public_url)


def _refuse_broken_keys(new: NewAccount) -> None:
    """Raise InputRefused for what no header can carry: a key that was pasted with a line break, or with something of the page."""
    for field, key, longest in (
        ("token", new.long_lived_token, LONGEST_SECRET),
        ("client_id", new.client_id, LONGEST_CLIENT_ID),
        ("client_secret", new.client_secret, LONGEST_SECRET),
    ):
        refuse_long(field, key or "", longest)
        if key and not (key.isascii() and key.isprintable()):
            raise InputRefused(
                field,
                "it holds a line break or a character that no key has",
                "copy it from the CRM once more, whole and in one line",
            )


def trusted_crm_address(text: str, crm_hosts: Collection[str]) -> str:
    """Raise InputRefused where no key would be sent there. The text is not told again: a password may stand in it."""
    try:
        return trusted_address(text, crm_hosts)
    except UntrustedAddress as err:
        remedy = (
            f"give it as {ADDRESSES_IN_WORDS}; another host is named by the operator in CALLMATRIX_CRM_HOSTS"
        )
        raise InputRefused("url", f"this is no address of a CRM: {err}", remedy) from err


async def _account(conn: Conn, new: NewAccount) -> rows.Account:
    """As it will be; not stored yet where it is new."""
    known = {a.id: a for a in await rows.accounts(conn)}.get(new.id)
    if known is None:
        return _begun(new)
    if new.base_url in (None, known.base_url) or new.is_moved or not await rows.is_authorised(conn, new.id):
        return _told(new, known)
    raise ConnectingFailed(
        "url",
        f"account '{new.id}' is at {known.base_url}, not at {new.base_url}",
        "leave the address out to authorise it anew, give another name to connect another CRM, or, where this CRM has"
        f" moved, use 'callmatrix account edit {new.id} --url'",
    )


def _told(new: NewAccount, known: rows.Account) -> rows.Account:
    """Return the account as it is described now."""
    told = {n: getattr(new, n) for n in ("name", "base_url", "time_zone", "region")}
    return replace(known, **{n: value for n, value in told.items() if value is not None})


def _begun(new: NewAccount) -> rows.Account:
    if new.base_url is None:
        raise ConnectingFailed("url", "a new account needs the address of its CRM", "pass --url")
    return rows.Account(
        id=new.id,
        name=new.name or new.id,
        base_url=new.base_url,
        time_zone=new.time_zone or _TIME_ZONE,
        region=new.region or _REGION,
        crm_kind=NEW_ACCOUNTS_KIND,
        state="off",
        state_reason=rows.NOT_AUTHORISED,
        state_since=datetime.now(UTC),
        settings=AccountSettings(),
        webhook_secret=new_secret(),
        staff_version=0,
    )


async def _stored(conn: Conn, account: rows.Account, how: str) -> None:
    """how: it is authorised. Run it inside a transaction."""
    known = {a.id: a for a in await rows.accounts(conn, [account.id])}.get(account.id)
    change = AuditChange(
        what="account",
        object=account.id,
        action="connected" if known is None else "authorised",
        account_id=account.id,
        before=None if known is None else {**_described(known), "key": "set"},
        after={**_described(account), "key": "set" if known is None else "changed", "by": how},
    )
    await record(conn, change)
    if account.id in {a.id for a in await rows.accounts(conn)}:
        await rows.rename_account(
            conn, account.id, name=account.name, time_zone=account.time_zone, region=account.region
        )
        await rows.move_account(conn, account.id, account.base_url)
        return
    await rows.add_account(
        conn,
        account_id=account.id,
        name=account.name,
        base_url=account.base_url,
        time_zone=account.time_zone,
        region=account.region,
        settings=account.settings,
        webhook_secret=account.webhook_secret,
    )
    await rows.set_account_state(conn, account.id, "off", account.state_reason)


def _described(account: rows.Account) -> dict[str, str]:
    return {
        "name": account.name,
        "url": account.base_url,
        "time_zone": account.time_zone,
        "region": account.region,
    }


async def _with_token(
    pool: asyncpg.Pool, new: NewAccount, account: rows.Account, public_url: str | None
) -> dict[str, Any]:
    """Connect by a token, tried before anything is stored: a bad one leaves nothing and takes the place of nothing."""
    assert new.long_lived_token is not None
    token = long_lived(new.long_lived_token)
    async with aiohttp.ClientSession() as session:
        offered = OfferedKey(account.base_url, token.access_token)
        crm = CrmAccess(pool, session).open_with(account, offered, BorrowedBudget(pool, account.id))
        try:
            seen = await crm.account(Lane.REALTIME)
            forbidden = await forbidden_to(crm, Lane.REALTIME)
        except CrmBudgetTaken as err:
            raise KeyNotTried("token", f"it could not be tried: {err}", "repeat it then") from err
        except CrmError as err:
            raise ConnectingFailed(
                "token", f"the CRM does not let us in: {err}", "check address and token"
            ) from err
        async with pool.acquire() as conn, conn.transaction():
            await _stored(conn, account, "long-lived token")
            await _refuse_another_crm(conn, new.id, seen)
            await store_long_lived_token(conn, new.id, token.access_token, token.expires_at)
            await rows.set_account_state(conn, new.id, "on")
            await forget_failures(conn, new.id)
            twins = [
                n for names in await connected_twice(conn) if new.id in names for n in names if n != new.id
            ]
        webhook = await _register(crm, account, public_url)
    return {
        "account": new.id,
        "crm_account": seen.name,
        "webhook": webhook,
        "forbidden": list(forbidden),
        "say": [
            f"Account '{new.id}' is connected to «{seen.name}» ({account.base_url}).",
            *_limited(forbidden),
            *_twice(twins),
            webhook,
            "The worker loads its directory now; follow it with 'callmatrix sync'.",
            "Next: employees ('callmatrix config import') and a PBX ('callmatrix connection add').",
        ],
    }


async def _refuse_another_crm(conn: Conn, account_id: str, seen: CrmAccount) -> None:
    try:
        await note_same_crm(conn, account_id, seen)
    except CrmTaken as err:
        raise CrmInUse.of(err, "token") from err
    except AnotherCrm as err:
        remedy = "give a key of the same account of the CRM, or connect the other one under a name of its own"
        raise ConnectingFailed("token", str(err), remedy) from err


def _twice(twins: Sequence[str]) -> list[str]:
    """In lines for a person, none where nobody else is connected to it."""
    if not twins:
        return []
    names = ", ".join(f"'{name}'" for name in twins)
    return [
        f"This account of the CRM is connected as {names} already: each writes its calls, and they share its limit of requests.",
        "Keep one of them ('callmatrix account off' switches the other off).",
    ]


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
    destination = webhook_of(public_url, account)
    if not public_url or destination is None:
        why = f"{public_url} is this machine's own, which no CRM reaches" if public_url else "it is not set"
        return (
            f"Webhooks are not registered: CALLMATRIX_PUBLIC_URL must be an https address that the CRM reaches; {why}."
            " Changes in the CRM are noticed by polling, within half a minute."
        )
    try:
        await crm.register_webhook(destination, Lane.REALTIME)
    except CrmError as err:
        return (
            f"Webhooks could not be registered ({err}); changes are noticed by polling, within half a minute."
        )
    return f"Webhooks are registered to {public_url.rstrip('/')}/crm/{account.id}/webhooks/…"


async def _with_oauth(
    pool: asyncpg.Pool, new: NewAccount, account: rows.Account, public_url: str | None
) -> dict[str, Any]:
    """Return the account waits, switched off, for the person who returns from the CRM's page of consent."""
    if not public_url:
        raise ConnectingFailed(
            "client_id",
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
        session=current_actor().session,
    )
    async with pool.acquire() as conn, conn.transaction():
        await _stored(conn, account, "OAuth, not granted yet")
        state = await begin_grant(conn, grant)
    address = consent_address(
        client_id=new.client_id, state=state, base_url=account.base_url, redirect_uri=grant.redirect_uri
    )
    return {
        "account": new.id,
        "open": address,
        "say": [
            f"Open this address as an administrator of {account.base_url} and press «Разрешить», with 'callmatrix serve' running"
            " (valid for 30 minutes):",
            f"  {address}",
            f"The integration's redirect address must be exactly {grant.redirect_uri}",
        ],
    }
