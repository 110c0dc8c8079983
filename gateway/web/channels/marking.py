"""What is wrong in a form of a channel, at its fields and in the person's words."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.admin.channels.rules import RuleRefused
from gateway.admin.refused import InputRefused
from gateway.web.channels.typed import ChannelForm
from gateway.web.setup.refusals import errors_of
from routing.dialogues.rule_problems import RULE_PROBLEMS
from routing.texts.catalogue import Texts

_FIELDS: Mapping[str, str] = {"pipeline_id": "place", "stage_id": "place"}


def typed_wrong(form: ChannelForm, texts: Texts) -> dict[str, str]:
    """Return what of a form cannot be, whatever the account has: field -> what is wrong."""
    found = _of_authors(form, texts)
    if form.owner == "template" and not form.template:
        found["template"] = texts.say("setup.refused.channels.template")
    return found


def _of_authors(form: ChannelForm, texts: Texts) -> dict[str, str]:
    found: dict[str, str] = {}
    ids = [id for id, _ in form.author_rows]
    for number, (id, who) in enumerate(form.author_rows, 1):
        if id and ids.index(id) < number - 1:
            found[f"author-{number}"] = texts.say("setup.refused.channels.author_twice", id=id)
        elif id and not who:
            found[f"author-of-{number}"] = texts.say("setup.refused.channels.author_nobody", id=id)
        elif who and not id:
            found[f"author-{number}"] = texts.say("setup.refused.channels.author_blank")
    return found


def refused_at(err: InputRefused, form: ChannelForm, texts: Texts) -> dict[str, str]:
    """Return field -> why it was refused and what to do."""
    if not isinstance(err, RuleRefused) or err.why not in RULE_PROBLEMS:
        return errors_of(err, texts, "channels")
    known = ", ".join(err.known)
    remedy = texts.say("channel.rule.one-of", known=known) if known else texts.say("channel.rule.remedy")
    message = texts.say(f"channel.rule.{err.why}", value=err.value)
    return {_field_of(err, form): texts.say("setup.refused.channels.rule", message=message, remedy=remedy)}


def _field_of(err: RuleRefused, form: ChannelForm) -> str:
    if err.rule == "authors":
        rows = [number for number, (_, who) in enumerate(form.author_rows, 1) if who == err.id]
        return f"author-of-{rows[0] if rows else 1}"
    return _FIELDS.get(err.rule, err.rule)
