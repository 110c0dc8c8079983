"""Templates of distribution as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.api.decisions.decisions import AccountLanguageQuery
from gateway.api.frame import Answer, Body
from routing.distribution.problems import TemplateProblem
from routing.distribution.template import DistributionTemplate

CrmEntityId = Annotated[str, Field(min_length=1, max_length=40)]


class TemplateView(Answer):
    """problems: warnings that were found when it was saved just now."""

    name: str
    version: int
    template: DistributionTemplate
    saved_at: datetime
    saved_by: str
    problems: list[TemplateProblem] = []


class TemplateSaveQuery(Body):
    """version: that was seen; 0: there must be none of this name yet; absent: whichever there is."""

    version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class TemplateRemovalQuery(Body):
    even_if_used: bool = Field(False, description="remove it although something names it")


class TemplateUseView(TemplateView):
    """stages: whose deals it gives, as pipeline/stage. waiting: deals that it has still to give."""

    stages: list[str]
    waiting: int
    given: int


class TemplateVersionView(Answer):
    version: int
    saved_at: datetime
    saved_by: str


class TemplateChecks(Answer):
    can_be_used: bool
    problems: list[TemplateProblem]


class TemplateHookView(Answer):
    """url: whoever has it can give deals by the template."""

    url: str


class AttachmentBody(Body):
    """entered: deals that are moved into the stage. created: deals that are made in it."""

    entered: bool = True
    created: bool = True


class AttachmentView(Answer):
    """since: what came into the stage earlier is left alone."""

    pipeline_id: str
    stage_id: str
    template: str
    entered: bool
    created: bool
    since: datetime | None
    attached_by: str


class StageBody(Body):
    pipeline: CrmEntityId
    stage: CrmEntityId


class StagePreview(Answer):
    deals: int


class SimulationBody(Body):
    """draft: instead of what is saved. made_up: so many deals of nobody in particular, instead of those of the last days."""

    draft: DistributionTemplate | None = None
    days: Annotated[int, Field(ge=1, le=92)] | None = None
    made_up: Annotated[int, Field(ge=1, le=10_000)] | None = None


class SharesQuery(AccountLanguageQuery):
    days: Annotated[int, Field(ge=1, le=92)] = 7


class DayShareView(Answer):
    day: str
    meant: float
    given: int


class PersonShareView(Answer):
    """meant: by their share of each decision in which they could have got it. credit: owed to them now, in deals."""

    employee: str
    name: str
    meant: float
    given: int
    credit: float
    days: list[DayShareView]


class SharesView(Answer):
    """scope: "" of one list, "groups", "group:<name>". words: why it is uneven."""

    scope: str
    people: list[PersonShareView]
    words: list[str]
