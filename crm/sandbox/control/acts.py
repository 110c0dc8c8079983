"""What a person does in the CRM's own pages and no API offers: delete, restore, merge, dismiss a user and more.

Every act leaves the events and webhooks that the real CRM sends.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from crm.sandbox.api import tasks
from crm.sandbox.api.entities import acceptance
from crm.sandbox.api.entities.fields import merged, phones_of
from crm.sandbox.api.entities.tags import tag_ids
from crm.sandbox.api.entities.unsorted import add_unsorted
from crm.sandbox.api.entities.writing import check_users, create
from crm.sandbox.api.events import EVENT_TYPES
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.rights import RIGHTS
from crm.sandbox.api.schema import check_keys
from crm.sandbox.api.stages import check_stage
from crm.sandbox.requests import chat_metadata, mail_metadata
from crm.sandbox.seed import ADMIN
from crm.sandbox.state import PLURAL, SINGULAR, State
from crm.sandbox.store import SandboxRow
from crm.sandbox.webhooks import payloads
from crm.sandbox.webhooks.changes import emit, notify

Sent = Mapping[str, Any]


def act(state: State, sent: Sent) -> dict[str, Any]:
    """Do `sent["do"]`. Raises ValueError or KeyError for what is unknown or missing."""
    known = ACTS.get(str(sent.get("do")))
    if known is None:
        raise ValueError(f"no such act: {sent.get('do')}")
    return known(state, sent) or {}


def _entity(state: State, sent: Sent, key: str = "id") -> tuple[str, SandboxRow]:
    """kind: deal (or lead), contact, company. The row may be deleted or hidden."""
    kind = "lead" if sent["kind"] == "deal" else str(sent["kind"])
    plural = PLURAL.get(kind, kind)
    row = state.table(plural).get(int(sent[key]))
    if row is None:
        raise ValueError(f"no such {kind}: {sent[key]}")
    return plural, row


def _by(sent: Sent) -> int:
    return int(sent.get("by", ADMIN))


def _save(state: State, plural: str, row: SandboxRow, by: int) -> None:
    row["updated_at"], row["updated_by"] = state.now(), by
    state.table(plural).put(row)


def _delete(state: State, sent: Sent) -> None:
    if sent["kind"] == "task":
        row = _task(state, sent)
        state.table("tasks").drop(row["id"])
        emit(state, "task_deleted", "task", row["id"], _by(sent))
        notify(state, "delete_task", {"task": {"delete": [{"id": row["id"]}]}})
        return
    plural, row = _entity(state, sent)
    row["is_deleted"] = 1
    _save(state, plural, row, _by(sent))
    emit(state, f"{SINGULAR[plural]}_deleted", SINGULAR[plural], row["id"], _by(sent))
    payloads.entity(state, "delete", plural, row)


def _restore(state: State, sent: Sent) -> None:
    plural, row = _entity(state, sent)
    row["is_deleted"] = 0
    _save(state, plural, row, _by(sent))
    emit(state, f"{SINGULAR[plural]}_restored", SINGULAR[plural], row["id"], _by(sent))
    payloads.entity(state, "restore", plural, row)


def _merge(state: State, sent: Sent) -> None:
    """`from` goes into `id`: numbers and links move, `from` disappears without an event of its own."""
    plural, row = _entity(state, sent)
    _, gone = _entity(state, sent, "from")
    for other in ("leads", "contacts", "companies"):
        if other != plural:
            for id in state.links.of(plural, gone["id"], other):
                state.links.remove((plural, gone["id"]), (other, id))
                state.links.add((plural, row["id"]), (other, id))
    cf = dict(row.get("cf", {}))
    for id, values in gone.get("cf", {}).items():
        have = [value["value"] for value in cf.get(id, [])]
        cf[id] = [*cf.get(id, []), *(value for value in values if value["value"] not in have)]
    row["cf"] = merged({}, cf)
    gone["is_deleted"] = 1
    _save(state, plural, gone, _by(sent))
    _save(state, plural, row, _by(sent))
    if plural != "leads":
        state.links.set_phones(plural, row["id"], phones_of(state, plural, row["cf"]))
    emit(state, "entity_merged", SINGULAR[plural], row["id"], _by(sent))
    payloads.entity(state, "update", plural, row)


def _change(state: State, sent: Sent, **values: Any) -> None:
    plural, row = _entity(state, sent)
    old = dict(row)
    row.update(values)
    _save(state, plural, row, _by(sent))
    payloads.changed(state, plural, old, row, _by(sent))


def _set_responsible(state: State, sent: Sent) -> None:
    if int(sent["user"]) not in state.users():
        raise ValueError(f"no such user: {sent['user']}")
    _change(state, sent, responsible_user_id=int(sent["user"]))


def _set_status(state: State, sent: Sent) -> None:
    status = int(sent["status"])
    _, row = _entity(state, {**sent, "kind": "deal"})
    pipeline = int(sent.get("pipeline", row["pipeline_id"]))
    closed_at = state.now() if status in (142, 143) else None
    values = {"status_id": status, "pipeline_id": pipeline, "closed_at": closed_at}
    _change(state, {**sent, "kind": "deal"}, **values)


def _set_price(state: State, sent: Sent) -> None:
    _change(state, {**sent, "kind": "deal"}, price=sent["price"])


def _add_tag(state: State, sent: Sent) -> None:
    """{kind, id, tag}: a name, made where there is none of it."""
    plural, row = _entity(state, sent)
    ids = tag_ids(state, plural, [{"name": str(sent["tag"])}])
    _change(state, sent, tags=[*row.get("tags", []), *(id for id in ids if id not in row.get("tags", []))])


def _write_chat(state: State, sent: Sent) -> None:
    """Let somebody who is in the CRM write: {contact}."""
    _, row = _entity(state, {**sent, "kind": "contact"}, "contact")
    after = [{"message": {"id": secrets.token_hex(8), "origin": "telegram"}}]
    emit(state, "incoming_chat_message", "contact", row["id"], 0, after=after)


def _add_deal(state: State, sent: Sent) -> dict[str, Any]:
    """Make a deal by hand: {name?, pipeline, status, user?: its responsible}."""
    item = {
        "name": str(sent.get("name", "")),
        "pipeline_id": int(sent["pipeline"]),
        "status_id": int(sent["status"]),
        "responsible_user_id": int(sent.get("user", _by(sent))),
    }
    exchange = SandboxExchange(state, "POST", "", "", {}, None, "", user=state.users()[_by(sent)])
    if faults := [*check_stage(state, item, ""), *check_users(state, item)]:
        raise ValueError(f"{faults[0][1]}: {faults[0][2]}")
    return {"id": create(exchange, "leads", item)["id"]}


def _complete_task(state: State, sent: Sent) -> None:
    row = _task(state, sent)
    result = {"result": str(sent["result"])} if sent.get("result") else {}
    tasks.changed_by_hand(state, row, _by(sent), is_completed=1, **result)


def _give_task(state: State, sent: Sent) -> None:
    if int(sent["user"]) not in state.users():
        raise ValueError(f"no such user: {sent['user']}")
    tasks.changed_by_hand(state, _task(state, sent), _by(sent), responsible_user_id=int(sent["user"]))


def _task(state: State, sent: Sent) -> SandboxRow:
    row = state.table("tasks").get(int(sent["id"]))
    if row is None:
        raise ValueError(f"no such task: {sent['id']}")
    return dict(row)


def _set_active(active: bool) -> Callable[[State, Sent], None]:
    def change(state: State, sent: Sent) -> None:
        row = state.table("users").get(int(sent["user"]))
        if row is None:
            raise ValueError(f"no such user: {sent['user']}")
        row["is_active"] = int(active)
        state.table("users").put(row)
        state.delete_directory()

    return change


def _rename_user(state: State, sent: Sent) -> None:
    """{user, name}: as people do in their own profile."""
    if (row := state.table("users").get(int(sent["user"]))) is None:
        raise ValueError(f"no such user: {sent['user']}")
    state.table("users").put({**row, "name": str(sent["name"])})


def _add_user(state: State, sent: Sent) -> dict[str, Any]:
    row = {
        "name": sent["name"],
        "email": sent["email"],
        "is_active": 1,
        "is_admin": int(sent.get("admin", 0)),
    }
    added = state.table("users").add(row)
    state.delete_directory()
    return {"id": added["id"]}


def _accept(state: State, sent: Sent) -> None:
    acceptance.accept_row(state, _open_lead(state, sent), _by(sent), sent.get("status"))


def _decline(state: State, sent: Sent) -> None:
    acceptance.decline_row(state, _open_lead(state, sent), _by(sent))


def _open_lead(state: State, sent: Sent) -> SandboxRow:
    row = state.table("unsorted").first([("uid", "=", sent["uid"]), ("state", "=", "open")])
    if row is None:
        raise ValueError(f"no such open lead: {sent['uid']}")
    return row


def _receive_mail(state: State, sent: Sent) -> dict[str, Any]:
    """Return a letter from somebody new: {email, name?, subject?, phone?}; phone is of the contact that comes with it."""
    email, at = str(sent["email"]), state.now()
    name = str(sent.get("name") or email)
    metadata = mail_metadata(email, name, str(sent.get("subject", "Письмо")), at)
    return _receive(state, sent, "mail", name, metadata, "inbox@demo.example")


def _receive_chat(state: State, sent: Sent) -> dict[str, Any]:
    """Return a message from somebody new: {name, text?, service?, phone?}."""
    name, service = str(sent["name"]), str(sent.get("service", "telegram"))
    metadata = chat_metadata(name, str(sent.get("text", "Здравствуйте!")), service, state.now())
    made = _receive(state, sent, "chats", name, metadata, metadata["source_name"])
    chat = {"chat_id": metadata["origin"]["chat_id"], "contact_id": made["contact"]}
    if state.table("chats").first([("chat_id", "=", chat["chat_id"])]) is None:
        state.table("chats").add(chat)
    return {**made, "chat_id": chat["chat_id"]}


def _receive(
    state: State, sent: Sent, category: str, name: str, metadata: Mapping[str, Any], source: str
) -> dict[str, Any]:
    contact: dict[str, Any] = {"name": name}
    if sent.get("phone"):
        values = [{"value": str(sent["phone"])}]
        contact["custom_fields_values"] = [{"field_code": "PHONE", "values": values}]
    exchange = SandboxExchange(state, "POST", "", "", {}, None, "", user=state.users()[_by(sent)])
    item = {"source_uid": secrets.token_hex(8), "source_name": source, "metadata": metadata}
    row = add_unsorted(exchange, category, item, {"name": f"Заявка: {name}"}, contact, None)
    return {"uid": row["uid"], "deal": row["lead_id"], "contact": row["contact_ids"][0]}


def _set_rights(state: State, sent: Sent) -> None:
    """{user, rights: {leads: {view: A|G|M|D, …}, …}, group?, role?}; what is left out is denied."""
    row = state.table("users").get(int(sent["user"]))
    if row is None:
        raise ValueError(f"no such user: {sent['user']}")
    if faults := check_keys(sent["rights"], RIGHTS):
        raise ValueError(f"rights: {faults[0][1]}: {faults[0][2]}")
    row["rights"] = sent["rights"]
    row |= {f"{name}_id": sent[name] for name in ("group", "role") if name in sent}
    state.table("users").put(row)
    state.delete_directory()


def _integration(state: State, sent: Sent) -> None:
    """Register an integration, or change one: {client_id, secret?, name?, redirect_uri?, is_off?}."""
    table = state.table("integrations")
    row = table.first([("client_id", "=", sent["client_id"])])
    values = {key: sent[key] for key in ("secret", "name", "redirect_uri", "is_off") if key in sent}
    if row is not None:
        table.put({**row, **values})
        return
    blank = {"secret": "secret", "name": sent["client_id"], "redirect_uri": None}
    table.add({"client_id": sent["client_id"], **blank, **values})


def _enable_webhook(state: State, sent: Sent) -> None:
    hook = state.table("webhooks").first([("destination", "=", sent["destination"])])
    if hook is None:
        raise ValueError(f"no such webhook: {sent['destination']}")
    state.table("webhooks").put({**hook, "disabled": 0, "failures": []})


def _set_stage_webhooks(state: State, sent: Sent) -> None:
    """Set the stage's actions that tell addresses, instead of those there: {pipeline, status, destinations, form?, settings?}.

    form: send_webhook, or dp = of a widget in the digital pipeline, with its settings.
    """
    form = str(sent.get("form", "send_webhook"))
    if form not in ("send_webhook", "dp"):
        raise ValueError(f"no such form of a hook: {form}")
    table, stage = state.table("stage_webhooks"), (int(sent["pipeline"]), int(sent["status"]))
    pipeline = state.pipelines().get(stage[0])
    if pipeline is None or stage[1] not in [one["id"] for one in pipeline["statuses"]]:
        raise ValueError(f"no such stage: {stage[0]}/{stage[1]}")
    for row in table.select([("pipeline_id", "=", stage[0]), ("status_id", "=", stage[1])]):
        table.drop(row["id"])
    for destination in sent["destinations"]:
        table.add(
            {
                "pipeline_id": stage[0],
                "status_id": stage[1],
                "destination": str(destination),
                "form": form,
                "settings": sent.get("settings", {}),
            }
        )


def _delete_stage(state: State, sent: Sent) -> None:
    row = state.table("pipelines").get(int(sent["pipeline"]))
    if row is None:
        raise ValueError(f"no such pipeline: {sent['pipeline']}")
    row["statuses"] = [one for one in row["statuses"] if one["id"] != int(sent["status"])]
    state.table("pipelines").put(row)
    state.delete_directory()


def _leave_event(state: State, sent: Sent) -> None:
    """Leave what some doing of a person leaves: {type, kind?, id?, by?, count?, seconds_ago?}; count: so many, as a bulk action does."""
    type_ = str(sent["type"])
    if type_ not in EVENT_TYPES:
        raise ValueError(f"no such type of event: {type_}")
    kind = "lead" if sent.get("kind", "deal") == "deal" else str(sent["kind"])
    at = state.now() - int(sent.get("seconds_ago", 0))
    for _ in range(int(sent.get("count", 1))):
        emit(state, type_, kind, int(sent.get("id", 0)), _by(sent), at=at)


ACTS: Mapping[str, Callable[[State, Sent], dict[str, Any] | None]] = {
    "delete": _delete,
    "restore": _restore,
    "merge": _merge,
    "set_responsible": _set_responsible,
    "set_status": _set_status,
    "set_price": _set_price,
    "add_tag": _add_tag,
    "write_chat": _write_chat,
    "add_deal": _add_deal,
    "complete_task": _complete_task,
    "give_task": _give_task,
    "deactivate_user": _set_active(False),
    "activate_user": _set_active(True),
    "add_user": _add_user,
    "rename_user": _rename_user,
    "accept": _accept,
    "decline": _decline,
    "receive_mail": _receive_mail,
    "receive_chat": _receive_chat,
    "set_rights": _set_rights,
    "integration": _integration,
    "enable_webhook": _enable_webhook,
    "delete_stage": _delete_stage,
    "stage_webhooks": _set_stage_webhooks,
    "event": _leave_event,
}
