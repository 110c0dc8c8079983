"""Public amoCRM clients, changed in nothing but the host, get along with the sandbox."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from amocrm.v2 import Call, Company, Contact, Lead, Pipeline, Tag, Task, User, exceptions
from amocrm.v2.interaction import BaseInteraction
from amocrm.v2.tokens import MemoryTokensStorage, default_token_manager
from amocrm_api import AmoOAuthClient

from crm.sandbox import seed
from tests.integration.sandbox.client import Api
from tests.integration.sandbox.test_golden import a_pair

REDIRECT = "https://example.com/crm/oauth"


class Host:
    """Where the first client's requests go: its host is fixed in its source."""

    url: ClassVar[str] = ""


@pytest.fixture
def amocrm(api: Api) -> Any:
    """The client `amocrm-api`; the host of its address is the one thing changed."""
    Host.url, original = api.sandbox.url, BaseInteraction._get_url
    BaseInteraction._get_url = lambda self, path: f"{Host.url}/api/v4/{path}"
    storage = MemoryTokensStorage()
    storage.save_tokens(api.token, "")
    default_token_manager._storage = storage
    default_token_manager("id", "secret", "sandbox", REDIRECT)
    yield asyncio.to_thread
    BaseInteraction._get_url = original


async def test_amocrm_api_creates_finds_and_changes_a_contact(amocrm: Any, api: Api) -> None:
    def work() -> tuple[int, str, str]:
        contact = Contact.objects.create({"name": "Пётр Иванов", "first_name": "Пётр"})
        found = Contact.objects.get(object_id=contact.id)
        found.name = "Пётр Петров"
        found.save()
        return contact.id, found.name, next(Contact.objects.filter(query="Пётр Петров")).name

    id, name, again = await amocrm(work)
    assert (name, again) == ("Пётр Петров", "Пётр Петров")
    assert [row["name"] for row in await api.rows("contact", id=id)] == ["Пётр Петров"]


async def test_amocrm_api_walks_every_page_of_contacts(amocrm: Any, api: Api) -> None:
    await api.control("seed", {"contacts": 600})
    ids = await amocrm(lambda: [contact.id for contact in Contact.objects.all()])
    assert len(ids) == len(set(ids)) == 600 + 7


async def test_amocrm_api_reads_users_pipelines_and_statuses(amocrm: Any, api: Api) -> None:
    def work() -> tuple[list[str], list[str], list[str]]:
        pipelines = list(Pipeline.objects.all())
        users = [user.email for user in User.objects.all()]
        return users, [one.name for one in pipelines], [one.name for one in pipelines[0].statuses]

    users, pipelines, statuses = await amocrm(work)
    assert "manager101@demo.example" in users
    assert pipelines == ["Воронка", "Повторные продажи"]
    assert statuses[0] == "Неразобранное"


async def test_amocrm_api_links_a_contact_to_a_lead_with_tag_task_and_note(amocrm: Any, api: Api) -> None:
    def work() -> tuple[int, int]:
        lead = Lead.objects.create({"name": "Сделка", "price": 10})
        lead = Lead.objects.get(object_id=lead.id)
        contact = Contact.objects.get(object_id=seed.CONTACTS + 1)
        lead.contacts.append(contact, main=True)
        lead.tags.append("горячий")
        lead.save()
        text = {"text": "Перезвонить", "complete_till": 1800000000}
        Task.objects.create({**text, "entity_id": lead.id, "entity_type": "leads"})
        lead.notes.objects.create({"note_type": "common", "params": {"text": "Заметка"}})
        return lead.id, len(list(lead.notes.objects.all()))

    lead, notes = await amocrm(work)
    answer = await api.get(f"leads/{lead}?with=contacts")
    assert [one["id"] for one in answer.body["_embedded"]["contacts"]] == [seed.CONTACTS + 1]
    assert [one["name"] for one in answer.body["_embedded"]["tags"]] == ["горячий"]
    assert [row["text"] for row in await api.rows("task")] == ["Перезвонить"]
    assert notes == 1


async def test_amocrm_api_gets_no_nulls_past_the_sandbox(amocrm: Any, api: Api) -> None:
    """Its call sends null for what was left out, which the vendor refuses with NotNullable."""
    with pytest.raises(exceptions.ValidationError, match="NotNullable"):
        await amocrm(lambda: Call().create("inbound", "+79000000003", "Test", 5))
    assert await api.rows("call") == []


async def test_amocrm_api_attaches_a_call_to_the_only_open_lead(amocrm: Any, api: Api) -> None:
    def work() -> Any:
        whole = {"uniq": uuid.uuid4().hex, "link": "https://example.com/1", "result": "ok", "status": 4}
        return Call().create("inbound", "+79000000003", "Test", 5, **whole)

    made = await amocrm(work)
    assert (made["entity_type"], made["entity_id"]) == ("lead", seed.LEADS + 3)


async def test_amocrm_api_reads_an_unknown_lead_as_not_found(amocrm: Any, api: Api) -> None:
    with pytest.raises(exceptions.NotFound):
        await amocrm(lambda: Lead.objects.get(object_id=1))


async def test_amocrm_api_creates_companies_and_tags(amocrm: Any, api: Api) -> None:
    def work() -> tuple[str, list[str]]:
        company = Company.objects.create({"name": "ООО Ромашка"})
        Tag.leads.create({"name": "vip"})
        return Company.objects.get(object_id=company.id).name, [tag.name for tag in Tag.leads.all()]

    assert await amocrm(work) == ("ООО Ромашка", ["vip"])


@pytest.fixture
async def wrapper(api: Api) -> AsyncIterator[AmoOAuthClient]:
    """The client `amocrm-api-wrapper`, which takes the address as an argument."""
    pair = await a_pair(api)
    tokens = (pair["access_token"], pair["refresh_token"])
    client = AmoOAuthClient(*tokens, api.sandbox.url, seed.CLIENT_ID, seed.CLIENT_SECRET, REDIRECT)
    client.retry_sleep_base = client.retry_sleep_429 = 0
    yield client
    client.close()
    await client.close_async()


async def test_wrapper_refreshes_an_expired_token_and_goes_on(wrapper: AmoOAuthClient, api: Api) -> None:
    before = wrapper.tokens
    await api.control("clock", {"offset": 2 * 86400})
    made = await wrapper.create_contacts_async([{"name": "После обновления"}])
    assert made["_embedded"]["contacts"][0]["request_id"] == "0"
    assert wrapper.tokens["access_token"] != before["access_token"]
    assert wrapper.tokens["refresh_token"] != before["refresh_token"]


async def test_wrapper_creates_complex_leads_and_accepts_an_unsorted(
    wrapper: AmoOAuthClient, api: Api
) -> None:
    contact = {
        "first_name": "Анна",
        "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "+7999"}]}],
    }
    made = await wrapper.create_leads_complex_async(
        [{"name": "Сделка", "_embedded": {"contacts": [contact]}}]
    )
    assert made[0]["contact_id"]
    assert made[0]["company_id"] is None
    [row] = await api.rows("lead", source_uid="seed-10")
    accepted = await wrapper.accept_unsorted_async(
        row["uid"], user_id=seed.manager(101), status_id=seed.OPEN_STAGES[1]
    )
    assert accepted["uid"] == row["uid"]
    assert (await api.get(f"leads/{row['lead_id']}")).body["status_id"] == seed.OPEN_STAGES[1]
