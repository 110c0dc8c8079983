"""Accounts: state and settings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin import accounts
from gateway.admin.input_words import COUNTRY, LONGEST_REASON, described
from gateway.admin.refused import InputRefused
from gateway.admin.switch_account import switch
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import lock_account
from routing.settings import AccountSettings


class AccountView(Answer):
    id: str
    name: str
    url: str
    time_zone: str
    region: str
    state: Literal["on", "off", "broken"]
    state_reason: str
    state_since: datetime


class StateChange(Body):
    state: Literal["on", "off"]
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""


class AccountChange(Body):
    name: str
    time_zone: str
    region: Annotated[str, described(COUNTRY)]


def view_of(account: rows.Account) -> AccountView:
    return AccountView(
        id=account.id,
        name=account.name,
        url=account.base_url,
        time_zone=account.time_zone,
        region=account.region,
        state=account.state,
        state_reason=account.state_reason,
        state_since=account.state_since,
    )


async def list_accounts(call: ApiCall) -> Items[AccountView]:
    async with call.services.pool.acquire() as conn:
        found = await rows.accounts(conn)
    seen = [a for a in found if call.who.account_id in (None, a.id)]
    return Items[AccountView](items=[view_of(a) for a in seen])


async def show_account(call: ApiCall) -> AccountView:
    async with call.services.pool.acquire() as conn:
        return view_of(await rows.account(conn, call.account.id))


async def change_account(call: ApiCall[NoQuery, AccountChange]) -> AccountView:
    change = call.body
    async with call.services.pool.acquire() as conn:
        return view_of(await accounts.change_account(conn, call.account.id, **change.model_dump()))


async def set_state(call: ApiCall[NoQuery, StateChange]) -> AccountView:
    change = call.body
    async with call.services.pool.acquire() as conn:
        await switch(conn, call.account.id, change.state, change.reason)
        return view_of(await rows.account(conn, call.account.id))


async def show_settings(call: ApiCall) -> AccountSettings:
    async with call.services.pool.acquire() as conn:
        return (await rows.account(conn, call.account.id)).settings


async def save_settings(call: ApiCall[NoQuery, AccountSettings]) -> AccountSettings:
    if not call.body.model_fields_set:
        remedy = "send the whole of them, as GET shows them"
        raise InputRefused("body", "it names no setting, and all would become their defaults", remedy)
    async with call.services.pool.acquire() as conn, conn.transaction():
        await lock_account(conn, call.account.id)
        settings = _with_unnamed_access(call.body, (await rows.account(conn, call.account.id)).settings)
        await accounts.save_settings(
            conn, call.account.id, settings, allowed=call.services.allowed_to(call.who)
        )
    return settings


def _with_unnamed_access(told: AccountSettings, before: AccountSettings) -> AccountSettings:
    """Return what was told, with what decides who sees dialogues as it was, as far as it is not named: nobody is shown more by
    what somebody left out."""
    named = told.dialogues.model_fields_set if "dialogues" in told.model_fields_set else ()
    dialogues = before.dialogues.model_copy(update={name: getattr(told.dialogues, name) for name in named})
    return told.model_copy(update={"dialogues": dialogues})


_ONE = "/v1/accounts/{account}"
ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts",
        handler=list_accounts,
        summary="Connected CRM accounts",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=show_account,
        summary="One account",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_ONE,
        handler=change_account,
        summary="Change name, time zone and home country",
    ),
    Route(
        method="PUT",
        path=_ONE + "/state",
        handler=set_state,
        summary="Switch sending to the CRM on or off",
        description="While it is off, calls are answered, decided and stored. 409 where its CRM does not let it in.",
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_ONE + "/settings",
        handler=show_settings,
        summary="Settings that rules read",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_ONE + "/settings",
        handler=save_settings,
        summary="Replace the settings that rules read; of `dialogues`, which say who sees what, only what is named changes",
    ),
)
