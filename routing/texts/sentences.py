"""Routing's catalogues."""

from __future__ import annotations

from collections.abc import Mapping

from routing.texts import (
    at_work_en,
    at_work_ru,
    crm_en,
    crm_ru,
    distribution_en,
    distribution_ru,
    problems_en,
    problems_ru,
    reasons_en,
    reasons_ru,
    templates_en,
    templates_ru,
    words_en,
    words_ru,
)
from routing.texts.catalogue import Language, Texts, catalogues
from routing.texts.dialogues import english as dialogues_en
from routing.texts.dialogues import russian as dialogues_ru
from routing.texts.outbound import english as outbound_en
from routing.texts.outbound import russian as outbound_ru
from routing.texts.triggers import english as triggers_en
from routing.texts.triggers import russian as triggers_ru

TEXTS: Mapping[Language, Texts] = catalogues(
    ru={
        **crm_ru.SENTENCES,
        **dialogues_ru.SENTENCES,
        **words_ru.SENTENCES,
        **templates_ru.SENTENCES,
        **problems_ru.SENTENCES,
        **reasons_ru.SENTENCES,
        **distribution_ru.SENTENCES,
        **at_work_ru.SENTENCES,
        **triggers_ru.SENTENCES,
        **outbound_ru.SENTENCES,
    },
    en={
        **crm_en.SENTENCES,
        **dialogues_en.SENTENCES,
        **words_en.SENTENCES,
        **templates_en.SENTENCES,
        **problems_en.SENTENCES,
        **reasons_en.SENTENCES,
        **distribution_en.SENTENCES,
        **at_work_en.SENTENCES,
        **triggers_en.SENTENCES,
        **outbound_en.SENTENCES,
    },
)
RU = TEXTS["ru"]
"""The default, in which accounts are that say nothing else."""
