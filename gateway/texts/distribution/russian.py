"""What became of what was to be given, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "distribution.item.deal_closed": "сделку тем временем закрыли",
    "distribution.item.deal_gone": "сделки больше нет в CRM",
    "distribution.item.left_stage": "сделка тем временем ушла с этапа",
    "distribution.item.template_removed": "шаблон тем временем удалили",
    "distribution.item.overridden": "сделку тем временем отдали другому",
    "distribution.item.crm_refused": "CRM отказала",
    "distribution.item.in_full": "{why} ({error})",
    "distribution.item.on_its_way": "{why}; в CRM ещё не записано",
    "distribution.item.not_taken": "её не взяли в работу",
    "distribution.item.stopped": "распределение остановил человек",
    "distribution.item.error": "решить не удалось: смотрите ошибку",
    "distribution.item.not_read": "CRM ещё не сообщила, чья это сделка; проверим снова через несколько секунд",
    "distribution.item.new": "будет решено в течение секунды",
    "distribution.why.present": "{name}: {given:сделка|сделки|сделок} при положенных {meant}; мог получить каждую из {decisions:сделки|сделок|сделок}; сейчас причитается {credit}",
    "distribution.why.absent": "{name}: {given:сделка|сделки|сделок} при положенных {meant}; при {missed} из {decisions:сделки|сделок|сделок} отсутствовал или не мог получить, а это доли не приносит; сейчас причитается {credit}",
}
