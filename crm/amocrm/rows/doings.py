"""Which rows of amoCRM's feed of events are traces of a person at work. Incoming messages, visits, robots' doings, service
notes and changes of the responsible are not among them, nor are calls: the telephone system tells who talked, while the
CRM has missed calls in employees' names too."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from crm.amocrm.fields import Node
from crm.amocrm.rows.page import page_of
from crm.amocrm.rows.paging import Paging
from crm.amocrm.rows.walks import Walks
from crm.amocrm.tables import EVENTS_LIMIT
from crm.doings import CrmDoing, DoingKind
from crm.errors import CrmUnreadable
from crm.lane import Lane
from crm.port import Page

DOING_KIND: Final[Mapping[str, DoingKind]] = {
    "outgoing_chat_message": "message_sent",
    "entity_direct_message": "message_sent",
    "common_note_added": "noted",
    "attachment_note_added": "noted",
    "geo_note_added": "noted",
    "common_note_deleted": "noted",
    "task_added": "task_added",
    "task_text_changed": "task_changed",
    "task_type_changed": "task_changed",
    "task_deadline_changed": "task_changed",
    "task_result_added": "task_changed",
    "task_completed": "task_completed",
    "lead_status_changed": "moved",
    "customer_status_changed": "moved",
    "custom_field_value_changed": "changed",
    "sale_field_changed": "changed",
    "name_field_changed": "changed",
    "entity_tag_added": "tagged",
    "entity_tag_deleted": "tagged",
    **{
        f"{what}_{verb}": "linked"
        for what in ("lead", "contact", "company", "customer", "entity")
        for verb in ("linked", "unlinked")
    },
    "entity_merged": "merged",
    **{f"{what}_deleted": "deleted" for what in ("lead", "contact", "company", "customer", "task")},
    **{f"{what}_restored": "restored" for what in ("lead", "contact", "company")},
    "key_action_completed": "acted",
}
_FIELD_CHANGED = re.compile(r"custom_field_[0-9]+_value_changed")


def kind_of(type_: str) -> DoingKind | None:
    """Return what it is of our kinds; None: it says of nobody that they are at work."""
    return "changed" if _FIELD_CHANGED.fullmatch(type_) else DOING_KIND.get(type_)


def doing(node: Node) -> CrmDoing:
    kind = kind_of(node.maybe("type", Node.text, ""))
    if kind is None:
        raise CrmUnreadable("it is not of a type that was asked for", "type")
    return CrmDoing(
        id=node.get("id").id(),
        kind=kind,
        at=node.get("created_at").moment(),
        by_user=node.maybe("created_by", Node.id_or_none, None),
        entity_id=node.maybe("entity_id", Node.id_or_none, None) or "",
    )


class DoingReads:
    """get: one GET of a path. Rows that cannot be read, or were not asked for, are left out: the next doing of the same
    person tells as much."""

    def __init__(self, get: Callable[[str, Lane, Sequence[tuple[str, str]]], Awaitable[Node | None]]) -> None:
        self._paging = Paging(get)
        self._walks = Walks()

    async def page(self, since: datetime, lane: Lane, page: int) -> Page[CrmDoing]:
        first = int(since.timestamp())
        query = [
            ("filter[created_at][from]", str(first)),
            *(("filter[type][]", type_) for type_ in DOING_KIND),
        ]
        answer = await self._paging.page("/events", "events", lane, query, page=page, limit=EVENTS_LIMIT)
        found = self._walks.judged("doings", page, page_of(answer, "events", doing))
        recent = tuple(one for one in found.items if one.at.timestamp() >= first)
        return Page(items=recent, has_next=found.has_next and len(recent) == len(found.items))
