"""The gateway's catalogues, with those of routing and of the CRM's side below them."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.texts import findings_en, findings_ru, oauth_en, oauth_ru
from routing.texts import sentences as routing
from routing.texts.catalogue import Language, Texts, catalogues

TEXTS: Mapping[Language, Texts] = catalogues(
    ru={**routing.TEXTS["ru"].sentences, **findings_ru.SENTENCES, **oauth_ru.SENTENCES},
    en={**routing.TEXTS["en"].sentences, **findings_en.SENTENCES, **oauth_en.SENTENCES},
)
