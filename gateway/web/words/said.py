"""What decisions and findings carry, in the words of one language."""

from __future__ import annotations

from collections.abc import Callable

from routing.texts.catalogue import InLanguages, Phrase, Texts


def sayer(texts: Texts) -> Callable[[Phrase | InLanguages | str], str]:
    """`say` puts what decisions and findings carry into words."""

    def say(what: Phrase | InLanguages | str) -> str:
        if isinstance(what, Phrase):
            return texts.render(what)
        if isinstance(what, InLanguages):
            return what.en if texts.language == "en" else what.ru
        return what

    return say
