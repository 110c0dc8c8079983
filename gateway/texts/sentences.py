"""The gateway's catalogues, with those of routing, of the CRM's side and of SMS below them."""

from __future__ import annotations

from collections.abc import Mapping

from campaigns.texts import english as campaigns_en
from campaigns.texts import russian as campaigns_ru
from crm.effects.texts import refusals as effects
from gateway.texts import (
    alerts_en,
    alerts_ru,
    config_en,
    config_ru,
    explain_en,
    explain_ru,
    facts_en,
    facts_ru,
    findings_en,
    findings_ru,
    init_en,
    init_ru,
    oauth_en,
    oauth_ru,
)
from gateway.texts.distribution import english as distribution_en
from gateway.texts.distribution import russian as distribution_ru
from gateway.texts.outbound import english as outbound_en
from gateway.texts.outbound import russian as outbound_ru
from gateway.texts.presence import english as presence_en
from gateway.texts.presence import russian as presence_ru
from gateway.texts.why import english as why_en
from gateway.texts.why import russian as why_ru
from routing.texts import sentences as routing
from routing.texts.catalogue import Language, Texts, catalogues, for_others
from sms.texts import channels_en, channels_ru
from sms.texts import sentences_en as sms_en
from sms.texts import sentences_ru as sms_ru

TEXTS: Mapping[Language, Texts] = catalogues(
    ru={
        **routing.TEXTS["ru"].sentences,
        **effects.TEXTS["ru"].sentences,
        **alerts_ru.SENTENCES,
        **campaigns_ru.SENTENCES,
        **channels_ru.SENTENCES,
        **config_ru.SENTENCES,
        **distribution_ru.SENTENCES,
        **explain_ru.SENTENCES,
        **facts_ru.SENTENCES,
        **findings_ru.SENTENCES,
        **init_ru.SENTENCES,
        **oauth_ru.SENTENCES,
        **outbound_ru.SENTENCES,
        **presence_ru.SENTENCES,
        **sms_ru.SENTENCES,
        **why_ru.SENTENCES,
    },
    en={
        **routing.TEXTS["en"].sentences,
        **effects.TEXTS["en"].sentences,
        **alerts_en.SENTENCES,
        **campaigns_en.SENTENCES,
        **channels_en.SENTENCES,
        **config_en.SENTENCES,
        **distribution_en.SENTENCES,
        **explain_en.SENTENCES,
        **facts_en.SENTENCES,
        **findings_en.SENTENCES,
        **init_en.SENTENCES,
        **oauth_en.SENTENCES,
        **outbound_en.SENTENCES,
        **presence_en.SENTENCES,
        **sms_en.SENTENCES,
        **why_en.SENTENCES,
    },
)
FOR_OTHERS: Mapping[Language, Texts] = for_others(TEXTS)
"""For whoever may set nothing up, and for cards of the CRM, which anybody reads."""
