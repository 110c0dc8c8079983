"""One request as handlers see it, with paging and the list envelope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from crm.sandbox.api.replies import Refusal, SandboxReply, answer, html, no_content, refuse
from crm.sandbox.php import values_of
from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow


@dataclass(slots=True)
class SandboxExchange:
    """base: http://host that the client used. query: as PHP nests it. args: what the route captured."""

    state: State
    method: str
    path: str
    raw_query: str
    query: Mapping[str, Any]
    body: Any
    base: str
    user: SandboxRow = field(default_factory=dict)
    integration: str = ""
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def by(self) -> int:
        return int(self.user["id"])

    def number(self, name: str) -> int:
        return int(self.args[name])

    def withs(self) -> set[str]:
        return set(values_of(self.query.get("with")))

    def filters(self) -> Mapping[str, Any]:
        value = self.query.get("filter")
        return value if isinstance(value, Mapping) else {}

    def order(self, allowed: Sequence[str]) -> tuple[str, str]:
        value = self.query.get("order")
        if isinstance(value, Mapping):
            for column, direction in value.items():
                if column in allowed:
                    return column, "desc" if str(direction).lower() == "desc" else "asc"
        return "id", "asc"

    def page(self, most: int = 250, usual: int = 50) -> tuple[int, int]:
        """(page from 1, limit)."""
        page = _whole(self.query.get("page"), 1)
        limit = _whole(self.query.get("limit"), usual)
        if limit > most:
            if self.state.profile.over_250_on_get == "refuse":
                raise refuse(400, f"Limit should be {most} or less")
            limit = most
        if limit > self.state.profile.largest_page:
            raise Refusal(html(504))
        return max(page, 1), max(limit, 1)

    def url(self, path: str) -> str:
        return f"{self.base}/api/v4/{path}"

    def self_link(self, path: str) -> dict[str, Any]:
        return {"self": {"href": self.url(path)}}

    def require_admin(self) -> None:
        if not self.user.get("is_admin"):
            raise refuse(403, "Access denied")

    def items(self) -> list[Any]:
        """Return the array of a batch. Refuses what is empty, no array, or longer than the vendor takes."""
        if self.body in (None, [], {}):
            raise refuse(400, "Request data can't be blank")
        if not isinstance(self.body, list):
            raise refuse(400, "Request data should be an array")
        if len(self.body) > 250 and self.state.profile.over_250_on_write == "refuse_422":
            raise refuse(422, "The number of entities exceeds the limit of 250")
        return self.body

    def object(self) -> dict[str, Any]:
        if self.body in (None, [], {}):
            raise refuse(400, "Request data can't be blank")
        if not isinstance(self.body, dict):
            raise refuse(400, "Request data should be an object")
        return self.body

    def listing(
        self, plural: str, items: Sequence[Any], page: int, limit: int, has_next: bool, **more: Any
    ) -> SandboxReply:
        """Return the envelope of a page; 204 when it is empty."""
        if not items and not (page > 1 and self.state.profile.page_beyond_end == "empty_list"):
            return no_content()
        links = {"self": {"href": self._page_url(page, limit)}}
        if has_next:
            links["next"] = {"href": self._page_url(page + 1, limit)}
        if page > 1:
            links["first"] = {"href": self._page_url(1, limit)}
            links["prev"] = {"href": self._page_url(page - 1, limit)}
        value = {"_page": page, "_links": links, **more, "_embedded": {plural: items}}
        return answer(value, entities=len(items))

    def _page_url(self, page: int, limit: int) -> str:
        pairs = [pair for pair in parse_qsl(self.raw_query) if pair[0] not in ("page", "limit")]
        pairs += [("page", str(page)), ("limit", str(limit))]
        return f"{self.base}{self.path}?{urlencode(pairs)}"


_FARTHEST = 10**9  # a page beyond it is as empty


def request_id_of(item: Any, index: int) -> Any:
    """Return the sent request_id, else the index as a string."""
    if isinstance(item, Mapping) and item.get("request_id") is not None:
        return item["request_id"]
    return str(index)


def _whole(value: Any, default: int) -> int:
    return min(int(value), _FARTHEST) if isinstance(value, str) and value.isdecimal() else default
