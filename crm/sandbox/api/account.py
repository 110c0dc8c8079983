"""The account itself, its users, its custom fields and its loss reasons."""

from __future__ import annotations

from typing import Any

from crm.sandbox.api.entities.fields import field_model
from crm.sandbox.api.entities.rendering import loss_reason
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import SandboxReply, answer, no_content, refuse
from crm.sandbox.api.rights import rights_of
from crm.sandbox.chat_ids import AMOJO_ID, amojo_id_of
from crm.sandbox.php import values_of
from crm.sandbox.sample_account import CREATED
from crm.sandbox.state import ACCOUNT_ID, SUBDOMAIN
from crm.sandbox.store import SandboxRow

TASK_TYPES = [
    {"id": 1, "name": "Связаться", "color": None, "icon_id": None, "code": "FOLLOW_UP"},
    {"id": 2, "name": "Встреча", "color": None, "icon_id": None, "code": "MEETING"},
    {"id": 3000001, "name": "Перезвонить", "color": "FF8F92", "icon_id": 12, "code": None},
]
_CURRENCY = (
    {"currency": "RUB", "currency_symbol": "₽"},
    {"currency": "USD", "currency_symbol": "$"},
)


def get_account(exchange: SandboxExchange) -> SandboxReply:
    profile, withs = exchange.state.profile, exchange.withs()
    value: dict[str, Any] = {
        "id": ACCOUNT_ID,
        "name": "Demo",
        "subdomain": SUBDOMAIN,
        "created_at": CREATED,
        "created_by": 0,
        "updated_at": CREATED,
        "updated_by": 0,
        "current_user_id": exchange.by,
        "country": "RU",
        **_CURRENCY[profile.name == "kommo"],
        "customers_mode": "unavailable",
        "is_unsorted_on": profile.unsorted_on,
        "mobile_feature_version": 0,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
        "_links": exchange.self_link("account"),
    }
    value |= {name: item for name, item in _extras(exchange).items() if name in withs}
    embedded = {name: item for name, item in _embedded().items() if name in withs}
    if embedded:
        value["_embedded"] = embedded
    return answer(value, entities=1)


def _extras(exchange: SandboxExchange) -> dict[str, Any]:
    forms = {"ru": {"gender": "m", "plural_form": {"dative": "сделкам", "default": "сделки"}}}
    return {
        "amojo_id": AMOJO_ID,
        "uuid": "824f3a59-6154-4edf-8f18-2c7c1dc7a1a5",
        "version": 12,
        "drive_url": "https://drive-b.amocrm.ru",
        "is_api_filter_enabled": exchange.state.profile.filters_on,
        "entity_names": {"leads": forms},
    }


def _embedded() -> dict[str, Any]:
    return {
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "users_groups": [{"id": 0, "name": "Отдел продаж", "uuid": None}],
        "task_types": TASK_TYPES,
        "datetime_settings": {
            "date_pattern": "d.m.Y H:i",
            "short_date_pattern": "d.m.Y",
            "short_time_pattern": "H:i",
            "date_formant": "d.m.Y",  # the documents' spelling
            "date_format": "d.m.Y",  # what the vendor's own library reads
            "time_format": "H:i:s",
            "timezone": "Europe/Moscow",
            "timezone_offset": "+03:00",
        },
    }


def get_speaker(exchange: SandboxExchange) -> SandboxReply:
    """GET /v3/user: whom the token speaks for, as the vendor's own library greets."""
    row = exchange.user
    named = {"id": row["id"], "name": row["name"], "last_name": None, "login": row["email"]}
    return answer({**named, "email": row["email"], "language": "ru", "phone_number": row.get("phone_number")})


def list_users(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    page, limit = exchange.page()
    every = list(exchange.state.users().values())
    rows = every[(page - 1) * limit : page * limit]
    if not rows:
        return no_content()
    count = -(-len(every) // limit)
    return exchange.listing(
        "users",
        [user_model(exchange, row) for row in rows],
        page,
        limit,
        page < count,
        _total_items=len(every),
        _page_count=count,
    )


def get_user(exchange: SandboxExchange) -> SandboxReply:
    exchange.require_admin()
    row = exchange.state.users().get(exchange.number("id"))
    if row is None:
        raise refuse(404, "Not found")
    return answer(user_model(exchange, row), entities=1)


def user_model(exchange: SandboxExchange, row: SandboxRow) -> dict[str, Any]:
    """As lists and creates show it."""
    value: dict[str, Any] = {
        "id": row["id"],
        "name": row["name"],
        "email": row["email"],
        "lang": row.get("lang", "ru"),
        "rights": {
            **rights_of(exchange.state, row),
            "is_admin": bool(row["is_admin"]),
            "is_free": bool(row.get("is_free")),
            "is_active": bool(row["is_active"]),
            "group_id": row.get("group_id"),
            "role_id": row.get("role_id"),
        },
        "_links": exchange.self_link(f"users/{row['id']}"),
    }
    extras = {
        "uuid": None,
        "amojo_id": amojo_id_of(row["id"]),
        "user_rank": None,
        "phone_number": row.get("phone_number"),
    }
    withs = exchange.withs()
    value |= {name: item for name, item in extras.items() if name in withs}
    value["_embedded"] = {"roles": _roles(exchange, row) if "role" in withs else []}
    value["_embedded"]["groups"] = [{"id": 0, "name": "Отдел продаж"}] if "group" in withs else []
    return value


def _roles(exchange: SandboxExchange, row: SandboxRow) -> list[dict[str, Any]]:
    role = exchange.state.table("roles").get(row["role_id"]) if row.get("role_id") else None
    if role is None:
        return []
    return [{"id": role["id"], "name": role["name"], "_links": exchange.self_link(f"roles/{role['id']}")}]


def list_fields(exchange: SandboxExchange) -> SandboxReply:
    plural = exchange.args["entity"]
    page, limit = exchange.page()
    types = values_of(exchange.filters().get("type"))
    every = [row for row in exchange.state.fields(plural).values() if not types or row["type"] in types]
    rows = every[(page - 1) * limit : page * limit]
    if not rows:
        return no_content()
    shown = [field_model(row, exchange.self_link(f"{plural}/custom_fields/{row['id']}")) for row in rows]
    count = -(-len(every) // limit)
    return exchange.listing(
        "custom_fields", shown, page, limit, page < count, _total_items=len(every), _page_count=count
    )


def get_field(exchange: SandboxExchange) -> SandboxReply:
    plural = exchange.args["entity"]
    row = exchange.state.fields(plural).get(exchange.number("id"))
    if row is None:
        raise refuse(404, "Not found")
    return answer(field_model(row, exchange.self_link(f"{plural}/custom_fields/{row['id']}")), entities=1)


def list_loss_reasons(exchange: SandboxExchange) -> SandboxReply:
    rows = [loss_reason(exchange, row) for row in exchange.state.table("loss_reasons").select()]
    value = {
        "_total_items": len(rows),
        "_links": exchange.self_link("leads/loss_reasons"),
        "_embedded": {"loss_reasons": rows},
    }
    return answer(value, entities=len(rows))


def get_loss_reason(exchange: SandboxExchange) -> SandboxReply:
    row = exchange.state.table("loss_reasons").get(exchange.number("id"))
    if row is None:
        raise refuse(404, "Not found")
    return answer(loss_reason(exchange, row), entities=1)
