"""The language of who has not signed in yet."""

from __future__ import annotations

from aiohttp import web

from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import DEFAULT_LANGUAGE, LANGUAGES, Language

LANGUAGE_COOKIE = "callmatrix-lang"


def language_of(request: web.Request) -> Language:
    """Return the one that was chosen here before, else the first of the browser's that we have, else Russian."""
    for text in (
        request.cookies.get(LANGUAGE_COOKIE, ""),
        *request.headers.get("Accept-Language", "").split(","),
    ):
        named = text.partition(";")[0].strip().lower()[:2]
        for language in LANGUAGES:
            if named == language:
                return language
    return DEFAULT_LANGUAGE


def names_of_languages() -> tuple[tuple[Language, str], ...]:
    """Return each with what its own readers call it."""
    return tuple((language, TEXTS[language].say("sign_in.own_name")) for language in LANGUAGES)
