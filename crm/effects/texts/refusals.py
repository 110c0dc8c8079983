"""Plain words for the desk: what an effect wanted, and why the CRM did not have it."""

from __future__ import annotations

from collections.abc import Mapping

from crm.effects.texts import sentences_en, sentences_ru
from routing.texts.catalogue import Language, Texts, catalogues

TEXTS: Mapping[Language, Texts] = catalogues(ru=sentences_ru.SENTENCES, en=sentences_en.SENTENCES)


def what(do: str, texts: Texts) -> str:
    return texts.word("order.do", do)


def field_name(path: str, texts: Texts) -> str:
    """path: as the CRM names it, dotted with indices. The last part that has a name wins; else the path itself."""
    if not path:
        return texts.say("refusal.no-field")
    known = [part for part in path.split(".") if f"refusal.field.{part}" in texts.sentences]
    name = texts.word("refusal.field", known[-1]) if known else path
    return texts.say("refusal.field", name=name)


def why(code: str | None, field: str | None, detail: str | None, texts: Texts) -> str:
    key = f"refusal.reason.{code}"
    pattern = key if key in texts.sentences else "refusal.other"
    return texts.say(pattern, field=field_name(field or "", texts), detail=detail or "").strip().rstrip(".")
