"""amocrm-api (PyPI, imported as amocrm.v2): records that save themselves. Its host is fixed in its source."""

from __future__ import annotations

from datetime import UTC, datetime

from amocrm.v2 import Call, Company, Contact, Event, Lead, Pipeline, Tag, Task, User
from amocrm.v2.account import get_account_info
from amocrm.v2.entity.custom_field import CustomFieldModel
from amocrm.v2.filters import SingleFilter
from amocrm.v2.tokens import MemoryTokensStorage, default_token_manager

from tests.foreign.clients import host, steps
from tests.foreign.clients.steps import same, step

STORAGE = MemoryTokensStorage()


def code() -> None:
    default_token_manager.init(steps.CODE)
    same(Lead.objects.get(object_id=steps.LEAD).id, steps.LEAD)


def refresh() -> None:
    STORAGE.save_tokens(steps.EXPIRED, steps.REFRESH)
    same(default_token_manager.get_access_token() == steps.EXPIRED, False)
    same(Lead.objects.get(object_id=steps.LEAD).id, steps.LEAD)


def account() -> None:
    same(get_account_info().created_at.year > 2000, True)


def users() -> None:
    same("manager101@demo.example" in [user.email for user in User.objects.all()], True)


def pipelines() -> None:
    every = list(Pipeline.objects.all())
    same([one.name for one in every], ["Воронка", "Повторные продажи"])
    same(every[0].statuses[0].name, "Неразобранное")


def fields() -> None:
    lead = Lead.objects.get(object_id=steps.LEAD)
    same("UTM_SOURCE" in [field.code for field in CustomFieldModel.get_for(lead)], True)


def paging() -> None:
    same(len({one.id for one in Contact.objects.all()}), steps.CONTACTS - 3)


def filtered() -> None:
    found = Contact.objects.filter(filters=[SingleFilter("id")(steps.CONTACT)])
    same([one.id for one in found], [steps.CONTACT])


def searched() -> None:
    same(Contact.objects.get(query="9000000001").id, steps.CONTACT)


def leads() -> None:
    lead = Lead.objects.create({"name": "Сделка", "price": 10})
    lead = Lead.objects.get(object_id=lead.id)
    lead.name = "Новая"
    lead.tags.append("vip")
    lead.save()
    again = Lead.objects.get(object_id=lead.id)
    same((again.name, [tag.name for tag in again.tags]), ("Новая", ["vip"]))


def contacts() -> None:
    contact = Contact.objects.create({"name": "Пётр", "first_name": "Пётр"})
    found = Contact.objects.get(object_id=contact.id)
    found.last_name = "Иванов"
    found.save()
    same(steps.rows("contact", id=contact.id)[0]["last_name"], "Иванов")


def companies() -> None:
    company = Company.objects.create({"name": "ООО Ромашка"})
    found = Company.objects.get(object_id=company.id)
    found.name = "ООО Лютик"
    found.save()
    same(Company.objects.get(object_id=company.id).name, "ООО Лютик")


def links() -> None:
    lead = Lead.objects.get(object_id=steps.LEAD)
    lead.contacts.append(Contact.objects.get(object_id=steps.CONTACT), main=True)
    same(steps.CONTACT in steps.rows("deal", id=steps.LEAD)[0]["contacts"], True)


def tags() -> None:
    Tag.leads.create({"name": "горячий"})
    same("горячий" in [tag.name for tag in Tag.leads.all()], True)


def tasks() -> None:
    """Its times are seconds with a fraction."""
    task = Task(text="Перезвонить", complete_till=datetime(2027, 1, 1, 9, 30, tzinfo=UTC))
    Lead.objects.get(object_id=steps.LEAD).tasks.add(task)
    same([one.text for one in Lead.objects.get(object_id=steps.LEAD).tasks], ["Перезвонить"])


def notes() -> None:
    lead = Lead.objects.get(object_id=steps.LEAD)
    lead.notes.objects.create({"note_type": "common", "params": {"text": "Заметка"}})
    same([note.text for note in lead.notes.objects.all()], ["Заметка"])


def calls() -> None:
    whole = {"uniq": "a-1", "link": "https://example.com/1", "result": "ok", "status": 4}
    made = Call().create("inbound", "+79000000003", "Test", 5, **whole)
    same(made["entity_id"], steps.LEAD)


def short_call() -> None:
    """What is left out it sends as null."""
    Call().create("inbound", "+79000000003", "Test", 5)


def events() -> None:
    same("lead_added" in [event.type for event in Event.objects.all()], True)


def main() -> None:
    host.redirect(steps.URL)
    default_token_manager._storage = STORAGE
    default_token_manager(steps.CLIENT_ID, steps.CLIENT_SECRET, "sandbox", steps.REDIRECT)
    step("code", code)
    step("refresh", refresh)
    STORAGE.save_tokens(steps.TOKEN, "")
    for work in (
        account,
        users,
        pipelines,
        fields,
        paging,
        leads,
        contacts,
        companies,
        links,
        tags,
        tasks,
        notes,
    ):
        step(work.__name__, work)
    step("filter", filtered)
    step("search", searched)
    step("calls", calls)
    step("a call with little known of it", short_call)
    step("events", events)


main()
