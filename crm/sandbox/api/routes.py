"""Every route of the imitated API in one table: method, path, handler."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from crm.sandbox.api import account, calls, cards, events, notes, stages, tasks, webhooks
from crm.sandbox.api.entities import acceptance, complex, linking, reading, tags, unsorted, writing
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import SandboxReply
from crm.sandbox.api.setup import chats, fields, groups, pipelines, roles, sources

SandboxHandler = Callable[[SandboxExchange], SandboxReply]

_ENTITY = "{entity:leads|contacts|companies}"
_TABLE: tuple[tuple[str, str, SandboxHandler], ...] = (
    ("GET", "account", account.get_account),
    ("GET", "v0/v3/user", account.get_speaker),
    ("GET", "users", account.list_users),
    ("POST", "users", roles.create_users),
    ("GET", "roles", roles.list_roles),
    ("POST", "roles", roles.create_roles),
    ("GET", "roles/{id}", roles.get_role),
    ("PATCH", "roles/{id}", roles.change_role),
    ("DELETE", "roles/{id}", roles.delete_role),
    ("GET", "sources", sources.list_sources),
    ("POST", "sources", sources.create_sources),
    ("PATCH", "sources", sources.change_sources),
    ("DELETE", "sources", sources.delete_sources),
    ("GET", "sources/{id}", sources.get_source),
    ("PATCH", "sources/{id}", sources.change_source),
    ("DELETE", "sources/{id}", sources.delete_source),
    ("GET", "contacts/chats", chats.list_chats),
    ("POST", "contacts/chats", chats.link_chats),
    ("GET", "users/{id}", account.get_user),
    ("GET", "leads/pipelines", stages.list_pipelines),
    ("POST", "leads/pipelines", pipelines.create_pipelines),
    ("GET", "leads/pipelines/{id}", stages.get_pipeline),
    ("PATCH", "leads/pipelines/{id}", pipelines.change_pipeline),
    ("DELETE", "leads/pipelines/{id}", pipelines.delete_pipeline),
    ("GET", "leads/pipelines/{id}/statuses", stages.list_stages),
    ("POST", "leads/pipelines/{id}/statuses", pipelines.create_stages),
    ("PATCH", "leads/pipelines/{id}/statuses/{status}", pipelines.change_stage),
    ("DELETE", "leads/pipelines/{id}/statuses/{status}", pipelines.delete_stage),
    ("GET", "leads/pipelines/{id}/statuses/{status}", stages.get_stage),
    ("GET", "leads/loss_reasons", account.list_loss_reasons),
    ("GET", "leads/loss_reasons/{id}", account.get_loss_reason),
    ("GET", "leads/unsorted", unsorted.list_unsorted),
    ("GET", "leads/unsorted/summary", unsorted.summary),
    ("POST", "leads/unsorted/{category:sip|forms}", unsorted.create_unsorted),
    ("GET", "leads/unsorted/{uid:[0-9a-f]+}", unsorted.get_unsorted),
    ("POST", "leads/unsorted/{uid:[0-9a-f]+}/accept", acceptance.accept),
    ("DELETE", "leads/unsorted/{uid:[0-9a-f]+}/decline", acceptance.decline),
    ("POST", "leads/unsorted/{uid:[0-9a-f]+}/link", acceptance.link),
    ("POST", "leads/complex", complex.create_complex),
    ("POST", "calls", calls.create_calls),
    ("GET", "events", events.list_events),
    ("GET", "events/types", events.list_types),
    ("GET", "events/{event:[0-9A-Z]+}", events.get_event),
    ("GET", "tasks", tasks.list_tasks),
    ("POST", "tasks", tasks.create_tasks),
    ("PATCH", "tasks", tasks.change_tasks),
    ("GET", "tasks/{id}", tasks.get_task),
    ("PATCH", "tasks/{id}", tasks.change_task),
    ("GET", "webhooks", webhooks.list_webhooks),
    ("POST", "webhooks", webhooks.create_webhook),
    ("DELETE", "webhooks", webhooks.delete_webhook),
    ("POST", "v2/events", cards.show_card),
    ("GET", "v0/private/api/v2/json/contacts/list", cards.find_contacts),
    *(
        (method, f"{_ENTITY}{own}/notes/{{id}}/{verb}", notes.pin)
        for own in ("", "/{entity_id}")
        for method, verb in (("POST", "pin"), ("DELETE", "pin"), ("POST", "unpin"))
    ),
    *(
        (method, f"{_ENTITY}{own}/notes{one}", handler)
        for own in ("", "/{entity_id}")
        for method, one, handler in (
            ("GET", "", notes.list_notes),
            ("POST", "", notes.create_notes),
            ("PATCH", "", notes.change_notes),
            ("GET", "/{id}", notes.get_note),
            ("PATCH", "/{id}", notes.change_note),
        )
    ),
    ("GET", f"{_ENTITY}/links", linking.list_many_links),
    ("GET", f"{_ENTITY}/{{id}}/links", linking.list_links),
    ("POST", f"{_ENTITY}/link", linking.link),
    ("POST", f"{_ENTITY}/unlink", linking.unlink),
    ("POST", f"{_ENTITY}/{{id}}/link", linking.link),
    ("POST", f"{_ENTITY}/{{id}}/unlink", linking.unlink),
    ("GET", f"{_ENTITY}/custom_fields", account.list_fields),
    ("POST", f"{_ENTITY}/custom_fields", fields.create_fields),
    ("PATCH", f"{_ENTITY}/custom_fields", fields.change_fields),
    ("GET", f"{_ENTITY}/custom_fields/{{id}}", account.get_field),
    ("PATCH", f"{_ENTITY}/custom_fields/{{id}}", fields.change_field),
    ("DELETE", f"{_ENTITY}/custom_fields/{{id}}", fields.delete_field),
    ("GET", f"{_ENTITY}/custom_fields/groups", groups.list_groups),
    ("POST", f"{_ENTITY}/custom_fields/groups", groups.create_groups),
    ("GET", f"{_ENTITY}/custom_fields/groups/{{group:\\w+}}", groups.get_group),
    ("PATCH", f"{_ENTITY}/custom_fields/groups/{{group:\\w+}}", groups.change_group),
    ("DELETE", f"{_ENTITY}/custom_fields/groups/{{group:\\w+}}", groups.delete_group),
    ("GET", f"{_ENTITY}/tags", tags.list_tags),
    ("POST", f"{_ENTITY}/tags", tags.create_tags),
    ("GET", _ENTITY, reading.list_entities),
    ("POST", _ENTITY, writing.create_entities),
    ("PATCH", _ENTITY, writing.change_entities),
    ("GET", f"{_ENTITY}/{{id}}", reading.get_entity),
    ("PATCH", f"{_ENTITY}/{{id}}", writing.change_entity),
)


@dataclass(frozen=True, slots=True)
class SandboxRoute:
    method: str
    pattern: re.Pattern[str]
    handler: SandboxHandler


def _compiled(path: str) -> re.Pattern[str]:
    """`{name}` takes a whole number, `{name:regex}` what the regex says."""

    def group(match: re.Match[str]) -> str:
        name, _, regex = match[1].partition(":")
        return f"(?P<{name}>{regex or '[0-9]{1,18}'})"

    return re.compile(re.sub(r"\{([^{}]+)\}", group, path))


ROUTES = tuple(SandboxRoute(method, _compiled(path), handler) for method, path, handler in _TABLE)


def find(method: str, path: str) -> tuple[SandboxHandler | None, dict[str, str], bool]:
    """Return the handler, what its path captured, and whether any method knows the path. path: after /api/v4/."""
    known = False
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is None:
            continue
        if route.method == method:
            return route.handler, match.groupdict(), True
        known = True
    return None, {}, known
