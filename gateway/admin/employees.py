"""Employees as a person describes them, by API or in a file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from gateway.admin.input_words import (
    EMPLOYEE_ID,
    EXTENSION_REMEDY,
    LONGEST_EMAIL,
    LONGEST_GROUP,
    LONGEST_NAME,
    USER_ID,
    fault_of_name,
)
from gateway.admin.refused import EmployeeInUse, InputRefused
from gateway.admin.tokens import withdraw_tokens_of
from gateway.admin.users import shut_out_users_of
from gateway.configuration import reading_of
from gateway.store.admin import accounts as rows
from gateway.store.admin import staff as store
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.employee_uses import uses_of_employee
from gateway.store.channels.access import withdraw_rights_of
from routing.dialable import is_extension, is_sip_account
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.staff import Employee
from runtime.database.pool import Conn


class EmployeeRefused(InputRefused):
    """These people cannot be an account's staff. employee: the id of the one who is wrong."""

    def __init__(self, employee: str, field: str, message: str, remedy: str) -> None:
        super().__init__(field, message, remedy)
        self.employee = employee


class AddressTaken(EmployeeRefused):
    """An extension, SIP account or number rings one employee only. other: the name of who has it."""

    code = "address-taken"

    def __init__(self, employee: str, field: str, address: str, other: str) -> None:
        super().__init__(
            employee,
            field,
            f"'{address}' belongs to {other} already",
            "an extension, SIP account or number rings one employee only: remove it there first",
        )
        self.address, self.other = address, other


class SeniorTaken(EmployeeRefused):
    """An account has one senior manager. other: their name."""

    code = "senior-taken"

    def __init__(self, employee: str, other: str) -> None:
        remedy = "an account has one senior manager: let the other be none first"
        super().__init__(employee, "is_senior", f"{other} is the senior manager already", remedy)
        self.other = other


class CrmUserTaken(EmployeeRefused):
    """A CRM user is one employee: of two, nobody could say whose phone rings."""

    code = "crm-user-taken"


async def save_employee(conn: Conn, account_id: str, person: Employee) -> Employee:
    """Add or change one, numbers in any spelling; as the CRM maps them. Raise EmployeeRefused; nothing is stored then."""
    async with conn.transaction():
        await rows.lock_account(conn, account_id)
        stored = await store.stored_employees(conn, account_id)
        others = [p for p in stored if p.id != person.id]
        # Judged last, so that it is this employee who is told of an address that another has.
        policy, lines = await reading_of(conn, account_id)
        judged = _judged(person, policy)
        _refuse_lines(lines, [judged], stored)
        _refuse_bad_words([judged], stored)
        refuse_bad_staff([*others, judged])
        await store.save_employee(conn, account_id, judged)
        await _tell(conn, account_id, stored, [*others, judged])
        staff = await store.staff_of(conn, account_id)
        _refuse_shared_users([*(p for p in staff.employees if p.id != person.id), staff.by_id[person.id]])
        return staff.by_id[person.id]


async def replace_employees(conn: Conn, account_id: str, people: Sequence[Employee]) -> None:
    """Exactly these from now on, numbers in any spelling; who is gone leaves no token and no user behind. Raise EmployeeRefused,
    GrantsMore; nothing is stored then."""
    async with conn.transaction():
        await rows.lock_account(conn, account_id)
        policy, lines = await reading_of(conn, account_id)
        judged = [_judged(person, policy) for person in people]
        stored = await store.stored_employees(conn, account_id)
        _refuse_lines(lines, judged, stored)
        _refuse_bad_words(judged, stored)
        refuse_bad_staff(judged)
        if judged != list(stored):
            await store.replace_staff(conn, account_id, judged)
            await _withdraw(conn, account_id, {p.id for p in stored} - {p.id for p in judged})
            await _tell(conn, account_id, stored, judged)
            by_id = (await store.staff_of(conn, account_id)).by_id
            _refuse_shared_users([by_id[person.id] for person in people])


async def remove_employee(
    conn: Conn, account_id: str, employee_id: str, *, even_if_used: bool = False
) -> bool:
    """Whether there was one. Tokens of theirs are withdrawn, users of theirs shut out. Raise EmployeeInUse, GrantsMore; nothing
    is changed then."""
    async with conn.transaction():
        await rows.lock_account(conn, account_id)
        stored = await store.stored_employees(conn, account_id)
        if not await store.remove_employee(conn, account_id, employee_id):
            return False
        uses = await uses_of_employee(conn, account_id, employee_id)
        if uses and not even_if_used:
            raise EmployeeInUse(employee_id, uses)
        await _withdraw(conn, account_id, {employee_id})
        await _tell(conn, account_id, stored, [p for p in stored if p.id != employee_id])
        return True


async def _withdraw(conn: Conn, account_id: str, gone: Collection[str]) -> None:
    """Let nobody keep the rights of these people: the next employee of such an id is somebody else."""
    if gone:
        await withdraw_tokens_of(conn, account_id, gone)
        await shut_out_users_of(conn, account_id, gone)
        await withdraw_rights_of(conn, account_id, gone)


async def _tell(conn: Conn, account_id: str, before: Iterable[Employee], after: Iterable[Employee]) -> None:
    """One entry for each who is new, another, or gone."""
    old, new = ({p.id: p.model_dump(mode="json") for p in people} for people in (before, after))
    for employee in {**old, **new}:
        action = "added" if employee not in old else "removed" if employee not in new else "changed"
        change = AuditChange(
            what="employee",
            object=employee,
            action=action,
            account_id=account_id,
            before=old.get(employee),
            after=new.get(employee),
        )
        await record(conn, change)


def _judged(person: Employee, policy: NumberPolicy) -> Employee:
    """Return the same person with their addresses as they are stored, each once. Raise EmployeeRefused."""
    if not re.fullmatch(EMPLOYEE_ID, person.id):
        remedy = "write up to 64 letters, digits and . _ @ -"
        raise EmployeeRefused(person.id, "id", f"'{person.id}' is no id of an employee", remedy)
    if person.crm_user_id is not None and not re.fullmatch(USER_ID, person.crm_user_id):
        remedy = "write the number that the CRM gives the user"
        raise EmployeeRefused(
            person.id, "crm_user_id", f"'{person.crm_user_id}' is no id of a CRM user", remedy
        )
    for field in ("extensions", "sip"):
        _refuse_bad_addresses(person, field)
    numbers = numbers_of(person.id, person.numbers, policy)
    once = {field: tuple(dict.fromkeys(getattr(person, field))) for field in ("extensions", "sip")}
    return person.model_copy(update={**once, "numbers": numbers})


def line_of_somebody(lines: Collection[str], people: Iterable[Employee]) -> tuple[str, Employee] | None:
    """Return the first line of the company (E.164) that is a number of one of these people too: no number is both."""
    return next(((number, p) for p in people for number in p.numbers if number in lines), None)


def _refuse_lines(lines: Collection[str], people: Sequence[Employee], stored: Sequence[Employee]) -> None:
    """Refuse a line of the company as somebody's number. stored: what stands there already is not judged again."""
    had = {person.id: person.numbers for person in stored}
    new = [p.model_copy(update={"numbers": _without(p.numbers, had.get(p.id, ()))}) for p in people]
    if found := line_of_somebody(lines, new):
        line, person = found
        remedy = "write the person's own number, or none"
        raise EmployeeRefused(person.id, "numbers", f"'{line}' is a line of the company", remedy)


def _refuse_bad_words(people: Sequence[Employee], stored: Sequence[Employee]) -> None:
    """Refuse a name, an e-mail address or a group that nobody can have. What stands there already is not judged again."""
    had = {person.id: person for person in stored}
    for person in people:
        before = had.get(person.id)
        for field, longest in _LONGEST.items():
            text = getattr(person, field)
            if text == getattr(before, field, None) or (field != "name" and not text):
                continue
            if fault := fault_of_name(text, longest, _WORDS[field]):
                raise EmployeeRefused(person.id, field, *fault)
            if field == "email" and not _EMAIL.fullmatch(text):
                raise EmployeeRefused(person.id, field, f"'{text}' is no e-mail address", _EMAIL_REMEDY)


_LONGEST = {"name": LONGEST_NAME, "email": LONGEST_EMAIL, "group": LONGEST_GROUP}
_WORDS = {"name": "name", "email": "address", "group": "name of the group"}
_EMAIL_REMEDY = "write it as it stands in the CRM, e.g. olga@example.com, or leave it out"
"""What no CRM user can have as an address finds nobody. Of any letters, as the CRM allows them."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _without(numbers: Sequence[str], others: Collection[str]) -> tuple[str, ...]:
    return tuple(number for number in numbers if number not in others)


def _refuse_bad_addresses(person: Employee, field: str) -> None:
    """Refuse what no phone has: an address is dialled, and goes into dialplans and answers as it is."""
    for address in getattr(person, field):
        if not _ADDRESSES[field](address):
            what, remedy = _ADDRESS_WORDS[field]
            raise EmployeeRefused(person.id, field, f"'{address}' is no {what}", remedy)


_ADDRESSES = {
    "extensions": is_extension,
    "sip": is_sip_account,
}
_ADDRESS_WORDS = {
    "extensions": ("extension", EXTENSION_REMEDY),
    "sip": ("SIP account", "write a login, or login@host; the login of letters, digits and * # + . _ -"),
}


def numbers_of(employee: str, raw: Iterable[str], policy: NumberPolicy) -> tuple[str, ...]:
    """Return an employee's numbers as E.164, each once. Raise EmployeeRefused for what is no phone number."""
    found: list[str] = []
    for text in raw:
        number = normalise(text, policy)
        if not isinstance(number, PublicNumber):
            raise EmployeeRefused(
                employee, "numbers", f"'{text}' is not a phone number", "write it as +74951234567"
            )
        found.append(number.e164)
    return tuple(dict.fromkeys(found))


def refuse_bad_staff(people: Sequence[Employee]) -> None:
    """Raise EmployeeRefused for the first thing that no staff can be: two owners of an address, two senior managers, a
    deputy who is nobody."""
    ids = {p.id for p in people}
    owner_of: dict[str, Employee] = {}
    senior: Employee | None = None
    for person in people:
        if person.deputy_id is not None and person.deputy_id not in ids:
            remedy = "name an employee of this account, or none"
            raise EmployeeRefused(person.id, "deputy_id", f"'{person.deputy_id}' is no employee", remedy)
        if person.deputy_id == person.id:
            remedy = "name somebody else, or none"
            raise EmployeeRefused(person.id, "deputy_id", "nobody stands in for themselves", remedy)
        if person.is_senior and senior is not None:
            raise SeniorTaken(person.id, senior.name)
        senior = person if person.is_senior else senior
        _refuse_taken_addresses(person, owner_of)


def _refuse_shared_users(people: Sequence[Employee]) -> None:
    """people: as mapped to the CRM, by id or e-mail; the last one is told."""
    owner_of: dict[str, Employee] = {}
    for person in people:
        user = person.crm_user_id
        if user and (other := owner_of.setdefault(user, person)) is not person:
            remedy = (
                "a CRM user is one employee: give them all addresses, or take the user from the other first"
            )
            raise CrmUserTaken(person.id, "crm_user_id", f"CRM user {user} is {other.name} already", remedy)


def _refuse_taken_addresses(person: Employee, owner_of: dict[str, Employee]) -> None:
    """owner_of: those before, by address; this one's are added."""
    places = [(a, n) for n in ("extensions", "sip", "numbers") for a in getattr(person, n)]
    for address, place in places:
        other = owner_of.setdefault(address.lower(), person)
        if other is not person:
            raise AddressTaken(person.id, place, address, other.name)
