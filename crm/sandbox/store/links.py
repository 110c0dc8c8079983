"""Links between leads, contacts and companies, and the numbers of contacts and companies."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

TAIL = 8  # digits that the index of numbers holds; matches are verified on the rest
_RANK = {"leads": 0, "contacts": 1, "companies": 2}


LONGEST_NUMBER = 15


def _tail(raw: str) -> str:
    """Return what the index knows a value by; "" = more than one number, which is looked through each time."""
    own = digits(raw)
    return own[-TAIL:] if len(own) <= LONGEST_NUMBER else ""


def digits(raw: object) -> str:
    return re.sub(r"\D", "", str(raw))


class Links:
    """A link is stored once, from the lead's side (or the contact's, to a company), and read from both."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, a: tuple[str, int], b: tuple[str, int], is_main: bool = False) -> bool:
        """Add a link; True when it is new. The first contact of a lead is its main one."""
        (from_type, from_id), (to_type, to_id) = self._ordered(a, b)
        if to_type == "contacts":
            main = self.of(from_type, from_id, "contacts", main_only=True)
            if is_main and main and main != [to_id]:
                self._db.execute(
                    "UPDATE links SET is_main = 0 WHERE from_type = ? AND from_id = ? AND to_type = 'contacts'",
                    (from_type, from_id),
                )
            is_main = is_main or not main
        known = self.exists(a, b)
        self._db.execute(
            "INSERT INTO links VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET is_main = max(is_main, excluded.is_main)",
            (from_type, from_id, to_type, to_id, int(is_main)),
        )
        return not known

    def add_all(self, rows: Iterable[tuple[str, int, str, int, int]]) -> None:
        self._db.executemany("INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?)", rows)

    def remove(self, a: tuple[str, int], b: tuple[str, int]) -> bool:
        (from_type, from_id), (to_type, to_id) = self._ordered(a, b)
        done = self._db.execute(
            "DELETE FROM links WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?",
            (from_type, from_id, to_type, to_id),
        )
        return done.rowcount > 0

    def exists(self, a: tuple[str, int], b: tuple[str, int]) -> bool:
        (from_type, from_id), (to_type, to_id) = self._ordered(a, b)
        return bool(
            self._db.execute(
                "SELECT 1 FROM links WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?",
                (from_type, from_id, to_type, to_id),
            ).fetchone()
        )

    def of(self, type: str, id: int, other: str, *, main_only: bool = False) -> list[int]:
        return [pair[0] for pair in self.of_many(type, [id], other)[id] if pair[1] or not main_only]

    def of_many(self, type: str, ids: Sequence[int], other: str) -> dict[int, list[tuple[int, bool]]]:
        """For each id what it is linked to of the type `other`: (id, is it the main contact)."""
        found: dict[int, list[tuple[int, bool]]] = defaultdict(list)
        marks = ", ".join("?" * len(ids))
        if _RANK[type] < _RANK[other]:
            sql = f"SELECT from_id, to_id, is_main FROM links WHERE from_type = ? AND to_type = ? AND from_id IN ({marks}) ORDER BY to_id"  # noqa: S608
            params = [type, other, *ids]
        else:
            sql = f"SELECT to_id, from_id, is_main FROM links WHERE to_type = ? AND from_type = ? AND to_id IN ({marks}) ORDER BY from_id"  # noqa: S608
            params = [type, other, *ids]
        for own, linked, is_main in self._db.execute(sql, params):
            found[own].append((linked, bool(is_main)))
        return found

    @staticmethod
    def _ordered(a: tuple[str, int], b: tuple[str, int]) -> tuple[tuple[str, int], tuple[str, int]]:
        return (a, b) if _RANK[a[0]] < _RANK[b[0]] else (b, a)

    # numbers

    def set_phones(self, type: str, id: int, raws: Iterable[str]) -> None:
        self._db.execute("DELETE FROM phones WHERE entity_id = ? AND type = ?", (id, type))
        self.add_phones((type, id, raw) for raw in raws)

    def add_phones(self, rows: Iterable[tuple[str, int, str]]) -> None:
        self._db.executemany(
            "INSERT INTO phones VALUES (?, ?, ?, ?)",
            ((_tail(raw), type, id, raw) for type, id, raw in rows),
        )

    def phones_of(self, type: str, id: int) -> list[str]:
        rows = self._db.execute(
            "SELECT raw FROM phones WHERE entity_id = ? AND type = ? ORDER BY rowid", (id, type)
        )
        return [row[0] for row in rows]

    def with_phone(self, number: str, length: int) -> list[tuple[str, int]]:
        """(type, id) of those that have a number with the same last `length` digits, contacts first, then by id."""
        own = digits(number)[-length:]
        rows = self._db.execute(
            "SELECT type, entity_id, raw FROM phones WHERE tail IN (?, '') ORDER BY type DESC, entity_id",
            (own[-TAIL:],),
        ).fetchall()
        found = [(type, id) for type, id, raw in rows if digits(raw)[-length:] == own]
        return list(dict.fromkeys(sorted(found, key=lambda pair: (_RANK[pair[0]], pair[1]))))

    def searched(self, type: str, query: str, *, by_digits: bool) -> list[int]:
        """Ids whose stored number contains `query` as it stands, or (by_digits) whose digits contain its digits."""
        own = digits(query)
        if len(own) < 3:
            return []
        if len(own) >= TAIL:
            rows = self._db.execute(
                "SELECT entity_id, raw FROM phones WHERE tail IN (?, '') AND type = ?", (own[-TAIL:], type)
            )
        else:
            rows = self._db.execute("SELECT entity_id, raw FROM phones WHERE type = ?", (type,))
        return [id for id, raw in rows if query in raw or (by_digits and own in digits(raw))]

    def named(self, type: str, query: str) -> list[int]:
        """Ids whose name contains `query`, at most 10,000."""
        assert type in _RANK
        pattern = "%" + query.replace("%", "").replace("_", "") + "%"
        rows = self._db.execute(f"SELECT id FROM {type} WHERE name LIKE ? LIMIT 10000", (pattern,))  # noqa: S608
        return [row[0] for row in rows]

    def clear(self) -> None:
        self._db.execute("DELETE FROM links")
        self._db.execute("DELETE FROM phones")
