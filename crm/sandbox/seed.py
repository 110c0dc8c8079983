"""The deterministic sample data: users, pipelines, fields, and any number of contacts with deals and incoming leads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice

from crm.sandbox.requests import chat_metadata, mail_metadata
from crm.sandbox.sample_account import (
    ADMIN,
    CHECK_ID,
    CLIENT_ID,
    CLIENT_SECRET,
    DEACTIVATED,
    EMAIL_CONTACT,
    OPEN_STAGES,
    PHONE_COMPANY,
    PHONE_CONTACT,
    PIPELINE,
    SECOND_PIPELINE,
    SENIOR,
    TRACKING,
    UNMAPPED,
    manager,
    seed_account,
)
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow

__all__ = [
    "ADMIN",
    "CHECK_ID",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "DEACTIVATED",
    "EMAIL_CONTACT",
    "OPEN_STAGES",
    "PHONE_COMPANY",
    "PHONE_CONTACT",
    "PIPELINE",
    "SECOND_PIPELINE",
    "SENIOR",
    "TRACKING",
    "UNMAPPED",
    "manager",
]

T0 = 1735689600  # 2025-01-01T00:00:00Z; contact i is i seconds younger
CONTACTS, COMPANIES, LEADS, UNSORTED = 10_000_000, 20_000_000, 30_000_000, 90_000_000
MAIL = 9_400_000  # added to a base: the requests by mail and by chat
SPECIAL = 9_000_000  # added to a base: the special numbers; new rows come after base + 9,500,000


def number_of(i: int) -> str:
    """Contact i's number as stored: five spellings in turn."""
    n = f"{i:07d}"
    return (
        f"+7 900 {n}",
        f"8 (900) {n[:3]}-{n[3:5]}-{n[5:]}",
        f"7900{n}",
        f"900{n}",
        f"+7900{n}",
    )[(i - 1) % 5]


def seed_all(state: State, contacts: int, users: int) -> None:
    """Write a fresh account. The caller holds the transaction."""
    seed_account(state, users)
    for table, base in (
        ("contacts", CONTACTS),
        ("companies", COMPANIES),
        ("leads", LEADS),
        ("unsorted", UNSORTED),
    ):
        state.table(table).start_ids_after(base + 9_500_000)
    for table, base in (("notes", 200_000_000), ("tasks", 300_000_000), ("tags", 400_000)):
        state.table(table).start_ids_after(base)
    state.delete_directory()
    seed_contacts(state, 1, contacts)
    _special(state)
    _mail_and_chat(state)


def clear(state: State) -> None:
    """Take everything away that seed_all and clients made, integrations and their grants excepted."""
    for name in [
        "contacts",
        "companies",
        "leads",
        "notes",
        "tasks",
        "events",
        "unsorted",
        "tags",
        "users",
        "pipelines",
        "fields",
        "field_groups",
        "roles",
        "sources",
        "chats",
        "amojo_channels",
        "amojo_connections",
        "amojo_chats",
        "amojo_messages",
        "loss_reasons",
        "webhooks",
        "deliveries",
        "cards",
    ]:
        state.table(name).clear()
    state.links.clear()
    state.delete_directory()


# contacts


def seed_contacts(state: State, first: int, last: int) -> None:
    """Contacts first…last with their numbers, deals and incoming leads, in slices that stay small in memory."""
    indexes = iter(range(first, last + 1))
    while batch := list(islice(indexes, 5000)):
        state.table("contacts").add_all(_contact(i) for i in batch)
        state.links.add_phones(("contacts", CONTACTS + i, number_of(i)) for i in batch)
        state.table("leads").add_all(_deal(i) for i in batch if i % 3 == 0)
        state.links.add_all(("leads", LEADS + i, "contacts", CONTACTS + i, 1) for i in batch if i % 3 == 0)
        _incoming_leads(state, [i for i in batch if i % 10 == 0])


def _person(id: int, name: str, owner: int, at: int, field: int, *numbers: str) -> SandboxRow:
    values = [{"value": number, "enum_id": field * 10} for number in numbers]
    return {
        "id": id,
        "name": name,
        "responsible_user_id": owner,
        "created_at": at,
        "updated_at": at,
        "created_by": ADMIN,
        "updated_by": ADMIN,
        "is_deleted": 0,
        "is_hidden": 0,
        "cf": {str(field): values} if values else {},
    }


def _contact(i: int) -> SandboxRow:
    owner = manager(101 + i % 10)
    return _person(CONTACTS + i, f"Клиент {i}", owner, T0 + i, PHONE_CONTACT, number_of(i))


def _lead(id: int, name: str, owner: int, at: int, status: int, *, hidden: int = 0) -> SandboxRow:
    row = _person(id, name, owner, at, 0)
    closed = at + 60 if status in (142, 143) else None
    placed = {"status_id": status, "pipeline_id": PIPELINE, "price": 0, "closed_at": closed}
    return {**row, **placed, "is_hidden": hidden}


def _deal(i: int) -> SandboxRow:
    owner = manager(101 + (i + 1) % 10)
    return _lead(LEADS + i, f"Сделка {i}", owner, T0 + i, OPEN_STAGES[i % len(OPEN_STAGES)])


def _incoming_leads(state: State, batch: list[int]) -> None:
    """Write incoming leads: each has a hidden deal of its own and here the contact that is known already."""
    hidden = LEADS + 5_000_000
    state.table("leads").add_all(
        _lead(hidden + i, f"Звонок {i}", manager(101 + (i + 2) % 10), T0 + i, 5000011, hidden=1)
        for i in batch
    )
    state.links.add_all(("leads", hidden + i, "contacts", CONTACTS + i, 1) for i in batch)
    state.table("unsorted").add_all(
        _unsorted(i, hidden + i, CONTACTS + i, manager(101 + (i + 2) % 10), number_of(i), T0 + i)
        for i in batch
    )


def _unsorted(i: int, lead: int, contact: int, owner: int, number: str, at: int) -> SandboxRow:
    metadata = {
        "from": number,
        "phone": number,
        "call_responsible": owner,
        "called_at": at,
        "duration": 0,
        "link": "",
        "service_code": "sample",
        "uniq": f"seed-{i}",
    }
    row = _request(UNSORTED + i, f"seed-{i}", "sip", lead, at)
    return {**row, "source_name": "Sample telephony", "contact_ids": [contact], "metadata": metadata}


def _request(id: int, source_uid: str, category: str, lead: int, at: int) -> SandboxRow:
    return {
        "id": id,
        "uid": hashlib.sha256(source_uid.encode()).hexdigest(),
        "source_uid": source_uid,
        "category": category,
        "pipeline_id": PIPELINE,
        "lead_id": lead,
        "contact_ids": [],
        "company_ids": [],
        "state": "open",
        "created_at": at,
        "updated_at": at,
    }


def _special(state: State) -> None:
    """+7901 000-00-01 … 09, each with the answer that the contract states."""
    at = T0 + SPECIAL
    people = [
        _special_contact(1, DEACTIVATED, at, 1),
        _special_contact(2, UNMAPPED, at, 2),
        _special_contact(4, manager(106), at, 4),
        _special_contact(14, manager(107), at + 3600, 4),
        _special_contact(5, manager(108), at, 5, 6),
        _special_contact(7, manager(109), at, 7),
        _special_contact(9, DEACTIVATED, at, 9),
    ]
    lead_only = {**_special_contact(8, manager(110), at, 8), "is_hidden": 1}
    state.table("contacts").add_all([*people, lead_only])
    company = _person(
        COMPANIES + SPECIAL + 3, "Компания 3", manager(105), at, PHONE_COMPANY, special_number(3)
    )
    state.table("companies").add_all([company])
    deals = [
        _lead(LEADS + SPECIAL + 1, "Сделка 1 особая", manager(104), at, OPEN_STAGES[0]),
        _lead(LEADS + SPECIAL + 4, "Сделка 4 особая", manager(107), at + 3600, OPEN_STAGES[1]),
        _lead(LEADS + SPECIAL + 7, "Сделка 7 особая", manager(101), at, 143),
        _lead(LEADS + SPECIAL + 8, "Звонок 8 особый", manager(110), at, 5000011, hidden=1),
    ]
    state.table("leads").add_all(deals)
    for deal, contact in ((1, 1), (4, 14), (7, 7), (8, 8)):
        state.links.add(("leads", LEADS + SPECIAL + deal), ("contacts", CONTACTS + SPECIAL + contact), True)
    lead, hidden = LEADS + SPECIAL + 8, CONTACTS + SPECIAL + 8
    state.table("unsorted").add_all(
        [_unsorted(SPECIAL + 8, lead, hidden, manager(110), special_number(8), at)]
    )
    state.links.add_phones(
        ("contacts", row["id"], value["value"])
        for row in [*people, lead_only]
        for value in row["cf"][str(PHONE_CONTACT)]
    )
    state.links.add_phones([("companies", company["id"], special_number(3))])


def _mail_and_chat(state: State) -> None:
    """Write requests that no API makes: the CRM's own mailbox and chats leave them. Nobody has a number there."""
    mail, chat = MAIL, MAIL + 1
    deals = [
        _lead(LEADS + mail, "Заявка из почты", manager(104), T0 + mail, 5000011, hidden=1),
        _lead(LEADS + chat, "Заявка из чата", manager(105), T0 + chat, 5000011, hidden=1),
    ]
    writers = [
        _person(CONTACTS + mail, "Ольга Письменная", manager(104), T0 + mail, PHONE_CONTACT),
        _person(CONTACTS + chat, "Гость чата", manager(105), T0 + chat, PHONE_CONTACT),
    ]
    state.table("leads").add_all(deals)
    state.table("contacts").add_all({**row, "is_hidden": 1} for row in writers)
    rows = [
        {
            **_request(UNSORTED + mail, "seed-mail", "mail", LEADS + mail, T0 + mail),
            "source_name": "inbox@demo.example",
            "contact_ids": [CONTACTS + mail],
            "metadata": mail_metadata(
                "olga@client.example", "Ольга Письменная", "Вопрос о заказе", T0 + mail
            ),
        },
        {
            **_request(UNSORTED + chat, "seed-chat", "chats", LEADS + chat, T0 + chat),
            "source_name": "Telegram",
            "contact_ids": [CONTACTS + chat],
            "metadata": chat_metadata("Гость чата", "Здравствуйте!", "telegram", T0 + chat),
        },
    ]
    state.table("unsorted").add_all(rows)
    for id in (mail, chat):
        state.links.add(("leads", LEADS + id), ("contacts", CONTACTS + id), True)


def special_number(n: int) -> str:
    return f"+7901 000-00-{n:02d}"


def _special_contact(n: int, owner: int, at: int, *numbers: int) -> SandboxRow:
    name = f"Особый клиент {n}"
    spelled = (special_number(number) for number in numbers)
    return _person(CONTACTS + SPECIAL + n, name, owner, at, PHONE_CONTACT, *spelled)


def rows_of(state: State) -> Iterator[tuple[str, int]]:
    """How many rows of each kind there are, for the answer of /_sandbox/seed."""
    for name in ("users", "contacts", "companies", "leads", "unsorted", "notes", "tasks", "events"):
        yield name, state.table(name).count()
