"""What a decision of the matrix orders from the CRM: values, each with its own key, written at most once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from routing.calls.model import Direction
from routing.client import Ref


class _Order(BaseModel):
    model_config = ConfigDict(frozen=True)


class CreateContact(_Order):
    """number: "" of a client whose number is not known. created_at: only for what happened earlier (a backfill); None = now, as the CRM sets it."""

    do: Literal["create_contact"] = "create_contact"
    name: str
    number: str = ""
    owner_id: str | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = Field(default_factory=dict)
    created_at: datetime | None = None


class CreateDeal(_Order):
    """contact: the deal's contact or company. pipeline_id None = the CRM's main one, stage_id None = its first stage.
    created_at: as of CreateContact."""

    do: Literal["create_deal"] = "create_deal"
    name: str
    contact: Ref | None = None
    owner_id: str | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = Field(default_factory=dict)
    created_at: datetime | None = None


class CreateLead(_Order):
    """An incoming lead (amoCRM: Unsorted, category sip). source_uid: ours, recognisable later. talk_seconds 0 when unknown yet."""

    do: Literal["create_lead"] = "create_lead"
    source_uid: str
    source_name: str
    name: str
    contact_name: str
    number: str
    line: str | None = None
    owner_id: str | None = None
    pipeline_id: str | None = None
    called_at: datetime
    talk_seconds: int = 0
    recording: str | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = Field(default_factory=dict)


CallStatus = Literal["left_message", "call_back", "absent", "talked", "wrong_number", "no_answer", "busy"]


class AttachCall(_Order):
    """A call note. uniq: our id of the call, by which the note is recognised. owner_id: who talked (CRM user), also its
    creator, so that it counts in the CRM's statistics per employee. target None = let the CRM match by number."""

    do: Literal["attach_call"] = "attach_call"
    target: Ref | None
    uniq: str
    direction: Direction
    number: str
    at: datetime
    talk_seconds: int
    status: CallStatus
    result: str | None = None
    recording: str | None = None
    owner_id: str | None = None
    answered_by: str | None = None


NoteForm = Literal["common", "sms_out", "sms_in", "service"]


class AddNote(_Order):
    """form: how the CRM shows it; "service" = as told by the program. number: of an SMS, E.164. at: when it happened, where it
    must differ from that of other notes; None = now, as the CRM sets it."""

    do: Literal["add_note"] = "add_note"
    target: Ref
    text: str
    owner_id: str | None = None
    form: NoteForm = "common"
    number: str | None = None
    at: datetime | None = None


class ChangeNote(_Order):
    """The text of a note of ours, anew as a whole. A later one takes the place of what waits. note: key of the effect that
    added it; target: the card that it stands on; form: as it was added."""

    do: Literal["change_note"] = "change_note"
    note: str
    target: Ref
    text: str
    form: NoteForm = "common"


class CreateTask(_Order):
    """type: our name ("call", "meeting") or the CRM's task type id. target None = a task of nobody in particular."""

    do: Literal["create_task"] = "create_task"
    target: Ref | None
    owner_id: str | None
    text: str
    type: str = "call"
    due_at: datetime
    purpose: Literal["call_back", "check_settings", "other"] = "other"


class ChangeTask(_Order):
    """task: key of the effect that created it, "" where task_id says which it is: of any task of the CRM. None leaves a
    thing as it is. owner_was: as of UpdateEntity."""

    do: Literal["change_task"] = "change_task"
    task: str = ""
    task_id: str | None = None
    owner_was: str | None = None
    text: str | None = None
    owner_id: str | None = None
    due_at: datetime | None = None
    is_completed: bool | None = None
    result: str | None = None


class UpdateEntity(_Order):
    """Stage, owner, fields and tags of an existing contact, company or deal. Tags are added, never removed.

    owner_was: only as long as it belongs to this user (and, a deal, is open); what somebody did meanwhile is left alone.
    is_given: the owner was picked; one whom the CRM will not have is picked anew, and nobody stands in for them.
    """

    do: Literal["update_entity"] = "update_entity"
    target: Ref
    owner_was: str | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    owner_id: str | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = Field(default_factory=dict)
    is_given: bool = False


class GiveTasks(_Order):
    """Open tasks of an entity that belong to `owner_before` become the owner's; those of others stay theirs."""

    do: Literal["give_tasks"] = "give_tasks"
    target: Ref
    owner_before: str
    owner_id: str


class ShowCard(_Order):
    """The incoming-call card on the screens of these CRM users. Never retried: late it is worse than never."""

    do: Literal["show_card"] = "show_card"
    number: str
    user_ids: tuple[str, ...]


class CallClient(_Order):
    """Call the client back: an employee's phone first. number: E.164. connection: by which PBX, its name. line: what the client
    sees, None = as the PBX chooses. deal_id, contact_id: whose card the task stands on where nobody is reached."""

    do: Literal["call_client"] = "call_client"
    number: str
    employee_id: str
    connection: str
    line: str | None = None
    task_when_failed: bool = True
    deal_id: str | None = None
    contact_id: str | None = None


CrmOrder = (
    CreateContact
    | CreateDeal
    | CreateLead
    | AttachCall
    | AddNote
    | ChangeNote
    | CreateTask
    | ChangeTask
    | UpdateEntity
    | GiveTasks
    | ShowCard
)
PbxOrder = CallClient
"""It is no row among the effects: it waits in the queue of what goes out (gateway/outbound)."""
Order = Annotated[CrmOrder | PbxOrder, Field(discriminator="do")]
"""Of every system: those of others than the CRM join here."""

System = Literal["crm", "sms", "pbx", "channel"]
"""What carries an effect out."""

_SYSTEMS: Mapping[str, System] = {
    **{order.model_fields["do"].default: "crm" for order in get_args(CrmOrder)},
    "call_client": "pbx",
}


def system_of(order: Order) -> System:
    """Tell whose order it is."""
    return _SYSTEMS[order.do]


class Effect(BaseModel):
    """One concrete write, of the system that its order belongs to. key: unique within the account for ever; the same key again is the same effect.

    after: keys of effects that must have been applied first (their ids are needed). due_at: not before this time.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    order: Order
    after: tuple[str, ...] = ()
    not_before: datetime | None = None
