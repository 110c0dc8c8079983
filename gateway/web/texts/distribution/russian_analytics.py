"""Russian: whether it is even."""

from __future__ import annotations

from collections.abc import Mapping

ANALYTICS: Mapping[str, str] = {
    "distribution.even.heading": "Аналитика распределения",
    "distribution.even.context": "Ровно ли делятся сделки: сколько положено и сколько досталось.",
    "distribution.even.period": "За какое время",
    "distribution.even.days": "за {n:день|дня|дней}",
    "distribution.even.too_few": "Аналитика появится после {enough} сделок по этому шаблону. Пока за это время: {n}.",
    "distribution.even.deals": "Сделок: {n}.",
    "distribution.even.verdict.even": "Очередь идёт ровно: от доли никто не отошёл больше чем на сделку.",
    "distribution.even.verdict.uneven": "Самая большая разница между долей и очередью: {off}. Причины названы рядом.",
    "distribution.even.people": "Положено и досталось",
    "distribution.even.groups": "Отделы",
    "distribution.even.group": "Отдел",
    "distribution.even.got": "досталось",
    "distribution.even.meant": "положено",
    "distribution.even.by_turn": "по очереди",
    "distribution.even.beside_column": "свои клиенты",
    "distribution.even.instead_column": "за других",
    "distribution.even.total": "всего",
    "distribution.even.could_column": "мог получить",
    "distribution.even.why": "Почему разница",
    "distribution.even.nothing_off": "Разницы нет: у всех столько, сколько положено.",
    "distribution.even.share_is": "Положено считается только по решениям, в которых человек мог получить сделку: отсутствие доли не приносит и не отнимает.",
    "distribution.even.by_day": "По дням",
    "distribution.even.day": "День",
    "distribution.even.label": "Кому сколько досталось: {people}",
    "distribution.even.days_label": "Роздано по дням: {days}",
    "distribution.even.beside": "свои клиенты мимо очереди: {n}",
    "distribution.even.instead": "за других, когда отдать было некому: {n}",
    "distribution.even.overridden": "потом переданы вручную: {n}",
    "distribution.even.could": "сделку можно было отдать в {part} случаев",
    "distribution.even.order": "порядок очереди, сойдётся дальше",
    "distribution.even.more": "{name}: на {n} больше доли ({why}).",
    "distribution.even.less": "{name}: на {n} меньше доли ({why}).",
    "distribution.even.same": "{name}: столько, сколько положено ({why}).",
}
