"""Russian."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.kit.russian_examples import EXAMPLES

SENTENCES: Mapping[str, str] = {
    "kit.as_table": "Таблицей",
    "kit.clear_filter": "Убрать фильтр: {name}",
    "kit.copied": "Скопировано",
    "kit.copy": "Скопировать",
    "kit.crumbs": "Где вы",
    "kit.difference_added": "добавлено",
    "kit.difference_changed": "изменено",
    "kit.difference_removed": "убрано",
    "kit.dismiss": "Закрыть",
    "kit.done": "сделано",
    "kit.errors": "Не сохранено: {n:ошибка|ошибки|ошибок}",
    "kit.filters": "Фильтры",
    "kit.keep": "Оставить как есть",
    "kit.live": "обновляется само",
    "kit.more_steps": "ещё {n:шаг|шага|шагов}",
    "kit.new_tab": "откроется в новой вкладке",
    "kit.newer": "Новее",
    "kit.older": "Раньше",
    "kit.pages": "Страницы списка",
    "kit.person_off": "отключён",
    "kit.refresh": "Обновить",
    "kit.stale": "данные на {at}",
    "kit.tabs": "Вкладки",
    **EXAMPLES,
}
