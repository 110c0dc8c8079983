"""Addresses under `/crm/{account}/` that bear the account's secret, since the CRM signs nothing."""

from __future__ import annotations

import hmac
from urllib.parse import quote

from aiohttp import web

from gateway.configuration import Configuration
from gateway.http.body import WEBHOOK_BODY, read_body
from gateway.http.connection import vouch
from gateway.http.problems import problem
from gateway.http.strangers import Strangers
from gateway.store.admin.accounts import Account


class SecretAddress:
    def __init__(self, configuration: Configuration, strangers: Strangers) -> None:
        self._configuration, self._strangers = configuration, strangers

    def account_of(self, request: web.Request) -> Account | None:
        """Return the account whose secret stands in the address."""
        account = self._configuration.now.accounts.get(request.match_info["account"])
        secret = request.match_info["secret"]
        if account is None or not hmac.compare_digest(secret.encode(), account.webhook_secret.encode()):
            return None
        return account

    async def read(self, request: web.Request) -> tuple[Account, bytes] | None:
        """Return the account and what is told at its address; None = the secret is wrong, and nothing was read for it."""
        if self.account_of(request) is None:
            return None
        vouch(request)
        body = await read_body(request, WEBHOOK_BODY)
        account = self.account_of(request)  # the body may take its time
        return None if account is None else (account, body)

    def refused(self, request: web.Request) -> web.Response:
        """404 for a wrong secret as for an unknown account: nobody learns which accounts exist. 429 for who goes on guessing."""
        absent = problem(404, "no-such-webhook", "There is no webhook at this address.")
        return self._strangers.of("webhooks", request, absent)


def webhook_address(public_url: str, account: Account) -> str:
    """Return the address with its secret: never log it."""
    return f"{public_url.rstrip('/')}/crm/{account.id}/webhooks/{account.webhook_secret}"


def hook_address(public_url: str, account: Account, name: str, *, of: str = "template") -> str:
    """Where the CRM's "send webhook" tells of deals to give by a template, or of causes of a trigger; with its secret: never
    log it."""
    base = f"{public_url.rstrip('/')}/crm/{account.id}/hooks/{account.webhook_secret}"
    return f"{base}?{of}={quote(name, safe='')}"
