"""Templates of SMS: texts with macros of a deal, its people and their custom fields; what they give, and how it would be sent.

The language is that of `routing/templates.py`. Values are put in once: a value that holds braces is text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from routing.staff import Employee
from routing.templates import Template, TemplateRefused, TemplateValue, parse
from routing.texts.catalogue import Texts
from sms.segments import SmsSegments, Suggestion, cheaper, segmented

MACROS: Mapping[str, str] = {
    "maincontact.name": "",
    "maincontact.first_name": "",
    "maincontact.last_name": "",
    "maincontact.phone": "+79161234567",
    "maincontact.email": "oleg@example.com",
    "company.name": "",
    "deal.id": "31000001",
    "deal.name": "",
    "deal.price": "50000",
    "deal.pipeline": "",
    "deal.stage": "",
    "deal.created_at": "02.03.2026 10:15",
    "user.name": "",
    "user.phone": "100",
    "user.email": "vasily@example.com",
}
"""With a sample where it is the same in every language; the others, and what each is, stand in the catalogues. Besides these:
`<deal|maincontact|company|user>.cf_<id>` for custom fields that the CRM has."""

_CUSTOM = re.compile(r"(?:deal|maincontact|company|user)\.cf_\d{1,12}", re.ASCII)
_MOST_NEAR = 3


@dataclass(frozen=True, slots=True)
class SmsMacros:
    """The names that a template of one account may use. custom: those of its custom fields, such as `deal.cf_512`."""

    custom: frozenset[str] = frozenset()

    def __call__(self, name: str) -> bool:
        return name in MACROS or name in self.custom

    def near(self, name: str) -> tuple[str, ...]:
        """Return the names that are most like one that is not known."""
        return tuple(get_close_matches(name, sorted({*MACROS, *self.custom}), n=_MOST_NEAR))

    @staticmethod
    def of(custom: Iterable[str]) -> SmsMacros:
        """Raise ValueError for a name that no custom field can have."""
        names = frozenset(custom)
        if wrong := sorted(name for name in names if not _CUSTOM.fullmatch(name)):
            raise ValueError(f"no name of a custom field: {', '.join(wrong)}")
        return SmsMacros(names)


def compiled_sms(source: str, macros: SmsMacros) -> Template:
    """Read a template. Raises TemplateRefused, which names near macros in place of an unknown one."""
    try:
        return parse(source, macros)
    except TemplateRefused as err:
        name = str(err.values.get("name", ""))
        if err.reason == "variable-unknown" and (near := macros.near(name)):
            raise TemplateRefused(err.position, "variable-unknown-near", name=name, near=near) from err
        raise


def values_of(employee: Employee) -> dict[str, TemplateValue]:
    """Return the macros of a responsible. Their phone is the extension, as clients dial it behind the company's number."""
    return {
        "user.name": employee.name,
        "user.phone": employee.extensions[0] if employee.extensions else None,
        "user.email": employee.email or None,
    }


def rendered_sms(template: Template, values: Mapping[str, TemplateValue], zone: ZoneInfo) -> str:
    """Return the text; what is empty then must not be sent (`sms.model.refusal_before_sending`)."""
    return template.render(values.get, zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPreview:
    """What a template gives, and what it costs. empty: macros that have no value here. suggestion: what would be cheaper."""

    text: str
    segments: SmsSegments
    empty: tuple[str, ...]
    suggestion: Suggestion | None


def previewed(
    template: Template, zone: ZoneInfo, texts: Texts, values: Mapping[str, TemplateValue] | None = None
) -> SmsPreview:
    """values: of a real deal; None: the documented samples."""
    filled = (
        values if values is not None else {name: sample_of_macro(name, texts) for name in template.variables}
    )
    text = rendered_sms(template, filled, zone)
    segments = segmented(text)
    empty = tuple(dict.fromkeys(name for name in template.variables if filled.get(name) in (None, "")))
    return SmsPreview(text=text, segments=segments, empty=empty, suggestion=cheaper(segments))


def sample_of_macro(name: str, texts: Texts) -> str:
    if name not in MACROS:
        return f"({name})"  # in GSM-7, so that a sample makes no text dearer
    return MACROS[name] or texts.say(f"sms.sample.{name}")
