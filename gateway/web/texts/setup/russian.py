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
    "setup.refused.wanted.unknown": "Настройки «{value}» у этого подключения нет. Есть: {known}.",
    "setup.refused.wanted.key": "{name}: такой ключ не подходит. Он пишется без пустых строк, от 1 до 500 знаков.",
    "setup.refused.wanted.key_again": "{name}: введите ещё раз. Ключ давали для прежнего адреса, на новый мы его сами не отправим.",
    "setup.refused.wanted.text": "{name}: слишком длинно. Помещается 500 знаков.",
    "setup.refused.wanted.whole": "{name}: «{value}» не подходит. Нужно целое число цифрами, от 0 до 999999, например 4.",
    "setup.refused.wanted.count": "{name}: «{value}» не подходит. Нужно целое число цифрами, от 1 до 999999, например 10.",
    "setup.refused.wanted.port": "{name}: «{value}» не подходит. Порт — целое число от 1 до 65535.",
    "setup.refused.wanted.switch": "{name}: «{value}» не подходит. Здесь пишут true (да) или false (нет).",
    "setup.refused.wanted.list": "{name}: «{value}» не подходит. Пишите через запятую, не длиннее 500 знаков.",
    "setup.refused.wanted.time_zone": "{name}: «{value}» — не часовой пояс. Пишите, как Europe/Moscow или Asia/Yekaterinburg.",
    "setup.refused.wanted.number_spelling": "{name}: «{value}» не подходит. Можно: {known}.",
    "setup.refused.wanted.choice": "{name}: «{value}» не подходит. Оставьте пустым или впишите одно из: {known}.",
    "setup.refused.wanted.host": "{name}: «{value}» не подходит. Впишите имя или адрес сервера, без https:// и пробелов. Адрес этой машины и её соседей разрешает тот, кто установил Callmatrix.",
    "setup.refused.wanted.vendor_url": "{name}: «{value}» не подходит. Оставьте пустым или впишите {known}. Другие адреса разрешает тот, кто установил Callmatrix.",
    "setup.refused.wanted.url": "{name}: «{value}» не подходит. Такие адреса разрешает тот, кто установил Callmatrix.",
    "setup.refused.wanted.file": "{name}: файл «{value}» читать нельзя. Он должен лежать в папке, которую назвал тот, кто установил Callmatrix.",
}
