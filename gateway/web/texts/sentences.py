"""The catalogues of the pages, with all others of the gateway below them."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.texts.sentences import TEXTS as GATEWAY_TEXTS
from gateway.web.texts.calls import english as calls_en
from gateway.web.texts.calls import russian as calls_ru
from gateway.web.texts.channels import english as channels_en
from gateway.web.texts.channels import russian as channels_ru
from gateway.web.texts.desk import english as desk_en
from gateway.web.texts.desk import russian as desk_ru
from gateway.web.texts.dialogs import english as dialogs_en
from gateway.web.texts.dialogs import russian as dialogs_ru
from gateway.web.texts.distribution import english as distribution_en
from gateway.web.texts.distribution import russian as distribution_ru
from gateway.web.texts.frames import english as frames_en
from gateway.web.texts.frames import russian as frames_ru
from gateway.web.texts.help import english as help_en
from gateway.web.texts.help import russian as help_ru
from gateway.web.texts.kit import english as kit_en
from gateway.web.texts.kit import russian as kit_ru
from gateway.web.texts.matrix import english as matrix_en
from gateway.web.texts.matrix import russian as matrix_ru
from gateway.web.texts.messages import english as messages_en
from gateway.web.texts.messages import russian as messages_ru
from gateway.web.texts.missed import english as missed_en
from gateway.web.texts.missed import russian as missed_ru
from gateway.web.texts.now import english as now_en
from gateway.web.texts.now import russian as now_ru
from gateway.web.texts.refusals import english as refusals_en
from gateway.web.texts.refusals import russian as refusals_ru
from gateway.web.texts.setup import english as setup_en
from gateway.web.texts.setup import russian as setup_ru
from gateway.web.texts.shell import english as shell_en
from gateway.web.texts.shell import russian as shell_ru
from gateway.web.texts.shifts import english as shifts_en
from gateway.web.texts.shifts import painting_english as painting_en
from gateway.web.texts.shifts import painting_russian as painting_ru
from gateway.web.texts.shifts import russian as shifts_ru
from gateway.web.texts.shifts import schedules_english as schedules_en
from gateway.web.texts.shifts import schedules_russian as schedules_ru
from gateway.web.texts.sign_in import english as sign_in_en
from gateway.web.texts.sign_in import russian as sign_in_ru
from gateway.web.texts.start import english as start_en
from gateway.web.texts.start import russian as start_ru
from gateway.web.texts.users import english as users_en
from gateway.web.texts.users import recorded_english as recorded_en
from gateway.web.texts.users import recorded_russian as recorded_ru
from gateway.web.texts.users import russian as users_ru
from routing.texts.catalogue import Language, Texts, catalogues, for_others

TEXTS: Mapping[Language, Texts] = catalogues(
    ru={
        **GATEWAY_TEXTS["ru"].sentences,
        **calls_ru.SENTENCES,
        **channels_ru.SENTENCES,
        **desk_ru.SENTENCES,
        **dialogs_ru.SENTENCES,
        **distribution_ru.SENTENCES,
        **help_ru.SENTENCES,
        **frames_ru.SENTENCES,
        **kit_ru.SENTENCES,
        **matrix_ru.SENTENCES,
        **messages_ru.SENTENCES,
        **missed_ru.SENTENCES,
        **now_ru.SENTENCES,
        **refusals_ru.SENTENCES,
        **setup_ru.SENTENCES,
        **shell_ru.SENTENCES,
        **shifts_ru.SENTENCES,
        **schedules_ru.SENTENCES,
        **painting_ru.SENTENCES,
        **sign_in_ru.SENTENCES,
        **start_ru.SENTENCES,
        **users_ru.SENTENCES,
        **recorded_ru.SENTENCES,
    },
    en={
        **GATEWAY_TEXTS["en"].sentences,
        **calls_en.SENTENCES,
        **channels_en.SENTENCES,
        **desk_en.SENTENCES,
        **dialogs_en.SENTENCES,
        **distribution_en.SENTENCES,
        **help_en.SENTENCES,
        **frames_en.SENTENCES,
        **kit_en.SENTENCES,
        **matrix_en.SENTENCES,
        **messages_en.SENTENCES,
        **missed_en.SENTENCES,
        **now_en.SENTENCES,
        **refusals_en.SENTENCES,
        **setup_en.SENTENCES,
        **shell_en.SENTENCES,
        **shifts_en.SENTENCES,
        **schedules_en.SENTENCES,
        **painting_en.SENTENCES,
        **sign_in_en.SENTENCES,
        **start_en.SENTENCES,
        **users_en.SENTENCES,
        **recorded_en.SENTENCES,
    },
)
FOR_OTHERS: Mapping[Language, Texts] = for_others(TEXTS)
"""For whoever may set nothing up."""
