"""Why a client is called now or not, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "outbound.reason.dial": "набирается сейчас",
    "outbound.reason.account_off": "аккаунт выключен",
    "outbound.reason.trigger_off": "триггер выключен или удалён",
    "outbound.reason.deal_gone": "сделки больше нет в CRM",
    "outbound.reason.deal_closed": "сделку тем временем закрыли",
    "outbound.reason.left_stage": "сделка тем временем ушла с этапа",
    "outbound.reason.no_number": "у клиента нет номера, на который можно позвонить",
    "outbound.reason.own_number": "это номер самой компании",
    "outbound.reason.do_not_call": "клиент в списке «не звонить»",
    "outbound.reason.spoken_meanwhile": "с клиентом тем временем поговорили",
    "outbound.reason.expired": "время вышло",
    "outbound.reason.not_yet": "следующая попытка позже",
    "outbound.reason.paused": "скорость 0 звонков в минуту: всё приостановлено",
    "outbound.reason.connection_stopped": "АТС отказалась звонить; через неё не звоним, пока не посмотрит человек",
    "outbound.reason.window_closed": "сейчас этому клиенту звонить нельзя",
    "outbound.reason.window_never_opens": "заданные часы не оставляют времени на звонок",
    "outbound.reason.client_in_call": "клиент сейчас разговаривает",
    "outbound.reason.client_being_called": "клиенту уже звонят",
    "outbound.reason.nobody_free": "никто из тех, кто может взять звонок, не свободен",
    "outbound.reason.employee_gone": "больше нет никого, кто мог бы взять звонок",
}
