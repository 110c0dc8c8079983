"""What the import of a configuration file changes, warns of and finds in its tests, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "config.employee": "сотрудник {name}",
    "config.connection": "подключение {name}",
    "config.added": "{what}: добавлено",
    "config.removed": "{what}: удалено",
    "config.changed-matrix": "матрица {where}: {text}",
    "config.nothing": "ничего",
    "config.nobody": "никто",
    "config.empty": "пусто",
    "config.schedule": "график {name}",
    "config.schedule-stays": "графика '{name}' нет в файле; он остаётся как есть",
    "config.schedule-warning": "{where}: {message}; {remedy}",
    "config.template": "шаблон {name}",
    "config.template-stays": "шаблона '{name}' нет в файле; он остаётся как есть",
    "config.template-warning": "{where}: {message}; {remedy}",
    "config.attachment": "сделки этапа {name}",
    "config.attachment-stays": "сделки этапа {stage} и дальше распределяет шаблон '{name}', хотя в файле этого нет",
    "config.campaign": "кампания {name}",
    "config.campaign-stays": "кампании «{name}» в файле нет; она остаётся как есть",
    "config.campaign-finished": "кампания «{name}» завершена: файл её снова не запустит",
    "config.trigger": "триггер {name}",
    "config.trigger-stays": "триггера «{name}» в файле нет; он остаётся как есть",
    "config.trigger-warning": "{where}: {message}; {remedy}",
    "config.sms": "SMS-провайдер {name}",
    "config.sms-stays": "SMS-провайдера «{name}» в файле нет; он остаётся как есть",
    "config.sms-lacks": "SMS-провайдеру «{name}» не хватает: {names}; задайте это у подключения, ключей в файле не бывает",
    "config.connection-stays": "подключения '{name}' нет в файле; оно остаётся как есть",
    "config.connection-lost-keys": "подключение '{name}' теперь другого вида: его ключи {keys} удалены",
    "config.connection-lacks-keys-of-kind": "подключение '{name}' теперь другого вида: его АТС нужны собственные ключи, которых нет ни в одном файле; задайте их в подключении",
    "config.connection-lacks-keys": "подключение '{name}' новое: его АТС нужны собственные ключи, которых нет ни в одном файле; задайте их в подключении",
    "config.draft-replaced": "черновик, который сохранил(а) {who}, заменён",
    "config.matrix-warning": "matrix.{cell}: {message}; {remedy}",
    "config.published-matrix-error": "опубликованная матрица: {cell}: {message}; {remedy}",
    "config.test-orders": "заказано: {got}; ожидалось: {expected}",
    "config.test-owner-unmapped": "ожидаемый ответственный '{expected}' — не сотрудник с пользователем CRM",
    "config.test-owner": "ответственный: {got}; ожидался: {expected}",
    "config.test-matrix": "решала матрица: {got}; ожидалась: {expected}",
}  # fmt: skip
