"""What people read of campaigns, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "campaign.state.draft": "готовится",
    "campaign.state.planned": "начнётся сама",
    "campaign.state.running": "идёт обзвон",
    "campaign.state.paused": "приостановлена",
    "campaign.state.stopping": "заканчивается: начатое доводится до конца",
    "campaign.state.finished": "завершена и больше ничего не принимает",
    "campaign.reason.by_command": "так распорядился человек",
    "campaign.reason.planned_start": "наступило её время",
    "campaign.reason.nobody_yet": "её время наступило, но в ней пока никого: начнётся с первым номером",
    "campaign.reason.all_done": "обзвонены все, кто в ней есть",
    "campaign.reason.stopped": "её остановил человек",
    "campaign.reason.finished_by_hand": "её сразу завершил человек",
    "campaign.reason.by_engine": "так сообщает тот, кто ведёт обзвон",
    "campaign.member.campaign_gone": "кампании с таким названием нет",
    "campaign.member.campaign_finished": "кампания завершена: номера в неё не добавляются, запустить её снова нельзя",
    "campaign.member.linked": "номер уже есть в кампании: чем там кончится, то верно и здесь",
    "campaign.member.no_number": "у клиента нет номера, на который можно позвонить",
    "campaign.member.own_number": "это собственный номер компании",
    "campaign.member.do_not_call": "клиент в списке «не звонить»",
    "campaign.member.no_employee": "ни у кого из тех, кто говорил бы, нет внутреннего номера, связанного с пользователем CRM",
    "campaign.member.edition": "в договоре с АТС нет контакт-центра",
    "campaign.member.too_many_tasks": "контакт-центр больше не принимает номера в эту кампанию",
    "campaign.member.taken_out": "номер убрал человек",
    "campaign.row.no_number": "в строке нет номера",
    "campaign.row.bad_number": "это не телефонный номер",
    "campaign.row.internal_number": "это внутренний номер, а не номер клиента",
    "campaign.row.own_number": "это собственный номер компании",
    "campaign.row.twice_in_list": "номер уже стоит выше в списке",
    "campaign.row.already_in_campaign": "номер уже есть в кампании",
    "campaign.row.do_not_call": "клиент в списке «не звонить»",
    "campaign.row.too_long": "ячейка длиннее 500 знаков",
    "campaign.heading.number": "номер, телефон, номер телефона, тел, мобильный",
    "campaign.heading.name": "имя, клиент, фио, контакт",
    "campaign.heading.client_id": "id клиента, идентификатор, идентификатор клиента",
}  # fmt: skip
