"""Clients who are for one person only: whose they are, and by what in the CRM one knows it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from routing.client import Client, ClientEntity
from routing.settings import ANY_VALUE, OnePersonPolicy
from routing.staff import Staff

_LONGEST_VALUE = 256


def watched_marks(policy: OnePersonPolicy) -> frozenset[str]:
    """Return what of tags and custom fields has to be kept to know these clients: `tag:vip`, `field:123`."""
    return frozenset({_tag(name) for name in policy.tags} | {f"field:{id}" for id in policy.fields})


def marks_of(tags: Iterable[str], fields: Mapping[str, object], watched: Collection[str]) -> frozenset[str]:
    """Return what an entity bears of the watched: `tag:vip`, `field:123=olga`. Capitals do not matter."""
    found = {mark for mark in map(_tag, tags) if mark in watched}
    found |= {
        _field(id, str(value))
        for id, value in fields.items()
        if f"field:{id}" in watched and str(value).strip()
    }
    return frozenset(found)


def person_of(policy: OnePersonPolicy, client: Client, staff: Staff) -> str | None:
    """Return the employee id of the one person this client is for; None = anybody.

    The number goes before entities that are named, those before tags, and those before custom fields.
    """
    if not policy.knows_any:
        return None
    if (named := policy.clients.get(client.number)) is not None:
        owners = (e.owner_id for e in sorted(client.entities, key=lambda e: e.ref.kind != "contact"))
        return named or _employee(next((o for o in owners if o), None), staff)
    for entity in client.entities:
        named = policy.clients.get(f"{entity.ref.kind}:{entity.ref.id}")
        if named is not None and entity.is_open:
            return named or _employee(entity.owner_id, staff)
    return _marked(policy, client.entities, staff)


def reserved_entities(policy: OnePersonPolicy, marked: Mapping[str, Collection[str]]) -> Mapping[str, str]:
    """Return clients for one person by number and by `<kind>:<id>`, those that bear a mark too. marked: `<kind>:<id>` -> marks."""
    by_mark = {entity: _person_by(policy, marks) for entity, marks in marked.items()}
    found = {entity: person for entity, person in by_mark.items() if person is not None}
    return {**found, **policy.clients}


def _marked(policy: OnePersonPolicy, entities: Iterable[ClientEntity], staff: Staff) -> str | None:
    for entity in entities:
        person = _person_by(policy, entity.marks) if entity.marks and entity.is_open else None
        if person is not None:
            return person or _employee(entity.owner_id, staff)
    return None


def _person_by(policy: OnePersonPolicy, marks: Collection[str]) -> str | None:
    """Return the employee id, "" = whoever owns the entity; None where nothing of this says so."""
    for name, person in sorted(policy.tags.items()):
        if _tag(name) in marks:
            return person
    for id, values in sorted(policy.fields.items()):
        for value, person in sorted(values.items()):
            if value != ANY_VALUE and _field(id, value) in marks:
                return person
        if ANY_VALUE in values and any(mark.startswith(f"field:{id}=") for mark in marks):
            return values[ANY_VALUE]
    return None


def _tag(name: str) -> str:
    return f"tag:{name.strip().casefold()[:_LONGEST_VALUE]}"


def _field(id: str, value: str) -> str:
    return f"field:{id}={value.strip().casefold()[:_LONGEST_VALUE]}"


def _employee(user_id: str | None, staff: Staff) -> str | None:
    person = staff.by_crm_user.get(user_id) if user_id else None
    return person.id if person else None
