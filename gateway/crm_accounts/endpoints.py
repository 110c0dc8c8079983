"""What the CRM sends us: webhooks (answered as soon as they are kept) and the return of an OAuth grant."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from html import escape

import asyncpg
import structlog
from aiohttp import web

from crm.errors import CrmError
from gateway.configuration import Configuration
from gateway.crm_accounts.access import GrantRefused
from gateway.crm_accounts.same_crm import AnotherCrm, CrmTaken
from gateway.crm_accounts.secret_address import SecretAddress
from gateway.crm_accounts.webhook_inbox import WebhookIntake
from gateway.http.peers import Peers
from gateway.http.problems import problem
from gateway.http.session_cookie import session_cookie
from gateway.http.strangers import Strangers
from gateway.store.admin.audit import Actor, acting
from gateway.store.admin.sessions import is_open, session_of
from gateway.store.crm_accounts.webhooks import Grant, take_grant
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Texts
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.group_commit import GroupClosed
from runtime.database.silence import SilenceGuard
from runtime.tokens import hash_of
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

# As we make it. Some of what is none of ours (NUL) the database would not even compare.
_STATE = re.compile(r"[A-Za-z0-9_-]{1,100}")

ExchangeCode = Callable[[Grant, str, str], Awaitable[None]]
"""(grant, code, the account's host as the CRM names it) -> the tokens are stored. Raises CrmError, GrantRefused, AnotherCrm, CrmTaken."""


class CrmHooks:
    def __init__(
        self,
        configuration: Configuration,
        pool: asyncpg.Pool,
        exchange: ExchangeCode,
        peers: Peers,
        strangers: Strangers | None = None,
        silence: SilenceGuard | None = None,
        base_url: str = "",
    ) -> None:
        """base_url: where people sign in to the pages."""
        self._base_url = base_url
        self._silence = silence or SilenceGuard(None)
        self._peers, self._strangers = peers, strangers or Strangers(peers)
        self._address = SecretAddress(configuration, self._strangers)
        self._pool = pool
        self._exchange = exchange
        self._webhooks = WebhookIntake(pool)
        self._trouble = Trouble("webhook-intake")

    async def close(self) -> None:
        await self._webhooks.close()

    async def webhook(self, request: web.Request) -> web.Response:
        told = await self._address.read(request)
        if told is None:
            return self._address.refused(request)
        account, body = told
        try:
            await self._webhooks.keep(account.id, body)
        except (*DATABASE_ERRORS, GroupClosed) as err:
            self._trouble.failed(err)
            return problem(503, "busy", "The gateway could not keep the webhook.", detail="Send it again.")
        self._trouble.recovered()
        return web.json_response({"accepted": True})

    async def oauth(self, request: web.Request) -> web.Response:
        """Where the CRM sends the person back after "Allow"."""
        try:
            return await self._silence.unless_silent(self._returned(request))
        except DATABASE_ERRORS as err:
            log.warning("oauth-failed", error=str(err) or type(err).__name__)
            return _page(_texts_of(request), 503, "busy")

    async def _returned(self, request: web.Request) -> web.Response:
        query, texts = request.query, _texts_of(request)
        if query.get("error"):
            return _page(texts, 400, "denied", error=query["error"])
        grant = await self._grant(query.get("state", ""))
        if grant is None:
            return self._strangers.of("consent", request, _page(texts, 400, "link-used"))
        if not query.get("code"):
            return _page(texts, 400, "link-used")
        if grant.session is not None and not await self._is_of_session(request, grant.session):
            log.warning("oauth-refused", account=grant.account_id, code="another-browser")
            return _page(texts, 403, "another-browser")
        back = Actor(
            kind="program", name="CRM consent", door="consent", address=self._peers.address_of(request)
        )
        try:
            with acting(back):
                await self._exchange(grant, query["code"], query.get("referer", ""))
        except CrmError as err:
            log.warning("oauth-failed", account=grant.account_id, code=err.code)
            return _page(texts, 502, "refused", error=str(err))
        except GrantRefused as err:
            log.warning("oauth-refused", account=grant.account_id, code=err.why)
            return _page(texts, 400, err.why, host=err.host, account=grant.account_id)
        except CrmTaken as err:
            log.warning("oauth-refused", account=grant.account_id, code=err.code)
            return _page(texts, 409, "taken", name=err.name, others=err.others)
        except AnotherCrm as err:
            log.warning("oauth-refused", account=grant.account_id, code=err.code)
            return _page(
                texts, 400, "another-account", host=query.get("referer", ""), account=grant.account_id
            )
        return _page(texts, 200, "done", account=grant.account_id)

    async def _is_of_session(self, request: web.Request, session: str) -> bool:
        """Whether the browser that comes back is the one that began: who was led here by a stranger is not."""
        cookie = session_cookie(request, self._base_url)
        secret = cookie.read(request) if cookie else ""
        async with self._pool.acquire() as conn:
            found = await session_of(conn, hash_of(secret)) if secret else None
        return found is not None and found.id == session and is_open(found, datetime.now(UTC))

    async def _grant(self, state: str) -> Grant | None:
        if not _STATE.fullmatch(state):
            return None
        async with self._pool.acquire() as conn:
            return await take_grant(conn, state, datetime.now(UTC))


def _texts_of(request: web.Request) -> Texts:
    """Of the person's browser: Russian unless English is its first language."""
    is_english = request.headers.get("Accept-Language", "").lower().startswith("en")
    return TEXTS["en" if is_english else "ru"]


def _page(texts: Texts, status: int, what: str, /, **values: str) -> web.Response:
    title, text = texts.say(f"oauth.{what}"), texts.say(f"oauth.{what}.text", **values)
    body = (
        f'<!doctype html><html lang="{texts.language}"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1><p>{escape(text)}</p></html>"
    )
    return web.Response(status=status, text=body, content_type="text/html")
