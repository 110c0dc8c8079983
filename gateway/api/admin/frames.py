"""What opens narrow pages within the CRM."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin.sign_in.frames import FrameOrder, make_frame
from gateway.api.frame import Answer, ApiCall, Body, NoQuery, Route
from gateway.store.frames.frame_tokens import FramePage


class NewFrame(Body):
    """page: which. login: of a person of the pages, in whose name it is opened. kind, id: of the card that the CRM shows;
    id of a template: its name, absent = a new one."""

    page: FramePage
    login: Annotated[str, Field(max_length=100)]
    kind: Literal["contact", "company", "deal", "lead"] | None = None
    id: Annotated[str, Field(max_length=200)] | None = None


class FrameMadeView(Answer):
    """address: of the page, for the `src` of an iframe. expires_at: until when it opens anything."""

    address: str
    expires_at: datetime


async def add_frame(call: ApiCall[NoQuery, NewFrame]) -> FrameMadeView:
    async with call.services.pool.acquire() as conn:
        made = await make_frame(
            conn, call.account.id, FrameOrder(**call.body.model_dump()), datetime.now(UTC)
        )
    base = call.services.settings.base_url.rstrip("/")
    return FrameMadeView(address=base + made.path, expires_at=made.expires_at)


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/{account}/frames",
        handler=add_frame,
        summary="Open a narrow page of ours within the CRM, in one person's name",
        description="The address opens this one page for 15 minutes, and lets do what that person may at that moment. It is shown once."
        " 403 where that person may more than whoever asks; a token of an employee opens pages in that employee's name only.",
        role="manager",
        status=201,
    ),
)
