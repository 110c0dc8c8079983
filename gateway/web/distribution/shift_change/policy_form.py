"""What is set for shift change, as a form: filled in, and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from gateway.web.saving.together import WholeForm
from routing.shift_change.policy import ExcludedField, GoesAlong, Returns, ShiftPolicy
from routing.texts.catalogue import Phrase, phrase


class ShiftPolicyForm(WholeForm):
    """All as typed. excluded_deals, excluded_tags: with commas or line breaks between them. field_id, field_value: so many of
    each, side by side; a value that is empty stands for anything at all."""

    is_on: bool = False
    pipeline: tuple[str, ...] = ()
    group: str = ""
    template: str = ""
    new_only: bool = False
    wait_seconds: str = "120"
    pause_minutes: str = "30"
    returns: Returns = "created"
    goes_along: tuple[GoesAlong, ...] = ()
    excluded_deals: str = ""
    excluded_tags: str = ""
    field_id: tuple[str, ...] = ()
    field_value: tuple[str, ...] = ()

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Those that are chosen."""
        lines = zip_longest(self.field_id, self.field_value, fillvalue="")
        return [(str(id).strip(), str(value).strip()) for id, value in lines if str(id).strip()]

    @property
    def shown(self) -> dict[str, Any]:
        """All that it shows, by the ids of its parts; a field with its value is "id=value"."""
        own = self.model_dump(exclude={"was", "field_id", "field_value"})
        return {**own, "fields": [f"{id}={value}" for id, value in self.fields]}

    def showing(self, shown: Mapping[str, Any]) -> ShiftPolicyForm:
        """Return this form with other values. shown: as `shown` has them."""
        own = {name: value for name, value in shown.items() if name != "fields"}
        pairs = [one.partition("=") for one in shown["fields"]]
        own["field_id"], own["field_value"] = (tuple(pair[at] for pair in pairs) for at in (0, 2))
        return self.model_copy(update=own)


def policy_form_of(policy: ShiftPolicy) -> ShiftPolicyForm:
    return ShiftPolicyForm(
        is_on=policy.is_on,
        pipeline=policy.pipelines,
        group=policy.group or "",
        template=policy.template,
        new_only=policy.new_only,
        wait_seconds=str(policy.wait_seconds),
        pause_minutes=str(policy.pause_minutes),
        returns=policy.returns,
        goes_along=policy.goes_along,
        excluded_deals=", ".join(policy.excluded_deals),
        excluded_tags=", ".join(policy.excluded_tags),
        field_id=tuple(one.field_id for one in policy.excluded_fields),
        field_value=tuple(one.value or "" for one in policy.excluded_fields),
    )


def policy_of_form(form: ShiftPolicyForm) -> tuple[ShiftPolicy | None, dict[str, Phrase]]:
    """Return the policy, or what is wrong and at which field."""
    errors: dict[str, Phrase] = {}

    def whole(name: str, text: str, most: int) -> int:
        text = text.strip()
        if text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= most:
            return int(text)
        errors[name] = phrase("distribution.refused.whole", least="0", most=str(most))
        return 0

    wait_seconds = whole("wait_seconds", form.wait_seconds, 3600)
    pause_minutes = whole("pause_minutes", form.pause_minutes, 1440)
    deals, tags = _listed(form.excluded_deals), _listed(form.excluded_tags)
    if any(not (id.isascii() and id.isdigit() and len(id) <= 18) for id in deals):
        errors["excluded_deals"] = phrase("distribution.shift.refused.deals")
    if any(len(tag) > 256 for tag in tags) or len(tags) > 100:
        errors["excluded_tags"] = phrase("distribution.shift.refused.tags")
    if any(len(value) > 256 for _, value in form.fields):
        errors["fields"] = phrase("distribution.shift.refused.value")
    if errors:
        return None, errors
    policy = ShiftPolicy(
        is_on=form.is_on,
        pipelines=tuple(dict.fromkeys(form.pipeline))[:100],
        group=form.group.strip() or None,
        template=form.template,
        new_only=form.new_only,
        wait_seconds=wait_seconds,
        pause_minutes=pause_minutes,
        returns=form.returns,
        goes_along=tuple(dict.fromkeys(form.goes_along)),
        excluded_deals=tuple(deals[:10_000]),
        excluded_tags=tuple(tags),
        excluded_fields=tuple(
            ExcludedField(field_id=id, value=value or None) for id, value in form.fields[:100]
        ),
    )
    return policy, {}


def _listed(text: str) -> Sequence[str]:
    parts = text.replace("\n", ",").replace(";", ",").split(",")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))
