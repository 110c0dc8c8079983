"""What people read of what goes out, in Russian."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "do-not-call.refused.no_number": "это не номер телефона",
    "do-not-call.refused.extension": "это внутренний номер, а не номер клиента",
    "trigger.apply.deals": "Сейчас там {count:открытая сделка|открытые сделки|открытых сделок}. По тому, что известно без запроса к CRM:",
    "trigger.apply.not-known": "Про {count:сделку|сделки|сделок} ответ на условие знает только CRM: они решатся, когда будут прочитаны.",
    "list.heading.number": "номер телефон тел",
    "list.heading.note": "примечание комментарий причина",
}
