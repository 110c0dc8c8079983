"""What a form was refused for, in the person's language and at its field."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.admin.refused import InputRefused
from gateway.web.refusals import refusal_said
from routing.texts.catalogue import Texts


def errors_of(err: InputRefused, texts: Texts, form: str, **values: str) -> dict[str, str]:
    """Return field -> what is wrong with it and what to do. form: whose sentences are looked for first, then those of any
    form. values: what a sentence may name."""
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
