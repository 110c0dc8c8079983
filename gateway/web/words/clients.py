"""A client as people read them: by name, or by what stands for one. Pure."""

from __future__ import annotations

from gateway.web.words.words import Words
from routing.client import ClientKind
from routing.texts.catalogue import Phrase, phrase


def client_in_words(name: str | None, number: str, kind: ClientKind | None, words: Words) -> str | Phrase:
    """Return the name. Cards are often made with the number in its place, which says nothing about who it is: then whether the
    CRM knew the client when they called.

    name: as the CRM has it now, None = nobody of this number has one. number: E.164. kind: as the call recorded it, None = it did not.
    """
    if name and not _is_the_number(name, number):
        return words.text(name)
    return phrase("words.client.new" if kind in (None, ClientKind.NEW) else "words.client.nameless")


def name_or_number(name: str | None, number: str, words: Words) -> str:
    """Return the name; of who has none, or the number in its place, the number as it is spelt. number: E.164, "" = not known."""
    return words.text(name) if name and not _is_the_number(name, number) else words.phone(number)


def _is_the_number(name: str, number: str) -> bool:
    """Tell whether a name is nothing but the number, however it is spelt."""
    digits = "".join(sign for sign in name if sign.isdigit())
    is_bare = not any(sign.isalpha() for sign in name)
    return is_bare and len(digits) >= 10 and number.endswith(digits[-10:])
