"""Russian: not_sent."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "setup.not_sent.text": "Что CRM или мы сами не смогли принять. Ничего не потеряно: повторите, когда причина устранена.",
    "setup.not_sent.empty": "Всё отправлено.",
    "setup.not_sent.no_refusals": "Отказов нет.",
    "setup.not_sent.held": "Придержано, пока доступ к CRM выключен или потерян: {n}. Это отправит досылка.",
    "setup.not_sent.held.do": "К досылке",
    "setup.not_sent.waiting": "Ждёт своей очереди, уйдёт само: {n}.",
    "setup.not_sent.retry_all": "Повторить всё ({n})",
    "setup.not_sent.retry_group": "Повторить ({n})",
    "setup.not_sent.retry": "Повторить",
    "setup.not_sent.ignore": "Больше не отправлять",
    "setup.not_sent.all_causes": "Все причины",
    "setup.not_sent.entries": "По этой причине: {n}",
    "setup.not_sent.none_marked": "Ничего не отмечено: действие относится ко всем по этой причине.",
    "setup.not_sent.what": "Что",
    "setup.not_sent.client": "Клиент",
    "setup.not_sent.since": "С какого времени",
    "setup.not_sent.why": "Почему",
    "setup.not_sent.kind": "Где",
    "setup.not_sent.count": "Сколько",
    "setup.not_sent.tries": "{n:попытка|попытки|попыток}",
    "setup.not_sent.kind.effect": "запись в CRM",
    "setup.not_sent.kind.event": "сообщение АТС",
    "setup.not_sent.kind.update": "сообщение мессенджера",
    "setup.not_sent.kind.call": "решение о звонке",
    "setup.not_sent.kind.case": "пропущенный звонок",
    "setup.not_sent.kind.change": "изменение в CRM",
    "setup.not_sent.kind.webhook": "сообщение CRM",
    "setup.not_sent.kind.row": "данные CRM",
    "setup.not_sent.said.retried": "Повторяем: {n}",
    "setup.not_sent.said.ignored": "Больше не отправляем: {n}",
}
