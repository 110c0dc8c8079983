"""The actions that a cell of the matrix may order, with their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from routing.texts.sentences import RU

RESPONSIBLE = (
    r"^(who_answered|owner|owner_of_contact|owner_of_deal|senior|employee:.{1,100}|template(:.{1,100})?)$"
)
Responsible = Annotated[str, StringConstraints(pattern=RESPONSIBLE)]
"""Who gets it. owner: of the open deal, else contact, company, lead. template: whose turn it is by the distribution template of that name."""

Text = Annotated[str, StringConstraints(max_length=2000)]
TargetChoice = Literal["auto", "deal", "contact"]


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


MOST_MINUTES = 60 * 24 * 366
"""A year and a day."""


class Deadline(BaseModel):
    """minutes from the decision on; is_working: counted in the account's working time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: int = Field(ge=0, le=MOST_MINUTES)
    is_working: bool = True


class MakeContact(_Action):
    """Nothing is created where the client has a contact, company or waiting lead already: that one is used."""

    do: Literal["create_contact"] = "create_contact"
    name: Text = "{{ client.number }}"
    responsible: Responsible = "who_answered"
    tags: tuple[Text, ...] = ()
    fields: Mapping[str, Text] = Field(default_factory=dict)


class MakeDeal(_Action):
    """when_open: what to do for a client who has an open deal (or a waiting lead): none, one more all the same, or one
    more in separate_pipeline_id / separate_stage_id. after_closed: for one whose deals are all closed.
    ignores_rules: the pipeline rules do not apply here, pipeline_id and stage_id are as given."""

    do: Literal["create_deal"] = "create_deal"
    name: Text = RU.sentences["crm.deal.name"]
    responsible: Responsible = "who_answered"
    pipeline_id: str | None = None
    stage_id: str | None = None
    ignores_rules: bool = False
    when_open: Literal["none", "always", "separate_stage"] = "none"
    separate_pipeline_id: str | None = None
    separate_stage_id: str | None = None
    after_closed: Literal["create_new", "add_to_closed"] = "create_new"
    tags: tuple[Text, ...] = ()
    fields: Mapping[str, Text] = Field(default_factory=dict)


class MakeLead(_Action):
    """An incoming lead, to be sorted later by a person."""

    do: Literal["create_lead"] = "create_lead"
    source_name: Text = RU.sentences["crm.lead.source"]
    name: Text = RU.sentences["crm.deal.name"]
    contact_name: Text = "{{ client.number }}"
    responsible: Responsible = "senior"
    pipeline_id: str | None = None
    ignores_rules: bool = False
    tags: tuple[Text, ...] = ()
    fields: Mapping[str, Text] = Field(default_factory=dict)


class Attach(_Action):
    """The call note. note: its text; empty = who answered, where that was not the responsible.

    responsible: in whose name an unanswered call is noted; an answered one always names who talked."""

    do: Literal["attach_call"] = "attach_call"
    target: TargetChoice = "auto"
    note: Text = ""
    responsible: Responsible = "owner"


class MakeNote(_Action):
    do: Literal["add_note"] = "add_note"
    target: TargetChoice = "auto"
    text: Text
    responsible: Responsible = "owner"


class MakeTask(_Action):
    """type: "call", "meeting" or the CRM's task type id."""

    do: Literal["create_task"] = "create_task"
    purpose: Literal["call_back", "check_settings", "other"] = "other"
    target: TargetChoice = "auto"
    responsible: Responsible = "owner"
    text: Text
    type: str = "call"
    due: Deadline = Deadline(minutes=60)


class ChangeStage(_Action):
    """Moves the client's open deal. only_from: stages that it may be moved from, empty = any."""

    do: Literal["change_stage"] = "change_stage"
    pipeline_id: str | None = None
    stage_id: str
    only_from: tuple[str, ...] = ()


class SetFields(_Action):
    """Fields (by CRM field id or code) and tags of existing entities; mapped parameters of the call are added to them."""

    do: Literal["set_fields"] = "set_fields"
    on: tuple[Literal["contact", "deal"], ...] = ("deal", "contact")
    tags: tuple[Text, ...] = ()
    fields: Mapping[str, Text] = Field(default_factory=dict)
    with_parameters: bool = True


class Card(_Action):
    """The incoming-call card. to: the people whose phones ring (who answered, later), or the client's owner."""

    do: Literal["show_card"] = "show_card"
    to: tuple[Literal["rung", "owner"], ...] = ("rung",)


class CallClientBack(_Action):
    """After a missed call: who is responsible is rung, then the client, in the client's hours and at the account's pace.
    connection: by which PBX, its name. line: what the client sees, None = as the PBX chooses. A cell has it only where somebody
    puts it there."""

    do: Literal["call_back"] = "call_back"
    connection: str = Field(min_length=1, max_length=200)
    line: str | None = Field(default=None, min_length=1, max_length=200)
    responsible: Responsible = "owner"
    task_when_failed: bool = True


Action = Annotated[
    MakeContact
    | MakeDeal
    | MakeLead
    | Attach
    | MakeNote
    | MakeTask
    | ChangeStage
    | SetFields
    | Card
    | CallClientBack,
    Field(discriminator="do"),
]
