"""PBXs and lines: whether each is heard, what to paste there, and the first call that is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.admin import connections
from gateway.admin.connections import ConnectionOrder, pbx_instructions
from gateway.admin.protection.allowed import Allowed, allowed_by
from gateway.admin.refused import ConnectionInUse, InputRefused, NothingOfThatName
from gateway.pbx.connection import Connection
from gateway.pbx.connection_settings import settings_of
from gateway.store.admin import accounts as rows
from gateway.store.calls.journal import CallFilter, page_of
from gateway.store.health.status import latest_event_of_each_connection
from gateway.store.intake.inbox import latest_of_connection
from gateway.store.intake.spoilt import SpoiltMessage, spoilt_messages
from gateway.store.outbound.uses import uses_of_connection
from gateway.web.frame import (
    AnyPageCall,
    Form,
    PageAnswer,
    PageCall,
    PageQuery,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.saving.together import WholeForm, clashes_said, form_together, standing
from gateway.web.setup.refusals import errors_of
from gateway.web.setup.tabs import tabs_of
from gateway.web.texts.sentences import TEXTS
from gateway.web.words.uses import uses_said
from routing.texts.catalogue import Texts, phrase
from runtime.database.pool import Conn
from runtime.tokens import new_secret

_PATIENCE = timedelta(seconds=60)
_KEY_FIELDS = 8


class KindQuery(PageQuery):
    kind: str = ""


class SinceQuery(PageQuery):
    """since: when waiting began, seconds of the epoch."""

    since: int = 0


class NewConnectionForm(Form):
    """lines: with commas or line breaks between them. key_name, key: side by side. settings: `name=value`, a line each."""

    kind: str = ""
    name: str = ""
    lines: str = ""
    key_name: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    settings: str = ""


class LinesForm(WholeForm):
    lines: str = ""
    is_on: bool = False


class SecretForm(Form):
    """instead_of: mark of the secret that is replaced."""

    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class LineSeen:
    """at, call_id: of the latest call at it."""

    number: str
    at: datetime | None
    call_id: str | None


async def show(call: PageCall) -> Shown:
    async with call.connection() as conn:
        found = await rows.connections(conn, call.account.id)
        heard = await latest_event_of_each_connection(conn, [call.account.id])
        lines = {c.name: [await _line(conn, call, c, number) for number in c.lines] for c in found}
    values = {
        "tabs": tabs_of(call, "pbx"),
        "found": found,
        "heard": {c.name: heard.get((call.account.id, c.id)) for c in found},
        "lines": lines,
        "kinds": kinds_of(call),
    }
    return Shown("setup/_pbx_list.html" if call.is_fragment else "setup/pbx.html", values)


def kinds_of(call: AnyPageCall) -> list[str]:
    return sorted(call.services.kinds)


async def _line(conn: Conn, call: AnyPageCall, connection: Connection, number: str) -> LineSeen:
    found = await page_of(conn, call.account.id, CallFilter(connection=connection.id, line=number), limit=1)
    first = found[0] if found else None
    return LineSeen(number, first.call.started_at if first else None, first.call_id if first else None)


async def show_new(call: PageCall[KindQuery, None]) -> PageAnswer:
    if call.query.kind not in call.services.kinds:
        return SeeOther(call.here("/setup/pbx"))
    return _new_page(call, {"kind": call.query.kind, "name": "", "lines": "", "settings": ""}, {})


def _new_page(call: AnyPageCall, typed: Mapping[str, Any], errors: Mapping[str, str]) -> Shown:
    kind = call.services.kinds[typed["kind"]]
    values = {
        "tabs": tabs_of(call, "pbx"),
        "typed": typed,
        "errors": errors,
        "keys": kind.keys[:_KEY_FIELDS],
        "known_settings": sorted(settings_of(kind, None)),
    }
    return Shown("setup/pbx_new.html", values, status=422 if errors else 200)


def order_of(form: NewConnectionForm) -> ConnectionOrder:
    pairs = (line.partition("=") for line in form.settings.splitlines() if line.strip())
    return ConnectionOrder(
        name=form.name.strip(),
        kind=form.kind,
        lines=split_lines(form.lines),
        keys={n: v for n, v in zip(form.key_name, form.key, strict=False) if v},
        settings={name.strip(): value.strip() for name, _, value in pairs},
    )


def split_lines(text: str) -> tuple[str, ...]:
    return tuple(
        part.strip() for part in text.replace("\n", ",").replace(";", ",").split(",") if part.strip()
    )


async def add(call: PageCall[PageQuery, NewConnectionForm]) -> PageAnswer:
    if call.form.kind not in call.services.kinds:
        return SeeOther(call.here("/setup/pbx"))
    try:
        added, secret = await added_connection(call, call.form)
    except InputRefused as err:
        return _new_page(call, call.form.model_dump(), errors_of(err, call.texts, "pbx"))
    return _secret_page(call, added, secret)


async def added_connection(call: AnyPageCall, form: NewConnectionForm) -> tuple[Connection, str]:
    """Return it with its secret, which nobody is told again. Raise InputRefused."""
    secret = new_secret()
    async with call.connection() as conn:
        added = await connections.add_connection(
            conn, call.account.id, order_of(form), secret, call.services.kinds, allowed_to(call)
        )
    return added, secret


def allowed_to(call: AnyPageCall) -> Allowed:
    return allowed_by(call.services.settings, is_operator=call.who.bound.account_id is None)


def secret_values(call: AnyPageCall, connection: Connection, secret: str) -> dict[str, Any]:
    base = call.services.settings.base_url
    return {
        "connection": connection,
        "secret": secret,
        "address": f"{base.rstrip('/')}/pbx/{connection.name}",
        "text": pasted_in(
            pbx_instructions(connection.kind, connection.name, secret, base, call.services.kinds), call.texts
        ),
    }


def pasted_in(text: str, texts: Texts) -> str:
    """Return the text with its prose in the person's language; what the PBX reads stays."""
    english = TEXTS["en"].sentences
    prose = [key for key in english if key.startswith("setup.pbx.paste.")]
    for key in sorted(prose, key=lambda key: -len(english[key])):
        text = text.replace(english[key], texts.sentences[key])
    return text


def _secret_page(call: AnyPageCall, connection: Connection, secret: str) -> Shown:
    """Show the secret on this one page and nowhere else."""
    return Shown(
        "setup/pbx_secret.html", {"tabs": tabs_of(call, "pbx"), **secret_values(call, connection, secret)}
    )


async def _connection(conn: Conn, call: AnyPageCall) -> Connection:
    try:
        return await connections.connection_of(conn, call.account.id, call.path["connection"])
    except NothingOfThatName as err:
        raise page_not_found() from err


async def show_one(call: PageCall[SinceQuery, None]) -> Shown:
    return await _one_page(call, call.query.since, {}, None)


async def _one_page(
    call: AnyPageCall, since: int, errors: Mapping[str, str], typed: LinesForm | None, status: int = 422
) -> Shown:
    async with call.connection() as conn:
        connection = await _connection(conn, call)
        spoilt = await spoilt_messages(conn, call.account.id, connection.id)
        lines = [await _line(conn, call, connection, number) for number in connection.lines]
        values = {
            "tabs": tabs_of(call, "pbx"),
            "connection": connection,
            "lines": lines,
            "typed": typed or _fields_shown(connection),
            "was": standing(_fields_shown(connection)),
            "spoilt": spoilt,
            "fields": _fields(spoilt),
            "errors": errors,
            **await waiting_values(conn, call, connection, since),
        }
    return Shown("setup/pbx_one.html", values, status=status if errors else 200)


def _fields(spoilt: list[SpoiltMessage]) -> dict[str, int]:
    """Return field -> in how many messages it could not be read, the most frequent first."""
    counts: dict[str, int] = {}
    for message in spoilt:
        for name in message.fields:
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


async def waiting_values(conn: Conn, call: AnyPageCall, connection: Connection, since: int) -> dict[str, Any]:
    """Of the part that waits for a first event. since: when waiting began, 0 = any event will do."""
    latest = await latest_of_connection(conn, call.account.id, connection.id)
    is_heard = latest is not None and latest.received_at.timestamp() >= since
    found = (
        await page_of(conn, call.account.id, CallFilter(connection=connection.id), limit=1)
        if is_heard
        else []
    )
    began = datetime.fromtimestamp(since, call.now.tzinfo) if since else None
    return {
        "waited_for": connection,
        "latest": latest if is_heard else None,
        "first": found[0] if found and found[0].call.started_at.timestamp() >= since - 60 else None,
        "since": since,
        "began": began,
        "is_late": began is not None and call.now - began > _PATIENCE,
        "anew": int(call.now.timestamp()),
    }


async def wait(call: PageCall[SinceQuery, None]) -> Shown:
    async with call.connection() as conn:
        connection = await _connection(conn, call)
        values = await waiting_values(conn, call, connection, call.query.since)
    return Shown("setup/_call_now.html", values)


async def change(call: PageCall[PageQuery, LinesForm]) -> PageAnswer:
    errors: dict[str, str] = {}
    async with call.connection() as conn, conn.transaction():
        await rows.lock_account(conn, call.account.id)
        connection = await _connection(conn, call)
        form, clashes = form_together(call.form, _fields_shown(connection))
        try:
            if not clashes:
                changes = {"lines": split_lines(form.lines), "is_on": form.is_on}
                await connections.change_connection(
                    conn, call.account.id, connection.name, changes, call.services.kinds, allowed_to(call)
                )
        except InputRefused as err:
            errors = errors_of(err, call.texts, "pbx")
    if clashes:
        return await _one_page(call, 0, clashes_said(clashes, call.texts), form, 409)
    if errors:
        return await _one_page(call, 0, errors, form)
    return SeeOther(call.here(f"/setup/pbx/{connection.name}"), said=phrase("setup.said.saved"))


def _fields_shown(connection: Connection) -> dict[str, Any]:
    return {"lines": ", ".join(connection.lines), "is_on": connection.is_on}


async def ask_new_secret(call: PageCall) -> Shown:
    async with call.connection() as conn:
        return _secret_question(call, await _connection(conn, call))


def _secret_question(call: AnyPageCall, connection: Connection, *, is_another: bool = False) -> Shown:
    """is_another: the secret that was to be replaced is none any more."""
    values = {"tabs": tabs_of(call, "pbx"), "connection": connection, "is_another": is_another}
    values["instead_of"] = _mark_of(connection)
    return Shown("setup/pbx_new_secret.html", values, status=409 if is_another else 200)


def _mark_of(connection: Connection) -> str:
    """By which a form says which secret it replaces: sent again, it would replace the one that was just shown."""
    return connection.secret_hash[:16]


async def change_secret(call: PageCall[PageQuery, SecretForm]) -> PageAnswer:
    secret = new_secret()
    async with call.connection() as conn:
        connection = await _connection(conn, call)
        if call.form.instead_of != _mark_of(connection):
            return _secret_question(call, connection, is_another=True)
        changed = await connections.change_connection(
            conn, call.account.id, connection.name, {"secret": secret}, call.services.kinds, allowed_to(call)
        )
    return _secret_page(call, changed, secret)


async def ask_removal(call: PageCall) -> Shown:
    async with call.connection() as conn:
        connection = await _connection(conn, call)
        uses = uses_said(await uses_of_connection(conn, call.account.id, connection.name), call.texts, {})
    values = {"tabs": tabs_of(call, "pbx"), "connection": connection, "uses": uses}
    return Shown("setup/pbx_remove.html", values)


async def remove(call: PageCall) -> PageAnswer:
    async with call.connection() as conn:
        connection = await _connection(conn, call)
        try:
            await connections.remove_connection(conn, call.account.id, connection.name)
        except ConnectionInUse as err:
            uses = uses_said([str(problem["use"]) for problem in err.problems], call.texts, {})
            values = {"tabs": tabs_of(call, "pbx"), "connection": connection, "uses": uses}
            return Shown("setup/pbx_remove.html", values, status=409)
    return SeeOther(call.here("/setup/pbx"), said=phrase("setup.pbx.said.removed", name=connection.name))
