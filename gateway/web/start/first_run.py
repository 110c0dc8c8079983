"""First run: five steps on one page, from no account at all to the first call that is seen to arrive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from crm.store.metadata import users_of
from gateway.admin.accounts import save_settings
from gateway.admin.connect_crm import NewAccount, connect_account
from gateway.admin.employees import EmployeeRefused
from gateway.admin.load_directory import sync_progress
from gateway.admin.refused import InputRefused
from gateway.store.admin import accounts as rows
from gateway.store.admin.staff import staff_of
from gateway.web.frame import AnyPageCall, Form, PageAnswer, PageCall, PageQuery, SeeOther, Shown
from gateway.web.setup import pbx
from gateway.web.setup.employees import ImportForm, errors_of_employee, import_all, proposals
from gateway.web.setup.pbx import NewConnectionForm, added_connection, secret_values
from gateway.web.setup.refusals import errors_of
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn


class StartQuery(PageQuery):
    """kind: of the PBX that is to be connected. since: when waiting for the first call began. part: of the page, that htmx asks
    for."""

    kind: str = ""
    since: int = 0
    part: Literal["load", "people"] = "load"


class FirstCrmForm(Form):
    url: str = ""
    name: str = ""
    token: str = ""
    client_id: str = ""
    client_secret: str = ""


class ContactForm(Form):
    phone: str = ""


async def show(call: PageCall[StartQuery, None]) -> Shown:
    values = await values_of(call, call.query)
    return Shown(f"start/_{call.query.part}.html" if call.is_fragment else "start/start.html", values)


async def values_of(call: AnyPageCall, query: StartQuery, **more: Any) -> dict[str, Any]:
    """Return what stands on the page: each step that is done with its proof, and the others with what is to be done."""
    values: dict[str, Any] = {
        "account_there": call.account_or_none,
        "is_connected": False,
        "load": None,
        "people": (),
        "proposed": [],
        "connection": None,
        "kinds": pbx.kinds_of(call),
        "kind": query.kind if query.kind in call.services.kinds else "",
        "has_public_url": bool(call.services.settings.public_url),
        "typed": {},
        "errors": {},
        "consent": "",
        "shown_secret": None,
        "latest": None,
    }
    if call.account_or_none is not None:
        async with call.connection() as conn:
            values |= await _of_account(conn, call, query)
        may_propose = values["is_connected"] and not values["people"] and await _may_wait(call)
        values["proposed"] = await proposals(call) if may_propose else []
    values |= more
    return {**values, "left": _left(values)}


async def _may_wait(call: AnyPageCall) -> bool:
    """Let a part of the page, which asks again soon, wait for no CRM: it proposes nobody before the users are read."""
    if not call.is_fragment:
        return True
    async with call.connection() as conn:
        return bool(await users_of(conn, call.account.id))


async def _of_account(conn: Conn, call: AnyPageCall, query: StartQuery) -> dict[str, Any]:
    account = await rows.account(conn, call.account.id)
    connections = await rows.connections(conn, account.id)
    first = connections[0] if connections else None
    waiting = await pbx.waiting_values(conn, call, first, query.since) if first else {}
    return {
        "account_there": account,
        "is_connected": await rows.is_authorised(conn, account.id),
        "support_phone": account.settings.support_phone,
        "load": await sync_progress(conn, account.id),
        "people": (await staff_of(conn, account.id)).employees,
        "connection": first,
        **waiting,
    }


def _left(values: Mapping[str, Any]) -> int:
    """Return how many steps are to be done yet."""
    done = (
        values["is_connected"] and values["support_phone"],
        values["load"] is not None and values["load"].loaded_at,
        values["people"],
        values["connection"],
        values["latest"],
    )
    return sum(not one for one in done)


async def connect(call: PageCall[PageQuery, FirstCrmForm]) -> PageAnswer:
    form, settings = call.form, call.services.settings
    new = NewAccount(
        id=call.account.id if call.account_or_none is not None else short_name(form.url),
        name=form.name.strip() or None,
        base_url=_with_scheme(form.url) or None,
        long_lived_token=form.token.strip() or None,
        client_id=form.client_id.strip() or None,
        client_secret=form.client_secret.strip() or None,
    )
    try:
        done = await connect_account(call.services.pool, new, settings.public_url, settings.named_crm_hosts())
    except InputRefused as err:
        typed = {"url": form.url, "name": form.name, "client_id": form.client_id}
        return await _again(call, errors_of(err, call.texts, "start"), typed=typed)
    await call.services.configuration.take_over((new.id,), with_tokens=False)
    if "open" in done:
        return Shown("start/start.html", await values_of(call, StartQuery(), consent=done["open"]))
    return SeeOther(call.here("/start"), said=phrase("start.said.connected"))


async def _again(call: AnyPageCall, errors: Mapping[str, str], **more: Any) -> Shown:
    values = await values_of(call, more.pop("query", StartQuery()), errors=errors, **more)
    return Shown("start/start.html", values, status=422)


def _with_scheme(url: str) -> str:
    url = url.strip().rstrip("/")
    return f"https://{url}" if url and "://" not in url else url


def short_name(url: str) -> str:
    """Return what an account is called by: the first part of its host, "main" where that is none."""
    host = urlsplit(_with_scheme(url)).hostname or ""
    name = re.sub(r"[^a-z0-9_-]", "", host.partition(".")[0].lower())
    return name if name and not name.isdigit() and name != "localhost" else "main"


async def save_contact(call: PageCall[PageQuery, ContactForm]) -> PageAnswer:
    """Save the phone at which support reaches the company: without it the connection is not finished."""
    async with call.connection() as conn, conn.transaction():
        await rows.lock_account(conn, call.account.id)
        settings = (await rows.account(conn, call.account.id)).settings
        changed = settings.model_copy(update={"support_phone": call.form.phone.strip() or None})
        try:
            if changed.support_phone is None:
                raise InputRefused("support_phone", "no phone is given", "write it as +74951234567")
            await save_settings(conn, call.account.id, changed)
        except InputRefused as err:
            typed = {"phone": call.form.phone}
            return await _again(call, errors_of(err, call.texts, "start"), typed=typed)
    return SeeOther(call.here("/start"), said=phrase("setup.said.saved"))


async def add_people(call: PageCall[PageQuery, ImportForm]) -> PageAnswer:
    typed = dict(zip(call.form.user, call.form.extension, strict=False))
    try:
        count = await import_all(call, typed)
    except EmployeeRefused as err:
        errors = {
            f"extension-{_user_of(err, await proposals(call))}": next(
                iter(errors_of_employee(call, err).values())
            )
        }
        return await _again(call, errors, typed=typed)
    return SeeOther(call.here("/start"), said=phrase("setup.employees.said.added", n=count))


def _user_of(err: EmployeeRefused, proposed: Any) -> str:
    return next((p.crm_user_id for p in proposed if p.id == err.employee), "")


async def add_pbx(call: PageCall[PageQuery, NewConnectionForm]) -> PageAnswer:
    query = StartQuery(kind=call.form.kind, since=int(call.now.timestamp()))
    try:
        added, secret = await added_connection(call, call.form)
    except InputRefused as err:
        errors = errors_of(err, call.texts, "pbx")
        return await _again(call, errors, typed=call.form.model_dump(), query=query)
    shown = secret_values(call, added, secret)
    return Shown("start/start.html", await values_of(call, query, shown_secret=shown))
