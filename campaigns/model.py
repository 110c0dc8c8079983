"""What a campaign is told to do: a value, written as JSON or YAML by people."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from routing.outbound.retries import RetryTable
from routing.outbound.windows import CallingHours
from routing.triggers.model import CallBackTarget, StagePlace, Unreached

EngineKind = Literal["own", "pbx"]
"""pbx: the PBX's contact centre."""

_Name = Annotated[str, Field(min_length=1, max_length=200)]
FIELD_ID = r"^[0-9]{1,12}$"
_FieldId = Annotated[str, Field(pattern=FIELD_ID)]


class CampaignPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ContactFields(CampaignPart):
    """Ids of the contact's custom fields into which it is written by which campaign a contact came. None: not written."""

    campaign: _FieldId | None = None
    campaign_id: _FieldId | None = None
    client_id: _FieldId | None = None


class TopicRules(CampaignPart):
    """Whether topics and comments of calls are kept in a new deal. deal_there: where that deal is made though the client has an
    open one; no_deal: where it has none."""

    is_on: bool = False
    deal_there: StagePlace | None = None
    no_deal: StagePlace | None = None


class CampaignSettings(CampaignPart):
    """engine: who dials. connection: the PBX. engine_ref: the campaign's id there, of an engine that is not ours. lines: numbers
    that clients see; each keeps one. target: who talks; where others' engine dials, who gets
    the task. hours: None = the account's. endless: it ends by command only.
    leaves_traces: whether its calls are shown and recorded in the CRM. unreached: what becomes of who came by a list."""

    engine: EngineKind = "own"
    connection: _Name
    engine_ref: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] | None = None
    lines: tuple[_Name, ...] = Field(default=(), max_length=100)
    target: CallBackTarget
    hours: CallingHours | None = None
    retries: RetryTable = RetryTable()
    endless: bool = False
    leaves_traces: bool = True
    topics: TopicRules = TopicRules()
    contact_fields: ContactFields = ContactFields()
    unreached: Unreached = Unreached()
    priority: int = Field(default=0, ge=0, le=100)

    def line_of(self, place: int) -> str | None:
        """Return the number that the member of this place sees, at every try."""
        return self.lines[place % len(self.lines)] if self.lines else None
