"""A template saved as its form has it, for its own page and for the narrow one within the CRM: done, or why not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.admin.distribution.templates import TemplateMoved, TemplateNotUsable
from gateway.admin.protection.grants import NotBoundTo
from gateway.admin.refused import InputRefused
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.templates import SavedTemplate
from gateway.web.distribution.template.differences import template_changes
from gateway.web.distribution.template.form import TemplateForm
from gateway.web.distribution.template.typed import FieldErrors, template_of
from gateway.web.frame import AnyPageCall
from gateway.web.refusals import refusal_said
from routing.distribution.problems import TemplateProblem
from routing.distribution.template import DistributionTemplate
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSaved:
    """form: as it is shown again; after a conflict, sent once more, it takes the place of what is saved. saved: what is stored
    now, None = nothing of this name. changes: in what it differs from what somebody else saved, None = nobody did."""

    form: TemplateForm
    saved: SavedTemplate | None
    errors: FieldErrors
    found: Sequence[TemplateProblem] | None = None
    changes: Sequence[Any] | None = None
    status: int = 422


async def save_form(
    conn: Conn,
    call: AnyPageCall,
    form: TemplateForm,
    saved: SavedTemplate | None,
    save: Callable[[DistributionTemplate], Awaitable[object]],
) -> NotSaved | None:
    """None: it is saved."""
    template, errors = template_of(form)
    if template is None:
        return NotSaved(form=form, saved=saved, errors=errors)
    try:
        await save(template)
    except TemplateMoved as err:
        return await _moved(conn, call, form, template, err.before)
    except TemplateNotUsable as err:
        return NotSaved(form=form, saved=saved, errors=errors, found=err.found)
    except InputRefused as err:
        return NotSaved(form=form, saved=saved, errors={field_of(err): refusal_of(call, err)})
    return None


async def _moved(
    conn: Conn,
    call: AnyPageCall,
    form: TemplateForm,
    mine: DistributionTemplate,
    theirs: SavedTemplate | None,
) -> NotSaved:
    if form.version == 0:
        errors: FieldErrors = {"name": phrase("distribution.refused.name_taken", name=form.name)}
        return NotSaved(form=form, saved=None, errors=errors, status=409)
    staff = await staff_of(conn, call.account.id)
    changes = template_changes(theirs.template, mine, staff, call.words) if theirs is not None else []
    form = form.model_copy(update={"version": theirs.version if theirs else 0})
    return NotSaved(form=form, saved=theirs, errors={}, changes=changes, status=409)


def field_of(err: InputRefused) -> str:
    """Return the field of the form that was refused."""
    field = err.field.split(".")[0]
    return "name" if field == "template" else field


def refusal_of(call: AnyPageCall, err: InputRefused) -> Any:
    """Return why, as it stands at the field."""
    if isinstance(err, NotBoundTo):
        return phrase(f"distribution.refused.not_bound.{err.field}")
    if err.field == "name" and err.code == "invalid-input":
        return phrase("distribution.refused.odd_name")
    return phrase("distribution.refused.other", said=refusal_said(err, call.texts))
