"""What a form was refused for, in the person's language and at its field."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.admin.refused import InputRefused, SettingRefused
from gateway.web.refusals import refusal_said
from routing.texts.catalogue import Texts

_LONGEST_QUOTED = 60


def errors_of(err: InputRefused, texts: Texts, form: str, **values: str) -> dict[str, str]:
    """Return field -> what is wrong with it and what to do. form: whose sentences are looked for first, then those of any
    form. values: what a sentence may name."""
    if isinstance(err, SettingRefused) and err.name:
        return {_field_of(err, form): _setting_said(err, texts, form)}
    field = err.field.split(".")[0]
    keys = (
        f"setup.refused.{form}.{field}.{err.code}",
        f"setup.refused.{form}.{err.code}",
        f"setup.refused.{form}.{field}",
        f"setup.refused.{field}",
    )
    named: Mapping[str, str] = {"message": err.message, "remedy": err.remedy, **values}
    key = next((key for key in keys if key in texts.sentences), None)
    return {field: texts.say(key, **named) if key else refusal_said(err, texts)}


def _field_of(err: SettingRefused, form: str) -> str:
    """Return the id of the field that the setting or key has; settings of a PBX are typed in one field for all."""
    if err.field == "settings" and form == "pbx":
        return "settings"
    return f"{'key' if err.field == 'keys' else 'setting'}-{err.name}"


def _setting_said(err: SettingRefused, texts: Texts, form: str) -> str:
    """Say which one it is, in the words of the form, and what it may be."""
    label = f"setup.{form}.{'key' if err.field == 'keys' else 'setting'}.{err.name}"
    return texts.say(
        f"setup.refused.wanted.{err.wanted.replace(' ', '_')}",
        name=texts.say(label) if label in texts.sentences else err.name,
        value=_short(str(err.value)),
        known=", ".join(err.known),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTED else f"{text[: _LONGEST_QUOTED - 1]}…"
