"""The authorisation of one account: read, refreshed ahead of time by one process at a time, and honest when broken.

A refresh token is good for one exchange, and the new pair must not be lost: that a refresh is about to be sent is
committed before it goes out, the pair that it brings before anybody uses it. If the answer is lost in between, the
next refresh is refused as "used"; together with the committed mark that is recognised as what it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from crm.amocrm import wire_oauth
from crm.amocrm.client import OnExchange, exchange_record
from crm.amocrm.transport import Transport
from crm.amocrm.wire import Reply, Request
from crm.budget import TAKEOVER_SECONDS, Budget
from crm.errors import (
    WHAT_HAPPENED,
    CrmError,
    CrmOutcomeUnknown,
    CrmThrottled,
    CrmUnavailable,
    ReconnectNeeded,
    TroubleName,
)
from crm.lane import Lane
from runtime.lifecycle import KeptTasks

REFRESH_AHEAD = timedelta(hours=2)
WARN_AHEAD = timedelta(days=7)
RETRY_AFTER = timedelta(minutes=1)
TROUBLE_LASTS = timedelta(minutes=5)
REFRESH_TOKEN_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """One account's row. generation grows with every pair. refresh_sent_at: a refresh went out and has no outcome yet."""

    kind: Literal["long_lived", "oauth"]
    access_token: str
    refresh_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    redirect_uri: str | None = None
    expires_at: datetime | None = None
    generation: int = 1
    refresh_sent_at: datetime | None = None
    updated_at: datetime | None = None

    def __repr__(self) -> str:
        return f"StoredToken({self.kind}, generation {self.generation}, expires {self.expires_at})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStatus:
    """For `check`, the status page and alarms. warning: what a person should do something about, None = all is well."""

    kind: Literal["long_lived", "oauth", "none"]
    expires_at: datetime | None
    days_left: float | None
    warning: Literal["broken", "expired", "expires-soon"] | None = None
    message: str = ""


class HeldTokens(Protocol):
    """The row while this process alone may refresh it. Every change is committed when the call returns."""

    async def read(self) -> StoredToken | None: ...
    async def mark_sent(self, at: datetime) -> None: ...
    async def clear_sent(self) -> None:
        """Note that the refresh was certainly not carried out."""
        ...

    async def save(self, token: StoredToken, moved_to: str | None = None) -> StoredToken:
        """Store the pair and return it with its generation; clears refresh_sent_at. moved_to: the address at which the
        account lives now, noted in the same transaction: who hears of it finds the pair."""
        ...


class TokenStore(Protocol):
    """One account's tokens, shared by all processes."""

    async def read(self) -> StoredToken | None: ...
    async def save(self, token: StoredToken, moved_to: str | None = None) -> StoredToken:
        """Store a new authorisation, whatever was there before, and in the same transaction where the account lives now."""
        ...

    def exclusive(self) -> AbstractAsyncContextManager[HeldTokens]:
        """Wait until no other process refreshes this account."""
        ...


def long_lived(token: str) -> StoredToken:
    """Return what is stored of a long-lived token; it says itself when it expires."""
    token = token.strip()
    return StoredToken(kind="long_lived", access_token=token, expires_at=wire_oauth.claims(token).expires_at)


async def exchange_code(
    transport: Transport,
    base_url: str,
    *,
    client_id: str,
    client_secret: str,
    redirect_uri: str,
    code: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> StoredToken:
    """Return the pair for a code (good for 20 minutes, once). Raises CrmRefused or CrmUnauthorised when the CRM will not."""
    request = wire_oauth.by_code(
        client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri, code=code
    )
    granted = wire_oauth.granted(request, await transport.exchange(base_url, request, {}))
    return StoredToken(
        kind="oauth",
        access_token=granted.access_token,
        refresh_token=granted.refresh_token,
        client_id=client_id,
        client_secret=client_secret,
        redirect_uri=redirect_uri,
        expires_at=now() + timedelta(seconds=granted.expires_in),
    )


class Tokens:
    """`crm.amocrm.client.Bearer` over a TokenStore. Refreshes are paid from the account's budget like anything else.

    refreshes: those of all accounts of a process, which waits for them before it ends. crm_hosts: what the operator
    named besides the vendor's own.
    """

    def __init__(
        self,
        account_id: str,
        base_url: str,
        store: TokenStore,
        transport: Transport,
        budget: Budget,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        refresh_ahead: timedelta = REFRESH_AHEAD,
        on_exchange: OnExchange | None = None,
        refreshes: KeptTasks | None = None,
        crm_hosts: Collection[str] = (),
    ) -> None:
        self.base_url, self._account_id = base_url.rstrip("/"), account_id
        self._store, self._transport, self._budget = store, transport, budget
        self._now, self._ahead = now, refresh_ahead
        self._on_exchange, self._crm_hosts = on_exchange, crm_hosts
        self._known: StoredToken | None = None
        self._replaced: StoredToken | None = None  # the one before, until the next is read
        self._trouble: ReconnectNeeded | None = None
        self._trouble_until = now()
        self._try_again_at: datetime | None = None
        self._one_at_a_time = asyncio.Lock()
        self._refreshes = refreshes or KeptTasks("refresh")
        self._under_way: asyncio.Task[StoredToken] | None = None

    async def access_token(self) -> str:
        """For the next request; refreshed when it is about to expire. Raises ReconnectNeeded, CrmUnavailable."""
        token = self._known
        if token is None or self._is_due(token):
            async with self._one_at_a_time:
                token = await self._fresh()
        return token.access_token

    def latest(self, token: str) -> str:
        return self._known.access_token if self._known is not None else token

    async def renewed(self, refused: str) -> str:
        """Another access token than the one that the CRM has just refused. Raises ReconnectNeeded, CrmUnavailable."""
        async with self._one_at_a_time:
            token = await self._load()
            if token.access_token == refused:
                token = await self._refresh(token, "token-refused")
            return token.access_token

    def accepted(self, token: str) -> None:
        if self._trouble is not None and self._known is not None and self._known.access_token == token:
            self._trouble = None  # the CRM refused it for a moment

    def forget(self) -> None:
        """Read the store again at the next request (another authorisation was stored)."""
        self._replaced = self._known or self._replaced
        self._known = self._trouble = self._try_again_at = None

    async def status(self) -> TokenStatus:
        """How the authorisation stands, from the store and what this process met. Sends nothing."""
        token = await self._store.read()
        if token is None:
            return status_of(None, self._now(), "")
        is_old_trouble = self._known is None or token.generation == self._known.generation
        trouble = str(self._trouble) if self._trouble is not None and is_old_trouble else ""
        return status_of(token, self._now(), trouble)

    def _is_due(self, token: StoredToken) -> bool:
        now = self._now()
        if token.expires_at is None or now + self._ahead < token.expires_at:
            return False
        return self._try_again_at is None or now >= self._try_again_at

    async def _fresh(self) -> StoredToken:
        token = self._known
        if token is None or self._is_due(token):  # nobody did it while we waited
            token = await self._load()
        if not self._is_due(token):
            return token
        try:
            return await self._refresh(token, "token-expired")
        except CrmError:
            self._try_again_at = self._now() + RETRY_AFTER
            if token.expires_at is not None and self._now() < token.expires_at:
                return token  # it is good for a while yet; the trouble shows in `status`
            self._try_again_at = None
            raise

    async def _load(self) -> StoredToken:
        token = await self._store.read()
        if token is None:
            raise ReconnectNeeded("none-stored", self._account_id)
        return self._take(token)

    def _take(self, token: StoredToken) -> StoredToken:
        if self._known is None or token.generation != self._known.generation:
            self._trouble = self._try_again_at = None
        if self._replaced is not None and self._replaced.client_id != token.client_id:
            self._budget.pause(
                TAKEOVER_SECONDS
            )  # whoever let us in has asked the CRM as this integration a moment ago
        self._known, self._replaced = token, None
        return token

    async def _refresh(self, seen: StoredToken, otherwise: TroubleName) -> StoredToken:
        if self._trouble is not None and self._now() < self._trouble_until:
            raise self._trouble  # asking again at once would only bring the same answer
        if seen.kind == "long_lived" or seen.refresh_token is None:
            if otherwise == "token-expired" and seen.expires_at and self._now() < seen.expires_at:
                return seen
            raise self._broken(otherwise)
        if self._under_way is None or self._under_way.done():
            self._under_way = self._refreshes.begin(self._renew(seen))
        return await asyncio.shield(self._under_way)

    async def _renew(self, seen: StoredToken) -> StoredToken:
        """In a task of its own: the pair that the CRM sends must be stored, whoever has given up waiting for it."""
        async with self._store.exclusive() as held:
            token = await held.read()
            if token is None:
                raise ReconnectNeeded("none-stored", self._account_id)
            if token.generation != seen.generation:
                return self._take(token)  # another process was faster
            return self._take(await self._exchanged(held, token))

    async def _exchanged(self, held: HeldTokens, token: StoredToken) -> StoredToken:
        was_lost_before = token.refresh_sent_at is not None
        request = wire_oauth.by_refresh(
            client_id=token.client_id or "",
            client_secret=token.client_secret or "",
            redirect_uri=token.redirect_uri or "",
            refresh_token=token.refresh_token or "",
        )
        moved_to: str | None = None
        reply = await self._send(held, request, self.base_url, was_lost_before)
        if wire_oauth.refusal(request, reply) and (moved_to := await self._moved(token)):
            reply = await self._send(held, request, moved_to, was_lost_before)
        if refusal := wire_oauth.refusal(request, reply):
            reason, err = refusal
            if not was_lost_before:
                await held.clear_sent()
            raise self._broken(_trouble_of(reason, was_lost_before), str(err))
        granted = wire_oauth.granted(request, reply)
        new = replace(
            token,
            access_token=granted.access_token,
            refresh_token=granted.refresh_token,
            expires_at=self._now() + timedelta(seconds=granted.expires_in),
        )
        stored = await held.save(new, moved_to)
        self.base_url = moved_to or self.base_url
        return stored

    async def _send(self, held: HeldTokens, request: Request, base_url: str, was_lost_before: bool) -> Reply:
        async def decided() -> None:
            if not was_lost_before:
                await held.mark_sent(self._now())
            self._refreshes.is_decided()

        try:
            return await self._paid(request, base_url, decided)
        except CrmOutcomeUnknown as err:
            # The mark stays: whether the pair was changed is not known.
            raise CrmUnavailable(f"refreshing the authorisation: {err}") from err
        except (CrmUnavailable, CrmThrottled):
            if not was_lost_before:
                await held.clear_sent()
            raise

    async def _paid(
        self, request: Request, base_url: str, before: Callable[[], Awaitable[None]] | None = None
    ) -> Reply:
        """before: what has to be done when nothing but the request itself is left."""
        async with self._budget.slot(Lane.REALTIME) as slot:
            if before is not None:
                await before()
            started = self._now()
            reply: Reply | None = None
            error = ""
            try:
                reply = await self._transport.exchange(base_url, request, {})
            except CrmError as err:
                error = str(err)
                raise
            finally:
                if self._on_exchange is not None:
                    took = int((self._now() - started).total_seconds() * 1000)
                    self._on_exchange(
                        exchange_record(
                            request, reply, at=started, took=took, lane=Lane.REALTIME, error=error
                        )
                    )
            if reply.status == 429:
                slot.throttled()
                raise CrmThrottled("refreshing the authorisation: 429")
            return reply

    async def _moved(self, token: StoredToken) -> str | None:
        """Return the account's present address where it differs from ours; None when it does not or nobody tells."""
        api_domain = wire_oauth.claims(token.access_token).api_domain
        if api_domain is None or token.refresh_token is None:
            return None
        # Whoever typed a token wrote its `api_domain` too: the refresh token goes to hosts of the vendor only.
        asked = wire_oauth.moved_address(self.base_url, api_domain, self._crm_hosts)
        if asked is None:
            return None
        request = wire_oauth.present_address(token.refresh_token)
        try:
            domain = wire_oauth.domain(request, await self._paid(request, asked))
        except CrmError:
            return None
        found = wire_oauth.moved_address(self.base_url, domain, self._crm_hosts)
        return None if found == self.base_url else found

    def _broken(self, reason: TroubleName, said: str = "") -> ReconnectNeeded:
        self._trouble = ReconnectNeeded(reason, self._account_id, said)
        self._trouble_until = self._now() + TROUBLE_LASTS
        return self._trouble


def _trouble_of(refusal: wire_oauth.TokenRefusal, was_lost_before: bool) -> TroubleName:
    if refusal == "client-refused":
        return "client-refused"
    return "refresh-lost" if was_lost_before else "refresh-used"


def status_of(token: StoredToken | None, now: datetime, trouble: str) -> TokenStatus:
    """trouble: what a process met when it last tried, "" = nothing.

    An access token of OAuth is renewed by itself: what counts is the refresh token, good for three months from its issue.
    """
    if token is None:
        return TokenStatus(
            kind="none",
            expires_at=None,
            days_left=None,
            warning="broken",
            message=WHAT_HAPPENED["none-stored"],
        )
    expires_at = token.expires_at
    if token.kind == "oauth" and token.refresh_token is not None:
        expires_at = token.updated_at + REFRESH_TOKEN_LIFE if token.updated_at else None
    left = expires_at - now if expires_at is not None else None
    days = left.total_seconds() / 86400 if left is not None else None
    warning: Literal["broken", "expired", "expires-soon"] | None = None
    message = trouble
    if trouble:
        warning = "broken"
    elif left is not None and left <= timedelta(0):
        warning, message = "expired", WHAT_HAPPENED["token-expired"]
    elif left is not None and left <= WARN_AHEAD:
        warning, message = "expires-soon", f"The CRM's key expires in {days:.1f} days."
    return TokenStatus(
        kind=token.kind, expires_at=expires_at, days_left=days, warning=warning, message=message
    )
