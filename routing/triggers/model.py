"""A trigger: where, on what, under which conditions, and the one thing that it does.

A value. It is stored in numbered versions and written as JSON or YAML by people, so every field has its plain name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

CauseKind = Literal[
    "entered",
    "created",
    "responsible_changed",
    "price_crossed",
    "tag_added",
    "field_changed",
    "client_wrote",
    "invoice_paid",
    "won",
    "lost",
]
CAUSE_KINDS: tuple[CauseKind, ...] = get_args(CauseKind)

ConditionTest = Literal[
    "equals",
    "differs",
    "contains",
    "one_of",
    "above",
    "at_least",
    "below",
    "at_most",
    "is_filled",
    "is_empty",
    "has_any",
    "has_all",
    "has_none",
]
CONDITION_TESTS: tuple[ConditionTest, ...] = get_args(ConditionTest)

_CRM_ID = Annotated[str, Field(min_length=1, max_length=100)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]
CONDITION_OF = r"^(price|tags|responsible|name|pipeline|stage|contact\.name|(deal|contact)\.cf_[0-9]{1,12})$"
CHANGED_FIELD = r"^deal\.cf_[0-9]{1,12}$"


class TriggerPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TriggerEvent(TriggerPart):
    """on: what happens. amount: of price_crossed, in whole units: from below it to it or above. tag: of tag_added. field: of
    field_changed, such as deal.cf_512; None = any tag, any field."""

    on: CauseKind
    amount: int | None = Field(default=None, ge=0, le=10**15)
    tag: _Name | None = None
    field: str | None = Field(default=None, pattern=CHANGED_FIELD)


class TypedCondition(TriggerPart):
    """of: price, tags, responsible, name, pipeline, stage, contact.name, or a custom field: deal.cf_ID, contact.cf_ID.

    values: none for is_filled and is_empty, one for the tests of numbers. Of a responsible: the CRM user's id, or employee:ID.
    """

    of: str = Field(pattern=CONDITION_OF)
    test: ConditionTest = "equals"
    values: tuple[Annotated[str, Field(min_length=1, max_length=500)], ...] = Field(
        default=(), max_length=200
    )


class StagePlace(TriggerPart):
    pipeline_id: _CRM_ID
    stage_id: _CRM_ID


class SmsReceivers(TriggerPart):
    """employees: ids of our employees."""

    client: bool = False
    responsible: bool = False
    employees: tuple[_CRM_ID, ...] = Field(default=(), max_length=100)


class SendSms(TriggerPart):
    """template: the text with macros. provider: name of the SMS connection. sender: None = the connection's, else the provider's
    own. max_parts: a longer text is refused. any_hour: at night too, since it answers what the client did themselves."""

    do: Literal["sms"] = "sms"
    template: str = Field(min_length=1, max_length=2000)
    to: SmsReceivers = SmsReceivers(client=True)
    provider: _Name
    sender: _Name | None = None
    max_parts: int = Field(default=4, ge=1, le=20)
    any_hour: bool = False


class ToEmployee(TriggerPart):
    kind: Literal["employee"] = "employee"
    employee_id: _CRM_ID


class ToGroup(TriggerPart):
    """group: its short number in the PBX."""

    kind: Literal["group"] = "group"
    group: _CRM_ID


class ToResponsible(TriggerPart):
    kind: Literal["responsible"] = "responsible"


class ToTemplate(TriggerPart):
    """name: of a template of distribution."""

    kind: Literal["template"] = "template"
    name: _Name


CallBackTarget = Annotated[ToEmployee | ToGroup | ToResponsible | ToTemplate, Field(discriminator="kind")]


class CallBack(TriggerPart):
    """line: the number that the client sees, None = as the PBX chooses. Stages: where the deal goes afterwards."""

    do: Literal["callback"] = "callback"
    target: CallBackTarget = ToResponsible()
    connection: _Name
    line: _Name | None = None
    task_when_failed: bool = True
    failed_stage: StagePlace | None = None
    succeeded_stage: StagePlace | None = None
    priority: int = Field(default=0, ge=0, le=100)


class Unreached(TriggerPart):
    """What becomes of the deal of a client who was not reached."""

    task: bool = False
    stage: StagePlace | None = None


class AddToCampaign(TriggerPart):
    do: Literal["campaign"] = "campaign"
    campaign: _Name
    unreached: Unreached = Unreached()


TriggerAction = Annotated[SendSms | CallBack | AddToCampaign, Field(discriminator="do")]


class Trigger(TriggerPart):
    """stage_id: None = any stage of the pipeline. conditions: all must hold. position: among those of one pipeline, the lowest
    first. is_on: off until somebody says so; what does not say it leaves it as it is."""

    name: _Name
    pipeline_id: _CRM_ID
    stage_id: _CRM_ID | None = None
    events: tuple[TriggerEvent, ...] = Field(min_length=1, max_length=20)
    conditions: tuple[TypedCondition, ...] = Field(default=(), max_length=50)
    action: TriggerAction
    position: int = Field(default=0, ge=0, le=10_000)
    is_on: bool = False

    def is_at(self, pipeline_id: str | None, stage_id: str | None) -> bool:
        return pipeline_id == self.pipeline_id and self.stage_id in (None, stage_id)

    def switched_as(self, before: Trigger | None) -> Trigger:
        """Return it on or off as it says itself; where it does not say it, as the one that holds before it."""
        if before is None or "is_on" in self.model_fields_set:
            return self
        return self.model_copy(update={"is_on": before.is_on})

    def as_written(self) -> dict[str, Any]:
        """As a person writes it: without what it is by default, but with what says which action and target it is, and whether it
        is on: left out, that would say nothing."""
        written = self.model_dump(mode="json", exclude_defaults=True)
        action: dict[str, Any] = {"do": self.action.do, **written["action"]}
        if isinstance(self.action, CallBack) and "target" in action:
            action["target"] = {"kind": self.action.target.kind, **action["target"]}
        return {**written, "action": action, "is_on": self.is_on}
