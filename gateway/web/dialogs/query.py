"""What an address of dialogues asks for, and addresses that ask for the same with something else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from gateway.store.channels.listing import DialogueFilter, SoughtText
from gateway.web.frame import AnyPageCall, PageQuery

PATH = "/dialogs"
NO_OWN = "-"
"""In place of an employee: of somebody who is none. No dialogue is theirs."""

RowId = Annotated[int, Field(ge=0, lt=2**62)]


class DialogsQuery(PageQuery):
    """before_at, before_id: of the list, its last row of the page before. before: of the thread. quote: message that is answered.
    part: what htmx asks for. hidden: it is read anew behind another window, so nobody has seen it."""

    only: Literal["unread", "mine", "nobody"] | None = None
    channel: str = ""
    q: str = ""
    before_at: AwareDatetime | None = None
    before_id: RowId | None = None
    before: RowId | None = None
    quote: RowId | None = None
    part: Literal["list", "thread", "head"] | None = None
    hidden: bool = False

    @property
    def kept(self) -> dict[str, Any]:
        """What of the list goes along from page to page."""
        return {"only": self.only, "channel": self.channel, "q": self.q.strip()}

    @property
    def place(self) -> dict[str, Any]:
        """Which page of the list it is."""
        return {
            "before_at": self.before_at.isoformat() if self.before_at else None,
            "before_id": self.before_id,
        }

    def filter(self, reader_id: str, employee_id: str | None) -> DialogueFilter:
        is_placed = self.before_at is not None and self.before_id is not None
        return DialogueFilter(
            channel_id=self.channel or None,
            before=(self.before_at, self.before_id) if is_placed else None,  # type: ignore[arg-type]
            owner=(employee_id or NO_OWN) if self.only == "mine" else None,
            is_without_owner=self.only == "nobody",
            unread_by=reader_id if self.only == "unread" else None,
            sought=SoughtText(typed=self.q) if self.q.strip() else None,
        )


def list_address(call: AnyPageCall, query: DialogsQuery, **changes: Any) -> str:
    return call.here(PATH, **{**query.kept, **changes})


def dialogue_address(call: AnyPageCall, query: DialogsQuery, dialogue_id: int, **more: Any) -> str:
    """Return where a dialogue stands beside the list as it is now."""
    return call.here(f"{PATH}/{dialogue_id}", **query.kept, **query.place, **more)
