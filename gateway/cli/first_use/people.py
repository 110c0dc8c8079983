"""The fifth step of `init`: employees from the CRM's users, one of them the senior manager."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.admin import employees
from gateway.admin.first_use.proposed_employees import ProposedEmployee, employees_by_email, propose_employees
from gateway.admin.refused import InputRefused
from gateway.cli.first_use.guide import FirstUse, InitOutcome
from gateway.settings import Settings
from gateway.store.admin.staff import stored_employees
from routing.staff import Employee
from runtime.database.pool import Conn
from runtime.failure import Failure

_THE_REST = "."


def people(guide: FirstUse) -> InitOutcome:
    there, talk = _stored(guide), guide.talk
    has_senior, wanted = any(person.is_senior for person in there), guide.answers.extensions
    added: list[Employee] = []
    _refuse_another_senior(guide, there)
    if there and not wanted and (has_senior or not talk.is_person):
        talk.say("people.found", count=len(there))
    elif not wanted and not (talk.is_person and talk.agree("people.begin?")):
        talk.say("people.left", account=_account(guide))
    else:
        try:
            proposed = guide.on_pool(lambda pool: propose_employees(Settings(), pool, _account(guide)))
        except InputRefused as err:
            talk.refused(err)
            return "left"
        added = _add_people(guide, proposed)
        talk.say("people.done", count=len(added))
    if not there and not added:
        return "left"
    if not _has_senior(guide):
        guide.gap = "senior"
        return "left"
    return "done" if added else "found"


def _account(guide: FirstUse) -> str:
    assert guide.account is not None
    return guide.account.id


def _stored(guide: FirstUse) -> Sequence[Employee]:
    return guide.on_database(lambda conn: stored_employees(conn, _account(guide)))


def _add_people(guide: FirstUse, proposed: Sequence[ProposedEmployee]) -> list[Employee]:
    """Who is asked for is stored at once, so that nothing is asked twice after an interruption; who was given by options, all
    or nobody."""
    if guide.answers.extensions:
        return _add_given(guide, proposed)
    guide.talk.say("people.explain", count=len(proposed))
    added = []
    for person in proposed:
        stored = _add_person(guide, person)
        if stored == _THE_REST:
            break
        added += [stored] if isinstance(stored, Employee) else []
    return added


def _add_given(guide: FirstUse, proposed: Sequence[ProposedEmployee]) -> list[Employee]:
    """Raise Failure for the first who cannot have the extension that was given; nobody is added then."""
    given = {email.lower(): extension for email, extension in guide.answers.extensions.items()}
    there = guide.on_database(lambda conn: employees_by_email(conn, _account(guide)))
    users = {person.email.lower(): person for person in proposed}
    for email in given.keys() & there.keys():
        _refuse_another_extension(guide, there[email], email, given[email])
    for email in given.keys() - there.keys() - users.keys():
        raise Failure(
            guide.talk.words("people.unknown", email=email), "", guide.talk.words("people.unknown.todo")
        )
    new = [_employee(users[email], given[email]) for email in given if email in users and email not in there]

    async def add(conn: Conn) -> list[Employee]:
        async with conn.transaction():
            return [await employees.save_employee(conn, _account(guide), person) for person in new]

    try:
        return guide.on_database(add)
    except employees.EmployeeRefused as err:
        what = f"{err.employee}: {err.message}"
        raise Failure(what, guide.talk.words("people.nobody-added"), err.remedy) from err


def _refuse_another_extension(guide: FirstUse, there: Employee, email: str, extension: str) -> None:
    if extension not in there.extensions:
        talk, held = guide.talk, ", ".join(there.extensions) or "–"
        remedy = talk.words("people.there.todo", id=there.id, extension=extension, account=_account(guide))
        raise Failure(talk.words("people.there", email=email, name=there.name, extensions=held), "", remedy)


def _employee(person: ProposedEmployee, extension: str) -> Employee:
    return Employee(
        id=person.id,
        name=person.name,
        email=person.email,
        crm_user_id=person.crm_user_id,
        extensions=(extension,),
    )


def _add_person(guide: FirstUse, person: ProposedEmployee) -> Employee | str:
    """Return '' for one whom the person at the terminal leaves out, `_THE_REST` for all that follow."""

    def attempt() -> Employee | str:
        text = guide.talk.ask("people.ask-extension", name=person.name, email=person.email)
        if text in ("", _THE_REST):
            return text
        new = _employee(person, text)
        return guide.on_database(lambda conn: employees.save_employee(conn, _account(guide), new))

    return guide.until_right(attempt)


def _refuse_another_senior(guide: FirstUse, there: Sequence[Employee]) -> None:
    """Raise Failure where an option names another senior manager than there is."""
    wanted = (guide.answers.senior or "").lower()
    senior = next((person for person in there if person.is_senior), None)
    if senior and wanted and wanted not in (senior.email.lower(), senior.id, *senior.extensions):
        guide.refuse_other("--senior", wanted, senior.name, "senior", account=_account(guide))


def _has_senior(guide: FirstUse) -> bool:
    """See to it that somebody gets missed calls; False, and said, where nobody was named."""
    there = _stored(guide)
    if any(person.is_senior for person in there):
        return True
    chosen = guide.until_right(lambda: _senior(guide, there), "senior")
    if chosen is None:
        guide.talk.say("people.no-senior", account=_account(guide))
        return False
    guide.talk.say("people.senior", name=chosen.name)
    return True


def _senior(guide: FirstUse, there: Sequence[Employee]) -> Employee | None:
    """None: later. Raises Failure for who is nobody."""
    talk, names = guide.talk, ", ".join(person.extensions[0] for person in there if person.extensions)
    wanted = guide.answers.senior or (talk.ask("people.ask-senior", names=names) if talk.is_person else "")
    if not wanted:
        return None
    chosen = next((p for p in there if wanted.lower() in (p.email.lower(), p.id, *p.extensions)), None)
    if chosen is None:
        remedy = talk.words("people.nobody.todo", names=names)
        raise Failure(talk.words("people.nobody", text=wanted), "", remedy)
    senior = chosen.model_copy(update={"is_senior": True})
    return guide.on_database(lambda conn: employees.save_employee(conn, _account(guide), senior))
