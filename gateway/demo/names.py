"""How people, clients and deals of the demo are called: as those of a company that makes kitchens."""

from __future__ import annotations

from collections.abc import Mapping

EMPLOYEES: Mapping[str, str] = {
    "100": "Павел Орлов",
    "101": "Артём Юдин",
    "102": "Ирина Соколова",
    "103": "Алия Хасанова",
    "104": "Дмитрий Панов",
    "105": "Елена Дьякова",
    "106": "Сергей Маслов",
    "107": "Ирина Белых",
    "108": "Тимур Ахметов",
    "109": "Юлия Ковалёва",
    "110": "Никита Громов",
    "199": "Виктор Зуев",
}
"""By extension."""

_FIRST = (
    "Наталья",
    "Рустам",
    "Анна",
    "Ли",
    "Екатерина",
    "Олег",
    "Марина",
    "Денис",
    "Светлана",
    "Тагир",
    "Вера",
    "Игорь",
)
_LAST = ("Кравченко", "Дорош", "Мороз", "Чжао", "Бондаренко", "Гончар", "Левчук", "Шевченко", "Гарбуз", "Усманлы", "Живаго")  # fmt: skip
_FIRMS = ("ООО «Форма»", "ИП Жуков", "Студия «Линия»", "ООО «Новый дом»")
_ROOMS = ("Кухня", "Шкаф-купе", "Гардеробная", "Прихожая", "Кухня и барная стойка")
_STREETS = ("Садовая", "Лесная", "Набережная", "Мира", "Ключевая", "Полевая", "Озёрная")


def client_name(number: int) -> str:
    """Return the name of the sample contact of this number."""
    if number % 13 == 0:
        return _FIRMS[number // 13 % len(_FIRMS)]
    return f"{_FIRST[number % len(_FIRST)]} {_LAST[number % len(_LAST)]}"


def deal_name(number: int) -> str:
    """Return the name of a deal."""
    street = _STREETS[number % len(_STREETS)]
    return f"{_ROOMS[number % len(_ROOMS)]}, ул. {street}, {number % 89 + 1}"


def deal_price(number: int) -> int:
    """In whole roubles."""
    return 84_000 + number * 7_700 % 410_000
