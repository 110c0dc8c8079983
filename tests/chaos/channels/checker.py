"""Compares what clients wrote and messengers got with the store, the dialogues' owners, and the CRM. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from tests.chaos.channels.crm_checker import crm_faults
from tests.chaos.channels.evidence import Row, SeenChannels
from tests.chaos.channels.records import (
    AGAIN,
    STATUS_RANK,
    MessengerTruth,
    SeenAnswer,
    SeenSending,
    WrittenByClient,
    in_order,
)

Fault = tuple[str, str]
"""(kind of the violation, what)"""


def channel_faults(truth: MessengerTruth, seen: SeenChannels) -> list[Fault]:
    """Everything that must not be."""
    checker = _Checker(truth, seen)
    return [*checker.faults(), *crm_faults(truth, seen)]


class _Checker:
    def __init__(self, truth: MessengerTruth, seen: SeenChannels) -> None:
        self._truth, self._seen = truth, seen
        self._by_id: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self._by_token: dict[str, list[Row]] = defaultdict(list)
        for row in seen.messages:
            self._by_id[row["channel"], row["outside_id"] or ""].append(row)
            self._by_token[row["token"]].append(row)
        self._owners = {(row["channel"], row["chat"]): row["owner"] for row in seen.dialogues}

    def faults(self) -> Iterator[Fault]:
        for one in self._truth.written:
            yield from self._written(one)
        yield from self._unexpected()
        yield from self._order()
        for answer in self._truth.answers:
            yield from self._answer(answer)
        for token, sendings in self._sendings().items():
            yield from self._sent(token, sendings)
        for row in self._seen.messages:
            if row["own_key"]:
                yield from self._status(row)
        yield from self._sent_in_order()
        yield from self._owned()
        yield from self._inbox()
        yield from (
            ("lowered", f"the status of a message of ours was lowered: {what}") for what in self._seen.lowered
        )

    # --- what clients wrote --------------------------------------------------------------------------------------

    def _written(self, one: WrittenByClient) -> Iterator[Fault]:
        """It is stored once, and says what it says now."""
        rows, what = self._by_id[one.channel, one.id], f"{one.token} of chat {one.chat} in {one.channel}"
        if not rows:
            if not one.is_missed:
                yield "lost", f"{what} is not stored"
            return
        if len(self._by_token[one.token]) > 1 or len(rows) > 1:
            yield "doubled", f"{what} is stored {max(len(rows), len(self._by_token[one.token]))} times"
        row = rows[0]
        if row["chat"] != one.chat:
            yield "wrong", f"{what} stands in chat {row['chat']}"
        if row["text"] != one.text:
            yield "wrong", f"{what} reads {row['text']!r}, and was {one.text!r} at the end"
        if (row["deleted_at"] is not None) != one.is_deleted:
            yield "wrong", f"{what}: taken back is {one.is_deleted}, stored as taken back {row['deleted_at']}"
        if (row["direction"] == "out") != one.is_echo:
            yield "wrong", f"{what} is stored as {row['direction']}"

    def _unexpected(self) -> Iterator[Fault]:
        """Nothing stands there that nobody wrote."""
        known = {one.token for one in self._truth.written}
        ours = {answer.token for answer in self._truth.answers if answer.result == "accepted"}
        for row in self._seen.messages:
            if row["token"] not in (ours if row["own_key"] else known):
                yield "unexpected", f"nobody wrote {row['text']!r} ({row['direction']}, {row['outside_id']})"
        for chat, count in Counter((row["channel"], row["chat"]) for row in self._seen.dialogues).items():
            if count > 1:
                yield "doubled", f"chat {chat} is {count} dialogues"

    def _order(self) -> Iterator[Fault]:
        """By the messenger's own time and numbers."""
        for (channel, chat), written in self._truth.chats().items():
            ids = {one.id for one in written}
            stored = [
                r["outside_id"]
                for r in self._seen.messages
                if r["channel"] == channel and r["outside_id"] in ids
            ]
            there = set(stored)
            meant = [one.id for one in in_order(written) if one.id in there]
            if stored != meant:
                yield "disorder", f"chat {chat} in {channel} reads {stored}, and was written {meant}"

    # --- what we sent --------------------------------------------------------------------------------------------

    def _answer(self, answer: SeenAnswer) -> Iterator[Fault]:
        """Accepted once, it stands there once, and no echo of it beside; who was told that it is taken has sent nothing."""
        rows, what = self._by_token[answer.token], f"{answer.token} of {answer.employee}"
        is_accepted = any(a.token == answer.token and a.result == "accepted" for a in self._truth.answers)
        if is_accepted and len(rows) != 1:
            yield "doubled" if rows else "lost", f"{what} was accepted and is stored {len(rows)} times"
        if not is_accepted and (rows or self._truth.taken(answer.token)):
            yield (
                "wrong",
                f"{what} went out, though its author was told that the dialogue is {answer.owner}'s",
            )

    def _sendings(self) -> dict[str, list[SeenSending]]:
        found: dict[str, list[SeenSending]] = defaultdict(list)
        for one in sorted(self._truth.sendings, key=lambda s: s.at):
            found[one.token].append(one)
        return found

    def _sent(self, token: str, sendings: list[SeenSending]) -> Iterator[Fault]:
        """The client gets it once, and it is never sent again after nobody knew whether it was."""
        if sum(one.is_taken for one in sendings) > 1:
            yield "doubled", f"the client got {token} {sum(one.is_taken for one in sendings)} times"
        for earlier in sendings[:-1]:
            if earlier.was_killed or earlier.fault not in AGAIN:
                yield "doubled", f"{token} was sent again after '{earlier.fault}'"
        for row in self._by_token[token]:
            if {one.chat for one in sendings} != {row["chat"]}:
                yield "wrong", f"{token} went into {[one.chat for one in sendings]}, not {row['chat']}"

    def _status(self, row: Row) -> Iterator[Fault]:
        token, status = row["token"], row["status"]
        sendings = self._sendings_of(token)
        allowed = self._allowed(token, row["channel"], sendings)
        if status not in allowed:
            last = (
                f"{sendings[-1].fault}{', killed' if sendings[-1].was_killed else ''}"
                if sendings
                else "never sent"
            )
            told = self._truth.statuses.get(token, [])
            yield (
                "wrong",
                f"{token} in {row['channel']} is {status} ({row['reason']}): {last}, told {told}, not {sorted(allowed)}",
            )

    def _sendings_of(self, token: str) -> list[SeenSending]:
        return sorted((one for one in self._truth.sendings if one.token == token), key=lambda s: s.at)

    def _allowed(self, token: str, channel: str, sendings: list[SeenSending]) -> set[str]:
        """A worker may be killed at any moment: then nobody knows. What the messenger tells of it later is known all the same."""
        if not sendings or not any(one.is_taken for one in sendings):
            is_refused = bool(sendings) and sendings[-1].fault == "refused"
            return {"refused", "unknown"} if is_refused else {"unknown"}
        told = self._truth.statuses.get(token, [])
        holds = max(["sent", *told], key=STATUS_RANK.__getitem__)
        return {holds, "unknown"} if channel == "telegram" else {holds}

    def _sent_in_order(self) -> Iterator[Fault]:
        """In each chat one goes after the other, as they were written."""
        numbers = {row["token"]: row["message_id"] for row in self._seen.messages if row["own_key"]}
        chats: dict[tuple[str, str], list[str]] = defaultdict(list)
        for one in sorted(self._truth.sendings, key=lambda s: s.at):
            if one.is_taken and one.token in numbers:
                chats[one.channel, one.chat].append(one.token)
        for chat, tokens in chats.items():
            if tokens != sorted(tokens, key=numbers.__getitem__):
                yield "disorder", f"into {chat} went {tokens}"

    # --- whose, and what is left ---------------------------------------------------------------------------------

    def _owned(self) -> Iterator[Fault]:
        """One owner: the first whose answer was taken; whoever else asked was told so."""
        first: dict[tuple[str, str], set[str]] = defaultdict(set)
        for answer in self._truth.answers:
            if answer.result == "accepted" and not answer.is_anyway:
                first[answer.channel, answer.chat].add(answer.employee)
            elif answer.result == "taken" and answer.owner != self._owners.get((answer.channel, answer.chat)):
                yield "wrong", f"{answer.employee} was told that {answer.chat} is {answer.owner}'s"
        for chat, owner in self._owners.items():
            if len(first[chat]) > 1:
                yield "doubled", f"{chat} was answered by {sorted(first[chat])}, each as the first"
            elif owner != next(iter(first[chat]), None):
                yield "wrong", f"{chat} is {owner}'s, and {sorted(first[chat])} answered first"

    def _inbox(self) -> Iterator[Fault]:
        for row in self._seen.updates:
            if row["state"] == "dead":
                yield "dead", f"an update of {row['channel_id']} could not be worked on: {row['error']}"
            else:
                yield "lost", f"what was told of {row['about']} in {row['channel_id']} was never applied"


def figures(truth: MessengerTruth, seen: SeenChannels) -> dict[str, object]:
    ours = [row for row in seen.messages if row["own_key"]]
    return {
        "messages of clients": len(truth.written),
        "of them edited or taken back": sum(bool(one.edits or one.is_deleted) for one in truth.written),
        "dialogues": len(seen.dialogues),
        "clients who rang at the same moment": len(truth.numbers_called),
        "answers accepted / told that it is taken": _pair(truth.answers),
        "requests to send": len(truth.sendings),
        "of them answered badly": dict(Counter(s.fault for s in truth.sendings if s.fault != "none")),
        "messages of ours by status": dict(Counter(row["status"] for row in ours)),
    }


def _pair(answers: Iterable[SeenAnswer]) -> str:
    counts = Counter(answer.result for answer in answers)
    return f"{counts['accepted']} / {counts['taken']}"
