"""What people type wrongly, and what must stand in the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MISUSED, REFUSED = 2, 1
CYCLE, DEEP = b"settings: &a {x: *a}\n", b"settings: " + b"[" * 3000
HALF = b'name: "\\uD800"\n'
IDS = ("9" * 20, "-1", "１２", "")  # no database counts so far, and no person so
NUL, LONG, HUGE = b"name: a\0b\n", "x" * 100_000, str(10**40)
DOWN = "postgresql://x@127.0.0.1:1/x"


@dataclass(frozen=True)
class Typed:
    """says: what must stand in the answer. {dir}, {empty}, {json}, {order}: a folder, files."""

    words: str | tuple[str, ...]
    says: str
    code: int = REFUSED
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(self.words.split()) if isinstance(self.words, str) else self.words


def wrong(words: str | tuple[str, ...], says: str, **more: str | bytes | Mapping[str, str]) -> Typed:
    return Typed(words, says, **more)  # type: ignore[arg-type]


def misused(words: str | tuple[str, ...], says: str = "") -> Typed:
    return Typed(words, says, MISUSED)


ADD = "account add sales --url https://a.amocrm.ru --token t"
PBX = "connection add pbx --account main --kind"
IMPORT = "config import - --account main"
NONSENSE = [
    misused("nonsense", "No such command"),
    misused("account lst", "Did you mean"),
    # accounts
    wrong(
        ("account", "add", "Отдел продаж", "--url", "https://a.amocrm.ru", "--token", "t"), "no short name"
    ),
    wrong(f"{ADD} --time-zone Mars/Base", "there is no time zone"),
    wrong(f"{ADD} --time-zone ../../etc/passwd", "there is no time zone"),
    wrong(f"{ADD} --region ZZ", "there is no country code"),
    wrong(f"{ADD} --name {LONG}", "too long"),
    wrong("account add sales --url https://evil.example --token t", "no address of a CRM"),
    wrong("account add sales --url ftp://a.amocrm.ru --token t", "no address of a CRM"),
    wrong("account add sales --url https://a.amocrm.ru", "neither a long-lived token"),
    wrong("account add sales --url https://a.amocrm.ru --token -", "no line for --token"),
    wrong(
        "account add sales --url https://a.amocrm.ru --client-id i --token - --client-secret -",
        "no line for --client-secret",
        stdin=b"t\n",
    ),
    wrong("account add sales --token t", "needs the address"),
    wrong("account add sales --url http://127.0.0.1:1 --token t", "does not let us in"),
    wrong(
        "account add sales --url https://a.amocrm.ru --client-id a --client-secret b", "CALLMATRIX_PUBLIC_URL"
    ),
    misused("account list extra"),
    misused("account edit main", "say what is to change"),
    misused("account edit main --url https://a.amocrm.ru", "go together"),
    wrong("account edit main --time-zone UTC+3", "there is no time zone"),
    wrong("account edit gone --name x", "there is no account 'gone'"),
    wrong("account off gone", "there is no account 'gone'"),
    wrong("account on gone", "there is no account 'gone'"),
    wrong("account on shut", "there is no key"),
    wrong("account remove main --yes", "switch it off first"),
    wrong("account remove gone --yes", "there is no account 'gone'"),
    wrong("account remove shut", "nobody answered"),
    # connections
    wrong(f"{PBX} fax", "known:"),
    wrong(f"{PBX} generic --line abc", "is not a phone number"),
    wrong(f"{PBX} generic --dialect wat", "not known here"),
    wrong(f"{PBX} generic --region QQ", "there is no country code"),
    wrong(f"{PBX} generic --setting foo=bar", "not known here"),
    wrong(f"{PBX} generic --key baz=1", "not known here"),
    misused(f"{PBX} generic --key baz", "is not name=value"),
    wrong(f"{PBX} asterisk --setting ami_port=abc", "is no value of ami_port"),
    wrong(f"{PBX} asterisk --setting ami_host={LONG}", "write a text of 500 characters"),
    wrong(
        ("connection", "add", "имя с пробелом", "--kind", "generic", "--account", "main"),
        "no name of a connection",
    ),
    wrong("connection add office --kind generic --account main", "already"),
    wrong("connection add pbx --kind generic", "which account?"),
    wrong("connection list --account gone", "there is no account"),
    wrong("connection set gone --region RU", "there is no connection 'gone'"),
    wrong("connection set office --line 12", "is not a phone number"),
    misused("connection set office", "say what is to change"),
    wrong("connection on gone", "there is no connection 'gone'"),
    wrong("connection off gone", "there is no connection 'gone'"),
    wrong("connection secret office", "nobody answered"),
    wrong("connection secret gone", "there is no connection 'gone'"),
    wrong("connection remove gone", "there is no connection 'gone'"),
    wrong(f"{PBX} mango --key api_key=- --key api_salt=-", "no line for --key", stdin=b"k\n"),
    wrong("connection set office --key token=-", "no line for --key"),
    wrong("connection remove gone --yes", "there is no connection 'gone'"),
    # tokens and people
    wrong("token add x --role boss", "there is no role"),
    wrong(("token", "add", " "), "empty or too long"),
    wrong("token add x --days 0", "days"),
    wrong("token add x --days abc", "whole number"),
    wrong("token add x --days １２", "whole number"),
    wrong(f"token add x --days {HUGE}", "days"),
    wrong("token add reports", "already"),
    wrong("token add x --account gone", "there is no account"),
    wrong("token change gone --role admin", "there is no token 'gone'"),
    wrong("token remove gone --yes", "there is no token 'gone'"),
    wrong("token remove gone", "there is no token 'gone'"),
    misused("token change reports", "say what is to change"),
    misused("token list extra"),
    wrong("users add olga", "already"),
    wrong(("users", "add", "Имя Фамилия"), "login"),
    wrong("users add petr --role boss", "there is no role"),
    misused("users add petr --password secret", "give '-'"),
    wrong("users change gone --name x", "there is no user 'gone'"),
    wrong("users password gone", "there is no user 'gone'"),
    wrong("users remove olga", "nobody answered"),
    wrong("users remove gone", "there is no user 'gone'"),
    misused("users change olga", "say what is to change"),
    wrong("users add petr --password -", "no line for --password"),
    wrong("users password olga --password -", "no line for --password"),
    misused("users list extra"),
    wrong("employees set petr --account main --extension 102", "the name is missing"),
    wrong("employees set petr --account main --name P --extension 1;2", "is no extension"),
    wrong("employees set петр --account main --name P", "no id of an employee"),
    wrong("employees set petr --account main --name P --number 12", "is not a phone number"),
    wrong("employees set petr --account main --name P --crm-user abc", "is no id of a CRM user"),
    wrong("employees set petr --account main --name P --deputy gone", "is no employee"),
    misused("employees set anna --account main", "say what is to be"),
    wrong("employees set petr --account main --name P --email notmail", "is no e-mail address"),
    wrong("employees set anna --account main --email @", "is no e-mail address"),
    wrong("employees remove gone --account main", "there is no employee 'gone'"),
    wrong(IMPORT, "is no e-mail address", stdin=b"employees: [{id: p, name: P, email: notmail}]\n"),
    wrong("employees list --account gone", "there is no account"),
    wrong("employees remove gone --account main --yes", "there is no employee 'gone'"),
    # files
    wrong("config import {dir}", "cannot be read"),
    wrong("config import /nonexistent.yaml", "cannot be read"),
    wrong("config import /dev/zero", "longer than"),
    wrong(IMPORT, "NUL", stdin=b'name: "a\\0b"\n'),
    wrong(IMPORT, "no YAML file may hold", stdin=NUL),
    wrong(IMPORT, "half a character", stdin=HALF),
    wrong(IMPORT, "refers to another place", stdin=CYCLE),
    wrong(IMPORT, "levels stand in one another", stdin=DEEP),
    wrong(IMPORT, "cannot be read", stdin=b"name: \xff\n"),
    wrong(IMPORT, "a mapping with sections", stdin=b"- a\n"),
    wrong(IMPORT, "linez", stdin=b"linez: 1\n"),
    wrong(IMPORT, "must be a list", stdin=b"employees: many\n"),
    wrong(IMPORT, "whole number", stdin=f"settings: {{cases: {{escalate_minutes: {HUGE}}}}}\n".encode()),
    wrong(IMPORT, "or less", stdin=b"settings: {cases: {escalate_minutes: 999999999999}}\n"),
    wrong(IMPORT, "or more", stdin=b"settings: {cases: {escalate_minutes: -1}}\n"),
    wrong(IMPORT, "whole number", stdin="settings: {cases: {escalate_minutes: １２}}\n".encode()),
    wrong(IMPORT, "there is no time zone", stdin=b"time_zone: MSK+3\n"),
    wrong(IMPORT, "twice", stdin=b"name: a\nname: b\n"),
    misused((*IMPORT.split(), "--why", " "), "--why"),
    wrong("config export --account main --output /nonexistent/x.yaml", "cannot be written"),
    wrong("config export --account main --output {dir}", "cannot be written"),
    wrong("config export --account main --output /dev/full", "cannot be written"),
    # schedules and the calendar
    wrong("schedule list --account gone", "there is no account"),
    wrong("schedule show gone --account main", "there is no schedule"),
    wrong("schedule add a/b --account main", "no name of a schedule"),
    wrong("schedule add x --account main --file {dir}", "cannot be read"),
    wrong("schedule add x --account main --file -", "must be an object", stdin=b"people: 1\n"),
    wrong("schedule add x --account main --week morning", "is no week"),
    wrong(("schedule", "add", "x", "--account", "main", "--week", "mon-fri 9-25"), "не часы работы"),
    wrong("schedule add x --account main --zone Mars/X", "нет часового пояса"),
    misused("schedule add x --account main --kind yearly"),
    wrong("schedule set gone --account main --drop", "there is no schedule"),
    misused(f"schedule set x --account main --version {HUGE}"),
    wrong("schedule who gone --account main", "there is no schedule"),
    wrong("schedule who --account main --at noon", "is no moment"),
    wrong("schedule remove gone --account main --yes", "there is no schedule"),
    wrong("calendar list --account gone", "there is no account"),
    misused("calendar list 12 --account main"),
    misused("calendar set 2026-12-31 holiday --account main"),
    wrong("calendar set 2026-02-30 free --account main", "is no day"),
    wrong("calendar set 2026-12-31 working --hours noon --account main", "are no hours"),
    wrong("calendar set 2026-12-31 free --hours 9-15 --account main", "a free day has no hours"),
    wrong("calendar remove 2026-12-31 --account main --yes", "there is no own day"),
    # the matrix
    misused("matrix check --account main --version x", "neither draft, current"),
    wrong("matrix check --account main --version 99", "nothing was checked"),
    wrong("matrix difference --account main --old 99", "nothing was compared"),
    wrong("matrix dry-run 89031112233 --account main --line banana", "is not a phone number"),
    misused("matrix publish --account main", "Missing option"),
    wrong(("matrix", "publish", "--account", "main", "--why", " "), "the reason is empty"),
    wrong("matrix publish --account main --why x", "nothing to publish"),
    misused("matrix rollback --account main --to 0 --why x"),
    wrong("matrix rollback --account main --to 99 --why x", "there is no version 99"),
    misused(f"matrix rollback --account main --to {HUGE} --why x"),
    wrong("matrix versions --account gone", "there is no account"),
    misused(("matrix", "difference", "--account", "main", "--old", "²"), "neither draft, current"),
    wrong("matrix draft --account main --from {dir}", "cannot be read"),
    wrong("matrix draft --account main --from -", "tables", stdin=b"tables: 1\n"),
    wrong("matrix draft --account main --output /dev/full", "cannot be written"),
    misused("matrix draft --account main --reset --rebase", "at a time"),
    wrong("matrix preset gone --account main", "there is no preset"),
    wrong("matrix edit --account main", "cannot be started", env={"EDITOR": "/nonexistent/editor"}),
    wrong("matrix edit --account main", "failed", env={"EDITOR": "false"}),
    wrong("matrix dry-run 89031112233 --account main --at yesterday", "is no time"),
    wrong("matrix dry-run 89031112233 --account main --connection gone", "there is no connection"),
    misused("matrix dry-run 89031112233 --account main --talk -1"),
    misused("replay --account main --days 99"),
    wrong("replay --account main --version 99", "nothing was replayed"),
    # work
    wrong("sync --account gone", "there is no account"),
    wrong("backfill --account main --days 31", "write 1 to 30"),
    wrong(f"backfill --account main --days {HUGE}", "write 1 to 30"),
    misused("backfill --account main --days x"),
    misused("backfill --account main --pause --stop", "at a time"),
    wrong("backfill --account main --pause", "no backfill"),
    wrong("backfill --account main --status", "no backfill"),
    wrong("backfill --account main --report", "no backfill"),
    wrong(("backfill", "--account", "main", "--discard", " "), "the note is empty"),
    wrong("backfill --account shut --yes", "the account is off"),
    misused("desk list --account main --kind gone", "is none of"),
    misused("desk list --account main --limit 0"),
    misused("desk retry --account main", "name the keys"),
    wrong("desk retry gone event:99999 --account main", "nothing of that"),
    *(wrong(("desk", "retry", f"event:{id}", "--account", "main"), "a number must follow") for id in IDS),
    wrong(f"desk ignore row:{HUGE} --note x --account main", "a number must follow"),
    wrong(f"desk retry {HUGE} --account main", "nothing of that"),
    wrong("desk edit gone --order {order} --account main", "is on the desk"),
    wrong("desk edit e1 --order {json} --account main", "cannot be read"),
    wrong("desk edit e1 --order {empty} --account main", "cannot be read"),
    wrong("desk edit e1 --order {dir} --account main", "cannot be read"),
    wrong("desk edit e1 --order /dev/zero --account main", "longer than"),
    wrong("desk edit e1 --order {order} --account main", "the order was not taken"),
    misused("desk ignore e1 --account main", "Missing option"),
    wrong("desk ignore gone --note x --account main", "nothing of that"),
    misused("crm retry x --account main"),
    misused("crm retry --account main"),
    *(misused(("crm", "retry", "--account", "main", "--", id), "is no id of 'crm aside'") for id in IDS),
    wrong("crm unread --account gone", "there is no account"),
    wrong("crm aside --account gone", "there is no account"),
    wrong("cases open --account gone", "there is no account"),
    wrong("cases overdue --account gone", "there is no account"),
    misused("cases figures --account main --days 0"),
    misused("audit --days 0"),
    wrong("audit --what banana", "about such a thing as 'banana'"),
    wrong(("audit", "--what", ""), "about such a thing as ''"),
    wrong("client show abc --account main", "not a phone number"),
    wrong("client forget abc --account main --yes", "not a phone number"),
    wrong(("client", "forget", "", "--account", "main", "--yes"), "nothing is forgotten"),
    wrong("secrets rotate", "key"),
    misused("secrets status extra"),
    misused("secrets generate extra"),
    wrong("alerts list --account gone", "there is no account"),
    wrong("alerts test --account gone", "there is no account"),
    misused("init --nonsense"),
    # what the program cannot do without
    wrong("explain nope", "nothing is stored under"),
    wrong(f"explain {HUGE}", "nothing is stored under"),
    wrong("check", "CALLMATRIX_AUDIT_DAYS", env={"CALLMATRIX_AUDIT_DAYS": HUGE}),
    wrong("check", "CALLMATRIX_POLL_SECONDS", env={"CALLMATRIX_POLL_SECONDS": "inf"}),
    wrong("lookup 89031112233", "does not answer", env={"CALLMATRIX_PORT": "1"}),
    wrong("check", "CALLMATRIX_PORT", env={"CALLMATRIX_PORT": "99999"}),
    wrong("serve", "CALLMATRIX_LANG", env={"CALLMATRIX_LANG": "de"}),
    misused("serve --role boss"),
    misused("sandbox --port 99999"),
    misused("sandbox --profile hubspot"),
    misused("demo --port 0"),
    wrong("demo --port 18230 --sandbox-port 18230", "port 18230 is given twice"),
    wrong(
        "serve",
        "port 18230 is given twice",
        env={"CALLMATRIX_PORT": "18230", "CALLMATRIX_FASTAGI_PORT": "18230"},
    ),
    wrong("serve", "nobody can listen at 192.0.2.1", env={"CALLMATRIX_HOST": "192.0.2.1"}),
    misused("demo --contacts many"),
    wrong("migrate", "CALLMATRIX_DATABASE_URL", env={"CALLMATRIX_DATABASE_URL": "nonsense"}),
    wrong("migrate", "cannot be reached", env={"CALLMATRIX_DATABASE_URL": DOWN}),
    wrong("account list", "cannot be reached", env={"CALLMATRIX_DATABASE_URL": DOWN}),
    wrong("account list", "CALLMATRIX_DATABASE_URL", env={"CALLMATRIX_DATABASE_URL": "redis://x"}),
]
