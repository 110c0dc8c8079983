"""Who has which number: employees of the account, those who lack something first, and those whom the CRM proposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm.port import CrmUser
from crm.store.metadata import users_of
from gateway.admin import employees
from gateway.admin.employees import AddressTaken, EmployeeRefused, SeniorTaken
from gateway.admin.first_use.proposed_employees import ProposedEmployee, propose_employees
from gateway.admin.refused import EmployeeInUse, InputRefused
from gateway.store.admin.accounts import lock_account
from gateway.store.admin.employee_uses import uses_of_employee
from gateway.store.admin.staff import staff_of, stored_employees
from gateway.store.admin.users import users
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
from gateway.web.words.sorting import by_name
from gateway.web.words.uses import are_of_channels, uses_said
from routing.staff import Employee
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn

_USERS_SECONDS = 1.5
"""That a page waits for the CRM's users: it says that they are being read, and is looked at again."""


class NewEmployeeQuery(PageQuery):
    """user: of the CRM, who is to become an employee."""

    user: str = ""


class EmployeeForm(WholeForm):
    """extensions, sip, numbers: with commas or line breaks between them."""

    id: str = ""
    name: str = ""
    email: str = ""
    crm_user_id: str = ""
    extensions: str = ""
    sip: str = ""
    numbers: str = ""
    group: str = ""
    deputy_id: str = ""
    is_senior: bool = False
    gets_missed_calls: bool = False


class ImportForm(Form):
    """user, extension: so many of each, side by side; who gets no extension is left out."""

    user: tuple[str, ...] = ()
    extension: tuple[str, ...] = ()


class EmployeeRemovalForm(Form):
    even_if_used: bool = False


async def show(call: PageCall) -> Shown:
    return await _list(call)


async def _list(
    call: AnyPageCall, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> Shown:
    async with call.connection() as conn:
        staff = (await staff_of(conn, call.account.id)).employees
        users = await users_of(conn, call.account.id)
        proposed = await proposals(call) if users and call.may("admin") else []
    by_id = {user.id: user for user in users}
    values = {
        "tabs": tabs_of(call, "employees"),
        "people": sorted(staff, key=lambda p: (bool(p.crm_user_id and p.extensions), p.name.lower())),
        "unmapped": [p for p in staff if not p.crm_user_id],
        "users": by_id,
        "likely": likely_users(staff, users),
        "names": {p.id: p.name for p in staff},
        "proposed": proposed,
        "free": _free_extensions(proposed, staff),
        "may_edit": call.may("admin"),
        "has_users": bool(users),
        "typed": typed or {},
        "errors": errors or {},
    }
    return Shown("setup/employees.html", values, status=422 if errors else 200)


async def proposals(call: AnyPageCall) -> Sequence[ProposedEmployee]:
    services = call.services
    try:
        return await propose_employees(services.settings, services.pool, call.account.id, _USERS_SECONDS)
    except InputRefused:
        return []


def likely_users(staff: Sequence[Employee], users: Sequence[CrmUser]) -> dict[str, CrmUser]:
    """Return employee without a CRM user -> the user who is probably the same person: by e-mail, else by name."""
    taken = {p.crm_user_id for p in staff}
    free = [user for user in users if user.is_active and user.id not in taken]
    by_email = {user.email.lower(): user for user in free if user.email}
    of_name = {_plain(user.name): user for user in free}
    found = {}
    for person in staff:
        user = by_email.get(person.email.lower()) or of_name.get(_plain(person.name))
        if not person.crm_user_id and user is not None:
            found[person.id] = user
    return found


def _plain(name: str) -> str:
    return " ".join(sorted(by_name(name).split()))


def _free_extensions(proposed: Sequence[ProposedEmployee], staff: Sequence[Employee]) -> dict[str, str]:
    """Return CRM user -> the extension that their e-mail names and nobody has: 101@…, manager101@…."""
    taken = {address for person in staff for address in person.extensions}
    found = {p.crm_user_id: "".join(c for c in p.email.partition("@")[0] if c.isdigit()) for p in proposed}
    return {user: digits for user, digits in found.items() if 2 <= len(digits) <= 6 and digits not in taken}


async def show_new(call: PageCall[NewEmployeeQuery, None]) -> Shown:
    async with call.connection() as conn:
        user = next((u for u in await users_of(conn, call.account.id) if u.id == call.query.user), None)
    known = user is not None
    person = Employee(
        id=user.email if user and user.email else "",
        name=user.name if user else "",
        email=user.email if user else "",
        crm_user_id=user.id if user else None,
    )
    return await _form_page(call, _typed(person), is_new=True, is_known=known)


async def show_one(call: PageCall[NewEmployeeQuery, None]) -> Shown:
    async with call.connection() as conn:
        person = await _stored(conn, call)
    proposed = {"crm_user_id": call.query.user} if call.query.user else {}
    return await _form_page(call, {**_typed(person), **proposed}, is_new=False)


async def _stored(conn: Conn, call: AnyPageCall) -> Employee:
    people = await stored_employees(conn, call.account.id)
    found = next((p for p in people if p.id == call.path["employee"]), None)
    if found is None:
        raise page_not_found()
    return found


def _typed(person: Employee) -> dict[str, Any]:
    lists = {name: ", ".join(getattr(person, name)) for name in ("extensions", "sip", "numbers")}
    texts = {
        name: getattr(person, name) or ""
        for name in ("id", "name", "email", "crm_user_id", "group", "deputy_id")
    }
    return {**texts, **lists, "is_senior": person.is_senior, "gets_missed_calls": person.gets_missed_calls}


async def _form_page(
    call: AnyPageCall,
    typed: Mapping[str, Any],
    *,
    is_new: bool,
    is_known: bool = False,
    errors: Mapping[str, str] | None = None,
    clashes: Mapping[str, Any] | None = None,
) -> Shown:
    async with call.connection() as conn:
        people = await stored_employees(conn, call.account.id)
        users = await users_of(conn, call.account.id)
    say, stored = call.texts.say, next((p for p in people if p.id == typed["id"]), None)
    user_options = [("", say("setup.employees.by_email"))] + [
        (u.id, u.name) for u in sorted(users, key=lambda u: u.name.lower()) if u.is_active
    ]
    deputy_options = [("", say("setup.employees.nobody"))] + [
        (p.id, p.name) for p in people if p.id != typed["id"]
    ]
    names = {"crm_user_id": dict(user_options), "deputy_id": dict(deputy_options)}
    said = clashes_said(clashes or {}, call.texts, names)
    values = {
        "tabs": tabs_of(call, "employees"),
        "typed": typed,
        "was": standing(_fields_shown(stored)) if stored and not is_new else "",
        "is_new": is_new,
        "is_known": is_known,
        "errors": {**said, **(errors or {})},
        "user_options": user_options,
        "deputy_options": deputy_options,
    }
    return Shown("setup/employee.html", values, status=409 if said else 422 if errors else 200)


def _split(text: str) -> tuple[str, ...]:
    return tuple(
        part.strip() for part in text.replace("\n", ",").replace(";", ",").split(",") if part.strip()
    )


def _asked(form: EmployeeForm, id: str) -> Employee:
    return Employee(
        id=id,
        name=form.name.strip(),
        email=form.email.strip(),
        crm_user_id=form.crm_user_id or None,
        extensions=_split(form.extensions),
        sip=_split(form.sip),
        numbers=_split(form.numbers),
        is_senior=form.is_senior,
        deputy_id=form.deputy_id or None,
        group=form.group.strip() or None,
        gets_missed_calls=form.gets_missed_calls,
    )


async def add(call: PageCall[PageQuery, EmployeeForm]) -> PageAnswer:
    form = call.form
    id = form.id.strip()
    async with call.connection() as conn:
        is_taken = any(p.id == id for p in await stored_employees(conn, call.account.id))
        errors = {"id": call.texts.say("setup.refused.employee.id_taken")} if is_taken else {}
        errors = errors or await _refused(conn, call, form, id)
    return await _form_page(call, form.model_dump(), is_new=True, errors=errors) if errors else _saved(call)


async def change(call: PageCall[PageQuery, EmployeeForm]) -> PageAnswer:
    errors: dict[str, str] = {}
    async with call.connection() as conn, conn.transaction():
        await lock_account(conn, call.account.id)
        person = await _stored(conn, call)
        form, clashes = form_together(call.form, _fields_shown(person))
        if not clashes:
            errors = await _refused(conn, call, form, person.id)
    typed = {**form.model_dump(), "id": person.id}
    if errors or clashes:
        return await _form_page(call, typed, is_new=False, errors=errors, clashes=clashes)
    return _saved(call)


def _fields_shown(person: Employee) -> dict[str, Any]:
    """Return what stands in the form of an employee who is known."""
    return {name: value for name, value in _typed(person).items() if name != "id"}


async def _refused(conn: Conn, call: AnyPageCall, form: EmployeeForm, id: str) -> dict[str, str]:
    """Save the employee; return what was refused, by its field."""
    try:
        await employees.save_employee(conn, call.account.id, _asked(form, id))
    except EmployeeRefused as err:
        return errors_of_employee(call, err)
    return {}


def _saved(call: PageCall[PageQuery, EmployeeForm]) -> SeeOther:
    said = phrase("setup.employees.said.saved", name=call.form.name.strip())
    return SeeOther(call.here("/setup/employees"), said=said)


def errors_of_employee(call: AnyPageCall, err: EmployeeRefused) -> dict[str, str]:
    named = {}
    if isinstance(err, (AddressTaken, SeniorTaken)):
        named = {"address": getattr(err, "address", ""), "other": err.other}
    return errors_of(err, call.texts, "employee", **named)


async def import_users(call: PageCall[PageQuery, ImportForm]) -> PageAnswer:
    """Add all who got an extension, or nobody."""
    typed = dict(zip(call.form.user, call.form.extension, strict=False))
    try:
        count = await import_all(call, typed)
    except EmployeeRefused as err:
        user = next((p.crm_user_id for p in await proposals(call) if p.id == err.employee), "")
        return await _list(
            call, typed, {f"extension-{user}": next(iter(errors_of_employee(call, err).values()))}
        )
    return SeeOther(call.here("/setup/employees"), said=phrase("setup.employees.said.added", n=count))


async def import_all(call: AnyPageCall, typed: Mapping[str, str]) -> int:
    """typed: user of the CRM -> extension, "" = left out. How many were added; nobody where one is refused (EmployeeRefused)."""
    proposed = {p.crm_user_id: p for p in await proposals(call)}
    wanted = {user: text.strip() for user, text in typed.items() if text.strip() and user in proposed}
    async with call.connection() as conn, conn.transaction():
        for user, extension in wanted.items():
            await employees.save_employee(conn, call.account.id, _proposed(proposed[user], extension))
    return len(wanted)


def _proposed(person: ProposedEmployee, extension: str) -> Employee:
    return Employee(
        id=person.id,
        name=person.name,
        email=person.email,
        crm_user_id=person.crm_user_id,
        extensions=(extension,),
    )


async def ask_removal(call: PageCall) -> Shown:
    async with call.connection() as conn:
        return await _removal_page(conn, call, await _stored(conn, call))


async def _removal_page(conn: Conn, call: AnyPageCall, person: Employee, status: int = 200) -> Shown:
    names = {user.login: user.name for user in await users(conn)}
    names |= {one.id: one.name for one in (await staff_of(conn, call.account.id)).employees}
    named = await uses_of_employee(conn, call.account.id, person.id)
    values = {
        "tabs": tabs_of(call, "employees"),
        "person": person,
        "uses": uses_said(named, call.texts, names),
        "of_channels": are_of_channels(named),
    }
    return Shown("setup/employee_remove.html", values, status=status)


async def remove(call: PageCall[PageQuery, EmployeeRemovalForm]) -> PageAnswer:
    async with call.connection() as conn:
        person = await _stored(conn, call)
        try:
            await employees.remove_employee(
                conn, call.account.id, person.id, even_if_used=call.form.even_if_used
            )
        except EmployeeInUse:
            return await _removal_page(conn, call, person, 409)
    return SeeOther(
        call.here("/setup/employees"), said=phrase("setup.employees.said.removed", name=person.name)
    )
