"""Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "frames.card.unknown": "Карточка amoCRM",
    "frames.card.not_yet": "Этой карточки в копии базы ещё нет: новые появляются за полминуты.",
    "frames.card.no_number": "У карточки нет номера телефона: звонков с ней не связать.",
    "frames.card.owner": "Ответственный:",
    "frames.card.waits": "Ждёт перезвона {waited}",
    "frames.card.missed": "Пропущено: {n:звонок|звонка|звонков}, последний {at}. Перезвонить до {until}.",
    "frames.card.calls": "Звонки",
    "frames.card.journal": "Журнал",
    "frames.card.none": "Звонков с этими номерами не было.",
    "frames.card.said.called": "Сейчас зазвонит ваш телефон, потом телефон клиента.",
    "frames.card.said.waits": "Этому клиенту уже звонят: дождитесь звонка.",
    "frames.settings.title": "Callmatrix: {name}",
    "frames.settings.state": "Как всё работает",
    "frames.settings.rooms": "Страницы Callmatrix",
    "frames.settings.sign_in": "Откроются в новой вкладке, войти нужно отдельно.",
    "frames.settings.who": "Настройки меняет администратор Callmatrix.",
    "frames.settings.said.asked": "Спрашиваем amoCRM, данные обновятся через несколько секунд.",
    "frames.settings.said.off": "Сначала включите amoCRM: из отключённой данные не читаем.",
    "refused.frame-unknown.title": "Окно не открылось",
    "refused.frame-unknown.detail": "Закройте его и откройте в amoCRM снова.",
    "refused.frame-expired.title": "Окно открыто слишком давно",
    "refused.frame-expired.detail": "Ничего не изменилось. Закройте его и откройте в amoCRM снова.",
    "refused.frame-used.title": "Уже сохранено",
    "refused.frame-used.detail": "Чтобы изменить ещё что-нибудь, закройте окно и откройте в amoCRM снова.",
    "refused.frame-person.title": "Сюда нельзя",
    "refused.frame-person.detail": "Этому сотруднику страницы Callmatrix закрыты. Спросите администратора.",
    "refused.frame-elsewhere.title": "Не тот адрес",
    "refused.frame-elsewhere.detail": "Страница открывается только по адресу Callmatrix с https.",
    "frames.close": "Закрыть",
    "frames.done": "Сохранено",
    "frames.done.text": "Шаблон «{name}» сохранён. Окно можно закрыть.",
    "frames.template.closes": "После сохранения окно закроется.",
    "frames.template.save": "Сохранить и закрыть",
}
