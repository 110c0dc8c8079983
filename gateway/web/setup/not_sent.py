"""What was set aside: by cause with its count, tried again one by one, by cause or all, or ignored with a note."""

from __future__ import annotations

from gateway.admin.operations import desk_entries
from gateway.admin.refused import InputRefused
from gateway.health.status import installation_status
from gateway.store.desk.entries import DeskKind
from gateway.web.frame import AnyPageCall, Form, PageAnswer, PageCall, PageQuery, SeeOther, Shown
from gateway.web.setup.refusals import errors_of
from gateway.web.setup.tabs import tabs_of
from routing.texts.catalogue import phrase

_SHOWN = 100


class NotSentQuery(PageQuery):
    """kind, code, field: of one cause; none = every cause."""

    kind: DeskKind | None = None
    code: str = ""
    field: str = ""


class KeysForm(Form):
    """key: of entries. kind, code, field: of a cause instead; with none of these all is meant."""

    key: tuple[str, ...] = ()
    kind: DeskKind | None = None
    code: str = ""
    field: str = ""
    note: str = ""


async def show(call: PageCall[NotSentQuery, None]) -> Shown:
    return await _page(call, call.query)


async def _page(
    call: AnyPageCall, query: NotSentQuery, err: InputRefused | None = None, note: str = ""
) -> Shown:
    language = call.texts.language
    async with call.connection() as conn:
        groups = await desk_entries.groups(conn, call.account.id, language=language)
        page = None
        if query.kind is not None:
            cause = (query.kind, query.code, query.field)
            page = (await desk_entries.entries_of(conn, call.account.id, cause, language))[:_SHOWN]
    status = await installation_status(
        call.services.pool, call.now, account_id=call.account.id, is_full=False
    )
    effects = status.accounts[0].effects
    values = {
        "tabs": tabs_of(call, "not_sent"),
        "held": effects.held,
        "waiting": effects.waiting + effects.sending + effects.unknown,
        "groups": groups,
        "entries": page,
        "query": query,
        "total": sum(group.count for group in groups),
        "errors": errors_of(err, call.texts, "not_sent") if err else {},
        "note_typed": note,
    }
    template = "setup/_not_sent.html" if call.is_fragment else "setup/not_sent.html"
    return Shown(template, values, status=422 if err else 200)


async def _keys(call: PageCall[PageQuery, KeysForm]) -> list[str] | None:
    """None: all that can be tried again."""
    form = call.form
    if form.key or form.kind is None:
        return list(form.key) or None
    async with call.connection() as conn:
        cause = (form.kind, form.code, form.field)
        return [entry.key for entry in await desk_entries.entries_of(conn, call.account.id, cause)]


async def retry(call: PageCall[PageQuery, KeysForm]) -> PageAnswer:
    keys = await _keys(call)
    async with call.connection() as conn:
        count = await desk_entries.retry(conn, call.account.id, keys)
    return SeeOther(call.here("/setup/not-sent"), said=phrase("setup.not_sent.said.retried", n=count))


async def ignore(call: PageCall[PageQuery, KeysForm]) -> PageAnswer:
    """Ignore what is named; all at once cannot be."""
    form, keys = call.form, await _keys(call)
    async with call.connection() as conn:
        try:
            count = await desk_entries.ignore(conn, call.account.id, keys or [], form.note)
        except InputRefused as err:
            query = NotSentQuery(kind=form.kind, code=form.code, field=form.field)
            return await _page(call, query, err, form.note)
    return SeeOther(call.here("/setup/not-sent"), said=phrase("setup.not_sent.said.ignored", n=count))
