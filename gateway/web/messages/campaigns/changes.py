"""Two versions of a campaign's settings side by side: what differs, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.model import CampaignSettings
from gateway.web.messages.campaigns.typed import CampaignForm, form_of
from gateway.web.messages.known_names import KnownNames
from gateway.web.messages.trigger_words import place_said, target_said, yes_or_no
from gateway.web.words.changes import FieldChange, field_changes
from routing.matrix.catalogue import Catalogue
from routing.texts.catalogue import Texts

_PLAIN = ("engine_ref", "lines")
_SWITCHES = ("is_strict", "endless", "topics_on")
_CONTACT = ("contact_campaign", "contact_campaign_id", "contact_client_id")


def settings_changes(
    before: CampaignSettings, after: CampaignSettings, texts: Texts, catalogue: Catalogue
) -> list[FieldChange]:
    return field_changes(_told(before, texts, catalogue), _told(after, texts, catalogue))


def _told(settings: CampaignSettings, texts: Texts, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Say (what it is called, what it is) of everything that is set."""
    say, form = texts.say, form_of("", 0, settings)
    yield say("messages.callback.connection"), form.connection
    yield say("messages.callback.target"), target_said(settings.target, texts, catalogue)
    yield say("messages.campaigns.engine"), say(f"messages.campaigns.engine.{form.engine}")
    yield say("messages.campaigns.hours"), _hours(form, texts)
    for name in _PLAIN:
        yield say(f"messages.campaigns.{name}"), getattr(form, name)
    for name in _SWITCHES:
        yield say(f"messages.campaigns.{name}"), yes_or_no(getattr(form, name), texts)
    for line in form.retries:
        what = say(f"messages.campaigns.retry.{line.rule}")
        yield what, say("messages.campaigns.retry.told", minutes=line.minutes, most=line.most)
    yield say("messages.campaigns.own_traces"), yes_or_no(form.leaves_traces, texts)
    yield say("messages.callback.priority"), form.priority
    yield from _afterwards(form, texts, catalogue)


def _hours(form: CampaignForm, texts: Texts) -> str:
    if not form.own_hours:
        return ""
    days = ", ".join(texts.say(f"messages.day.{day}") for day in form.days)
    return f"{form.opens}–{form.closes}, {days}"


def _afterwards(form: CampaignForm, texts: Texts, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    say, names = texts.say, KnownNames.of(catalogue)
    yield say("messages.campaign.unreached"), place_said(form.unreached_stage, texts, names)
    yield say("messages.campaign.task"), yes_or_no(form.unreached_task, texts)
    yield say("messages.campaigns.deal_there"), place_said(form.deal_there, texts, names)
    yield say("messages.campaigns.no_deal"), place_said(form.no_deal, texts, names)
    for name in _CONTACT:
        id = getattr(form, name)
        yield say(f"messages.campaigns.{name}"), names.fields.get(f"contact.cf_{id}", id)
