"""aioamocrm (PyPI): asynchronous, typed models. It takes the address as an argument."""

from __future__ import annotations

import asyncio
from typing import Any

from aioamocrm import (
    AmoCRMClient,
    Company,
    Contact,
    Embedded,
    Lead,
    LongLivedToken,
    MemoryTokenStorage,
    Note,
    OAuth2,
    Tag,
    Task,
    TokenSet,
    parse_webhook,
)

from tests.foreign.clients import steps
from tests.foreign.clients.steps import astep, same


def opened(auth: Any) -> Any:
    return AmoCRMClient(base_url=steps.URL, auth=auth, rate_limit=None)


def oauth(tokens: Any = None) -> Any:
    storage = MemoryTokenStorage(tokens)
    return OAuth2(steps.CLIENT_ID, steps.CLIENT_SECRET, steps.REDIRECT, storage)


async def tokens() -> None:
    async def exchange() -> None:
        async with opened(oauth()) as amo:
            await amo.exchange_code(steps.CODE)
            same((await amo.account.get()).subdomain, "sandbox")

    async def refresh() -> None:
        spent = TokenSet(access_token=steps.EXPIRED, refresh_token=steps.REFRESH, expires_at=0)
        async with opened(oauth(spent)) as amo:
            same((await amo.account.get()).id, 31000001)

    await astep("code", exchange)
    await astep("refresh", refresh)


async def reading(amo: Any) -> None:
    async def account() -> None:
        read = await amo.account.get(with_=["task_types"])
        same((read.currency, read.created_at > 0), ("RUB", True))

    async def users() -> None:
        emails = [user.email async for user in amo.users.iterate()]
        same("manager101@demo.example" in emails, True)

    async def pipelines() -> None:
        same([one.name for one in await amo.pipelines.list()], ["Воронка", "Повторные продажи"])
        same((await amo.pipelines.statuses(steps.PIPELINE))[0].type, 1)

    async def fields() -> None:
        codes = [field.code async for field in amo.contacts.custom_fields.iterate()]
        same("PHONE" in codes, True)

    async def paging() -> None:
        same(len({one.id async for one in amo.contacts.iterate()}), steps.CONTACTS - 3)

    async def filtered() -> None:
        ids = [one.id async for one in amo.contacts.iterate(filter={"id": [steps.CONTACT]})]
        same(ids, [steps.CONTACT])

    async def searched() -> None:
        page = await amo.contacts.get_page(query="9000000001")
        same([one.id for one in page], [steps.CONTACT])

    async def events() -> None:
        await amo.leads.create([Lead(name="Событие")])
        data = await amo.request("GET", "events", params={"filter": {"type": ["lead_added"]}})
        same(data["_embedded"]["events"][0]["type"], "lead_added")

    for name, work in (
        ("account", account),
        ("users", users),
        ("pipelines", pipelines),
        ("fields", fields),
        ("paging", paging),
        ("filter", filtered),
        ("search", searched),
        ("events", events),
    ):
        await astep(name, work)


async def entities(amo: Any) -> None:
    async def leads() -> None:
        [ref] = await amo.leads.create([Lead(name="Сделка", price=10)])
        await amo.leads.update([Lead(id=ref.id, name="Новая", embedded=Embedded(tags=[Tag(name="vip")]))])
        lead = await amo.leads.get(ref.id)
        same((lead.name, lead.price, lead.embedded.tags[0].name), ("Новая", 10, "vip"))

    async def contacts() -> None:
        contact = Contact(name="Иван Петров")
        contact.set_field("PHONE", "+79123456789", enum_code="WORK")
        [ref] = await amo.contacts.create([contact])
        same(steps.rows("contact", id=ref.id)[0]["phones"], ["+79123456789"])
        await amo.contacts.update([Contact(id=ref.id, first_name="Пётр")])
        same((await amo.contacts.get(ref.id)).first_name, "Пётр")

    async def companies() -> None:
        [ref] = await amo.companies.create([Company(name="ООО Ромашка")])
        await amo.companies.update([Company(id=ref.id, name="ООО Лютик")])
        same((await amo.companies.get(ref.id)).name, "ООО Лютик")

    async def fetched() -> None:
        contact = await amo.contacts.get(steps.CONTACT)
        contact.name = "Сохранён целиком"
        await amo.contacts.update([contact])
        same((await amo.contacts.get(steps.CONTACT)).name, "Сохранён целиком")

    async def complex_lead() -> None:
        parts = Embedded(contacts=[Contact(name="К")], companies=[Company(name="Ф")])
        [made] = await amo.leads.create_complex([Lead(name="Сложная", embedded=parts)])
        same(bool(made.contact_id and made.company_id), True)

    async def links() -> None:
        await amo.leads.link(steps.LEAD, "contacts", steps.CONTACT, metadata={"is_main": True})
        same(steps.CONTACT in [one.to_entity_id for one in await amo.leads.links(steps.LEAD)], True)
        await amo.leads.unlink(steps.LEAD, "contacts", steps.CONTACT)
        same(steps.CONTACT in [one.to_entity_id for one in await amo.leads.links(steps.LEAD)], False)

    for name, work in (
        ("leads", leads),
        ("contacts", contacts),
        ("companies", companies),
        ("fetch and save", fetched),
        ("complex", complex_lead),
        ("links", links),
    ):
        await astep(name, work)


async def work_around(amo: Any) -> None:
    async def tasks() -> None:
        sent = Task(text="Перезвонить", complete_till=1800000000, entity_id=steps.LEAD, entity_type="leads")
        [ref] = await amo.tasks.create([sent])
        await amo.tasks.update([Task(id=ref.id, text="Не звонить")])
        await amo.tasks.complete(ref.id, result="Готово")
        task = await amo.tasks.get(ref.id)
        same((task.text, task.is_completed, task.result.text), ("Не звонить", True, "Готово"))

    async def notes() -> None:
        sent = Note(entity_id=steps.LEAD, note_type="common", params={"text": "Заметка"})
        [ref] = await amo.leads.notes.create([sent])
        note = await amo.leads.notes.get(ref.id, entity_id=steps.LEAD)
        same(note.params, {"text": "Заметка"})

    async def calls() -> None:
        call = {"direction": "inbound", "duration": 5, "source": "x", "phone": "+79000000003", "uniq": "a-1"}
        made = await amo.request("POST", "calls", json=[call])
        same(made["_embedded"]["calls"][0]["entity_id"], steps.LEAD)

    async def webhooks() -> None:
        await amo.request("POST", "webhooks", json={"destination": steps.HOOK, "settings": ["add_lead"]})
        await amo.leads.create([Lead(name="С вебхуком")])
        form = steps.control("deliveries")["deliveries"][0]["form"]
        hook = parse_webhook(form)
        same((hook.subdomain, hook.events[0].id > 0), ("sandbox", True))
        await amo.request("DELETE", "webhooks", json={"destination": steps.HOOK})

    for name, work in (("tasks", tasks), ("notes", notes), ("calls", calls), ("webhooks", webhooks)):
        await astep(name, work)


async def main() -> None:
    await tokens()
    async with opened(LongLivedToken(steps.TOKEN)) as amo:
        await reading(amo)
        await entities(amo)
        await work_around(amo)


asyncio.run(main())
