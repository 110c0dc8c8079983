"""Lists that people bring: kept for a worker to read, or read here; the same one pressed twice is one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

from campaigns.list_files import ListUnreadable
from campaigns.list_rows import ColumnUnknown, ListColumn
from campaigns.states import takes_members
from gateway.admin.campaigns.refused import CampaignStateForbids
from gateway.admin.campaigns.saved import refuse_others, the_campaign
from gateway.admin.input_words import LONGEST_NAME, refuse_bad_name, refuse_long
from gateway.admin.refused import InputRefused
from gateway.campaigns.list_import import WORK, CampaignTakesNone, ImportReport, import_list
from gateway.configuration import policy_of
from gateway.store.admin.audit import AuditChange, record
from gateway.store.campaigns import lists as store
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.lists import ListRow
from gateway.store.worker import long_tasks
from gateway.store.worker.long_tasks import LongTask, NoSuchWork
from runtime.database.pool import Conn
from runtime.progress import Progress

MOST_BYTES = 64 * 1024 * 1024
"""Of a file at the command line; over the API as much as a request may carry."""

Columns = Mapping[ListColumn, str]


class ListRefused(InputRefused):
    """The file is no list that can be read, or has no such column; nobody was added."""

    code = "list-refused"


async def bring_list(
    conn: Conn, account_id: str, name: str, file: str, body: bytes, columns: Columns, *, by: str
) -> LongTask:
    """Let a worker read it; one that is being read already is that one. Raise NothingOfThatName, CampaignStateForbids,
    TooMuchWork, InputRefused."""
    _refuse_bad_list(file, columns)
    if not body.strip():
        raise ListRefused("file", "the list is empty: nothing stands in it", "bring a file with numbers")
    async with conn.transaction():
        row = await _taking(conn, account_id, name)
        upload = upload_of(body, columns)
        await store.keep_list(conn, row, upload, file, _named(columns), body, by)
        kept = await store.list_of(conn, row, upload)
        if kept is not None and (open_work := await _open_work(conn, account_id, kept)):
            return open_work
        work = await long_tasks.ask(
            conn, account_id, WORK, {"campaign": name, "upload": upload, "file": file}, by
        )
        await store.bind_work(conn, row, upload, work.work_id)
        return work


async def _open_work(conn: Conn, account_id: str, kept: ListRow) -> LongTask | None:
    try:
        work = await long_tasks.work_of(conn, account_id, kept.work_id) if kept.work_id else None
    except NoSuchWork:
        return None
    return work if work is not None and work.state in ("waiting", "running") else None


async def read_list_here(
    conn: Conn,
    account_id: str,
    name: str,
    file: str,
    body: bytes,
    columns: Columns,
    progress: Progress,
    *,
    by: str,
) -> ImportReport:
    """Read it in this process. Raise NothingOfThatName, CampaignStateForbids, ListRefused, InputRefused."""
    _refuse_bad_list(file, columns)
    row = await _taking(conn, account_id, name, lock=False)
    policy = await policy_of(conn, account_id)
    upload = upload_of(body, columns)
    await store.keep_list(conn, row, upload, file, _named(columns), b"", by)
    try:
        report = await import_list(conn, row, body, _named(columns), upload, policy, progress)
    except ListUnreadable as err:
        raise ListRefused("file", str(err), "save it as CSV or XLSX, one number a row") from err
    except ColumnUnknown as err:
        raise ListRefused(
            "columns", f"the list has no column '{err}'", "name a heading, or a place from 1"
        ) from err
    except CampaignTakesNone as err:
        raise CampaignStateForbids(row, "it finished while the list came in") from err
    async with conn.transaction():
        await store.list_read(conn, row, upload, report.as_json())
        told = {"file": file, "rows": report.rows, "added": report.added}
        await record(
            conn, AuditChange(what=WORK, object=name, action="imported", account_id=account_id, after=told)
        )
    return report


async def _taking(conn: Conn, account_id: str, name: str, *, lock: bool = True) -> CampaignRow:
    row = await the_campaign(conn, account_id, name, lock=lock)
    refuse_others(row.settings)
    if not takes_members(row.state):
        raise CampaignStateForbids(row, "it takes no numbers any more")
    return row


def _refuse_bad_list(file: str, columns: Columns) -> None:
    refuse_bad_name(file)
    for said in columns.values():
        refuse_long("columns", said, LONGEST_NAME)


def upload_of(body: bytes, columns: Columns) -> str:
    """Return the name of this list, read by these columns."""
    digest = hashlib.sha256(body)
    digest.update(orjson.dumps(_named(columns), option=orjson.OPT_SORT_KEYS))
    return digest.hexdigest()[:32]


def _named(columns: Columns) -> dict[str, str]:
    return {str(column): said for column, said in columns.items()}
