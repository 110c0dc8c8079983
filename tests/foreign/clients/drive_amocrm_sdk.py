"""amocrm-sdk (PyPI, imported as amocrm): objects that are fetched, changed and sent back whole, as its README shows."""

from __future__ import annotations

from typing import Any

from amocrm import Company, Contact, Lead, OAuthConfig
from amocrm.auth import InMemoryTokenStorage
from amocrm.manager import exchange_code, get_client
from amocrm.models.tasks import Task

from tests.foreign.clients import host, steps
from tests.foreign.clients.steps import same, step


def oauth(access: str, refresh: str) -> Any:
    storage = InMemoryTokenStorage()
    storage.save(access, refresh)
    given = {"client_id": steps.CLIENT_ID, "client_secret": steps.CLIENT_SECRET}
    return OAuthConfig(**given, redirect_uri=steps.REDIRECT, storage=storage)


def code() -> None:
    own = oauth("", "")
    exchange_code(subdomain="sandbox", code=steps.CODE, oauth=own)
    same(get_client(subdomain="sandbox", oauth=own).leads.get(steps.LEAD).id, steps.LEAD)


def refresh() -> None:
    client = get_client(subdomain="sandbox", oauth=oauth(steps.EXPIRED, steps.REFRESH))
    same(client.leads.get(steps.LEAD).id, steps.LEAD)


def drive(amo: Any) -> None:
    def pipelines() -> None:
        same([one.name for one in amo.pipelines.list()], ["Воронка", "Повторные продажи"])

    def fields() -> None:
        same("Телефон" in [field.name for field in amo.custom_fields.list("contacts")], True)

    def paging() -> None:
        same(len({one.id for one in amo.contacts.list()}), steps.CONTACTS - 3)

    def filtered() -> None:
        same([one.id for one in amo.contacts.list(page=1, filter={"id": steps.CONTACT})], [steps.CONTACT])

    def searched() -> None:
        same([one.id for one in amo.contacts.list(query="9000000001")], [steps.CONTACT])

    def leads() -> None:
        [lead] = amo.leads.create([Lead(name="Сделка", price=10)])
        fetched = amo.leads.get(lead.id)
        fetched.name = "Новая"
        amo.leads.update_one(fetched)
        same(amo.leads.get(lead.id).name, "Новая")

    def contacts() -> None:
        fetched = amo.contacts.get(steps.CONTACT)
        fetched.name = "Сохранён целиком"
        amo.contacts.update_one(fetched)
        same(amo.contacts.get(steps.CONTACT).name, "Сохранён целиком")

    def companies() -> None:
        [made] = amo.companies.create([Company(name="ООО Ромашка")])
        fetched = amo.companies.get(made.id)
        fetched.name = "ООО Лютик"
        amo.companies.update([fetched])
        same(amo.companies.get(made.id).name, "ООО Лютик")

    def complex_lead() -> None:
        sent = Lead(name="Сложная", contacts=[Contact(name="К")], company=Company(name="Ф"))
        [made] = amo.leads.create_complex([sent])
        lead = amo.leads.get(made.id)
        same((lead.contacts[0].id, lead.company.id), (made.contact_id, made.company_id))

    def tasks() -> None:
        sent = Task(text="Перезвонить", complete_till=1800000000, entity_id=steps.LEAD, entity_type="leads")
        [made] = amo.tasks.create([sent])
        fetched = amo.tasks.get(made.id)
        fetched.text = "Не звонить"
        amo.tasks.update_one(fetched)
        same(amo.tasks.get(made.id).text, "Не звонить")

    for work in (pipelines, fields, paging, leads, contacts, companies, tasks):
        step(work.__name__, work)
    step("filter", filtered)
    step("search", searched)
    step("complex", complex_lead)


def main() -> None:
    host.redirect(steps.URL)
    step("code", code)
    step("refresh", refresh)
    drive(get_client(subdomain="sandbox", oauth=oauth(steps.TOKEN, "")))


main()
