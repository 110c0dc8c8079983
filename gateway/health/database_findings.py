"""What a person has to change at the database, as findings: what we look for, and what the server refuses."""

from __future__ import annotations

from gateway.db.fitness import DatabaseUnfit
from gateway.health.findings import Finding, about, bad, some
from runtime.database.errors import DatabaseRefusal, cause_of, refusal_of


def unfit_finding(unfit: DatabaseUnfit) -> Finding:
    """unfit: as gateway/db/fitness.py found it."""
    what, detail, role = about("database"), unfit.detail, unfit.role
    match unfit.kind:
        case "old":
            return bad("database-old", what, version=detail)
        case "encoding":
            return bad("database-encoding", what, encoding=detail)
        case "read-only":
            return bad("database-read-only", what)
        case "no-schema":
            return bad("database-no-schema", what, role=role)
        case "no-create":
            return bad("database-no-create", what, role=role, schema=detail)
        case "foreign-tables":
            return bad("database-foreign-tables", what, tables=some(detail.split(", ")))
        case "closed-tables":
            return bad("database-closed-tables", what, role=role, tables=some(detail.split(", ")))


def unusable_finding(err: BaseException) -> Finding:
    """Of whatever the database, or our look at it, raised."""
    if isinstance(err, DatabaseUnfit):
        return unfit_finding(err)
    refusal, error = refusal_of(err), cause_of(err)
    found = refusal and (_of_what_we_may(refusal, error) or _of_its_state(refusal, error))
    return found or bad("database-unreachable", about("database"), error=error)


def _of_what_we_may(refusal: DatabaseRefusal, error: str) -> Finding | None:
    what = about("database")
    match refusal:
        case "login":
            return bad("database-refuses-login", what, error=error)
        case "no-database":
            return bad("database-not-there", what, error=error)
        case "no-right":
            return bad("database-gives-no-right", what, error=error)
        case "no-schema":
            return bad("database-names-no-schema", what, error=error)
        case "parameter":
            return bad("database-parameter-unknown", what, error=error)
        case _:
            return None


def _of_its_state(refusal: DatabaseRefusal, error: str) -> Finding | None:
    what = about("database")
    match refusal:
        case "full":
            return bad("database-full", what, error=error)
        case "crowded":
            return bad("database-crowded", what, error=error)
        case "read-only":
            return bad("database-takes-no-writes", what, error=error)
        case "not-encodable":
            return bad("database-cannot-encode", what, error=error)
        case "broken-off":
            return bad("database-broke-off", what, error=error)
        case _:
            return None
