"""Russian."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.setup.russian_crm import SENTENCES as CRM
from gateway.web.texts.setup.russian_not_sent import SENTENCES as NOT_SENT
from gateway.web.texts.setup.russian_pbx import SENTENCES as PBX
from gateway.web.texts.setup.russian_people import SENTENCES as PEOPLE

SENTENCES: Mapping[str, str] = {
    "setup.tabs": "Разделы настройки",
    "setup.tab.crm": "amoCRM",
    "setup.tab.pbx": "АТС и линии",
    "setup.tab.employees": "Сотрудники",
    "setup.tab.numbers": "Номера",
    "setup.tab.not_sent": "Не отправлено",
    "setup.tab.other": "Прочее",
    "setup.language.ru": "русский",
    "setup.language.en": "английский",
    "setup.ms": "мс",
    "setup.save": "Сохранить",
    "setup.cancel": "Отмена",
    "setup.remove": "Удалить…",
    "setup.note": "Почему",
    "setup.note_hint": "Это прочтут те, кто спросит потом.",
    "setup.said.saved": "Сохранено",
    "setup.refused.other": "Не подходит: {message}. Что сделать: {remedy}.",
    "setup.refused.note": "Напишите, почему: от 1 до 1000 знаков.",
    **CRM,
    **NOT_SENT,
    **PBX,
    **PEOPLE,
}
