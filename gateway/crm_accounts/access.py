"""How this installation gets at CRMs: the visible table of CRM kinds, and what one account's client is made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from crm.amocrm.adapter import AmoCrm, entity_url
from crm.amocrm.client import Bearer
from crm.amocrm.store import PgTokenStore
from crm.amocrm.tokens import Tokens, exchange_code
from crm.amocrm.transport import WRITE_SECONDS, Transport
from crm.budget import Budget
from crm.guarded_budget import GuardedBudget
from gateway.configuration import read_snapshot
from gateway.crm_accounts.exchange_log import ExchangeLog
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.crm_accounts.webhooks import Grant
from routing.numbers.stored import stored_numbers
from routing.settings import NumberPolicy
from runtime.addresses import is_local
from runtime.database.lease import Lease
from runtime.lifecycle import KeptTasks

# The account may live at another address than the one that was typed; the key goes to the vendor's hosts only.
_VENDOR_HOSTS = (".amocrm.ru", ".amocrm.com", ".kommo.com")

# Each holds a connection of the pool, which serves all accounts of the process.
_REFRESHES_AT_ONCE = 3

# No answer is waited for any longer (crm/amocrm/transport.py).
_REFRESH_SECONDS = WRITE_SECONDS

KINDS: dict[str, Callable[..., AmoCrm]] = {"amocrm": AmoCrm}


@dataclass(frozen=True, slots=True)
class OpenCrm:
    """One account's CRM and the authorisation that it is asked with."""

    crm: AmoCrm
    tokens: Tokens


class CrmAccess:
    def __init__(
        self, pool: asyncpg.Pool, session: aiohttp.ClientSession, exchanges: ExchangeLog | None = None
    ) -> None:
        self._pool = pool
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
        )
        crm = KINDS[account.crm_kind](
            account.base_url,
            tokens,
            budget,
            self._session,
            transport=self._transport,
            same_number=same_number(policy),
            on_exchange=on_exchange,
        )
        return OpenCrm(crm, tokens)

    def open_with(self, account: Account, bearer: Bearer, budget: Budget) -> AmoCrm:
        """Return the account's CRM with an authorisation that is not stored, to try it."""
        return KINDS[account.crm_kind](
            account.base_url, bearer, budget, self._session, transport=self._transport
        )

    async def exchange_code(self, grant: Grant, code: str, host: str) -> None:
        """Store the pair that the code is good for, and switch the account on. Raises CrmError."""
        async with self._pool.acquire() as conn:
            account = await rows.account(conn, grant.account_id)
        base_url = account.base_url
        if host.endswith(_VENDOR_HOSTS) and host != base_url.partition("://")[2]:
            base_url = f"{base_url.partition('://')[0]}://{host}"
        token = await exchange_code(
            self._transport,
            base_url,
            client_id=grant.client_id,
            client_secret=grant.client_secret,
            redirect_uri=grant.redirect_uri,
            code=code,
            now=lambda: datetime.now(UTC),
        )
        await PgTokenStore(self._pool, grant.account_id).save(token, base_url)
        async with self._pool.acquire() as conn, conn.transaction():
            change = AuditChange(
                what="account",
                object=grant.account_id,
                action="authorised",
                account_id=grant.account_id,
                before={"url": account.base_url, "key": "set"},
                after={"url": base_url, "key": "changed", "by": "OAuth"},
            )
            await record(conn, change)
            await rows.set_account_state(conn, grant.account_id, "on")

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


def webhook_address(public_url: str, account: Account) -> str:
    """Return the address with its secret: never log it."""
    return f"{public_url.rstrip('/')}/crm/{account.id}/webhooks/{account.webhook_secret}"


def same_number(policy: Callable[[], NumberPolicy]) -> Callable[[str, str], bool]:
    """Do what the CRM stores (any spelling, a list, a note beside) hold this E.164 number?"""

    def same(stored: str, e164: str) -> bool:
        return e164 in stored_numbers(stored, policy()).numbers

    return same


@asynccontextmanager
async def crm_of(
    pool: asyncpg.Pool, account_id: str, lease: Lease
) -> AsyncIterator[tuple[OpenCrm, NumberPolicy]]:
    """Yield the account's CRM for a process that holds its lease, and how its numbers are read."""
    snapshot = await read_snapshot(pool)
    account = snapshot.accounts[account_id]
    budget = GuardedBudget(lease, account.settings.requests_per_second)
    budget.took_over()
    policy = snapshot.policy_of(account_id)
    async with aiohttp.ClientSession() as session:
        access = CrmAccess(pool, session)
        try:
            yield access.open(account, budget, lambda: policy), policy
        finally:
            await access.close()
