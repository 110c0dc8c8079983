"""What a person does in the editor: a cell's actions changed, a draft forgotten or kept, a preset taken, who is there told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from gateway.admin import matrices
from gateway.admin.load_directory import AccountIsOff, ask_for_sync
from gateway.admin.matrix.merging import BothChanged, save_part
from gateway.store.admin import matrices as store
from gateway.store.admin.matrix import editing as stored
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.web.crm_away.told import refresh_said
from gateway.web.frame import Form, PageCall, PageQuery, PageRefused, SeeOther, Shown, page_not_found
from gateway.web.matrix.conflict import conflict_page, merge_said
from gateway.web.matrix.fields import ACTION, action_of, fresh_action
from gateway.web.matrix.not_saved import not_saved, odd_numbers
from gateway.web.matrix.seen import see_draft
from gateway.web.matrix.table import dom_id_of
from gateway.web.matrix.table_page import MatrixQuery, cell_title, others_of, table_values
from routing.matrix.actions import Action
from routing.matrix.model import CELLS
from routing.matrix.presets import PRESETS
from routing.matrix.texts import ACTIONS
from routing.matrix.versions.parts import MatrixPart
from routing.texts.catalogue import phrase

ACTIONS_OF_CELL: TypeAdapter[tuple[Action, ...]] = TypeAdapter(tuple[Action, ...])


class CellForm(Form):
    """Besides these the form has the fields of each action, a0.do, a0.name and so on. act: what was pressed."""

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)

    table: str = ""
    cell: str
    revision: int = Field(ge=0, le=2**53)
    act: str = Field(default="save", max_length=60)


class UndoForm(Form):
    table: str = ""
    cell: str
    revision: int = Field(ge=0, le=2**53)
    back: int = Field(ge=0, le=2**53)


class CopyForm(Form):
    """Paste the actions of one cell into another."""

    table: str = ""
    source: str
    cell: str
    revision: int = Field(ge=0, le=2**53)


class RevisionForm(Form):
    revision: int = Field(ge=0, le=2**53)


class BegunEarlierForm(RevisionForm):
    what: Literal["keep", "reset"]
    back: str = ""


class PresetForm(RevisionForm):
    preset: str


class EditorsQuery(PageQuery):
    cell: str = ""
    revision: int = 0


async def save_cell(call: PageCall[MatrixQuery, CellForm]) -> SeeOther | Shown:
    """Save what the form says, and what was pressed: up, down, remove or add an action."""
    form = call.form
    if form.cell not in CELLS:
        raise page_not_found()
    async with call.connection() as conn:
        table = form.table or (await store.draft(conn, call.account.id)).matrix.default
        odd = _odd(form)
        actions = _actions(
            {**(form.model_extra or {}), **dict.fromkeys(odd_numbers(form.model_extra or {}), "0")}
        )
        if odd:
            part = MatrixPart(table, form.cell)
            return await not_saved(call, part, actions, odd, revision=form.revision)
        catalogue = await catalogue_of(conn, call.account.id)
        actions, opened = pressed(
            actions, form.act, lambda do: fresh_action(do, form.cell, call.texts, catalogue)
        )
        part = MatrixPart(table, form.cell)
        try:
            saved = await save_part(
                conn, call.account.id, part, tuple(actions), revision=form.revision, by=call.who.name
            )
        except BothChanged as err:
            return conflict_page(call, err, part, form.revision, _as_text(actions), catalogue)
        if call.is_fragment:
            return await _saved(call, table, form.cell, opened)
    removed = form.act.startswith("remove.")
    where = call.here(
        "/matrix",
        direction=call.query.direction,
        table=call.query.table,
        changed=call.query.changed,
        cell=form.cell,
        open=None if opened is None else str(opened),
        undo=str(form.revision) if removed else None,
    )
    return SeeOther(f"{where}#panel-title", said=merge_said(saved))


def _odd(form: CellForm) -> dict[str, str]:
    """Return the numbers that none can read; one of an action that goes does no harm."""
    what, _, which = form.act.partition(".")
    gone = f"a{which}." if what == "remove" else None
    found = odd_numbers(form.model_extra or {})
    return {name: typed for name, typed in found.items() if gone is None or not name.startswith(gone)}


async def _saved(call: PageCall[Any, Any], table: str, cell: str, opened: int | None) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
    query = MatrixQuery(cell=cell, table=table, open=opened)
    return Shown("matrix/_saved.html", table_values(call, seen, query))


def _actions(values: Mapping[str, Any]) -> list[Action]:
    """Return the actions of the form's fields, in their order. Raise PageRefused."""
    by_number: dict[int, dict[str, str]] = {}
    for key, value in values.items():
        head, _, name = key.partition(".")
        if head[:1] == "a" and head[1:].isdecimal() and len(head) < 5 and isinstance(value, str):
            by_number.setdefault(int(head[1:]), {})[name] = value
    try:
        return [_action(fields) for _, fields in sorted(by_number.items()) if "do" in fields]
    except ValidationError as err:
        names = tuple(".".join(map(str, e["loc"])) for e in err.errors(include_url=False))
        raise PageRefused(422, "invalid", names=names) from err


def _action(fields: Mapping[str, str]) -> Action:
    needed = {"add_note": {"text": "x"}, "create_task": {"text": "x"}, "change_stage": {"stage_id": ""}}
    needed["call_back"] = {"connection": "?"}
    return action_of(fields, ACTION.validate_python({"do": fields["do"], **needed.get(fields["do"], {})}))


def pressed(actions: Sequence[Action], act: str, fresh: Any) -> tuple[list[Action], int | None]:
    """Return the actions after what was pressed, and which of them is open. fresh: makes an action of a kind."""
    what, _, which = act.partition(".")
    held = list(actions)
    if what == "add" and which in ACTIONS and len(held) < 20:
        return [*held, fresh(which)], len(held)
    if not which.isdecimal() or int(which) >= len(held):
        return held, None
    number = int(which)
    if what == "remove":
        return held[:number] + held[number + 1 :], None
    other = number - 1 if what == "up" else number + 1
    if what in ("up", "down") and 0 <= other < len(held):
        held[number], held[other] = held[other], held[number]
        return held, other
    return held, number


def _as_text(actions: Sequence[Action]) -> str:
    return ACTIONS_OF_CELL.dump_json(tuple(actions)).decode()


async def undo(call: PageCall[MatrixQuery, UndoForm]) -> SeeOther:
    """Bring a cell back to what it was before an action was removed."""
    form = call.form
    async with call.connection() as conn:
        before = await stored.draft_at(conn, call.account.id, form.back)
        if before is None:
            before = (await see_draft(conn, call.account.id)).published
        table = form.table or before.default
        actions = before.tables[table].cells.get(form.cell) if table in before.tables else None
        await save_part(
            conn,
            call.account.id,
            MatrixPart(table, form.cell),
            actions,
            revision=form.revision,
            by=call.who.name,
        )
    return SeeOther(call.here("/matrix", table=call.query.table, cell=form.cell) + "#panel-title")


async def paste(call: PageCall[MatrixQuery, CopyForm]) -> SeeOther:
    form = call.form
    if not {form.cell, form.source} <= set(CELLS):
        raise page_not_found()
    async with call.connection() as conn:
        draft = await store.draft(conn, call.account.id)
        table = form.table or draft.matrix.default
        if table not in draft.matrix.tables:
            raise page_not_found()
        actions = draft.matrix.tables[table].cells.get(form.source, ())
        part = MatrixPart(table, form.cell)
        await save_part(conn, call.account.id, part, actions, revision=form.revision, by=call.who.name)
    where = call.here("/matrix", direction=call.query.direction, table=call.query.table)
    said = phrase("matrix.page.pasted", cell=cell_title(call.texts, form.cell))
    return SeeOther(f"{where}#{dom_id_of(form.cell)}", said=said)


async def ask_reset(call: PageCall) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
    return Shown("matrix/reset.html", {"seen": seen})


async def reset(call: PageCall[PageQuery, RevisionForm]) -> SeeOther:
    async with call.connection() as conn:
        await matrices.reset_draft(conn, call.account.id, revision=call.form.revision, by=call.who.name)
    return SeeOther(call.here("/matrix"), said=phrase("matrix.page.was-reset"))


async def begun_earlier(call: PageCall[PageQuery, BegunEarlierForm]) -> SeeOther:
    """Another version was published after the draft was begun: keep the draft, or begin anew."""
    form, account_id = call.form, call.account.id
    async with call.connection() as conn:
        if form.what == "reset":
            await matrices.reset_draft(conn, account_id, revision=form.revision, by=call.who.name)
        else:
            async with matrices.refusals(conn, account_id):
                await store.rebase_draft(conn, account_id, revision=form.revision, by=call.who.name)
    where = call.here("/matrix/publish" if form.back == "publish" else "/matrix")
    return SeeOther(where, said=phrase(f"matrix.page.begun-earlier.{form.what}"))


async def choose_preset(call: PageCall) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
    return Shown("matrix/presets.html", {"seen": seen, "presets": list(PRESETS)})


async def take_preset(call: PageCall[PageQuery, PresetForm]) -> SeeOther:
    if call.form.preset not in PRESETS:
        raise page_not_found()
    matrix = PRESETS[call.form.preset](call.account.settings.language)
    async with call.connection() as conn:
        await matrices.save_draft(
            conn, call.account.id, matrix, revision=call.form.revision, by=call.who.name
        )
    return SeeOther(call.here("/matrix"), said=phrase("matrix.page.preset-taken"))


async def refresh(call: PageCall) -> SeeOther:
    """Ask the worker to read the CRM's catalogues now."""
    try:
        async with call.connection() as conn:
            await ask_for_sync(conn, call.account.id, is_full=False)
    except AccountIsOff:
        return SeeOther(call.here("/matrix"), said=phrase("matrix.page.refresh-off"))
    return SeeOther(call.here("/matrix"), said=await refresh_said(call))


async def note_editor(call: PageCall[EditorsQuery, None]) -> Shown:
    """Tell that this person has the editor open, and be told who else has."""
    cell = call.query.cell if call.query.cell in CELLS else ""
    async with call.connection() as conn:
        await stored.seen_editing(conn, call.account.id, call.who.name, cell)
        seen = await see_draft(conn, call.account.id)
    is_moved = seen.draft.revision != call.query.revision and seen.draft.saved_by != call.who.name
    values = {"seen": seen, "query": call.query, "others": others_of(call, seen), "may_edit": True}
    return Shown("matrix/_others.html", {**values, "is_moved": is_moved})
