"""The deterministic sample data: users, pipelines, fields, and any number of contacts with deals and incoming leads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from crm.sandbox.state import State
from crm.sandbox.store import Row

T0 = 1735689600  # 2025-01-01T00:00:00Z; contact i is i seconds younger
ADMIN = 1000001
SENIOR = 1000100
DEACTIVATED = 1000201
UNMAPPED = 1000202
CONTACTS, COMPANIES, LEADS, UNSORTED = 10_000_000, 20_000_000, 30_000_000, 90_000_000
SPECIAL = 9_000_000  # added to a base: the special numbers; new rows come after base + 9,500,000
PIPELINE, SECOND_PIPELINE = 5000001, 5000002
OPEN_STAGES = (5000012, 5000013, 5000014)
PHONE_CONTACT, EMAIL_CONTACT, PHONE_COMPANY = 800101, 800102, 800201
_ENUMS = {"PHONE": ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"), "EMAIL": ("WORK", "PRIV", "OTHER")}
TRACKING = [
    "UTM_SOURCE",
    "UTM_MEDIUM",
    "UTM_CAMPAIGN",
    "UTM_CONTENT",
    "UTM_TERM",
    "UTM_REFERRER",
    "ROISTAT",
    "REFERRER",
    "OPENSTAT_SERVICE",
    "GCLIENTID",
    "GCLID",
    "FBCLID",
    "YCLID",
    "_YM_UID",
    "_YM_COUNTER",
    "FROM",
]
CLIENT_ID, CLIENT_SECRET = "5e1f2c1d-0000-4000-8000-000000000001", "sandbox-secret"
CHECK_ID = "5e1f2c1d-0000-4000-8000-00000000000c"


def manager(extension: int) -> int:
    """The user id of the manager with this extension (101…110; more where more users were asked for)."""
    return 1000000 + extension


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
    """A fresh account. The caller holds the transaction."""
    _users(state, users)
    _pipelines(state)
    _fields(state)
    _integrations(state)
    reasons = ("Слишком дорого", "Пропала потребность", "Выбрали других")
    state.table("loss_reasons").add_all(
        {"id": 700001 + n, "name": name, "sort": 100000 * (n + 1), "created_at": T0}
        for n, name in enumerate(reasons)
    )
    for table, base in (
        ("contacts", CONTACTS),
        ("companies", COMPANIES),
        ("leads", LEADS),
        ("unsorted", UNSORTED),
    ):
        state.table(table).start_ids_after(base + 9_500_000)
    for table, base in (("notes", 200_000_000), ("tasks", 300_000_000), ("tags", 400_000)):
        state.table(table).start_ids_after(base)
    state.forget_directory()
    seed_contacts(state, 1, contacts)
    _special(state)


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
        "loss_reasons",
        "webhooks",
        "deliveries",
        "cards",
    ]:
        state.table(name).clear()
    state.links.clear()
    state.forget_directory()


def _users(state: State, managers: int) -> None:
    rows = [_user(ADMIN, "Администратор", "admin@demo.example", is_admin=1)]
    rows.append(_user(SENIOR, "Старший менеджер", "senior100@demo.example"))
    for extension in range(101, 101 + max(managers, 10)):
        rows.append(_user(manager(extension), f"Менеджер {extension}", f"manager{extension}@demo.example"))
    rows.append(_user(DEACTIVATED, "Уволенный менеджер", "deactivated@demo.example", is_active=0))
    rows.append(_user(UNMAPPED, "Менеджер без телефона", "unmapped@demo.example"))
    state.table("users").add_all(rows)


def _user(id: int, name: str, email: str, *, is_admin: int = 0, is_active: int = 1) -> Row:
    return {"id": id, "name": name, "email": email, "is_admin": is_admin, "is_active": is_active}


def _pipelines(state: State) -> None:
    for sort, (id, name) in enumerate(((PIPELINE, "Воронка"), (SECOND_PIPELINE, "Повторные продажи"))):
        first = 5000011 + sort * 10
        names = ("Неразобранное", "Первичный контакт", "Переговоры", "Принимают решение")
        statuses = [
            {"id": first + n, "name": name, "sort": 10 * (n + 1), "color": "#99ccff", "type": int(n == 0)}
            for n, name in enumerate(names)
        ]
        statuses.append(
            {"id": 142, "name": "Успешно реализовано", "sort": 10000, "color": "#CCFF66", "type": 0}
        )
        statuses.append(
            {"id": 143, "name": "Закрыто и не реализовано", "sort": 11000, "color": "#D5D8DB", "type": 0}
        )
        row = {"id": id, "name": name, "sort": sort + 1, "is_main": sort == 0, "is_unsorted_on": True}
        state.table("pipelines").add({**row, "statuses": statuses})


def _fields(state: State) -> None:
    rows: list[Row] = []
    for entity_type, base in (("contacts", 800100), ("companies", 800200)):
        for n, (code, name) in enumerate((("PHONE", "Телефон"), ("EMAIL", "Email"))):
            id = base + 1 + n
            enums = [{"id": id * 10 + m, "value": v, "sort": m} for m, v in enumerate(_ENUMS[code])]
            rows.append(_field(id, entity_type, name, "multitext", code, enums=enums))
    rows.append(_field(800103, "contacts", "Должность", "text", "POSITION"))
    rows.append(_field(800104, "contacts", "Город", "text"))
    rows.append(_field(800105, "contacts", "День рождения", "birthday"))
    rows.append(_field(800203, "companies", "Web", "url", "WEB"))
    rows.append(_field(800204, "companies", "Адрес", "textarea", "ADDRESS"))
    for n, code in enumerate(TRACKING):
        rows.append(_field(800301 + n, "leads", code.lower(), "tracking_data", code))
    rows.append(_field(800401, "leads", "Посадочная страница", "url"))
    rows.append(_field(800402, "leads", "Пул номеров", "text"))
    channels = [
        {"id": 8004030 + n, "value": value, "sort": n}
        for n, value in enumerate(("Звонок", "Сайт", "Реклама"))
    ]
    rows.append(_field(800403, "leads", "Канал", "select", enums=channels))
    rows.append(_field(800404, "leads", "Число звонков", "numeric"))
    rows.append(_field(800405, "leads", "Срочно", "checkbox"))
    rows.append(_field(800406, "leads", "Дата визита", "date"))
    rows.append(_field(800407, "leads", "Client ID", "text"))
    state.table("fields").add_all({**row, "sort": n} for n, row in enumerate(rows))


def _field(id: int, entity_type: str, name: str, type: str, code: str | None = None, **more: Any) -> Row:
    return {"id": id, "entity_type": entity_type, "name": name, "type": type, "code": code, **more}


def _integrations(state: State) -> None:
    rows = (
        {"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "name": "callmatrix", "redirect_uri": None},
        {"client_id": CHECK_ID, "secret": "check-secret", "name": "check", "redirect_uri": None},
    )
    state.table("integrations").add_all(rows)


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


def _person(id: int, name: str, owner: int, at: int, field: int, *numbers: str) -> Row:
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


def _contact(i: int) -> Row:
    owner = manager(101 + i % 10)
    return _person(CONTACTS + i, f"Клиент {i}", owner, T0 + i, PHONE_CONTACT, number_of(i))


def _lead(id: int, name: str, owner: int, at: int, status: int, *, hidden: int = 0) -> Row:
    row = _person(id, name, owner, at, 0)
    closed = at + 60 if status in (142, 143) else None
    placed = {"status_id": status, "pipeline_id": PIPELINE, "price": 0, "closed_at": closed}
    return {**row, **placed, "is_hidden": hidden}


def _deal(i: int) -> Row:
    owner = manager(101 + (i + 1) % 10)
    return _lead(LEADS + i, f"Сделка {i}", owner, T0 + i, OPEN_STAGES[i % len(OPEN_STAGES)])


def _incoming_leads(state: State, batch: list[int]) -> None:
    """An incoming lead has a hidden deal of its own and here the contact that is known already."""
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


def _unsorted(i: int, lead: int, contact: int, owner: int, number: str, at: int) -> Row:
    return {
        "id": UNSORTED + i,
        "uid": hashlib.sha256(f"seed-{i}".encode()).hexdigest(),
        "source_uid": f"seed-{i}",
        "source_name": "Sample telephony",
        "category": "sip",
        "pipeline_id": PIPELINE,
        "lead_id": lead,
        "contact_ids": [contact],
        "company_ids": [],
        "state": "open",
        "created_at": at,
        "updated_at": at,
        "metadata": {
            "from": number,
            "phone": number,
            "call_responsible": owner,
            "called_at": at,
            "duration": 0,
            "link": "",
            "service_code": "sample",
            "uniq": f"seed-{i}",
        },
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


def special_number(n: int) -> str:
    return f"+7901 000-00-{n:02d}"


def _special_contact(n: int, owner: int, at: int, *numbers: int) -> Row:
    name = f"Особый клиент {n}"
    spelled = (special_number(number) for number in numbers)
    return _person(CONTACTS + SPECIAL + n, name, owner, at, PHONE_CONTACT, *spelled)


def rows_of(state: State) -> Iterator[tuple[str, int]]:
    """How many rows of each kind there are, for the answer of /_sandbox/seed."""
    for name in ("users", "contacts", "companies", "leads", "unsorted", "notes", "tasks", "events"):
        yield name, state.table(name).count()
