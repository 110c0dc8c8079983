"""What channels made in the CRM: one contact, one deal, each message in one note, and no more requests than were granted. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.chaos.channels.evidence import Row, SeenChannels
from tests.chaos.channels.records import TOKEN, MessengerTruth, WrittenByClient
from tests.chaos.evidence import busiest_second, tail

RATE = 7
_CLOSED = (142, 143)
_DELETED = "[сообщение удалено]"
Fault = tuple[str, str]


def crm_faults(truth: MessengerTruth, seen: SeenChannels) -> list[Fault]:
    checker = _CrmChecker(truth, seen)
    return list(checker.faults())


class _CrmChecker:
    def __init__(self, truth: MessengerTruth, seen: SeenChannels) -> None:
        self._truth, self._seen = truth, seen
        self._made = {e["effect_key"]: e["crm_id"] for e in seen.effects if e["state"] == "done"}
        self._deals = {str(row["id"]): row for row in seen.deals}
        self._of_leads = {row["uid"]: str(row["lead_id"]) for row in seen.leads}

    def faults(self) -> Iterator[Fault]:
        for who, written in self._truth.clients().items():
            if not all(one.is_missed for one in written):
                yield from self._client(who, written)
        yield from self._responsible()
        yield from self._notes()
        for effect in self._seen.effects:
            if effect["state"] == "dead":
                yield "dead", f"effect {effect['effect_key']} is on the desk: {effect['error_code']}"
        busiest = busiest_second(map(dict, self._seen.ledger))
        if len(busiest) > RATE:
            sent = ", ".join(f"{r['at'] % 60:.3f} {r['method']} {r['path']} {r['status']}" for r in busiest)
            yield "over-limit", f"{len(busiest)} requests to the CRM within one second: {sent}"

    # --- one contact, one deal -----------------------------------------------------------------------------------

    def _client(self, who: str, written: Iterable[WrittenByClient]) -> Iterator[Fault]:
        contacts = [row for row in self._seen.contacts if not row["is_deleted"] and _is(row, who)]
        if len(contacts) != 1:
            yield (
                _amount(len(contacts)),
                f"{len(contacts)} contacts of {who}: {[row['id'] for row in contacts]}",
            )
        ids = {row["id"] for row in contacts}
        deals = [row for row in self._seen.deals if ids & set(row["contacts"])]
        new = [row["id"] for row in deals if row["created_at"] >= self._seen.since and not row["is_deleted"]]
        had = [
            row for row in deals if row["created_at"] < self._seen.since and row["status_id"] not in _CLOSED
        ]
        wanted = 0 if had else 1
        if len(new) != wanted:
            yield _amount(len(new) - wanted + 1), f"{len(new)} new deals of {who}, not {wanted}: {new}"
        chats = {(one.channel, one.chat) for one in written}
        placed = {
            self._id(row["deal"]) for row in self._seen.dialogues if (row["channel"], row["chat"]) in chats
        }
        if len(placed) > 1 or not placed <= {str(row["id"]) for row in deals}:
            yield (
                "wrong",
                f"dialogues of {who} belong to deals {placed}, and theirs are {[r['id'] for r in deals]}",
            )

    def _responsible(self) -> Iterator[Fault]:
        """Whose the dialogue is is responsible for its deal. A lead in Unsorted is whoever's who accepts it."""
        owners: dict[str | None, set[str]] = defaultdict(set)
        for row in self._seen.dialogues:
            if row["owner"] and not (row["deal"] and row["deal"].get("kind") == "lead"):
                owners[self._id(row["deal"])].add(row["owner"])
        for id, people in owners.items():
            deal = self._deals.get(id) if id else None
            if deal is None:
                yield "lost", f"deal {id} of {sorted(people)}'s dialogue is not in the CRM"
            elif str(deal["responsible_user_id"]) not in {_user(person) for person in people}:
                yield (
                    "wrong",
                    f"deal {id} is {deal['responsible_user_id']}'s, the dialogue {sorted(people)}'s",
                )

    def _id(self, ref: Mapping[str, Any] | None) -> str | None:
        """Return the deal's; of a lead in Unsorted that of the deal that it will be."""
        if ref is None:
            return None
        id = ref["id"] or self._made.get(ref["effect"] or "")
        return self._of_leads.get(id, id)

    # --- notes ---------------------------------------------------------------------------------------------------

    def _notes(self) -> Iterator[Fault]:
        """Each message stands in one line of one note of its deal, as it reads now."""
        lines: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for note in self._seen.notes:
            for line in str((note.get("params") or {}).get("text") or "").split("\n"):
                for token in set(TOKEN.findall(line)):
                    lines[token].append((str(note["entity_id"]), line))
        for row in self._seen.messages:
            yield from self._noted(row, lines[row["token"]])

    def _noted(self, row: Row, lines: list[tuple[str, str]]) -> Iterator[Fault]:
        what = f"{row['token']} of chat {row['chat']} in {row['channel']}"
        wanted = 0 if row["deal"] is None else 1
        if row["status"] == "refused" and len(lines) <= 1:
            return
        if len(lines) != wanted:
            yield (
                _amount(len(lines) - wanted + 1),
                f"{what} stands {len(lines)} times in notes, not {wanted}: {lines}",
            )
        for deal, line in lines[:1]:
            if row["text"] not in line:
                yield "wrong", f"the note of {what} says {line!r}, and it reads {row['text']!r}"
            if (_DELETED in line) != (row["deleted_at"] is not None):
                yield "wrong", f"the note of {what} says {line!r}, taken back at {row['deleted_at']}"
            if deal != self._id(row["deal"]):
                yield "wrong", f"the note of {what} stands in {deal}, its deal is {self._id(row['deal'])}"


def _is(contact: Row, who: str) -> bool:
    if who.startswith("+"):
        return tail(who) in {tail(phone) for phone in contact["phones"]}
    return bool(contact["name"] == who)


def _user(employee: str) -> str:
    return str(1_000_000 + int(employee.removeprefix("manager")))


def _amount(count: int) -> str:
    return "lost" if count < 1 else "doubled"
