"""Why somebody counts as at work or not, and why deals moved or stayed when shifts changed, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "presence.reason.not_seen_yet": "с начала наблюдения или смены о нём ничего не слышно",
    "presence.reason.switched_on": "включено кнопкой",
    "presence.reason.switched_off": "выключено кнопкой",
    "presence.reason.answered": "на вопрос ответили: на месте",
    "presence.reason.said_no": "на вопрос ответили: не на месте",
    "presence.reason.no_answer": "на вопрос никто не ответил",
    "presence.reason.silent": "давно нет признаков работы: задан вопрос",
    "presence.reason.page_gone": "открытая страница пропала: задан вопрос",
    "presence.reason.crm_activity": "действие в CRM",
    "presence.reason.call": "разговор по телефону",
    "presence.reason.page_input": "действие на открытой странице",
    "presence.reason.shift_ended": "смена закончилась",
    "presence.reason.off_shift": "сейчас не их смена",
    "shift.reason.came_back": "сотрудник вернулся; что не передано, остаётся у него",
    "shift.reason.left_again": "сотрудник снова ушёл; что не возвращено, остаётся на месте",
    "shift.reason.switched_off": "передача смены выключена",
    "shift.reason.stopped": "остановлено человеком",
    "shift.reason.nobody_left": "все, кто мог бы получить сделки, не в сети: ждёт",
    "shift.stays.excluded_deal": "сделка исключена в настройках",
    "shift.stays.excluded_tag": "исключена по тегу",
    "shift.stays.excluded_field": "исключена по полю",
    "shift.stays.not_theirs": "сделка не этого сотрудника",
    "shift.stays.old": "создана до ухода сотрудника",
    "shift.stays.changed": "ответственного тем временем сменили",
    "shift.stays.closed": "тем временем закрыта",
    "shift.stays.other_pipeline": "теперь в другой воронке",
    "shift.stays.gone": "удалена или объединена",
    "shift.stays.refused": "CRM отказала в изменении",
    "shift.stays.deal_stays": "её сделка осталась",
    "shift.stays.returns_off": "возврат выключен в настройках",
    "shift.stays.not_created_theirs": "создана не для этого сотрудника",
    "shift.stays.given_on": "с тех пор передана другому",
}  # fmt: skip
