"""`demo`, `serve`, `sandbox`, `migrate`, `check`, `lookup`, `explain`: running the program and asking it."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gateway.cli.options import Json, Lang
from gateway.cli.output import (
    chosen_language,
    database,
    database_url,
    language_of,
    local,
    on_database,
    print_json,
    print_table,
    run,
    zone_of,
)
from runtime.failure import Failure

# Of a token that stays behind when the command is killed.
_QUESTION_TOKEN_LASTS = timedelta(minutes=5)

if TYPE_CHECKING:
    from gateway.settings import Settings
    from routing.texts.catalogue import Language
    from runtime.database.pool import Conn

_WORKER_NICENESS = 10
_PAGES_NICENESS = 10
_SANDBOX_NICENESS = 19  # it stands for a machine elsewhere


def register(app: typer.Typer) -> None:
    for command in (demo, serve, sandbox, migrate, check, lookup, explain):
        app.command()(command)


def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="of the gateway")] = 8080,
    sandbox_port: Annotated[int, typer.Option(min=1, max=65535, help="of the CRM sandbox")] = 8090,
    contacts: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="sample contacts in the sandbox")
    ] = 1000,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="where everything is kept, a folder of its own; else ~/.local/share/callmatrix, for root /var/lib/callmatrix"
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="clear what earlier demos left there first")] = False,
) -> None:
    """All in one, in the foreground: database, CRM sandbox with sample data, gateway and worker. Ctrl-C ends it.

    Example: callmatrix demo --port 8080 --fresh
    """
    from gateway.db.embedded import EmbeddedPostgresError
    from gateway.demo.run import Demo, default_data_dir, run_demo
    from gateway.settings import Settings
    from runtime.logs import configure_logs

    configure_logs(Settings().log_level if "log_level" in Settings().model_fields_set else "warning")
    try:
        run_demo(
            Demo(
                data_dir=data_dir or Settings().data_dir or default_data_dir(),
                port=port,
                sandbox_port=sandbox_port,
                contacts=contacts,
                is_fresh=fresh,
            )
        )
    except EmbeddedPostgresError as err:
        raise Failure(
            "the embedded database did not start",
            str(err),
            "see postgres.log in the data directory, where there is one; --data-dir chooses another",
        ) from err


def serve(
    role: Annotated[
        Literal["all", "gateway", "worker", "pages"],
        typer.Option(help="which processes; a gateway starts the one of its pages by itself"),
    ] = "all",
    socket: Annotated[Path | None, typer.Option(help="of the pages: where they are asked for")] = None,
) -> None:
    """Gateway and worker against the configured database, as CALLMATRIX_* say.

    Example: CALLMATRIX_DATABASE_URL=postgresql://… callmatrix serve --role all
    """
    from gateway.serve import refuse_taken_ports, serve_all, serve_gateway, serve_pages, serve_worker
    from gateway.settings import Settings
    from runtime.lifecycle import answer_first, give_way, use_fast_loop
    from runtime.logs import configure_logs

    settings = Settings()
    database_url(settings)
    configure_logs(settings.log_level, settings.log_format)
    if role in ("all", "gateway"):
        refuse_taken_ports(settings)
    use_fast_loop()
    if role == "gateway":
        answer_first()
    if role == "pages":
        give_way(_PAGES_NICENESS)
        run(serve_pages(settings, _socket_named(socket)))
        return
    if role == "worker":
        give_way(_WORKER_NICENESS)
    run({"all": serve_all, "gateway": serve_gateway, "worker": serve_worker}[role](settings))


def _socket_named(socket: Path | None) -> Path:
    if socket is None:
        raise Failure(
            "the pages have no socket", "--socket is missing", "name a path; a gateway does so by itself"
        )
    return socket


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="to listen on; 0: any free one")] = 8090,
    contacts: Annotated[int, typer.Option(min=0, max=1_000_000, help="sample contacts")] = 1000,
    users: Annotated[int, typer.Option(min=10, max=1000, help="managers")] = 10,
    profile: Annotated[Literal["amocrm", "kommo"], typer.Option(help="whose imitation")] = "amocrm",
    faults: Annotated[Path | None, typer.Option(help="JSON file with a fault plan", exists=True)] = None,
    state: Annotated[Path | None, typer.Option(help="SQLite file to keep the data in; else memory")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="do not print address and token")] = False,
) -> None:
    """Run the amoCRM-compatible server alone, on loopback.

    Example: callmatrix sandbox --port 8090 --contacts 1000 --profile amocrm
    """
    import sqlite3

    from crm.sandbox.server import serve as serve_sandbox
    from runtime.lifecycle import give_way, refuse_taken

    refuse_taken("127.0.0.1", {"--port": port}, "end what uses it, or choose another with --port")
    give_way(_SANDBOX_NICENESS)
    serving = serve_sandbox(
        port=port,
        contacts=contacts,
        users=users,
        profile=profile,
        faults_file=faults,
        state_file=state,
        started=(lambda url: None) if quiet else _tell_of_sandbox,
    )
    try:
        run(serving)
    except (sqlite3.Error, ValueError) as err:
        raise Failure("the sandbox did not start", str(err), "see --state and --faults") from err


def _tell_of_sandbox(url: str) -> None:
    print(f"CRM sandbox  {url}   (an amoCRM account with sample data, nothing real)", flush=True)
    print(f"Its token    curl -s {url}/_sandbox/token", flush=True)


def migrate(json: Json = False) -> None:
    """Bring the database's schema up to date. Any number of processes may do it at once.

    Example: callmatrix migrate
    """
    from gateway.db.migrate import SchemaChanged, SchemaTooNew
    from gateway.db.migrate import migrate as bring_up_to_date
    from gateway.serve import configured_pool
    from gateway.settings import Settings

    settings = Settings()

    async def bring() -> list[str]:
        applied = await bring_up_to_date(database_url(settings), _begun)
        async with configured_pool(settings, "callmatrix migrate", 1):
            return applied  # and secrets that still stand in plain text are sealed

    try:
        applied = run(bring())
    except (SchemaTooNew, SchemaChanged) as err:
        raise Failure("the schema cannot be migrated", str(err), type(err).__doc__ or "") from err
    if json:
        print_json({"applied": applied})
    else:
        print("\n".join(f"applied {name}" for name in applied) or "The schema is up to date.")


def _begun(migration: str) -> None:
    if sys.stderr.isatty():
        print(f"applying {migration} …", file=sys.stderr, flush=True)


def check(lang: Lang = None, json: Json = False) -> None:
    """Say what is wrong with settings, database, Redis, CRM, PBXs and clock, one line each.

    Example: callmatrix check --json
    """
    from gateway.health.checks import check_all, only_language
    from gateway.health.findings import in_words
    from gateway.settings import Settings
    from gateway.texts.sentences import TEXTS

    settings = Settings()
    found = run(check_all(settings))
    texts = TEXTS[chosen_language(lang) or run(only_language(settings, found)) or "en"]
    findings = [in_words(finding, texts) for finding in found]
    if json:
        print_json(findings)
    else:
        for finding in findings:
            typer.echo(_finding_line(finding))  # without colours where it is no terminal
    if not all(f.is_ok for f in findings):
        raise typer.Exit(1)


def _finding_line(finding: Any) -> str:
    mark = (
        typer.style("BAD ", fg="red")
        if not finding.is_ok
        else typer.style("warn", fg="yellow")
        if finding.is_warning
        else typer.style("ok  ", fg="green")
    )
    todo = f" -> {finding.remedy}" if finding.remedy else ""
    return f"{mark} {finding.subject}: {finding.message}{todo}"


def lookup(
    number: Annotated[str, typer.Argument(help="in any spelling")],
    did: Annotated[str | None, typer.Option(help="our number that was called")] = None,
    connection: Annotated[
        str | None, typer.Option(help="as this PBX would ask; else any of the first account")
    ] = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show what the PBX would be told for this number, and why: asked of the running gateway.

    Example: callmatrix lookup '8 (900) 000-00-07' --connection office
    """
    asked = {"phone": number, "did": did, "connection": connection, "lang": chosen_language(lang)}
    answer = ask_gateway("/api/v1/lookup", asked)
    if json:
        print_json(answer)
        return
    from gateway.texts.sentences import TEXTS

    texts, person = TEXTS[answer["language"]], answer.get("responsible") or {}
    print(
        f"{answer['caller'] or number.strip() or '—'}: {answer['message']} ({answer['outcome']}, {answer['reason']})"
    )
    for target in answer.get("targets", []):
        kind, seconds = texts.word("target", target["kind"]), str(target["ring_seconds"])
        rings = texts.say("lookup.rings", kind=kind, address=target["address"], seconds=seconds)
        print(f"  {rings}  {person.get('name', '')}")
    if entity := answer.get("entity"):
        what = {"kind": texts.word("entity", entity["kind"]), "id": str(entity["id"]), "name": entity["name"]}
        print(f"  {texts.say('lookup.because-of', **what)} {entity['url']}")
    _print_steps(answer["steps"], answer["language"])


def explain(
    id: Annotated[str, typer.Argument(help="of a decision, a call or a firing")],
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show the trace of any stored decision or call, with what became of it in the CRM.

    Example: callmatrix explain 019a0f3c2b5d
    """
    from gateway.decisions.explain_firing import explain_any

    language = chosen_language(lang)

    async def work(conn: Conn) -> tuple[list[dict[str, Any]], Language, str]:
        found = await explain_any(conn, id, language=language)
        if not found:
            return found, "en", "UTC"
        account = found[0]["account"]
        return found, await language_of(conn, account, language), await zone_of(conn, account)

    explained, spoken, zone = on_database(work)
    if not explained:
        raise Failure(
            f"nothing is stored under '{id}'",
            "lookups are readable after a second; old decisions are cleaned away",
            "ids stand in the answer of a lookup (decision_id) and in the lists of the admin API",
        )
    if json:
        print_json(explained)
        return
    for decision in explained:
        at = local(datetime.fromisoformat(decision["at"]), zone)
        print(f"{at}  {decision['kind_message']} {decision['decision_id']}: {decision['message']}")
        _print_steps(decision["steps"], spoken)
        for effect in decision["effects"]:
            print(f"  -> {effect['message']}")


def _print_steps(steps: list[dict[str, Any]], language: Language) -> None:
    from gateway.texts.sentences import TEXTS

    print_table(
        [
            TEXTS[language].say(f"explain.heading.{name}")
            for name in ("rule", "verdict", "because", "words", "facts")
        ],
        [
            (
                s["rule_message"],
                s["verdict_message"],
                s["because"],
                s["message"],
                s["facts_message"],
            )
            for s in steps
        ],
        "No steps.",
    )


def ask_gateway(path: str, query: dict[str, str | None]) -> dict[str, Any]:
    """Ask by a GET on the running gateway, with a token made for this one question."""
    from gateway.settings import Settings

    settings = Settings()

    async def work() -> dict[str, Any]:
        from gateway.store.admin.accounts import add_api_token, remove_api_token

        name = f"cli {id(settings):x}"
        async with database(settings) as pool:
            async with pool.acquire() as conn:
                token = await add_api_token(
                    conn, name=name, role="read_only", expires_at=datetime.now(UTC) + _QUESTION_TOKEN_LASTS
                )
            try:
                return await _get(settings, path, {k: v for k, v in query.items() if v is not None}, token)
            finally:
                async with pool.acquire() as conn:
                    await remove_api_token(conn, name)

    return run(work())


def gateway_address(settings: Settings) -> str:
    """Where the gateway of this machine answers."""
    return f"http://{'127.0.0.1' if settings.host == '0.0.0.0' else settings.host}:{settings.port}"  # noqa: S104


def _refused(status: int, body: dict[str, Any]) -> Failure:
    """Tell what the gateway refuses, with its own remedy where it has one."""
    remedy = "see 'callmatrix connection list' and 'callmatrix check'"
    return Failure(
        str(body.get("title", status)), str(body.get("field", "")), str(body.get("detail") or remedy)
    )


async def _get(settings: Settings, path: str, query: dict[str, str], token: str) -> dict[str, Any]:
    import aiohttp

    base = gateway_address(settings)
    for attempt in range(20):
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
                session.get(
                    base + path, params=query, headers={"Authorization": f"Bearer {token}"}
                ) as response,
            ):
                if response.status == 401 and attempt < 19:  # the gateway has not read the new token yet
                    await asyncio.sleep(0.1)
                    continue
                body = await response.json(content_type=None)
                if response.status != 200:
                    raise _refused(response.status, body)
                return dict(body)
        except (aiohttp.ClientError, TimeoutError) as err:
            raise Failure(
                f"the gateway at {base} does not answer",
                str(err),
                "start it with 'callmatrix serve', or set CALLMATRIX_PORT",
            ) from err
    raise AssertionError("unreachable")
