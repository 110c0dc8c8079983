"""What a text speaks of, read from the CRM when it is to be written: the deal, its contact, company and responsible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from crm.lane import Lane
from crm.port import Crm, CrmEntity, CrmField, Pipeline
from crm.store.metadata import fields_of, pipelines_of
from gateway.configuration import number_policy, own_numbers_of
from gateway.store.admin.accounts import Account, account, connections
from gateway.store.admin.staff import staff_of
from gateway.triggers.reading import main_contact
from routing.client import EntityKind
from routing.numbers.mobiles import may_be_mobile
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.staff import Employee, Staff
from routing.templates import TemplateValue
from runtime.database.pool import Conn
from sms.templates import SmsMacros, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSurroundings:
    """Of one account, when texts are written. lines: our own numbers, without those of people."""

    account: Account
    staff: Staff
    policy: NumberPolicy
    lines: frozenset[str]
    pipelines: Sequence[Pipeline]
    fields: Mapping[str, Sequence[CrmField]]

    @property
    def macros(self) -> SmsMacros:
        prefix = {"deal": "deal", "contact": "maincontact", "company": "company"}
        return SmsMacros.of(
            f"{prefix[kind]}.cf_{one.id}" for kind, known in self.fields.items() for one in known
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRead:
    """As the CRM has it now. deal None: it is gone."""

    deal: CrmEntity | None
    contact: CrmEntity | None = None
    company: CrmEntity | None = None
    responsible: Employee | None = field(default=None)


async def surroundings(conn: Conn, account_id: str) -> TextSurroundings:
    own = await account(conn, account_id)
    staff, linked = await staff_of(conn, account_id), await connections(conn, account_id)
    lines = own_numbers_of(own) | {line for c in linked for line in c.lines}
    kinds: tuple[EntityKind, ...] = ("deal", "contact", "company")
    return TextSurroundings(
        account=own,
        staff=staff,
        policy=number_policy(own, None, linked, staff),
        lines=frozenset(lines),
        pipelines=await pipelines_of(conn, account_id),
        fields={kind: await fields_of(conn, account_id, kind) for kind in kinds},
    )


async def read_deals(crm: Crm, staff: Staff, deal_ids: Sequence[str], lane: Lane) -> dict[str, DealRead]:
    """Ask the CRM. Raises CrmError."""
    deals = {d.id: d for d in await crm.by_ids("deal", list(dict.fromkeys(deal_ids)), lane)}
    there = {id: d for id, d in deals.items() if not d.is_deleted}
    mains = {id: main for id, d in there.items() if (main := main_contact(d))}
    firms = {id: d.company_ids[0] for id, d in there.items() if d.company_ids}
    contacts = await _by_id(crm, "contact", mains.values(), lane)
    companies = await _by_id(crm, "company", firms.values(), lane)
    return {
        id: DealRead(
            deal=there.get(id),
            contact=contacts.get(mains.get(id, "")),
            company=companies.get(firms.get(id, "")),
            responsible=staff.by_crm_user.get(there[id].owner_id or "") if id in there else None,
        )
        for id in deal_ids
    }


async def _by_id(crm: Crm, kind: EntityKind, ids: Iterable[str], lane: Lane) -> dict[str, CrmEntity]:
    wanted = list(dict.fromkeys(ids))
    return {e.id: e for e in await crm.by_ids(kind, wanted, lane)} if wanted else {}


def client_number(read: DealRead, policy: NumberPolicy) -> str | None:
    """Return the contact's first mobile, else the first number that is one, E.164; the company's where there is no contact."""
    for holder in (read.contact, read.company):
        found = [normalise(raw, policy) for raw in holder.numbers] if holder else []
        numbers = [number.e164 for number in found if isinstance(number, PublicNumber)]
        if numbers:
            return next((number for number in numbers if may_be_mobile(number)), numbers[0])
    return None


def text_values(read: DealRead, around: TextSurroundings) -> dict[str, TemplateValue]:
    """Return every macro that has a value."""
    found: dict[str, TemplateValue] = {}
    if read.deal is not None:
        found |= _of_deal(read.deal, around.pipelines) | _custom("deal", read.deal)
    if read.contact is not None:
        found |= _of_contact(read.contact, around) | _custom("maincontact", read.contact)
        found["maincontact.phone"] = client_number(DealRead(deal=None, contact=read.contact), around.policy)
    if read.company is not None:
        found |= {"company.name": read.company.name} | _custom("company", read.company)
    if read.responsible is not None:
        found |= values_of(read.responsible)
    return found


def _of_deal(deal: CrmEntity, pipelines: Sequence[Pipeline]) -> dict[str, TemplateValue]:
    pipeline = next((p for p in pipelines if p.id == deal.pipeline_id), None)
    stage = next((s for s in pipeline.stages if s.id == deal.stage_id), None) if pipeline else None
    created: datetime | None = deal.created_at
    return {
        "deal.id": deal.id,
        "deal.name": deal.name,
        "deal.price": deal.price,
        "deal.pipeline": pipeline.name if pipeline else None,
        "deal.stage": stage.name if stage else None,
        "deal.created_at": created,
    }


def _of_contact(contact: CrmEntity, around: TextSurroundings) -> dict[str, TemplateValue]:
    """Return what is known of the contact. The CRM tells the name in one: its first word is the first name, as it writes them."""
    first, _, last = contact.name.strip().partition(" ")
    mail = next((f.id for f in around.fields["contact"] if f.code == "EMAIL"), "")
    return {
        "maincontact.name": contact.name,
        "maincontact.first_name": first,
        "maincontact.last_name": last.strip(),
        "maincontact.email": _fields(contact).get(mail),
    }


def _custom(prefix: str, entity: CrmEntity) -> dict[str, TemplateValue]:
    return {f"{prefix}.cf_{id}": value for id, value in _fields(entity).items()}


def _fields(entity: CrmEntity) -> dict[str, str]:
    found: dict[str, str] = orjson.loads(entity.fields) if entity.fields else {}
    return found


def zone_field_of(read: DealRead, name: str | None) -> str | None:
    """Return what stands in the field for the client's time zone. name: contact.cf_ID or deal.cf_ID."""
    if name is None:
        return None
    of, _, id = name.partition(".cf_")
    holder = read.contact if of == "contact" else read.deal
    return _fields(holder).get(id) if holder is not None else None
