"""What a form of a channel sends, and what of it becomes the channel's order and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gateway.web.matrix.choosers import place_of, place_value
from gateway.web.saving.together import WholeForm
from routing.dialogues.rules import AfterClosing, ChannelRules, CopyRule, OwnerRule

SWITCHES = ("webhook",)
"""Settings that are on or off."""
EightToSeven = Literal["account", "yes", "no"]
_SAME = ("owner", "employees", "after_closing", "copies", "keeps_deleted_text")
_EIGHTS: Mapping[bool | None, EightToSeven] = {None: "account", True: "yes", False: "no"}


class ChannelForm(WholeForm):
    """key_name, key and setting_name, setting: side by side; an empty key stays as it is. switch: settings that are on. place: of new
    deals, "pipeline:stage". author, author_of: side by side, an id of the vendor and whose it is."""

    kind: str = ""
    name: str = ""
    is_on: bool = False
    key_name: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    setting_name: tuple[str, ...] = ()
    setting: tuple[str, ...] = ()
    switch_name: tuple[str, ...] = ()
    switch: tuple[str, ...] = ()
    place: str = ""
    owner: OwnerRule = "first_answer"
    employees: tuple[str, ...] = ()
    template: str = ""
    after_closing: AfterClosing = "new_deal"
    author: tuple[str, ...] = ()
    author_of: tuple[str, ...] = ()
    copies: CopyRule = "hour"
    keeps_deleted_text: bool = False
    eight_to_seven: EightToSeven = "account"

    @property
    def keys(self) -> dict[str, str]:
        return {n: v.strip() for n, v in zip(self.key_name, self.key, strict=False) if v.strip()}

    @property
    def settings(self) -> dict[str, str]:
        pairs = zip(self.setting_name, self.setting, strict=False)
        typed = {name: value.strip() for name, value in pairs if value.strip()}
        return typed | {name: "true" for name in self.switch if name in self.switch_name}

    @property
    def shown(self) -> frozenset[str]:
        """Names of the settings that stood in the form."""
        return frozenset((*self.setting_name, *self.switch_name))

    @property
    def author_rows(self) -> list[tuple[str, str]]:
        """As they were typed: (id of the vendor, employee); without those that are empty."""
        pairs = [(id.strip(), who) for id, who in zip(self.author, self.author_of, strict=False)]
        return [pair for pair in pairs if any(pair)]

    @property
    def authors(self) -> dict[str, str]:
        return {id: who for id, who in self.author_rows if id and who}

    def showing(
        self, name: str, is_on: bool, rules: Mapping[str, Any], settings: Mapping[str, str]
    ) -> ChannelForm:
        """Return this form with other values. rules: as an order."""
        shown = {
            "name": name,
            "is_on": is_on,
            **_shown_rules(rules),
            "employees": tuple(rules["employees"]),
            "author": tuple(rules["authors"]),
            "author_of": tuple(rules["authors"].values()),
            "setting": tuple(settings.get(one, "") for one in self.setting_name),
            "switch": tuple(one for one in self.switch_name if one in settings),
        }
        return self.model_copy(update=shown)

    def rules(self, now: ChannelRules) -> dict[str, Any]:
        """Return them as an order; what stands in no form stays as it is."""
        pipeline, stage = place_of(self.place)
        eights = {said: value for value, said in _EIGHTS.items()}
        typed = {
            "pipeline_id": pipeline,
            "stage_id": stage,
            "owner": self.owner,
            "employees": list(self.employees),
            "template": self.template or None,
            "after_closing": self.after_closing,
            "authors": self.authors,
            "copies": self.copies,
            "keeps_deleted_text": self.keeps_deleted_text,
            "eight_to_seven": eights[self.eight_to_seven],
        }
        return {**now.model_dump(mode="json"), **typed}


def _shown_rules(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{n: told[n] for n in _SAME},
        "template": told["template"] or "",
        "place": place_value(told["pipeline_id"], told["stage_id"]),
        "eight_to_seven": _EIGHTS[told["eight_to_seven"]],
    }


def form_of_rules(rules: ChannelRules) -> dict[str, Any]:
    """Return fields of the form as they stand in the channel."""
    return {**_shown_rules(rules.model_dump(mode="json")), "author_rows": list(rules.authors.items())}
