"""What a browser would send of a form that stands on a page."""

from __future__ import annotations

from collections.abc import Mapping

from tests.integration.web.browser import Answer
from tests.integration.web.html import Element

Sent = Mapping[str, list[str]]


def sent_by(answer: Answer, action: str, **changed: str | list[str] | None) -> Sent:
    """Return all fields of the form that goes there. changed: what a person does in it, None = takes the tick off."""
    form = next(one for one in answer.page.all("form") if (one.get("action") or "").split("?")[0] == action)
    sent: dict[str, list[str]] = {}
    for field in form.walk():
        name = field.get("name")
        if name and name != "csrf" and field.tag != "button":
            sent.setdefault(name, []).extend(_values(field))
    for name, value in changed.items():
        sent[name] = [] if value is None else [value] if isinstance(value, str) else value
    return {name: values for name, values in sent.items() if values}


def _values(field: Element) -> list[str]:
    if field.tag == "select":
        options = field.all("option")
        chosen = [one for one in options if "selected" in one.attributes]
        first = options[:1] if "multiple" not in field.attributes else []
        return [one["value"] for one in (chosen or first)]
    if field.get("type") in ("checkbox", "radio"):
        return [field.get("value") or "on"] if "checked" in field.attributes else []
    return [field.text if field.tag == "textarea" else field.get("value") or ""]
