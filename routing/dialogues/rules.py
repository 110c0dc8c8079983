"""What an account has chosen for one messenger channel: values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

OwnerRule = Literal["first_answer", "template"]
AfterClosing = Literal["last_closed", "new_deal"]
CopyRule = Literal["each", "hour", "day", "none"]


class ChannelRules(BaseModel):
    """pipeline_id, stage_id: of new deals; None = the account's default, its first stage. employees: of whom the first to answer
    becomes the owner, () = whoever may send. template: of distribution, by its name. after_closing: of a client whose deals are
    all closed, where the rule is the template. authors: the vendor's ids of people -> our employees. eight_to_seven: whether
    8XXXXXXXXXX is +7…, where that is no other number; None = as in the account's settings. copies: what one note in the deal
    holds of a dialogue. keeps_deleted_text: in copies, of messages that were taken back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline_id: str | None = None
    stage_id: str | None = None
    owner: OwnerRule = "first_answer"
    employees: tuple[str, ...] = ()
    template: str | None = None
    after_closing: AfterClosing = "new_deal"
    authors: Mapping[str, str] = Field(default_factory=dict)
    eight_to_seven: bool | None = None
    copies: CopyRule = "hour"
    keeps_deleted_text: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> ChannelRules:
        if self.owner == "template" and not self.template:
            raise ValueError("the rule `template` needs the name of a template")
        if self.stage_id and not self.pipeline_id:
            raise ValueError("a stage needs its pipeline")
        return self


def stored_rules(value: object) -> ChannelRules:
    """Read what stands in the channel's row; what a newer program keeps there is left alone."""
    return ChannelRules.model_validate(value or {}, extra="ignore")
