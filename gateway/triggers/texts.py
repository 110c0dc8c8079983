"""What keeps the text of a trigger from ever going out, whatever the deal. Pure."""

from __future__ import annotations

from routing.templates import TemplateRefused
from routing.triggers.model import SendSms
from routing.triggers.problems import TriggerProblem, problem
from sms.segments import segmented
from sms.templates import SmsMacros, compiled_sms

_FIELD = "action.template"


def text_problem(action: SendSms, macros: SmsMacros, most_parts: int) -> TriggerProblem | None:
    """most_parts: that the provider takes. Macros are counted as empty: what is too long then is always too long."""
    try:
        template = compiled_sms(action.template, macros)
    except TemplateRefused as err:
        return problem("text-refused", _FIELD, why=err.said)
    fixed = "".join(part for part in template.parts if isinstance(part, str)).strip()
    if not fixed and not template.variables:
        return problem("text-blank", _FIELD)
    most, parts = min(action.max_parts, most_parts), len(segmented(fixed).parts)
    return problem("text-too-long", _FIELD, parts=parts, most=most) if parts > most else None
