"""A campaign as its form has it: its settings in plain fields, and the fields back as settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

from pydantic import Field

from campaigns.model import CampaignSettings
from gateway.web.frame import Form
from gateway.web.matrix.choosers import place_value
from gateway.web.messages.trigger_typed import stage_of, target_of, target_value
from routing.outbound.retries import RetryTable
from routing.triggers.model import StagePlace

_DAYS = tuple("1234567")
RETRY_RULES = tuple(RetryTable.model_fields)


class RetryLine(NamedTuple):
    """rule: what came of the attempt. minutes: after which it is tried again; most: so often."""

    rule: str
    minutes: str
    most: str


class CampaignForm(Form):
    """retry_minutes, retry_most: of RETRY_RULES, side by side. lines: numbers with commas or line breaks between them. contact_…: ids of fields. days: 1 = Monday."""

    version: int = Field(default=0, ge=0, le=2**31 - 1)
    name: str = ""
    engine: Literal["own", "pbx"] = "own"
    engine_ref: str = ""
    connection: str = ""
    target: str = ""
    lines: str = ""
    own_hours: bool = False
    opens: str = ""
    closes: str = ""
    days: tuple[str, ...] = ()
    is_strict: bool = False
    endless: bool = False
    leaves_traces: bool = False
    topics_on: bool = False
    deal_there: str = ""
    no_deal: str = ""
    unreached_task: bool = False
    unreached_stage: str = ""
    contact_campaign: str = ""
    contact_campaign_id: str = ""
    contact_client_id: str = ""
    priority: str = ""
    retry_minutes: tuple[str, ...] = ()
    retry_most: tuple[str, ...] = ()

    @property
    def retries(self) -> list[RetryLine]:
        """Return the line of each rule; what was not sent is as usual."""
        typed = zip_longest(RETRY_RULES, self.retry_minutes, self.retry_most)
        usual = RetryTable()
        return [
            RetryLine(
                rule,
                str(getattr(usual, rule).minutes) if minutes is None else minutes,
                str(getattr(usual, rule).most) if most is None else most,
            )
            for rule, minutes, most in typed
            if rule
        ]


def form_of(name: str, version: int, settings: CampaignSettings) -> CampaignForm:
    hours, topics, fields = settings.hours, settings.topics, settings.contact_fields
    return CampaignForm(
        version=version,
        name=name,
        engine=settings.engine,
        engine_ref=settings.engine_ref or "",
        connection=settings.connection,
        target=target_value(settings.target),
        lines=", ".join(settings.lines),
        own_hours=hours is not None,
        opens=hours.opens if hours else "",
        closes=hours.closes if hours else "",
        days=tuple(str(day) for day in hours.days) if hours else _DAYS,
        is_strict=hours is not None and hours.is_strict,
        endless=settings.endless,
        leaves_traces=settings.leaves_traces,
        topics_on=topics.is_on,
        deal_there=_place(topics.deal_there),
        no_deal=_place(topics.no_deal),
        unreached_task=settings.unreached.task,
        unreached_stage=_place(settings.unreached.stage),
        contact_campaign=fields.campaign or "",
        contact_campaign_id=fields.campaign_id or "",
        contact_client_id=fields.client_id or "",
        priority=str(settings.priority or ""),
        retry_minutes=tuple(str(getattr(settings.retries, rule).minutes) for rule in RETRY_RULES),
        retry_most=tuple(str(getattr(settings.retries, rule).most) for rule in RETRY_RULES),
    )


def _place(place: StagePlace | None) -> str:
    return place_value(place.pipeline_id, place.stage_id) if place else ""


def settings_asked(form: CampaignForm, before: CampaignSettings | None) -> dict[str, Any]:
    """Return them as `CampaignSettings` reads them. before: what the form does not show stays as it is there."""
    kept = before.model_dump(mode="json") if before else {}
    hours = {
        "opens": form.opens.strip() or "09:00",
        "closes": form.closes.strip() or "21:00",
        "days": [int(day) for day in form.days if day in _DAYS],
        "is_strict": form.is_strict,
    }
    return {
        **kept,
        "engine": form.engine,
        "engine_ref": form.engine_ref.strip() or None,
        "connection": form.connection,
        "target": target_of(form.target),
        "lines": _split(form.lines),
        "hours": hours if form.own_hours else None,
        "endless": form.endless,
        "leaves_traces": form.leaves_traces,
        "topics": {
            "is_on": form.topics_on,
            "deal_there": stage_of(form.deal_there),
            "no_deal": stage_of(form.no_deal),
        },
        "unreached": {"task": form.unreached_task, "stage": stage_of(form.unreached_stage)},
        "contact_fields": {
            "campaign": form.contact_campaign or None,
            "campaign_id": form.contact_campaign_id or None,
            "client_id": form.contact_client_id or None,
        },
        "priority": form.priority.strip() or 0,
        **({"retries": _retries(form)} if form.retry_minutes else {}),
    }


def _retries(form: CampaignForm) -> dict[str, dict[str, str]]:
    return {one.rule: {"minutes": one.minutes.strip(), "most": one.most.strip()} for one in form.retries}


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ",").replace(";", ",").split(",") if part.strip()]


_FIELDS: Mapping[str, str] = {
    "hours": "opens",
    "topics": "topics_on",
    "unreached": "unreached_stage",
    "contact_fields": "contact_campaign",
    "topics.deal_there": "deal_there",
    "topics.no_deal": "no_deal",
    "contact_fields.campaign": "contact_campaign",
    "contact_fields.campaign_id": "contact_campaign_id",
    "contact_fields.client_id": "contact_client_id",
}


def field_of_settings(path: Sequence[str | int]) -> str:
    """Return the field of the form that a place in the settings has."""
    parts = [str(part) for part in path]
    return _FIELDS.get(".".join(parts[:2])) or _FIELDS.get(parts[0], parts[0])
