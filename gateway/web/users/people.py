"""The tab of users: who may sign in, what each may and sees, where they are signed in, and how they are helped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gateway.admin import users
from gateway.admin.protection.grants import GrantsMore
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.admin.sign_in.links import GOOD_FOR, make_link
from gateway.admin.sign_in.second_factor import take_second_factor
from gateway.admin.sign_in.sessions import open_sessions, revoke_session, revoke_sessions
from gateway.admin.users import UserOrder
from gateway.store.admin import users as store
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import ROLES
from gateway.store.admin.users import AdminUser
from gateway.web.frame import (
    AnyPageCall,
    PageAnswer,
    PageCall,
    PageQuery,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.refusals import refusal_said
from gateway.web.saving.together import WholeForm, clashes_said, form_together, standing
from gateway.web.setup.tabs import tabs_of
from gateway.web.sign_in.browsers import browser_name
from gateway.web.users.rights import (
    bindings_said,
    is_nobody_on_the_phone,
    options_of,
    role_cards,
    seen_by,
    who_sees_the_same,
)
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn

PEOPLE = "/setup/users"
_SETS = ("templates", "schedules", "counters")
_OPTIONS = {
    "account": "accounts",
    "employee": "employees",
    "templates": "templates",
    "schedules": "schedules",
    "counters": "employees",
}
"""Field -> where in what may be chosen its values have their names."""


class RoleQuery(PageQuery):
    role: str = ""


class UserForm(WholeForm):
    """login: of a new one only. is_on: of a known one only."""

    login: str = ""
    name: str = ""
    role: str = ROLES[0]
    is_on: bool = False
    account: str = ""
    employee: str = ""
    templates: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()

    def bound(self) -> Bindings:
        return Bindings(
            account_id=self.account or None,
            employee=self.employee or None,
            templates=self.templates,
            schedules=self.schedules,
            counters=self.counters,
        )


async def list_people(call: PageCall[RoleQuery, None]) -> Shown:
    async with call.connection() as conn:
        people = await store.users(conn, call.who.bound.account_id)
        sessions = Counter(
            one.login for one in await open_sessions(conn, [p.login for p in people], call.now)
        )
        names = await _names(conn, call)
    chosen = call.query.role if call.query.role in ROLES else ""
    rows = [
        (one, bindings_said(one.bound, names, call.texts), sessions[one.login])
        for one in people
        if chosen in ("", one.role)
    ]
    counts: Counter[str] = Counter(one.role for one in people)
    chips = [
        (role, call.here(PEOPLE, role=role), counts[role] if role else len(people))
        for role in ("", *reversed(ROLES))
    ]
    values = {"tabs": tabs_of(call, "users"), "rows": rows, "chips": chips, "chosen": chosen}
    return Shown("users/list.html", values)


async def new_person(call: PageCall) -> Shown:
    return await _new(call, UserForm(account=call.who.bound.account_id or ""))


async def add_person(call: PageCall[PageQuery, UserForm]) -> PageAnswer:
    form = call.form
    order = UserOrder(login=form.login, role=form.role, name=form.name or None, bound=form.bound())
    try:
        async with call.connection() as conn:
            _refuse_other_account(call, order.bound)
            password = await users.add_user(conn, order)
    except InputRefused as err:
        return await _new(call, form, await _errors(call, err))
    values = {
        "tabs": tabs_of(call, "users"),
        "login": order.login,
        "password": password,
        "link": "",
        "is_nobody": is_nobody_on_the_phone(order.role, order.bound),
        "onward": call.here(f"{PEOPLE}/{order.login}"),
    }
    return Shown("users/told.html", values)


async def _new(call: AnyPageCall, form: UserForm, errors: Mapping[str, str] | None = None) -> Shown:
    async with call.connection() as conn:
        options = await options_of(conn, call.who.bound.account_id, form.bound())
    values = {
        "tabs": tabs_of(call, "users"),
        "form": form,
        "options": options,
        "cards": role_cards(call.texts),
        "errors": errors or {},
        "is_new": True,
    }
    return Shown("users/new.html", values, 422 if errors else 200)


async def one_person(call: PageCall) -> Shown:
    return await _one(call)


async def change_person(call: PageCall[PageQuery, UserForm]) -> PageAnswer:
    form, refused = call.form, None
    clashes: dict[str, Any] = {}
    try:
        async with call.connection() as conn, conn.transaction():
            await store.lock_users(conn)
            form, clashes = form_together(call.form, _fields_shown(await _user(conn, call)), _SETS)
            if not clashes:
                await _changed(conn, call, form)
    except InputRefused as err:
        refused = err
    if clashes:
        return await _one(call, form, clashes=clashes)
    if refused is not None:
        return await _one(call, form, await _errors(call, refused))
    return _led_back(call, "users.changed")


async def _changed(conn: Conn, call: PageCall[PageQuery, UserForm], form: UserForm) -> None:
    """Raise InputRefused."""
    bound = form.bound()
    changes = {
        **{n: getattr(bound, n) for n in ("account_id", "employee", "templates", "schedules", "counters")},
        "name": form.name,
        "role": form.role,
        "is_on": form.is_on,
    }
    _refuse_other_account(call, bound)
    await users.change_user(conn, call.path["login"], changes, call.who.bound.account_id)


def _fields_shown(user: AdminUser) -> dict[str, Any]:
    """Return what stands in the form of a person who is known."""
    return _form_of(user).model_dump(exclude={"login", "was"})


async def _one(
    call: AnyPageCall,
    form: UserForm | None = None,
    errors: Mapping[str, str] | None = None,
    clashes: Mapping[str, Any] | None = None,
) -> Shown:
    async with call.connection() as conn:
        user = await _user(conn, call)
        people = await store.users(conn, call.who.bound.account_id)
        options = await options_of(conn, call.who.bound.account_id, user.bound)
        sessions = await open_sessions(conn, [user.login], call.now)
    names = {name: dict(getattr(options, of)) for name, of in _OPTIONS.items()}
    names["role"] = {role: call.texts.say(f"shell.role.{role}") for role in ROLES}
    said = clashes_said(clashes or {}, call.texts, names)
    values: dict[str, Any] = {
        "tabs": tabs_of(call, "users"),
        "user": user,
        "form": form or _form_of(user),
        "was": standing(_fields_shown(user)),
        "options": options,
        "cards": role_cards(call.texts),
        "errors": {**said, **(errors or {})},
        "is_new": False,
        "sees": seen_by(user.role, user.bound, call.texts),
        "is_nobody": is_nobody_on_the_phone(user.role, user.bound),
        "same": who_sees_the_same(user, people),
        "sessions": sessions,
        "browser": lambda agent: browser_name(agent, call.texts),
    }
    return Shown("users/one.html", values, 409 if said else 422 if errors else 200)


def _form_of(user: AdminUser) -> UserForm:
    return UserForm(
        login=user.login,
        name=user.name,
        role=user.role,
        is_on=user.is_on,
        account=user.bound.account_id or "",
        employee=user.bound.employee or "",
        templates=user.bound.templates,
        schedules=user.bound.schedules,
        counters=user.bound.counters,
    )


async def give_link(call: PageCall) -> PageAnswer:
    """Show an address that lets this person in once, in place of a lost password."""
    try:
        async with call.connection() as conn:
            user = await _user(conn, call)
            path = await make_link(conn, user.login, call.now)
    except InputRefused as err:
        return await _one(call, None, await _errors(call, err))
    values = {
        "tabs": tabs_of(call, "users"),
        "login": user.login,
        "password": "",
        "link": call.services.settings.base_url.rstrip("/") + path,
        "is_nobody": is_nobody_on_the_phone(user.role, user.bound),
        "minutes": int(GOOD_FOR.total_seconds() // 60),
        "onward": call.here(f"{PEOPLE}/{user.login}"),
    }
    return Shown("users/told.html", values)


async def take_factor(call: PageCall) -> PageAnswer:
    try:
        async with call.connection() as conn:
            await take_second_factor(conn, call.path["login"], call.who.bound.account_id)
    except InputRefused as err:
        return await _one(call, None, await _errors(call, err))
    return _led_back(call, "users.factor_taken")


async def end_session(call: PageCall) -> PageAnswer:
    try:
        async with call.connection() as conn:
            await revoke_session(conn, call.path["login"], call.path["session"], call.who.bound.account_id)
    except InputRefused as err:
        return await _one(call, None, await _errors(call, err))
    return _led_back(call, "sign_in.session_ended")


async def end_sessions(call: PageCall) -> PageAnswer:
    async with call.connection() as conn:
        user = await _user(conn, call)
        await revoke_sessions(conn, user.login, call.who.session, call.who.bound.account_id)
    return _led_back(call, "users.sessions_ended")


async def ask_removal(call: PageCall) -> Shown:
    async with call.connection() as conn:
        user = await _user(conn, call)
    return Shown("users/remove.html", {"tabs": tabs_of(call, "users"), "user": user})


async def remove_person(call: PageCall) -> PageAnswer:
    try:
        async with call.connection() as conn:
            await users.remove_user(conn, call.path["login"], call.who.bound.account_id)
    except NothingOfThatName as err:
        raise page_not_found("user") from err
    except InputRefused as err:
        return await _one(call, None, await _errors(call, err))
    return SeeOther(call.here(PEOPLE), phrase("users.removed"))


def _led_back(call: AnyPageCall, said: str) -> SeeOther:
    return SeeOther(call.here(f"{PEOPLE}/{call.path['login']}"), phrase(said))


async def _user(conn: Conn, call: AnyPageCall) -> AdminUser:
    try:
        return await users.user_of(conn, call.path["login"], call.who.bound.account_id)
    except NothingOfThatName as err:
        raise page_not_found("user") from err


async def _names(conn: Conn, call: AnyPageCall) -> dict[str, str]:
    options = await options_of(conn, call.who.bound.account_id)
    return dict((*options.accounts, *options.employees))


def _refuse_other_account(call: AnyPageCall, bound: Bindings) -> None:
    own = call.who.bound.account_id
    if own is not None and bound.account_id != own:
        raise GrantsMore("account")


async def _errors(call: AnyPageCall, err: InputRefused) -> dict[str, str]:
    """Return what is wrong, by its field; who may not grant something is told who can."""
    said = refusal_said(err, call.texts)
    if isinstance(err, GrantsMore):
        async with call.connection() as conn:
            people = await store.users(conn)
        names = [one.name for one in people if one.is_on and one.role == "admin" and not one.account_id]
        if names:
            said = f"{said} {call.texts.say('users.who_can', names=tuple(names[:5]))}"
    return {"account" if err.field == "account_id" else err.field: said}
