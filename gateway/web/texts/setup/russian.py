"""Russian."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.setup.russian_crm import SENTENCES as CRM
from gateway.web.texts.setup.russian_do_not_call import SENTENCES as DO_NOT_CALL
from gateway.web.texts.setup.russian_not_sent import SENTENCES as NOT_SENT
from gateway.web.texts.setup.russian_other import SENTENCES as OTHER
from gateway.web.texts.setup.russian_pbx import SENTENCES as PBX
from gateway.web.texts.setup.russian_people import SENTENCES as PEOPLE
from gateway.web.texts.setup.russian_sms import SENTENCES as SMS

SENTENCES: Mapping[str, str] = {
    "setup.tabs": "Разделы настройки",
    "setup.tab.crm": "amoCRM",
    "setup.tab.pbx": "АТС и линии",
    "setup.tab.employees": "Сотрудники",
    "setup.tab.not_sent": "Не отправлено",
    "setup.language.ru": "русский",
    "setup.language.en": "английский",
    "setup.ms": "мс",
    "setup.save": "Сохранить",
    "setup.cancel": "Отмена",
    "setup.remove": "Удалить…",
    "setup.note": "Почему",
    "setup.note_hint": "Это прочтут те, кто спросит потом.",
    "setup.said.saved": "Сохранено",
    "setup.refused.note": "Напишите, почему: от 1 до 1000 знаков.",
    "setup.tab.numbers": "Номера",
    "setup.numbers.text": "Номера без кода страны читаются как в стране {region}.",
    "setup.numbers.try": "Как читается номер",
    "setup.numbers.number": "Номер",
    "setup.numbers.number_hint": "Как его присылает АТС или как он записан в amoCRM.",
    "setup.numbers.read": "Проверить",
    "setup.numbers.public": "Это телефон {number}: по нему ищем клиента.",
    "setup.numbers.own": "Это номер компании {number}: клиента по нему не ищем.",
    "setup.numbers.internal": "Это внутренний или короткий номер {number}: клиента по нему не ищем.",
    "setup.numbers.none": "Это не похоже на телефон: клиента не ищем, звонок идёт по схеме АТС.",
    "setup.numbers.edit": "Изменить",
    "setup.numbers.own_none": "Других номеров нет.",
    "setup.numbers.own_title": "Другие номера компании",
    **CRM,
    **DO_NOT_CALL,
    **NOT_SENT,
    **OTHER,
    **PBX,
    **PEOPLE,
    **SMS,
}
