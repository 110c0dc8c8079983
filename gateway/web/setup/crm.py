"""The tab amoCRM: whether it is connected and until when, and the way back when it lets us in no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from crm.effects.backfill import Preview
from crm.kinds import read_tokens
from crm.store.metadata import account_of
from gateway.admin import backfill
from gateway.admin.connect_crm import NewAccount, connect_account
from gateway.admin.load_directory import AccountIsOff, ask_for_sync
from gateway.admin.refused import InputRefused
from gateway.admin.switch_account import switch
from gateway.health.account_checks import reason_said
from gateway.health.message_checks import crm_chats_fault
from gateway.health.status import installation_status
from gateway.health.views import AccountStatus
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditFilter, audit_entries
from gateway.store.crm_accounts.exchanges import exchanges
from gateway.web.frame import AnyPageCall, Form, PageAnswer, PageCall, PageQuery, SeeOther, Shown
from gateway.web.setup.refusals import errors_of
from gateway.web.setup.tabs import tabs_of
from routing.texts.catalogue import Phrase, phrase
from runtime.database.pool import Conn

CrmTone = Literal["good", "warn", "bad"]
_EXCHANGES = 50


class KeyForm(Form):
    token: str = ""


class OAuthForm(Form):
    client_id: str = ""
    client_secret: str = ""


class OffForm(Form):
    reason: str = ""


class RefreshForm(Form):
    full: bool = False


class ExchangesPageQuery(PageQuery):
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmSeen:
    """What the tab shows. step: of the three when the key is broken, 0 = it is not. by: who gave the key, "" = not known.
    held: what waits for a backfill, None = nothing. has_oauth: an integration's keys are kept."""

    status: AccountStatus
    crm_name: str
    crm_zone: str
    by: str
    by_at: datetime | None
    is_authorised: bool
    shut_reason: str | None
    held: Preview | None
    has_oauth: bool
    key_error: str

    @property
    def step(self) -> int:
        if self.status.state == "broken":
            return 1
        return 2 if self.status.state == "off" and (self.shut_reason or not self.is_authorised) else 0

    @property
    def held_calls(self) -> int:
        return self.held.calls + self.held.older_calls if self.held else 0


async def crm_seen(call: AnyPageCall, conn: Conn) -> CrmSeen:
    account_id = call.account.id
    installation = await installation_status(
        call.services.pool, call.now, account_id=account_id, is_full=False
    )
    status = installation.accounts[0]
    known, token = await account_of(conn, account_id), (await read_tokens(conn, [account_id])).get(account_id)
    by, by_at = await _who_connected(conn, account_id)
    return CrmSeen(
        status=status,
        crm_name=known.name if known else "",
        crm_zone=known.time_zone or "" if known else "",
        by=by,
        by_at=by_at,
        is_authorised=token is not None,
        shut_reason=await rows.shut_reason(conn, account_id),
        held=await backfill.preview(conn, account_id) if status.effects.held else None,
        has_oauth=token is not None and token.kind == "oauth" and bool(token.client_id),
        key_error=status.state_reason if status.state == "broken" else "",
    )


async def _who_connected(conn: Conn, account_id: str) -> tuple[str, datetime | None]:
    wanted = AuditFilter(account_id=account_id, what="account", object=account_id)
    for entry in await audit_entries(conn, wanted, limit=50):
        if entry.action in ("connected", "authorised"):
            return (entry.who if entry.who_kind == "user" else ""), entry.at
    return "", None


def state_of(call: AnyPageCall, seen: CrmSeen) -> tuple[CrmTone, Phrase]:
    """Return the sentence with which the tab opens."""
    status, words = seen.status, call.words
    since, held = words.time(status.state_since), seen.held_calls
    if status.state == "broken" or seen.step == 2:
        if not seen.is_authorised:
            return "warn", phrase("setup.crm.no_key")
        agreed = status.directory.in_sync_at
        if agreed is None:
            return "bad", phrase("setup.crm.broken_new", since=since, held=held)
        age = words.duration(call.now - agreed)
        return "bad", phrase("setup.crm.broken", since=since, age=age, held=held)
    if status.state == "off":
        why = reason_said(status.state_reason) if status.state_reason else "–"
        return "warn", phrase("setup.crm.off", since=since, why=why, held=held)
    return _on(call, seen)


def _on(call: AnyPageCall, seen: CrmSeen) -> tuple[CrmTone, Phrase]:
    token = seen.status.token
    until = call.words.day(token.expires_at, with_year=True) if token.expires_at else ""
    if token.warning is not None:
        return ("bad", phrase("setup.crm.expired")) if token.warning != "expires-soon" else (
            "warn", phrase("setup.crm.expires_soon", until=until)
        )  # fmt: skip
    if not until:
        return "good", phrase("setup.crm.connected")
    return "good", phrase("setup.crm.connected_until", until=until)


async def page_values(call: AnyPageCall, conn: Conn) -> dict[str, Any]:
    seen = await crm_seen(call, conn)
    tone, sentence = state_of(call, seen)
    chats = seen.status.crm_chats
    return {
        "tabs": tabs_of(call, "crm"),
        "seen": seen,
        "status": seen.status,
        "tone": tone,
        "sentence": sentence,
        "why": reason_said(seen.key_error) if seen.key_error else "",
        "redirect": _redirect_address(call),
        "budget": seen.status.crm.budget if seen.status.crm else None,
        "rate": call.account.settings.requests_per_second,
        "chats_fault": crm_chats_fault(chats.error) if chats and chats.error else None,
        "typed": {},
        "errors": {},
        "consent": "",
    }


def _redirect_address(call: AnyPageCall) -> str:
    base = call.services.settings.public_url
    return f"{base.rstrip('/')}/crm/oauth" if base else ""


async def show(call: PageCall) -> PageAnswer:
    if not call.may("admin"):
        return SeeOther(call.here("/setup/employees"))
    async with call.connection() as conn:
        values = await page_values(call, conn)
    return Shown("setup/_crm_state.html" if call.is_fragment else "setup/crm.html", values)


async def _again(call: AnyPageCall, err: InputRefused, form: str, **more: Any) -> Shown:
    async with call.connection() as conn:
        values = await page_values(call, conn)
    return Shown("setup/crm.html", {**values, "errors": errors_of(err, call.texts, form), **more}, status=422)


async def switch_off(call: PageCall[PageQuery, OffForm]) -> PageAnswer:
    async with call.connection() as conn:
        try:
            await switch(conn, call.account.id, "off", call.form.reason or rows.BY_HAND)
        except InputRefused as err:
            return await _again(call, err, "off")
    return SeeOther(call.here("/setup"), said=phrase("setup.crm.said.off"))


async def switch_on(call: PageCall) -> PageAnswer:
    async with call.connection() as conn:
        try:
            await switch(conn, call.account.id, "on")
        except InputRefused as err:
            return await _again(call, err, "on")
    return await _after_connecting(call, phrase("setup.crm.said.on"))


async def _after_connecting(call: AnyPageCall, said: Phrase) -> SeeOther:
    """Go on to what is held, if anything is."""
    async with call.connection() as conn:
        held = (await backfill.preview(conn, call.account.id)).requests
    return SeeOther(call.here("/setup/held" if held else "/setup"), said=said)


async def give_key(call: PageCall[PageQuery, KeyForm]) -> PageAnswer:
    settings = call.services.settings
    new = NewAccount(id=call.account.id, long_lived_token=call.form.token.strip() or None)
    try:
        await connect_account(call.services.pool, new, settings.public_url, settings.named_crm_hosts())
    except InputRefused as err:
        return await _again(call, err, "key")
    return await _after_connecting(call, phrase("setup.crm.said.connected"))


async def begin_oauth(call: PageCall[PageQuery, OAuthForm]) -> PageAnswer:
    """Answer with the page again, now with the link to the CRM's page of consent."""
    settings, form = call.services.settings, call.form
    id, secret = form.client_id.strip(), form.client_secret.strip()
    if not id and not secret:
        async with call.connection() as conn:
            kept = (await read_tokens(conn, [call.account.id])).get(call.account.id)
        id, secret = (kept.client_id or "", kept.client_secret or "") if kept else ("", "")
    new = NewAccount(id=call.account.id, client_id=id or None, client_secret=secret or None)
    typed = {"client_id": form.client_id}
    try:
        done = await connect_account(call.services.pool, new, settings.public_url, settings.named_crm_hosts())
    except InputRefused as err:
        return await _again(call, err, "oauth", typed=typed)
    async with call.connection() as conn:
        values = await page_values(call, conn)
    return Shown("setup/crm.html", {**values, "consent": done["open"]})


async def refresh(call: PageCall[PageQuery, RefreshForm]) -> PageAnswer:
    async with call.connection() as conn:
        try:
            await ask_for_sync(conn, call.account.id, is_full=call.form.full)
        except AccountIsOff:
            return SeeOther(call.here("/setup"), said=phrase("setup.crm.said.is_off"))
    return SeeOther(call.here("/setup"), said=phrase("setup.crm.said.refreshed"))


async def show_exchanges(call: PageCall[ExchangesPageQuery, None]) -> Shown:
    async with call.connection() as conn:
        found = await exchanges(conn, call.account.id, before=call.query.after, limit=_EXCHANGES)
    older = call.here("/setup/exchanges", after=found[-1]["exchange_id"]) if len(found) == _EXCHANGES else ""
    return Shown("setup/exchanges.html", {"tabs": tabs_of(call, "crm"), "found": found, "older": older})
