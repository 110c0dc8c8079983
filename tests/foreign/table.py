"""The table of foreign clients: every operation tried, and where one fails, who is to blame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Expected:
    """blame: "" = works; client = the real API would refuse it as well, or the client fails by itself. error: a part of what it says."""

    blame: Literal["", "client"] = ""
    because: str = ""
    error: str = ""

    @property
    def works(self) -> bool:
        return self.blame == ""


def works(*operations: str) -> dict[str, Expected]:
    return dict.fromkeys(operations, Expected())


NULLS = Expected(
    "client", "sends null for what is left out, which the real API refuses as well", "NotNullable"
)
EMPTY = Expected(
    "client", "takes an answer without a body for an error, except after DELETE", "204 No Content"
)

TABLE: Mapping[str, dict[str, Expected]] = {
    "aioamocrm": works(
        *(
            "code",
            "refresh",
            "account",
            "users",
            "pipelines",
            "fields",
            "paging",
            "filter",
            "search",
            "events",
        ),
        *("leads", "contacts", "companies", "fetch and save", "complex", "links", "tasks", "notes", "calls"),
        "webhooks",
    ),
    "amocrm-api": {
        **works("code", "refresh", "users", "pipelines", "fields", "paging", "filter", "search", "events"),
        **works("leads", "contacts", "companies", "links", "tags", "tasks", "notes", "calls"),
        "account": Expected("client", "asks its own class for a method that it lacks", "get_all"),
        "a call with little known of it": NULLS,
    },
    "amochka": works(
        *("refresh", "account", "users", "pipelines", "fields", "paging", "filter", "search", "leads"),
        *("contacts", "links", "notes", "tasks", "events"),
    ),
    "amocrm-sdk": works(
        *("code", "refresh", "pipelines", "fields", "paging", "filter", "search", "leads", "contacts"),
        *("companies", "tasks", "complex"),
    ),
    "@shevernitskiy/amo": {
        **works("code", "refresh", "account", "users", "roles", "pipelines", "pipelines: write", "fields"),
        **works(
            "fields: write", "field groups", "sources", "paging", "filter", "search", "leads", "contacts"
        ),
        **works("contacts and chats", "companies", "fetch and save", "complex", "links", "tags", "tasks"),
        **works("notes", "calls", "unsorted", "webhooks", "events"),
        "unlink": EMPTY,
    },
    "amocrm-js": {
        **works("code", "refresh", "account", "users", "pipelines", "paging", "filter", "search", "leads"),
        **works("contacts", "companies", "fetch and save", "tasks", "notes", "links", "tags", "complex"),
        **works("webhooks", "events"),
        "a new record": Expected("client", "reads the attributes of a record that has none yet", "TypeError"),
        "webhooks: delete": Expected(
            "client", "sends the body of a DELETE without its length", "JSON_PARSE_ERROR"
        ),
    },
}
