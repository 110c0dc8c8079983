"""SMS providers: connected with keys that nobody is shown again, tried with a text, changed, taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.admin.refused import ConnectionInUse, InputRefused, NothingOfThatName
from gateway.admin.sms import connections as service
from gateway.admin.sms.connections import SmsConnectionOrder
from gateway.admin.sms.sending import LONGEST_TEST, send_test
from gateway.sms.addresses import report_address
from gateway.store.admin.accounts import lock_account
from gateway.store.outbound.uses import uses_of_sms_connection
from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from gateway.store.sms.links import links_heard
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
from gateway.web.saving.together import WholeForm, clashes_said, standing, together
from gateway.web.setup.pbx import KindQuery, allowed_to
from gateway.web.setup.refusals import errors_of
from gateway.web.setup.sms_seen import ProviderSeen, seen_provider
from gateway.web.setup.tabs import tabs_of
from gateway.web.words.uses import uses_said
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn
from sms.kinds import SMS_KINDS
from sms.port import SmsKind, is_switched_on

PATH = "/setup/sms"
_SETTING = "setting-"


class SmsProviderForm(WholeForm):
    """key_name, key and setting_name, setting: side by side; an empty key stays as it is. switch_name: the settings that are
    switches. switch: those of them that are on."""

    kind: str = ""
    name: str = ""
    sender: str = ""
    key_name: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    setting_name: tuple[str, ...] = ()
    setting: tuple[str, ...] = ()
    switch_name: tuple[str, ...] = ()
    switch: tuple[str, ...] = ()
    is_on: bool = False

    @property
    def keys(self) -> dict[str, str]:
        return {n: v for n, v in zip(self.key_name, self.key, strict=False) if v}

    @property
    def settings(self) -> dict[str, str]:
        pairs = zip(self.setting_name, self.setting, strict=False)
        typed = {name: value.strip() for name, value in pairs if value.strip()}
        return typed | {name: "true" for name in self.switch if name in self.switch_name}

    @property
    def shown(self) -> frozenset[str]:
        """Names of the settings that stood in the form."""
        return frozenset((*self.setting_name, *self.switch_name))


class SmsTestForm(Form):
    number: str = ""
    text: str = ""


class SmsRemovalForm(Form):
    even_if_used: bool = False


async def _seen(call: AnyPageCall, conn: Conn, found: Sequence[SavedSmsConnection]) -> list[ProviderSeen]:
    links = await links_heard(conn, call.account.id)
    return [seen_provider(saved, links.get((saved.account_id, saved.name)), call.texts) for saved in found]


async def show(call: PageCall) -> Shown:
    async with call.connection() as conn:
        found = await _seen(call, conn, await sms_connections(conn, call.account.id))
    values = {
        "tabs": tabs_of(call, "sms"),
        "found": found,
        "kinds": sorted(SMS_KINDS),
    }
    return Shown("setup/sms.html", values)


async def show_new(call: PageCall[KindQuery, None]) -> PageAnswer:
    if call.query.kind not in SMS_KINDS:
        return SeeOther(call.here(PATH))
    return _new_page(call, SmsProviderForm(kind=call.query.kind), {})


def _new_page(call: AnyPageCall, form: SmsProviderForm, errors: Mapping[str, str]) -> Shown:
    kind = SMS_KINDS[form.kind]
    values = {
        "tabs": tabs_of(call, "sms"),
        "typed": form,
        "errors": errors,
        **_fields_of(kind, form.settings, frozenset()),
    }
    return Shown("setup/sms_new.html", values, status=422 if errors else 200)


def _fields_of(kind: SmsKind, settings: Mapping[str, Any], held: frozenset[str]) -> dict[str, Any]:
    """held: names of the keys that are set."""
    types = service.sms_settings_of(kind)
    switches = [n for n in kind.settings if types[n] == "switch"]
    return {
        "keys": [(name, name in kind.keys, name in held) for name in (*kind.keys, *kind.more_keys)],
        "settings": [
            (n, str(settings.get(n, "")), n in kind.needed_settings)
            for n in kind.settings
            if n not in switches
        ],
        "switches": [(n, is_switched_on(settings.get(n))) for n in switches],
    }


async def add(call: PageCall[PageQuery, SmsProviderForm]) -> PageAnswer:
    form = call.form
    if form.kind not in SMS_KINDS:
        return SeeOther(call.here(PATH))
    name = form.name.strip()
    order = SmsConnectionOrder(
        name=name, kind=form.kind, sender=form.sender.strip() or None, keys=form.keys, settings=form.settings
    )
    try:
        async with call.connection() as conn:
            added = await service.add_sms_connection(conn, call.account.id, order, allowed_to(call))
    except InputRefused as err:
        return _new_page(call, form, errors_of(err, call.texts, "sms"))
    is_whole = not SMS_KINDS[form.kind].missing(added.connection)
    said = phrase("setup.sms.said.added" if is_whole else "setup.sms.said.added_lacking")
    return SeeOther(call.here(f"{PATH}/{name}"), said=said)


async def _provider(conn: Conn, call: AnyPageCall) -> SavedSmsConnection:
    try:
        return await service.sms_connection_of(conn, call.account.id, call.path["provider"])
    except NothingOfThatName as err:
        raise page_not_found() from err


async def show_one(call: PageCall) -> Shown:
    return await _one_page(call)


async def _one_page(
    call: AnyPageCall,
    errors: Mapping[str, str] | None = None,
    typed: SmsProviderForm | None = None,
    tested: SmsTestForm | None = None,
    status: int = 422,
) -> Shown:
    """typed, tested: what was refused."""
    async with call.connection() as conn:
        saved = await _provider(conn, call)
        [one] = await _seen(call, conn, [saved])
    held, kind = saved.connection, SMS_KINDS[saved.connection.kind]
    settings = typed.settings if typed else held.settings
    values = {
        "tabs": tabs_of(call, "sms"),
        "one": one,
        "sender": typed.sender if typed else saved.sender or "",
        "is_on": typed.is_on if typed else saved.is_on,
        "may_name_sender": kind.capabilities.has_senders,
        "has_balance": kind.capabilities.has_balance,
        "reports_to": report_address(call.services.settings.base_url, saved),
        "tested": tested or SmsTestForm(),
        "longest": LONGEST_TEST,
        "errors": errors or {},
        "was": standing(_fields_shown(saved)),
        **_fields_of(kind, settings, frozenset(held.keys)),
    }
    return Shown("setup/sms_one.html", values, status=status if errors else 200)


def _fields_shown(saved: SavedSmsConnection) -> dict[str, Any]:
    """Return what stands in the form, by the ids of its fields; nothing of keys."""
    settings = {f"{_SETTING}{name}": str(value) for name, value in saved.connection.settings.items()}
    return {"sender": saved.sender or "", "is_on": saved.is_on, **settings}


async def change(call: PageCall[PageQuery, SmsProviderForm]) -> PageAnswer:
    form, errors, status = call.form, {}, 422
    async with call.connection() as conn, conn.transaction():
        await lock_account(conn, call.account.id)
        saved = await _provider(conn, call)
        changes, clashes = _merged(saved, form)
        if clashes:
            errors, status = clashes_said(clashes, call.texts), 409
            form = _showing(form, changes)
        else:
            try:
                await service.change_sms_connection(
                    conn, call.account.id, saved.name, changes, allowed_to(call)
                )
            except InputRefused as err:
                errors = errors_of(err, call.texts, "sms")
    if errors:
        return await _one_page(call, errors, form, status=status)
    return SeeOther(call.here(f"{PATH}/{saved.name}"), said=phrase("setup.said.saved"))


def _merged(saved: SavedSmsConnection, form: SmsProviderForm) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an order for `change_sms_connection`, and the fields that somebody else has changed too."""
    now = _fields_shown(saved)
    hidden = {
        n: v for n, v in now.items() if n.startswith(_SETTING) and n.removeprefix(_SETTING) not in form.shown
    }
    settings = {f"{_SETTING}{name}": value for name, value in form.settings.items()}
    typed = {"sender": form.sender.strip(), "is_on": form.is_on, **hidden, **settings}
    merged, clashes = together(form.opened_with, now, typed)
    held = saved.connection
    changes: dict[str, Any] = {
        "sender": merged["sender"] or None,
        "is_on": merged["is_on"],
        "settings": {
            name: held.settings[name] if str(held.settings.get(name, "")) == value else value
            for field, value in merged.items()
            if value and (name := field.removeprefix(_SETTING)) != field
        },
    }
    if form.keys:
        changes["keys"] = {**held.keys, **form.keys}
    return changes, clashes


def _showing(form: SmsProviderForm, changes: Mapping[str, Any]) -> SmsProviderForm:
    """Return the form with these values."""
    settings = changes["settings"]
    shown = {
        "sender": changes["sender"] or "",
        "is_on": changes["is_on"],
        "setting": tuple(str(settings.get(name, "")) for name in form.setting_name),
        "switch": tuple(name for name in form.switch_name if is_switched_on(settings.get(name))),
    }
    return form.model_copy(update=shown)


async def look_again(call: PageCall) -> SeeOther:
    async with call.connection() as conn:
        saved = await _provider(conn, call)
        await service.look_again(conn, call.account.id, saved.name)
    return SeeOther(call.here(f"{PATH}/{saved.name}"), said=phrase("setup.sms.said.looked"))


async def test(call: PageCall[PageQuery, SmsTestForm]) -> PageAnswer:
    form = call.form
    try:
        async with call.connection() as conn:
            saved = await _provider(conn, call)
            await send_test(conn, call.account.id, saved.name, form.number.strip(), form.text)
    except InputRefused as err:
        return await _one_page(call, errors_of(err, call.texts, "sms_test"), tested=form)
    return SeeOther(call.here("/messages/texts", provider=saved.name), said=phrase("setup.sms.said.tested"))


async def ask_removal(call: PageCall) -> Shown:
    async with call.connection() as conn:
        saved = await _provider(conn, call)
        uses = await uses_of_sms_connection(conn, call.account.id, saved.name)
    return _removal_page(call, saved, uses)


def _removal_page(
    call: AnyPageCall, saved: SavedSmsConnection, uses: list[str], *, is_asked_again: bool = False
) -> Shown:
    values = {"tabs": tabs_of(call, "sms"), "saved": saved, "uses": uses_said(uses, call.texts, {})}
    return Shown("setup/sms_remove.html", values, status=409 if is_asked_again else 200)


async def remove(call: PageCall[PageQuery, SmsRemovalForm]) -> PageAnswer:
    async with call.connection() as conn:
        saved = await _provider(conn, call)
        try:
            await service.remove_sms_connection(
                conn, call.account.id, saved.name, even_if_used=call.form.even_if_used
            )
        except ConnectionInUse as err:
            uses = [str(problem["use"]) for problem in err.problems]
            return _removal_page(call, saved, uses, is_asked_again=True)
    return SeeOther(call.here(PATH), said=phrase("setup.sms.said.removed", name=saved.name))
