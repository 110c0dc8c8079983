"""Versions of a template: who saved each and in what it differs, and the way back to one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from gateway.admin.distribution import templates
from gateway.admin.refused import InputRefused
from gateway.store.admin.staff import staff_of
from gateway.store.distribution import templates as store
from gateway.web.distribution.tabs import tabs, template_path
from gateway.web.distribution.template.differences import template_changes
from gateway.web.distribution.template.page import the_saved
from gateway.web.frame import AnyPageCall, PageAnswer, PageCall, SeeOther, Shown, page_not_found
from gateway.web.refusals import refusal_said
from gateway.web.words.versions import MOST_VERSIONS, VersionSeen
from routing.texts.catalogue import phrase


async def show_versions(call: PageCall) -> Shown:
    return await _page(call)


async def _page(call: AnyPageCall, error: str = "") -> Shown:
    async with call.connection() as conn:
        saved = await the_saved(conn, call)
        lines = await store.template_versions(conn, call.account.id, saved.name)
        staff = await staff_of(conn, call.account.id)
        then = [
            await store.template_at(conn, call.account.id, saved.name, line.version)
            for line in lines[: MOST_VERSIONS + 1]
        ]
    changes = [
        template_changes(old, new, staff, call.words) if old and new else [] for new, old in pairwise(then)
    ]
    values: dict[str, Any] = {
        "tabs_shown": tabs(call, "templates"),
        "name": saved.name,
        "path": template_path(saved.name),
        "versions": [
            VersionSeen(line, changes[number] if number < len(changes) else None)
            for number, line in enumerate(lines[:MOST_VERSIONS])
        ],
        "may_edit": call.may("senior_manager", template=saved.name),
        "error": error,
    }
    return Shown("distribution/versions.html", values, status=422 if error else 200)


async def take_back(call: PageCall) -> PageAnswer:
    """Save the version once more, as the next one."""
    number = call.path["version"]
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise page_not_found()
    try:
        async with call.connection() as conn:
            saved = await the_saved(conn, call)
            found = await store.template_at(conn, call.account.id, saved.name, int(number))
            if found is None:
                raise page_not_found()
            await templates.save_template(
                conn, call.account.id, found, by=call.who.name, version=saved.version
            )
    except InputRefused as err:
        return await _page(call, refusal_said(err, call.texts))
    return SeeOther(call.here(template_path(saved.name)), said=phrase("versions.said.back", version=number))
