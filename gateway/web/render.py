"""TemplateSet: what each of them may use, and how one becomes an answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.web.built_files import BuiltFiles
from gateway.web.frame import AnyPageCall
from gateway.web.shell import navigation
from gateway.web.words.said import sayer

TEMPLATES = Path(__file__).parent / "templates"


class TemplateSet:
    """files: of the build. Every template has `t`, `say`, `here`, `asset`, `icon`, `words`, `who`, `account`, `nav`, `lang`, `now`
    and `call`; each raises for a name that it does not know."""

    def __init__(self, files: BuiltFiles) -> None:
        self._files = files
        self._ornaments: dict[str, Markup] = {}
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        )
        self.environment.globals["asset"] = files.address
        self.environment.globals["icon"] = self.icon

    def icon(self, name: str, label: str = "") -> Markup:
        """label: what it says to who does not see it; without one it is an ornament."""
        if not label and (known := self._ornaments.get(name)) is not None:
            return known
        href = self._files.address("icons.svg")
        spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        drawn = Markup('<svg class="cm-icon" {}><use href="{}#{}"></use></svg>').format(spoken, href, name)
        if not label:
            self._ornaments[name] = drawn
        return drawn

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        return self.environment.get_template(template).render(values)


def of_call(call: AnyPageCall, entry: str) -> dict[str, Any]:
    """Return what the templates of this request have beside the handler's values."""
    return {
        "call": call,
        "t": call.texts.say,
        "say": sayer(call.texts),
        "here": call.here,
        "words": call.words,
        "who": call.who,
        "account": call.account_or_none,
        "lang": call.texts.language,
        "now": call.now,
        "entry": entry,
        "nav": navigation(call),
    }
