"""A template made or changed where it is attached to a stage, within the CRM: saved once, then the window closes."""

from __future__ import annotations

from typing import Any, Literal

from gateway.admin.distribution import templates
from gateway.store.admin.staff import staff_of
from gateway.store.distribution import templates as store
from gateway.store.distribution.templates import SavedTemplate
from gateway.store.frames.frame_tokens import use_frame_token
from gateway.web.distribution.template.editing import pressed_in_form
from gateway.web.distribution.template.form import FIRST_SIGNS, TemplateForm, form_of
from gateway.web.distribution.template.page import form_values
from gateway.web.distribution.template.saving import save_form
from gateway.web.frame import (
    AnyPageCall,
    PageAnswer,
    PageCall,
    PageQuery,
    PageRefused,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.frames.card import framed_of
from gateway.web.frames.door import DONE
from routing.distribution.template import DistributionTemplate
from runtime.database.pool import Conn
from runtime.tokens import hash_of

PATH = "/frame/template"


class FramedTemplateQuery(PageQuery):
    """part: of the page that is asked for alone, by the form as it is typed."""

    part: Literal["", "sums"] = ""


async def show(call: PageCall) -> Shown:
    async with call.connection() as conn:
        saved = await _saved(conn, call)
        if saved is None and not call.may("senior_manager"):
            raise PageRefused(403, "frame-person")
        form = form_of(saved.template, saved.version) if saved else TemplateForm(wait=True, sign=FIRST_SIGNS)
        return await _page(conn, call, form, saved)


async def _saved(conn: Conn, call: AnyPageCall) -> SavedTemplate | None:
    """Return the one of the frame, None: a new one is made. Raise PageRefused where it has been removed."""
    name = framed_of(call).token.entity_id
    if name is None:
        return None
    saved = await store.template_of(conn, call.account.id, name)
    if saved is None:
        raise page_not_found("template")
    return saved


async def _page(
    conn: Conn, call: AnyPageCall, form: TemplateForm, saved: SavedTemplate | None, **more: Any
) -> Shown:
    """more: errors and found, as of the form; status, and the difference to what somebody else saved."""
    status, changes = more.pop("status", 200), more.pop("changes", None)
    values = await form_values(conn, call, form, saved, action=call.here(PATH), **more)
    return Shown("frames/template.html", {**values, "changes": changes}, status=status)


async def change(call: PageCall[FramedTemplateQuery, TemplateForm]) -> PageAnswer:
    async with call.connection() as conn:
        saved, form = await _saved(conn, call), call.form
        if saved is not None:
            form = form.model_copy(update={"name": saved.name})
        if form.do == "save":
            return await _save(conn, call, form, saved)
        if call.query.part == "sums":
            values = await form_values(conn, call, form, saved, action=call.here(PATH))
            return Shown("distribution/_sums.html", values)
        form = pressed_in_form(form, await staff_of(conn, call.account.id))
        if call.is_fragment:
            values = await form_values(conn, call, form, saved, action=call.here(PATH))
            return Shown("distribution/_template_fields.html", values)
        return await _page(conn, call, form, saved)


async def _save(conn: Conn, call: AnyPageCall, form: TemplateForm, saved: SavedTemplate | None) -> PageAnswer:
    async def save(template: DistributionTemplate) -> None:
        await _save_once(conn, call, template, form.version)

    left = await save_form(conn, call, form, saved, save)
    if left is None:
        return SeeOther(call.here(DONE))
    more = {"errors": left.errors, "found": left.found, "changes": left.changes}
    return await _page(conn, call, left.form, left.saved, status=left.status, **more)


async def _save_once(conn: Conn, call: AnyPageCall, template: DistributionTemplate, version: int) -> None:
    """Save it and use up what opened the window, or do neither."""
    async with conn.transaction():
        secret_hash = hash_of(framed_of(call).secret)
        if not await use_frame_token(conn, secret_hash, call.now, template.name):
            raise PageRefused(409, "frame-used")
        await templates.save_template(conn, call.account.id, template, by=call.who.name, version=version)


async def show_done(call: PageCall) -> Shown:
    token = framed_of(call).token
    if token.page != "template" or token.used_at is None:
        raise PageRefused(404, "frame-unknown")
    return Shown("frames/done.html", {"name": token.entity_id or ""})
