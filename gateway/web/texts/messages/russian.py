"""Russian."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.messages.russian_campaigns import SENTENCES as CAMPAIGNS
from gateway.web.texts.messages.russian_triggers import SENTENCES as TRIGGERS

SENTENCES: Mapping[str, str] = {
    **CAMPAIGNS,
    **TRIGGERS,
    "messages.heading": "Автоперезвон и сообщения",
    "messages.context": "Что уходит клиентам само: звонки, SMS, кампании.",
    "messages.tile.callback": "Звонков ждут",
    "messages.tile.sms": "SMS ждут",
    "messages.tile.campaign": "Номеров кампаний ждут",
    "messages.rate.title": "Темп",
    "messages.rate.label": "Звонков в минуту",
    "messages.rate.hint": "Целое число. 0 — пауза звонков: они ждут, ничего не теряется. SMS уходят и при паузе: их останавливает выключение триггера.",
    "messages.rate.wrong": "«{typed}» не подходит: нужно целое число от 0 до 600.",
    "messages.rate.empty": "Впишите целое число от 0 до 600: пустое поле паузы не ставит.",
    "messages.rate.texts": "SMS идут не по этому темпу и сейчас уходят. Чтобы остановить их, выключите их триггеры.",
    "messages.rate.open_texts": "Триггеры с SMS",
    "messages.rate.save": "Сохранить",
    "messages.rate.now": "Сейчас {rate:звонок|звонка|звонков} в минуту. Темп меняет администратор.",
    "messages.queue.title": "Очередь",
    "messages.queue.empty": "Очередь пуста.",
    "messages.queue.kind": "Что",
    "messages.queue.state": "Состояние",
    "messages.queue.why": "Почему",
    "messages.queue.items": "Сколько",
    "messages.queue.since": "Первый с",
    "messages.queue.next": "Когда дальше",
    "messages.kind.callback": "Звонок",
    "messages.kind.sms": "SMS",
    "messages.kind.campaign": "Кампания",
    "messages.state.waiting": "ждёт",
    "messages.state.dialling": "звоним",
    "messages.state.sending": "отправляем",
    "messages.state.unknown": "неизвестно, чем кончилось",
    "messages.state.held": "придержано",
    "messages.clear.open": "Очистить очередь…",
    "messages.clear.heading": "Очистить очередь",
    "messages.clear.callback": "Убрать {n:клиента|клиентов|клиентов} из очереди звонков? Этапы сделок не изменятся, задачи не появятся. Начатые звонки продолжатся.",
    "messages.clear.sms": "Убрать {n:SMS|SMS|SMS} из очереди? Этапы сделок не изменятся, задачи не появятся.",
    "messages.clear.keep": "Оставить",
    "messages.clear.do": "Убрать",
    "messages.said.paused": "Пауза: звонки ждут. SMS уходят.",
    "messages.said.rate": "Теперь {rate:звонок|звонка|звонков} в минуту.",
    "messages.said.cleared": "Убрано из очереди: {n}.",
}
