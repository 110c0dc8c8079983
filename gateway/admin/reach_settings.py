"""What an account's settings may say of who is rung: schedules, templates and people that there are."""

from __future__ import annotations

import re
from collections.abc import Collection

from gateway.admin.refused import InputRefused
from gateway.store.admin.schedules import schedules_of
from gateway.store.distribution.turns import current_templates
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import AccountSettings, LookupPolicy, OnePersonPolicy
from runtime.database.pool import Conn

_ENTITY = re.compile(r"(contact|company|deal|lead):[^\s:]{1,100}")


async def refuse_bad_reach(
    conn: Conn, account_id: str, settings: AccountSettings, before: AccountSettings, people: Collection[str]
) -> None:
    """Raise InputRefused for the first thing that differs from `before` and does not exist. people: ids of the employees."""
    if settings.lookup != before.lookup:
        await _refuse_unknown_names(conn, account_id, settings.lookup, before.lookup)
    if settings.one_person != before.one_person:
        _refuse_bad_clients(settings, before.one_person, people)


async def _refuse_unknown_names(
    conn: Conn, account_id: str, lookup: LookupPolicy, before: LookupPolicy
) -> None:
    if lookup.schedule not in (None, before.schedule):
        known = [s.name for s in await schedules_of(conn, [account_id])]
        _refuse_unknown("lookup.schedule", "schedule", str(lookup.schedule), known)
    if lookup.template not in (None, before.template):
        known = [t.name for t in await current_templates(conn, account_id)]
        _refuse_unknown("lookup.template", "template", str(lookup.template), known)


def _refuse_unknown(field: str, what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        remedy = f"one of: {', '.join(sorted(known))}" if known else f"make the {what} first"
        raise InputRefused(field, f"there is no {what} '{name}'", remedy)


def _refuse_bad_clients(settings: AccountSettings, before: OnePersonPolicy, people: Collection[str]) -> None:
    for client, person in settings.one_person.clients.items():
        if before.clients.get(client) == person:
            continue
        number = normalise(client, settings.numbers)
        is_number = isinstance(number, PublicNumber) and number.e164 == client
        if not is_number and not _ENTITY.fullmatch(client):
            remedy = "write +79161234567, or an entity as contact:123"
            raise InputRefused("one_person.clients", f"'{client}' is no client", remedy)
        if person and person not in people:
            remedy = 'name an employee of this account, or "" for whoever owns the client'
            raise InputRefused("one_person.clients", f"'{person}' is no employee", remedy)
