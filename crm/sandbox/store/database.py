"""One SQLite file (or memory), its tables, and rows as flat dicts.

A row's indexed columns and its JSON body come back as one dict. With a file, what was answered survives kill -9 of this
process: every request is one transaction and write-ahead logging is on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

SandboxRow = dict[str, Any]
RowCondition = tuple[str, str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS contacts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, responsible_user_id INT,
  created_at INT, updated_at INT, created_by INT, updated_by INT, is_deleted INT DEFAULT 0, is_hidden INT DEFAULT 0, body TEXT);
CREATE TABLE IF NOT EXISTS companies (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, responsible_user_id INT,
  created_at INT, updated_at INT, created_by INT, updated_by INT, is_deleted INT DEFAULT 0, is_hidden INT DEFAULT 0, body TEXT);
CREATE TABLE IF NOT EXISTS leads (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, responsible_user_id INT,
  created_at INT, updated_at INT, created_by INT, updated_by INT, is_deleted INT DEFAULT 0, is_hidden INT DEFAULT 0,
  status_id INT, pipeline_id INT, price INT, closed_at INT, body TEXT);
CREATE INDEX IF NOT EXISTS contacts_updated ON contacts (updated_at, id);
CREATE INDEX IF NOT EXISTS companies_updated ON companies (updated_at, id);
CREATE INDEX IF NOT EXISTS leads_updated ON leads (updated_at, id);
CREATE TABLE IF NOT EXISTS phones (tail TEXT, type TEXT, entity_id INT, raw TEXT);
CREATE INDEX IF NOT EXISTS phones_tail ON phones (tail);
CREATE INDEX IF NOT EXISTS phones_entity ON phones (entity_id);
CREATE TABLE IF NOT EXISTS links (from_type TEXT, from_id INT, to_type TEXT, to_id INT, is_main INT,
  PRIMARY KEY (from_type, from_id, to_type, to_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_back ON links (to_type, to_id, from_type, from_id);
CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT, entity_id INT, note_type TEXT,
  uniq TEXT, created_at INT, updated_at INT, body TEXT);
CREATE INDEX IF NOT EXISTS notes_entity ON notes (entity_type, entity_id);
CREATE INDEX IF NOT EXISTS notes_uniq ON notes (uniq) WHERE uniq IS NOT NULL;
CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT, entity_id INT,
  responsible_user_id INT, created_by INT, is_completed INT, task_type_id INT, complete_till INT, created_at INT,
  updated_at INT, body TEXT);
CREATE INDEX IF NOT EXISTS tasks_entity ON tasks (entity_type, entity_id);
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, entity_type TEXT, entity_id INT,
  created_by INT, created_at INT, body TEXT);
CREATE INDEX IF NOT EXISTS events_at ON events (created_at, id);
CREATE INDEX IF NOT EXISTS events_type ON events (type, created_at);
CREATE TABLE IF NOT EXISTS unsorted (id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT UNIQUE, source_uid TEXT, category TEXT,
  pipeline_id INT, lead_id INT, state TEXT, created_at INT, updated_at INT, body TEXT);
CREATE INDEX IF NOT EXISTS unsorted_state ON unsorted (state, id);
CREATE INDEX IF NOT EXISTS unsorted_source ON unsorted (source_uid);
CREATE INDEX IF NOT EXISTS unsorted_lead ON unsorted (lead_id);
CREATE TABLE IF NOT EXISTS tags (id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT, name TEXT, body TEXT);
CREATE UNIQUE INDEX IF NOT EXISTS tags_name ON tags (entity_type, name);
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT UNIQUE, is_active INT, is_admin INT, body TEXT);
CREATE TABLE IF NOT EXISTS pipelines (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT);
CREATE TABLE IF NOT EXISTS fields (id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT, code TEXT, type TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS field_groups (id INTEGER PRIMARY KEY AUTOINCREMENT, entity_type TEXT, key TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS roles (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT);
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY AUTOINCREMENT, integration TEXT, external_id TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS chats (id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id TEXT UNIQUE, contact_id INT, body TEXT);
CREATE TABLE IF NOT EXISTS amojo_channels (id INTEGER PRIMARY KEY AUTOINCREMENT, channel_id TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS amojo_connections (id INTEGER PRIMARY KEY AUTOINCREMENT, scope_id TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS amojo_chats (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, chat_id TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS amojo_messages (id INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT UNIQUE, client_id TEXT,
  chat_id TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS amojo_messages_client ON amojo_messages (client_id);
CREATE INDEX IF NOT EXISTS amojo_messages_chat ON amojo_messages (chat_id, id);
CREATE TABLE IF NOT EXISTS loss_reasons (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT);
CREATE TABLE IF NOT EXISTS webhooks (id INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT UNIQUE, disabled INT, body TEXT);
CREATE TABLE IF NOT EXISTS stage_webhooks (id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline_id INT, status_id INT, destination TEXT,
  body TEXT);
CREATE TABLE IF NOT EXISTS deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, webhook_id INT, state TEXT, due_at REAL, body TEXT);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE TABLE IF NOT EXISTS cards (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT);
CREATE TABLE IF NOT EXISTS integrations (id INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS grants (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, value TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS revoked (id INTEGER PRIMARY KEY AUTOINCREMENT, jti TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS settings (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS ledger (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, integration TEXT, method TEXT, path TEXT,
  status INT, entities INT);
CREATE INDEX IF NOT EXISTS ledger_at ON ledger (at);
"""


class SandboxTable:
    """Rows of one table. Conditions are (column, operator, value) with =, !=, <, <=, >, >=, in, like, is."""

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._db, self.name = db, name
        self._columns = [info[1] for info in db.execute(f"PRAGMA table_info({name})") if info[1] != "body"]
        self._list = ", ".join([*self._columns, "body"])
        marks = ", ".join("?" * (len(self._columns) + 1))
        self._insert = f"INSERT INTO {name} ({self._list}) VALUES ({marks})"  # noqa: S608
        sets = ", ".join(f"{column} = ?" for column in [*self._columns, "body"])
        self._update = f"UPDATE {name} SET {sets} WHERE id = ?"  # noqa: S608

    def has(self, column: str) -> bool:
        return column in self._columns

    def add(self, row: SandboxRow) -> SandboxRow:
        """Insert; the row comes back with its id."""
        row["id"] = self._db.execute(self._insert, self._values(row)).lastrowid
        return row

    def add_all(self, rows: Iterable[SandboxRow]) -> None:
        statement = self._insert.replace("INSERT", "INSERT OR IGNORE", 1)
        self._db.executemany(statement, (self._values(row) for row in rows))

    def put(self, row: SandboxRow) -> None:
        self._db.execute(self._update, [*self._values(row), row["id"]])

    def drop(self, id: int) -> None:
        self._db.execute(f"DELETE FROM {self.name} WHERE id = ?", (id,))  # noqa: S608

    def get(self, id: int) -> SandboxRow | None:
        return self.first([("id", "=", id)])

    def first(self, where: Sequence[RowCondition]) -> SandboxRow | None:
        rows = self.select(where, limit=1)
        return rows[0] if rows else None

    def select(
        self,
        where: Sequence[RowCondition] = (),
        *,
        order: tuple[str, str] = ("id", "asc"),
        limit: int = -1,
        offset: int = 0,
    ) -> list[SandboxRow]:
        """Rows in `order` (column, asc|desc), ties by id in the same direction."""
        clause, params = self._where(where)
        column, direction = order if order[0] in self._columns else ("id", "asc")
        direction = "DESC" if direction.lower() == "desc" else "ASC"
        ties = "" if column == "id" else f", id {direction}"
        sql = (
            f"SELECT {self._list} FROM {self.name} {clause} "  # noqa: S608
            f"ORDER BY {column} {direction}{ties} LIMIT ? OFFSET ?"
        )
        return [self._row(values) for values in self._db.execute(sql, [*params, limit, offset])]

    def count(self, where: Sequence[RowCondition] = ()) -> int:
        clause, params = self._where(where)
        return int(self._db.execute(f"SELECT count(*) FROM {self.name} {clause}", params).fetchone()[0])  # noqa: S608

    def clear(self) -> None:
        self._db.execute(f"DELETE FROM {self.name}")  # noqa: S608

    def start_ids_after(self, id: int) -> None:
        """Let new rows get greater ids than `id`."""
        self._db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (self.name,))
        self._db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (self.name, id))

    def _values(self, row: SandboxRow) -> list[Any]:
        body = {key: value for key, value in row.items() if key not in self._columns}
        return [*(row.get(column) for column in self._columns), orjson.dumps(body).decode()]

    def _row(self, values: Sequence[Any]) -> SandboxRow:
        row = dict(zip(self._columns, values, strict=False))
        row.update(orjson.loads(values[-1] or b"{}"))
        return row

    def _where(self, where: Sequence[RowCondition]) -> tuple[str, list[Any]]:
        parts, params = [], []
        for column, operator, value in where:
            if column not in self._columns:
                raise KeyError(column)
            if operator == "in":
                items = list(value)
                parts.append(f"{column} IN ({', '.join('?' * len(items))})")
                params.extend(items)
            elif operator == "is":
                parts.append(f"{column} IS {'NULL' if value is None else 'NOT NULL'}")
            else:
                parts.append(f"{column} {operator} ?")
                params.append(value)
        return ("WHERE " + " AND ".join(parts) if parts else ""), params


class Database:
    """path: of the file; None = memory."""

    def __init__(self, path: str | None = None) -> None:
        self.connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(_SCHEMA)
        self._tables: dict[str, SandboxTable] = {}

    def table(self, name: str) -> SandboxTable:
        if name not in self._tables:
            self._tables[name] = SandboxTable(self.connection, name)
        return self._tables[name]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an inner one joins the outer."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def setting(self, name: str, default: Any = None) -> Any:
        row = self.table("settings").first([("name", "=", name)])
        return default if row is None else row["value"]

    def set_setting(self, name: str, value: Any) -> None:
        self.connection.execute(
            "INSERT INTO settings (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            (name, orjson.dumps({"value": value}).decode()),
        )

    def close(self) -> None:
        self.connection.close()
