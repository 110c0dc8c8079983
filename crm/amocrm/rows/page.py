"""Pages of a list, row by row: what cannot be read is noted and left out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from crm.amocrm.fields import Node
from crm.errors import CrmUnreadable
from crm.port import Page
from crm.unread import Unread, nameless, shown_raw
from runtime.masking import mask_text

T = TypeVar("T")

NoteUnread = Callable[[str, Sequence[Unread]], None]
"""(id of a row, what of it could not be read)."""


def page_of(
    answer: Node | None, plural: str, read: Callable[[Node], T], note: NoteUnread | None = None
) -> Page[T]:
    """Return a page of a list: the end is the missing `next`, and an empty list has no body at all (204).

    note: told of every row what of it could not be read; a row of which nothing can be made is left out.
    """
    if answer is None:
        return Page(items=(), has_next=False)
    found: list[T] = []
    lost: list[str] = []
    partial: list[str] = []

    def told(id: str, faults: Sequence[Unread]) -> None:
        if faults:
            partial.append(id)
        if note is not None:
            note(id, faults)

    for place in answer.at("_embedded", plural).items():
        row = read_row(place, read, told)
        if isinstance(row, LostRow):
            lost.append(row.id)
        else:
            found.append(row)
    return Page(items=tuple(found), has_next=not is_last(answer), lost=tuple(lost), partial=tuple(partial))


def is_last(answer: Node) -> bool:
    """Say whether this is the end of its list by the CRM's own word; one whose links make no sense is not."""
    return answer.maybe("_links.next.href", lambda href: href.is_absent, False)


@dataclass(frozen=True, slots=True)
class LostRow:
    """A row of which nothing could be made. id: its own where it could be told."""

    id: str


def read_row(
    place: Node, read: Callable[[Node], T], note: NoteUnread | None, id: str | None = None
) -> T | LostRow:
    """One row by itself. id: where it is known because it was asked for."""
    row = Node(place.value)
    try:
        item = read(row)
    except CrmUnreadable as err:
        lost = LostRow(id or _row_id(row))
        if note is not None:
            note(lost.id, [_unread(err, is_lost=True, raw=row.value)])
        return lost
    if note is not None:
        note(id or _row_id(row), [_unread(fault) for fault in row.faults])
    return item


def _unread(err: CrmUnreadable, *, is_lost: bool = False, raw: object = None) -> Unread:
    value = raw if is_lost else err.value
    return Unread(field=err.field, why=mask_text(str(err)), raw=shown_raw(value), is_lost=is_lost)


def _row_id(row: Node) -> str:
    """Its id, else the one in the address that it gives of itself, else one that stands for it."""
    for key in ("uid", "id"):
        try:
            return row.get(key).id()
        except CrmUnreadable:
            continue
    try:
        href = row.at("_links", "self", "href").text()
        return Node(href.partition("?")[0].rpartition("/")[2]).id()
    except CrmUnreadable:
        return nameless(row.value)
