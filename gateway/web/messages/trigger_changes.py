"""Two versions of a trigger side by side: what differs, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.web.messages.known_names import KnownNames
from gateway.web.messages.trigger_typed import TriggerForm, typed_of
from gateway.web.messages.trigger_words import place_said, receivers, target_said, trigger_line, yes_or_no
from gateway.web.words.changes import FieldChange, field_changes
from routing.matrix.catalogue import Catalogue
from routing.texts.catalogue import Texts
from routing.triggers.model import AddToCampaign, CallBack, SendSms, Trigger


def trigger_changes(before: Trigger, after: Trigger, texts: Texts, catalogue: Catalogue) -> list[FieldChange]:
    names = KnownNames.of(catalogue)
    return field_changes(_told(before, texts, names, catalogue), _told(after, texts, names, catalogue))


def _told(
    trigger: Trigger, texts: Texts, names: KnownNames, catalogue: Catalogue
) -> Iterator[tuple[str, str]]:
    """Say (what it is called, what it is) of everything that is set."""
    say, line = texts.say, trigger_line(trigger, 0, texts, names, catalogue)
    form = typed_of(trigger, 0, names).form
    yield say("messages.editor.place"), place_said(form.place, texts, names)
    yield say("messages.editor.event"), say("messages.or").join(line.events)
    yield say("messages.conflict.conditions"), "; ".join(line.conditions)
    match trigger.action:
        case SendSms():
            yield from _sms(trigger.action, form, texts, catalogue)
        case CallBack():
            yield from _callback(trigger.action, form, texts, names, catalogue)
        case AddToCampaign():
            yield say("messages.campaign.which"), form.campaign
            yield say("messages.campaign.unreached"), place_said(form.unreached_stage, texts, names)
            yield say("messages.campaign.task"), yes_or_no(form.unreached_task, texts)
    yield say("messages.editor.is_on"), yes_or_no(form.is_on, texts)
    yield say("messages.editor.position"), form.position


def _sms(action: SendSms, form: TriggerForm, texts: Texts, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    yield texts.say("messages.sms.text"), action.template
    yield texts.say("messages.sms.to"), ", ".join(receivers(action, texts, catalogue))
    yield texts.say("messages.sms.provider"), form.provider
    yield texts.say("messages.sms.sender"), form.sender
    yield texts.say("messages.sms.max_parts"), form.max_parts
    yield texts.say("messages.sms.any_hour"), yes_or_no(form.any_hour, texts)


def _callback(
    action: CallBack, form: TriggerForm, texts: Texts, names: KnownNames, catalogue: Catalogue
) -> Iterator[tuple[str, str]]:
    yield texts.say("messages.callback.target"), target_said(action.target, texts, catalogue)
    yield texts.say("messages.callback.connection"), form.connection
    yield texts.say("messages.callback.line"), form.line
    yield texts.say("messages.callback.succeeded"), place_said(form.succeeded_stage, texts, names)
    yield texts.say("messages.callback.failed"), place_said(form.failed_stage, texts, names)
    yield texts.say("messages.callback.task"), yes_or_no(form.task_when_failed, texts)
    yield texts.say("messages.callback.priority"), form.priority
