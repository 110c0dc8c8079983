"""Versions of the matrix: who published what and why, the difference of any two, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from gateway.admin import matrices
from gateway.store.admin import matrices as store
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.web.frame import Form, PageCall, PageQuery, SeeOther, Shown, page_not_found
from gateway.web.matrix.seen import see_draft
from routing.matrix.catalogue import Catalogue
from routing.matrix.model import Matrix
from routing.matrix.versions.diff import MatrixChange, difference
from routing.texts.catalogue import Texts, phrase
from runtime.database.pool import Conn


class VersionsQuery(PageQuery):
    """old, new: a number, current or draft."""

    old: str = "current"
    new: str = "draft"


class WhyForm(Form):
    why: str = Field(default="", max_length=2000)


@dataclass(frozen=True, slots=True)
class ChangeInWords:
    kind: str
    text: str


async def show_versions(call: PageCall) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
        published = await store.versions(conn, call.account.id)
    values = {"seen": seen, "versions": published, "tab": "versions", "may_publish": call.may("admin")}
    return Shown("matrix/versions.html", values)


async def show_difference(call: PageCall[VersionsQuery, None]) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
        old, new = [await _named(conn, call, name) for name in (call.query.old, call.query.new)]
        catalogue = await catalogue_of(conn, call.account.id)
    values = {
        "seen": seen,
        "tab": "versions",
        "names": [_name(call.texts, name, seen.version) for name in (call.query.old, call.query.new)],
        "changes": changes_in_words(old, new, call.texts, catalogue),
    }
    return Shown("matrix/difference.html", values)


def changes_in_words(old: Matrix, new: Matrix, texts: Texts, catalogue: Catalogue) -> list[ChangeInWords]:
    return [_change(one) for one in difference(old, new, texts, catalogue)]


def _change(one: MatrixChange) -> ChangeInWords:
    return ChangeInWords(one.kind, one.text[:1].upper() + one.text[1:])


def _name(texts: Texts, name: str, current: int) -> str:
    if name == "draft":
        return texts.say("matrix.page.the-draft")
    return texts.say("matrix.page.version", n=str(current) if name == "current" else name)


async def _named(conn: Conn, call: PageCall[Any, Any], name: str) -> Matrix:
    if name == "draft":
        return (await store.draft(conn, call.account.id)).matrix
    current = await store.current_version(conn, call.account.id)
    number = current if name == "current" else number_of_version(name)
    try:
        return await store.matrix_at(conn, call.account.id, number)
    except store.NoSuchMatrixVersion as err:
        raise page_not_found() from err


def number_of_version(name: str) -> int:
    """Raise PageRefused."""
    if not (name.isascii() and name.isdecimal() and len(name) < 10):
        raise page_not_found()
    return int(name)


async def ask_restore(call: PageCall) -> Shown:
    """Ask before going back to an earlier version."""
    number = number_of_version(call.path["version"])
    async with call.connection() as conn:
        return await _restore_page(conn, call, number, {})


async def _restore_page(conn: Conn, call: PageCall[Any, Any], number: int, more: dict[str, Any]) -> Shown:
    found = next((v for v in await store.versions(conn, call.account.id) if v.version == number), None)
    if found is None:
        raise page_not_found()
    seen = await see_draft(conn, call.account.id)
    old = await store.matrix_at(conn, call.account.id, number)
    changes = changes_in_words(seen.published, old, call.texts, seen.catalogue)
    values = {"seen": seen, "found": found, "changes": changes, "tab": "versions", "error": "", "why": ""}
    return Shown("matrix/restore.html", {**values, **more}, status=422 if more else 200)


async def restore(call: PageCall[PageQuery, WhyForm]) -> SeeOther | Shown:
    number = number_of_version(call.path["version"])
    async with call.connection() as conn:
        if len(call.form.why.strip()) < 3:
            error = {"error": call.texts.say("matrix.page.say-why"), "why": call.form.why}
            return await _restore_page(conn, call, number, error)
        done = await matrices.roll_back(
            conn, call.account.id, to=number, by=call.who.name, why=call.form.why.strip()
        )
    said = phrase("matrix.page.restored", version=str(done.version), old=str(number))
    return SeeOther(call.here("/matrix/versions"), said=said)
