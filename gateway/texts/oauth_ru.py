"""The pages at which a person ends who was asked by the CRM to let us in, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "oauth.denied": "Доступ не предоставлен",
    "oauth.denied.text": "CRM ответила: {error}. Начните подключение ещё раз.",
    "oauth.link-used": "Ссылка недействительна",
    "oauth.link-used.text": "Она уже использована или устарела. Выполните «callmatrix account add» ещё раз.",
    "oauth.busy": "Программа занята",
    "oauth.busy.text": "Её база данных сейчас недоступна. Обновите эту страницу через минуту; если тогда будет сказано, что ссылка уже использована, начните подключение ещё раз.",
    "oauth.refused": "CRM не выдала ключ",
    "oauth.refused.text": "{error}. Начните подключение ещё раз.",
    "oauth.foreign-host": "Это не адрес CRM",
    "oauth.foreign-host.text": "CRM вернула вас с адресом «{host}» — это не адрес amoCRM или Kommo. Туда ничего не отправлено. Выполните «callmatrix account add» ещё раз.",
    "oauth.another-browser": "Начали в другом браузере",
    "oauth.another-browser.text": "Подключение начато в другом браузере, или сеанс за это время закончился. Ничего не изменилось: откройте страницы Callmatrix и начните подключение снова.",
    "oauth.another-account": "Другой аккаунт CRM",
    "oauth.another-account.text": "Доступ дал другой аккаунт CRM ({host}), а не тот, который подключён как «{account}». Войдите в нужный аккаунт и выполните «callmatrix account add» ещё раз.",
    "oauth.taken": "CRM уже подключена",
    "oauth.taken.text": "Аккаунт CRM «{name}» уже подключён как {others}. Работайте с ним или сначала выключите его ('callmatrix account off') и начните подключение заново.",
    "oauth.done": "Готово",
    "oauth.done.text": "CRM подключена к аккаунту «{account}». Продолжите настройку на странице первого запуска: там останется сохранить телефон для связи.",
}
