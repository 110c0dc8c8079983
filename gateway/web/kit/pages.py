"""The components page: every part in every state. It is shown where the setting `pages_kit` says so, never by itself."""

from __future__ import annotations

import dataclasses

from gateway.web.frame import PageCall, PageQuery, PageRoute, Shown, page_not_found
from gateway.web.kit.examples import examples
from gateway.web.person import Theme
from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import Language


class KitQuery(PageQuery):
    """theme, language: instead of the person's own, so that all four can be looked at."""

    theme: Theme | None = None
    language: Language | None = None


async def kit(call: PageCall[KitQuery, None]) -> Shown:
    if not call.services.settings.pages_kit:
        raise page_not_found()
    language = call.query.language or call.who.language
    who = dataclasses.replace(call.who, theme=call.query.theme or call.who.theme, language=language)
    say = TEXTS[language].say

    def example(key: str) -> str:
        return say(f"kit.example.{key}")

    return Shown("kit/page.html", {"who": who, "lang": language, "t": say, **examples(example)})


PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/_kit", handler=kit, role="read_only", needs_account=False),
)
