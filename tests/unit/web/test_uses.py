"""What names a thing that is to be removed, in words."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest

from gateway.store.admin import employee_uses, schedules
from gateway.store.distribution import templates
from gateway.store.outbound import uses
from gateway.web.texts.sentences import TEXTS
from gateway.web.words.uses import uses_said
from routing.texts.catalogue import Language

USES = ("matrix", "lookup", "shift change", "one_person", "trigger big deals", "campaign autumn", "user olga",
        "token crm", "template ads", "schedule shop", "deputy of boris", "3 that wait",
        "channel WhatsApp", "observers")  # fmt: skip


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_use_that_stores_tell_is_said_with_the_names_of_people(language: Language) -> None:
    said = uses_said(USES, TEXTS[language], {"olga": "Ольга", "boris": "Борис"})
    assert len(set(said)) == len(USES)
    assert set(said) & set(USES) <= {"shift change"}, "which is plain English"
    assert "Ольга" in said[6]
    assert "Борис" in said[10]
    assert "3" in said[11]
    assert "big deals" in said[4]


@pytest.mark.parametrize("store", [employee_uses, uses, templates, schedules])
def test_no_use_that_a_store_may_tell_lacks_words(store: ModuleType) -> None:
    told = re.findall(r"SELECT (?:DISTINCT )?'([a-z_ ]+)'", inspect.getsource(store))
    assert told
    examples = [f"{kind}shop" if kind.endswith(" ") else kind for kind in told]
    assert [s for s in uses_said(examples, TEXTS["ru"], {}) if s in examples] == []


def test_what_is_named_like_another_kind_is_not_taken_for_it() -> None:
    assert uses_said(["template user x"], TEXTS["en"], {"x": "Xenia"}) == ["template “user x”"]
