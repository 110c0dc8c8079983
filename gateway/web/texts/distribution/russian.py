"""Russian."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.distribution.russian_analytics import ANALYTICS
from gateway.web.texts.distribution.russian_beside import BESIDE
from gateway.web.texts.distribution.russian_form import FORM
from gateway.web.texts.distribution.russian_shift_change import SHIFT_CHANGE

SENTENCES: Mapping[str, str] = {
    "distribution.heading": "Распределение",
    "distribution.context": "Кому ушла сделка и почему ему.",
    "distribution.tab.results": "Результаты",
    "distribution.tab.waiting": "Ждут",
    "distribution.filter.deal": "Номер сделки",
    "distribution.filter.span": "За какое время",
    "distribution.filter.state": "Любой итог",
    "distribution.filter.template": "Любой шаблон",
    "distribution.filter.employee": "Любой сотрудник",
    "distribution.filter.source": "Откуда угодно",
    "distribution.filter.show": "Показать",
    "distribution.filter.clear": "Сбросить",
    "distribution.span.day": "за сутки",
    "distribution.span.week": "за неделю",
    "distribution.span.month": "за месяц",
    "distribution.span.all": "за всё время",
    "distribution.state.waiting": "ждёт",
    "distribution.state.given": "передана",
    "distribution.state.kept": "осталась",
    "distribution.state.nobody": "никому",
    "distribution.state.cancelled": "отменено",
    "distribution.state.failed": "не вышло",
    "distribution.source.event": "изменение в CRM",
    "distribution.source.sweep": "сверка с CRM",
    "distribution.source.hook": "сигнал воронки",
    "distribution.source.stage": "этап",
    "distribution.source.api": "по просьбе",
    "distribution.source.call": "звонок",
    "distribution.source.chat": "сообщение в мессенджере",
    "distribution.column.at": "Когда",
    "distribution.column.deal": "Сделка",
    "distribution.column.state": "Итог",
    "distribution.column.who": "Кому",
    "distribution.column.why": "Почему",
    "distribution.column.source": "Откуда и шаблон",
    "distribution.nobody": "пока никому",
    "distribution.a_call": "Звонок",
    "distribution.deal": "Сделка {id}",
    "distribution.older": "Раньше",
    "distribution.none_found": "Ничего не нашлось: попробуйте другой срок или сбросьте отбор.",
    "distribution.none_yet": "За неделю распределять было нечего. Шаблон прикрепляют к этапу воронки.",
    "distribution.waiting.heading": "Ждут распределения",
    "distribution.waiting.context": "Сделки, которых пока никто не получил. Дольше всех ждущие сверху.",
    "distribution.waiting.none": "Никто не ждёт: всё распределено.",
    "distribution.waiting.since": "ждёт, {since}",
    "distribution.log.title": "Ход решения",
    "distribution.log.context": "{at}, шаблон «{template}»",
    "distribution.log.open": "Открыть в CRM",
    "distribution.log.round": "Решение {n}",
    "distribution.log.none": "Решений ещё нет, или срок их хранения прошёл.",
    "refused.no-such-result.title": "Такого результата нет",
    "refused.no-such-result.detail": "Его убрали по сроку хранения, или доступа к его шаблону нет.",
    **ANALYTICS,
    **BESIDE,
    **FORM,
    **SHIFT_CHANGE,
}
