"""Numbers, shares and money as people of a language write them."""

from __future__ import annotations

from decimal import Decimal

from routing.texts.catalogue import Language

NBSP = "\u00a0"
_SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€", "KZT": "₸", "UAH": "₴", "GBP": "£", "BYN": "Br", "UZS": "so'm"}


def count(number: int, language: Language) -> str:
    """1 284, 1,284."""
    return _grouped(f"{number:,}", language)


def decimal(number: float | Decimal, language: Language, places: int = 1) -> str:
    """2,4 and 2.4; zeros at the end are left out."""
    text = f"{number:,.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return _grouped(text, language)


def percent(share: float, language: Language, places: int = 0) -> str:
    """share: 0 to 1. "95 %" and "95%"."""
    figure = decimal(share * 100, language, places)
    return f"{figure}%" if language == "en" else f"{figure}{NBSP}%"


def money(amount: float | Decimal, currency: str, language: Language) -> str:
    """284 000 ₽ and ₽284,000; parts of the unit only where there are some. currency: ISO 4217, others as they are named."""
    places = 0 if Decimal(str(amount)) == int(amount) else 2
    figure = _grouped(f"{amount:,.{places}f}", language)
    sign = _SIGNS.get(currency.upper(), currency)
    if language == "en" and len(sign) == 1:
        return f"-{sign}{figure[1:]}" if figure.startswith("-") else f"{sign}{figure}"
    return f"{figure}{NBSP}{sign}" if sign else figure


def _grouped(text: str, language: Language) -> str:
    """text: as Python groups it, with commas and a point."""
    if language == "en":
        return text
    return text.replace(",", NBSP).replace(".", ",").replace("-", "\u2212")
