"""What is to be given to somebody, and what is known of each person at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from routing.presence import PresenceState

ItemKind = Literal["deal", "missed_call", "ring", "task"]
Off = Literal["", "not_in_schedule", "off_shift", "holiday", "on_leave"]


class OtherDeal(NamedTuple):
    """Another deal of the same client. owner: CRM user id. via: what it shares with ours. at: when it was closed, or made if open."""

    id: str
    owner: str | None
    via: frozenset[Literal["contact", "company"]]
    is_open: bool
    at: datetime
    pipeline_id: str | None = None


class WorkItem(NamedTuple):
    """kind, id: of what is given; id is unique in its kind. owner: CRM user id of whose it is now.

    other_deals: of the same client, deleted ones left out. tried: employee ids who had it and did not take it, oldest first.
    excluded: employee ids who must not get it now. only: employee id of the one person this client is for. entered_at: when it
    came, aware UTC. no_right: employee ids who may not write in the messenger channel that it came by.
    """

    kind: ItemKind
    id: str
    entered_at: datetime
    client: str | None = None
    owner: str | None = None
    other_deals: tuple[OtherDeal, ...] = ()
    tried: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()
    only: str | None = None
    tags: tuple[str, ...] = ()
    no_right: frozenset[str] = frozenset()


class Standing(NamedTuple):
    """What is known of one employee now. An employee of whom nothing is said is on shift, of unknown presence, without deals.

    off: why they do not work now by the schedule that the template names, "" = they do. back_at: when they come on next, None =
    not known. substitute_id: the employee who works instead of somebody on leave. open_deals: of theirs now, as the template
    counts them. given_in_window: given by this template within its window.
    """

    off: Off = ""
    back_at: datetime | None = None
    substitute_id: str | None = None
    presence: PresenceState = PresenceState.UNKNOWN
    open_deals: int = 0
    given_in_window: int = 0


NOTHING_SAID = Standing()
Standings = Mapping[str, Standing]
