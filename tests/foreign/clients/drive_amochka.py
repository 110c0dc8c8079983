"""amochka (PyPI): one class over requests. It accepts addresses of the vendor only."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from amochka import AmoCRMClient, CacheConfig

from tests.foreign.clients import host, steps
from tests.foreign.clients.steps import same, step


def opened(token: dict[str, Any]) -> Any:
    folder = Path(tempfile.mkdtemp())
    file = folder / "token.json"
    oauth = {
        "client_id": steps.CLIENT_ID,
        "client_secret": steps.CLIENT_SECRET,
        "redirect_uri": steps.REDIRECT,
    }
    file.write_text(json.dumps({**oauth, **token}))
    return AmoCRMClient(
        "https://sandbox.amocrm.ru",
        token_file=str(file),
        cache_config=CacheConfig.disabled(),
        disable_logging=True,
        rate_limit=1000,
    )


def refresh() -> None:
    client = opened({"access_token": steps.EXPIRED, "refresh_token": steps.REFRESH, "expires_at": "1"})
    same(client.get_account()["subdomain"], "sandbox")


def drive(amo: Any) -> None:
    def users() -> None:
        same("manager101@demo.example" in [user["email"] for user in amo.fetch_users()], True)

    def pipelines() -> None:
        same([one["name"] for one in amo.fetch_pipelines()], ["Воронка", "Повторные продажи"])

    def fields() -> None:
        same(amo.find_custom_field_id("Канал")[0], 800403)

    def paging() -> None:
        same(len({one["id"] for one in amo.iter_contacts()}), steps.CONTACTS - 3)

    def filtered() -> None:
        same([one["id"] for one in amo.iter_contacts(contact_ids=[steps.CONTACT])], [steps.CONTACT])

    def searched() -> None:
        same([one["id"] for one in amo.iter_contacts(query="+7 900 000-00-01")], [steps.CONTACT])

    def leads() -> None:
        lead = amo.create_lead({"name": "Сделка", "price": 10, "Пул номеров": "сайт"})["id"]
        amo.update_lead(lead, {"name": "Новая", "Канал": "Сайт"}, tags_to_add=["vip"])
        read = amo.get_deal_by_id(lead)
        same((read["name"], read.get("Канал"), read.get("Пул номеров")), ("Новая", "Сайт", "сайт"))
        same([tag["name"] for tag in read["_embedded"]["tags"]], ["vip"])

    def contacts() -> None:
        phone = [{"field_code": "PHONE", "values": [{"value": "+79123456789", "enum_code": "WORK"}]}]
        made = amo.create_contact({"name": "Иван", "custom_fields_values": phone})
        same(amo.get_contact_by_id(made["id"])["name"], "Иван")

    def links() -> None:
        amo.link_entity("lead", steps.LEAD, steps.CONTACT, "contact", metadata={"is_main": True})
        linked = amo.get_entity_links("lead", steps.LEAD)
        same(steps.CONTACT in [one["to_entity_id"] for one in linked], True)

    def notes() -> None:
        amo.add_entity_note("lead", steps.LEAD, "common", {"text": "Заметка"})
        same([one["params"]["text"] for one in amo.iter_notes("lead", note_type="common")], ["Заметка"])
        same(len(amo.get_deal_notes(steps.LEAD)), 1)

    def tasks() -> None:
        same(list(amo.iter_tasks(entity_type="leads", entity_ids=[steps.LEAD])), [])
        same([one["id"] for one in amo.get_task_types()][:2], [1, 2])

    def events() -> None:
        found = list(amo.iter_events(entity="lead", event_type=["lead_added"]))
        same({one["type"] for one in found}, {"lead_added"})
        same(amo.get_event(found[0]["id"])["id"], found[0]["id"])

    for work in (users, pipelines, fields, paging, leads, contacts, links, notes, tasks, events):
        step(work.__name__, work)
    step("account", lambda: same(amo.get_account(with_="task_types")["id"], 31000001))
    step("filter", filtered)
    step("search", searched)


def main() -> None:
    host.redirect(steps.URL)
    step("refresh", refresh)
    drive(opened({"access_token": steps.TOKEN, "expires_at": "4000000000"}))


main()
