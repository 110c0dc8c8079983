"""How this installation gets at CRMs: what one account's client is made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from crm.borrowed_budget import BorrowedBudget
from crm.budget import Budget
from crm.errors import CrmUnauthorised
from crm.guarded_budget import GuardedBudget
from crm.kinds import (
    CRM_KINDS,
    WRITE_SECONDS,
    Bearer,
    ConnectedCrm,
    PgTokenStore,
    Tokens,
    Transport,
    entity_url,
    exchange_code,
    is_same_place,
    moved_address,
    store_token,
)
from crm.lane import Lane
from crm.lending import Lending
from crm.store.cursors import forget_failures
from crm.store.metadata import account_of
from gateway.configuration import read_snapshot
from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.crm_accounts.same_crm import note_same_crm
from gateway.crm_accounts.secret_address import webhook_address
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.crm_accounts.webhooks import Grant
from routing.numbers.stored import stored_numbers
from routing.settings import NumberPolicy
from runtime.addresses import is_local
from runtime.database.lease import Lease
from runtime.lifecycle import KeptTasks, background

# Each holds a connection of the pool, which serves all accounts of the process.
_REFRESHES_AT_ONCE = 3

# For whom a process without a listener lends of its budget.
_LOOK_SECONDS = 0.25

# No answer is waited for any longer.
_REFRESH_SECONDS = WRITE_SECONDS


class GrantRefused(Exception):
    """The return of a grant names an address that the keys do not go to. why: names the page that says so."""

    def __init__(self, why: Literal["foreign-host", "another-account"], host: str) -> None:
        super().__init__(f"{why}: {host}")
        self.why, self.host = why, host


class OfferedKey:
    """A key that somebody offers, not stored yet. Stands where the stored ones do."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url, self._token = base_url, token

    async def access_token(self) -> str:
        return self._token

    def latest(self, token: str) -> str:
        return token

    async def renewed(self, refused: str) -> str:
        raise CrmUnauthorised("the CRM refuses this token")

    def accepted(self, token: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class OpenCrm:
    """One account's CRM and the authorisation that it is asked with."""

    crm: ConnectedCrm
    tokens: Tokens


class CrmAccess:
    """crm_hosts: what the operator named besides the vendor's own."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        exchanges: ExchangeLog | None = None,
        crm_hosts: Collection[str] = (),
    ) -> None:
        self._pool = pool
        self._crm_hosts = crm_hosts
        self._exchanges = exchanges
        self._session = session
        self._transport = Transport(session)
        self._refreshing = asyncio.Semaphore(_REFRESHES_AT_ONCE)
        self._refreshes = KeptTasks("refresh of a key")

    def open(self, account: Account, budget: Budget, policy: Callable[[], NumberPolicy]) -> OpenCrm:
        """Return the account's CRM. Whoever talks to one account at the same time must share the budget. policy: how its numbers
        are read now."""

        def on_exchange(exchange: object) -> None:
            if self._exchanges is not None:
                self._exchanges.append(account.id, account.crm_kind, exchange)  # type: ignore[arg-type]

        tokens = Tokens(
            account.id,
            account.base_url,
            PgTokenStore(self._pool, account.id, self._refreshing),
            self._transport,
            budget,
            on_exchange=on_exchange,
            refreshes=self._refreshes,
            crm_hosts=self._crm_hosts,
        )
        crm = CRM_KINDS[account.crm_kind](
            account.base_url,
            tokens,
            budget,
            self._session,
            transport=self._transport,
            same_number=same_number(policy),
            on_exchange=on_exchange,
        )
        return OpenCrm(crm, tokens)

    def open_with(self, account: Account, bearer: Bearer, budget: Budget) -> ConnectedCrm:
        """Return the account's CRM with an authorisation that is not stored, to try it."""
        return CRM_KINDS[account.crm_kind](
            account.base_url, bearer, budget, self._session, transport=self._transport
        )

    async def exchange_code(self, grant: Grant, code: str, host: str) -> None:
        """Store the pair that the code is good for, and switch the account on.

        host: where the CRM says that the granting account lives; the person's browser brought it, so it is not
        believed. Raises CrmError, GrantRefused, AnotherCrm, CrmTaken; nothing is stored then.
        """
        async with self._pool.acquire() as conn:
            account = await rows.account(conn, grant.account_id)
            is_known = await account_of(conn, grant.account_id) is not None
        granted_at = replace(account, base_url=self._granted_at(account, host, is_known=is_known))
        budget = BorrowedBudget(self._pool, account.id)
        async with budget.slot(Lane.REALTIME):
            token = await exchange_code(
                self._transport,
                granted_at.base_url,
                client_id=grant.client_id,
                client_secret=grant.client_secret,
                redirect_uri=grant.redirect_uri,
                code=code,
                now=lambda: datetime.now(UTC),
            )
        key = OfferedKey(granted_at.base_url, token.access_token)
        seen = await self.open_with(granted_at, key, budget).account(Lane.REALTIME)
        async with self._pool.acquire() as conn, conn.transaction():
            await note_same_crm(conn, account.id, seen)
            change = AuditChange(
                what="account",
                object=account.id,
                action="authorised",
                account_id=account.id,
                before={"url": account.base_url, "key": "set"},
                after={"url": granted_at.base_url, "key": "changed", "by": "OAuth"},
            )
            await record(conn, change)
            await store_token(conn, account.id, token, granted_at.base_url)
            await rows.set_account_state(conn, account.id, "on")
            await forget_failures(conn, account.id)

    def _granted_at(self, account: Account, host: str, *, is_known: bool) -> str:
        """Raise GrantRefused. is_known: the CRM told its number before, which is compared when it lets us in."""
        if not host:
            return account.base_url
        found = moved_address(account.base_url, host, self._crm_hosts)
        if found is None:
            raise GrantRefused("foreign-host", host)
        if not is_known and not is_same_place(found, account.base_url):
            raise GrantRefused("another-account", host)
        return found

    async def close(self) -> None:
        """Before the process ends: the CRM's answer to a refresh that is out is the only copy of the account's key."""
        await self._refreshes.ended(_REFRESH_SECONDS)

    @staticmethod
    def url_of(base_url: str, kind: str, id: str) -> str:
        return entity_url(base_url, kind, id)  # type: ignore[arg-type]


def webhook_of(public_url: str | None, account: Account) -> str | None:
    """Where the account's CRM tells us of changes; None where it cannot reach us."""
    if not public_url or is_local(urlsplit(public_url).hostname):
        return None
    return webhook_address(public_url, account)


def same_number(policy: Callable[[], NumberPolicy]) -> Callable[[str, str], bool]:
    """Do what the CRM stores (any spelling, a list, a note beside) hold this E.164 number?"""

    def same(stored: str, e164: str) -> bool:
        return e164 in stored_numbers(stored, policy()).numbers

    return same


@asynccontextmanager
async def crm_of(
    pool: asyncpg.Pool, account_id: str, lease: Lease, crm_hosts: Collection[str] = ()
) -> AsyncIterator[tuple[OpenCrm, NumberPolicy]]:
    """Yield the account's CRM for a process that holds its lease, and how its numbers are read."""
    snapshot = await read_snapshot(pool)
    account = snapshot.accounts[account_id]
    budget = GuardedBudget(lease, account.settings.requests_per_second)
    budget.took_over()
    policy = snapshot.policy_of(account_id)
    async with aiohttp.ClientSession() as session:
        access = CrmAccess(pool, session, crm_hosts=crm_hosts)
        try:
            opened = access.open(account, budget, lambda: policy)
            await budget.open_after(opened.crm.is_answering)
            lending = Lending(pool, account_id, budget, opened.crm.is_answering, _LOOK_SECONDS)
            async with background(lending.run()):
                yield opened, policy
        finally:
            await access.close()
