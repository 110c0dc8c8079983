"""MANGO's contact centre as a part of the local server: campaigns with numbers in them, its refusals, and what it may get wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_FINISHED, _DONE = 4, 4


@dataclass
class FakeContactCentre:
    """faults: what the next requests of a path get, one after the other: a result code, "throttled", "lost" (done, and the answer
    never comes), "cut" (not done, and no answer), or "ok". hides: so many lists do not show what was added since. asked: how
    often each path was. edition: whether the contract has it at all."""

    campaigns: dict[int, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[int, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, list[int | str]] = field(default_factory=dict)
    hides: int = 0
    edition: bool = True
    page: int = 100
    made: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    added: list[dict[str, Any]] = field(default_factory=list)
    before: Callable[[str], None] = lambda path: None

    def campaign(self, id: int = 79893, status: int = 2, *, endless: bool = False) -> dict[str, Any]:
        self.campaigns[id] = {
            "campaign_id": id,
            "name": f"C{id}",
            "status": status,
            "status_reason": 1,
            "service_type": 8,
            "endless": endless,
        }
        return self.campaigns[id]

    def task(self, campaign: int = 79893, **fields: Any) -> dict[str, Any]:
        """One that stands there, as the vendor lists it."""
        self.made += 1
        id = 1406133592 + self.made
        self.tasks[id] = {
            "task_id": id,
            "campaign_id": campaign,
            "number": "",
            "task_comment": "",
            "task_status": 1,
            "task_status_reason": None,
            "attempts_count": 0,
            "last_attempt": None,
            **fields,
        }
        return self.tasks[id]

    def of(self, number: str) -> list[dict[str, Any]]:
        return [task for task in self.tasks.values() if task["number"] == number.removeprefix("+")]

    def came_to(self, number: str, reason: int, status: int = _DONE, at: str = "2026.11.27 09:00:00") -> None:
        for task in self.of(number):
            task |= {"task_status": status, "task_status_reason": reason, "attempts_count": 2, "last_attempt": at}  # fmt: skip

    def answer(self, path: str, told: dict[str, Any]) -> dict[str, Any] | str | None:
        """Return what is said; "throttled" or "cut" for what is no answer of it; None for a path of others."""
        if path not in ("campaign/list", "v2/campaign/tasks", "task/add", "tasks/push", "task/delete"):
            return None
        self.asked[path] += 1
        self.before(path)
        fault = self.faults[path].pop(0) if self.faults.get(path) else "ok"
        if not self.edition:
            return {"result": 5101}
        if isinstance(fault, int):
            return {"result": fault}
        if fault in ("throttled", "cut"):
            return fault
        said = self._done(path, told)
        return "cut" if fault == "lost" else said

    def _done(self, path: str, told: dict[str, Any]) -> dict[str, Any]:
        match path:
            case "campaign/list":
                assert told == {}
                return {"result": 1000, "campaigns": list(self.campaigns.values())}
            case "v2/campaign/tasks":
                return self._listed(told)
            case "task/delete":
                if (task := self.tasks.get(told["task_id"])) is None or task["task_status"] == 2:
                    return {"result": 5111}
                del self.tasks[told["task_id"]]
                return {"result": 1000}
        return self._added(path, told)

    def _listed(self, told: dict[str, Any]) -> dict[str, Any]:
        assert told["limit"] <= 100
        assert told["fields"] == ["alias_all"]
        shown = list(self.tasks.values())
        if self.hides and told["cursor"] is None:
            self.hides -= 1
            shown = [task for task in shown if not task.get("is_new")]
        for task in self.tasks.values() if not self.hides else ():
            task.pop("is_new", None)
        found = [task for task in shown if task["campaign_id"] in told["campaign_ids"]]
        start = int(told["cursor"] or 0)
        part = found[start : start + self.page]
        more = {"cursor": str(start + self.page)} if start + self.page < len(found) else {}
        return {"result": 1000, "cmd_id": "a99b", "tasks": part, **more}

    def _added(self, path: str, told: dict[str, Any]) -> dict[str, Any]:
        [fields] = told["tasks"] if path == "tasks/push" else [told]
        campaign = self.campaigns.get(told["campaign_id"])
        assert len(fields["comment"]) <= 1024
        assert len(fields["name"]) <= 255
        if campaign is None or campaign["status"] == _FINISHED:
            return {"result": 5106}
        if path == "task/add" and not campaign["endless"]:
            return {"result": 5104}
        self.added.append(fields)
        if any(task["task_status"] != _DONE for task in self.of(fields["number"])):
            return {"result": 5109}
        task = self.task(
            told["campaign_id"],
            number=fields["number"],
            name=fields["name"],
            task_comment=fields["comment"],
            blocked_until=fields.get("blocked_until"),
            is_new=True,
        )
        return {"result": 1000, "task_id": task["task_id"]} if path == "task/add" else {"result": 1000}
