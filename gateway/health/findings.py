"""One line of what a person should know: a code with values, put into words at the edge."""

from __future__ import annotations

from dataclasses import dataclass

from routing.texts.catalogue import Phrase, Texts, Value, phrase

_NOTHING = phrase("finding.nothing")
_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """code: stable, kebab-case. about: whose line it is. remedy: what to do, None when nothing. is_warning: worth a look,
    but nothing fails."""

    code: str
    about: Phrase
    is_ok: bool
    message: Phrase
    remedy: Phrase | None = None
    is_warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingText:
    """A finding in one language. remedy: empty when there is nothing to do."""

    code: str
    subject: str
    is_ok: bool
    is_warning: bool
    message: str
    remedy: str


def in_words(finding: Finding, texts: Texts) -> FindingText:
    return FindingText(
        code=finding.code,
        subject=texts.render(finding.about),
        is_ok=finding.is_ok,
        is_warning=finding.is_warning,
        message=texts.render(finding.message),
        remedy=texts.render(finding.remedy) if finding.remedy else "",
    )


def ok(code: str, about: Phrase, /, **values: Value) -> Finding:
    return Finding(code=code, about=about, is_ok=True, message=_message(code, values))


def warning(code: str, about: Phrase, /, **values: Value) -> Finding:
    message, remedy = _message(code, values), _remedy(code, values)
    return Finding(code=code, about=about, is_ok=True, is_warning=True, message=message, remedy=remedy)


def bad(code: str, about: Phrase, /, **values: Value) -> Finding:
    message, remedy = _message(code, values), _remedy(code, values)
    return Finding(code=code, about=about, is_ok=False, message=message, remedy=remedy)


def about(what: str, /, **values: Value) -> Phrase:
    return Phrase(f"subject.{what}", values)


def detail(code: str, is_there: object = True, **values: Value) -> Phrase:
    """Return a part of a sentence, nothing unless it is there."""
    return Phrase(f"finding.{code}", values) if is_there else _NOTHING


def duration(seconds: float) -> Phrase:
    """Short, for a person: 5 s, 12 min, 3 h, 2 d."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return phrase(f"duration.{unit}", number=round(seconds / size))
    return phrase("duration.seconds", number=round(max(0.0, seconds)))


def some(names: list[str]) -> Value:
    shown = ", ".join(names[:_NAMES_SHOWN])
    if len(names) <= _NAMES_SHOWN:
        return shown
    return phrase("finding.names-and-more", names=shown, more=len(names) - _NAMES_SHOWN)


def _message(code: str, values: dict[str, Value]) -> Phrase:
    return Phrase(f"finding.{code}", values)


def _remedy(code: str, values: dict[str, Value]) -> Phrase:
    return Phrase(f"finding.{code}.remedy", values)
