"""The sample account without its clients: users, pipelines, custom fields, loss reasons, integrations."""

from __future__ import annotations

from typing import Any

from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow

CREATED = 1735689600  # 2025-01-01T00:00:00Z
ADMIN = 1000001
SENIOR = 1000100
DEACTIVATED = 1000201
UNMAPPED = 1000202
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
    """Return the user id of the manager with this extension (101…110; more where more users were asked for)."""
    return 1000000 + extension


def seed_account(state: State, users: int) -> None:
    """users: how many managers, at least the ten of the sample. Raises ValueError above 99."""
    if users > 99:
        raise ValueError("at most 99 managers: their ids must not meet those of the special users")
    _users(state, users)
    _pipelines(state)
    _fields(state)
    _integrations(state)
    reasons = ("Слишком дорого", "Пропала потребность", "Выбрали других")
    state.table("loss_reasons").add_all(
        {"id": 700001 + n, "name": name, "sort": 100000 * (n + 1), "created_at": CREATED}
        for n, name in enumerate(reasons)
    )


def _users(state: State, managers: int) -> None:
    rows = [_user(ADMIN, "Администратор", "admin@demo.example", is_admin=1)]
    rows.append(_user(SENIOR, "Старший менеджер", "senior100@demo.example"))
    for extension in range(101, 101 + max(managers, 10)):
        rows.append(_user(manager(extension), f"Менеджер {extension}", f"manager{extension}@demo.example"))
    rows.append(_user(DEACTIVATED, "Уволенный менеджер", "deactivated@demo.example", is_active=0))
    rows.append(_user(UNMAPPED, "Менеджер без телефона", "unmapped@demo.example"))
    state.table("users").add_all(rows)


def _user(id: int, name: str, email: str, *, is_admin: int = 0, is_active: int = 1) -> SandboxRow:
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
    rows: list[SandboxRow] = []
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


def _field(
    id: int, entity_type: str, name: str, type: str, code: str | None = None, **more: Any
) -> SandboxRow:
    return {"id": id, "entity_type": entity_type, "name": name, "type": type, "code": code, **more}


def _integrations(state: State) -> None:
    rows = (
        {"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "name": "callmatrix", "redirect_uri": None},
        {"client_id": CHECK_ID, "secret": "check-secret", "name": "check", "redirect_uri": None},
    )
    state.table("integrations").add_all(rows)
