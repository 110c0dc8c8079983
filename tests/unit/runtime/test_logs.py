"""One shape for every line of a process, ours or a library's, and nothing readable in it that may not be."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

SECRET = "hush-hush-Zx9"
NUMBER = "+79161234567"


def lines_of(program: str, format: str = "json", level: str = "info") -> list[dict[str, Any]]:
    """What a process of ours writes to its log: configuring is once for all, so it is done in one of its own."""
    code = f"from runtime.logs import configure_logs\nconfigure_logs({level!r}, {format!r})\n{textwrap.dedent(program)}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == ""
    return [json.loads(line) if format == "json" else {"text": line} for line in done.stderr.splitlines()]


def test_lines_of_ours_and_of_libraries_have_one_shape() -> None:
    ours, theirs, warned = lines_of(
        """
        import logging, warnings, structlog
        structlog.get_logger("gateway.test").info("call-stored", account="sales")
        logging.getLogger("procrastinate.worker").error("Job %s failed", "x", extra={"action": "job_error"})
        warnings.warn("old ways")
        """
    )
    assert {"event", "level", "logger", "timestamp"} <= ours.keys() & theirs.keys() & warned.keys()
    assert (ours["event"], ours["account"], ours["logger"]) == ("call-stored", "sales", "gateway.test")
    assert (theirs["event"], theirs["level"], theirs["action"]) == ("Job x failed", "error", "job_error")
    assert "old ways" in warned["event"]


def test_no_line_shows_a_whole_number_or_a_secret_whoever_writes_it() -> None:
    found = lines_of(
        f"""
        import logging, structlog
        log, theirs = structlog.get_logger("crm.test"), logging.getLogger("asyncpg")
        log.warning("call {NUMBER}", nested={{"calls": [{{"client": "{NUMBER}", "token": "{SECRET}"}}]}})
        log.warning("bytes", body=b'{{"password": "{SECRET}", "from": "{NUMBER}"}}', client=79161234567)
        log.bind(client="{NUMBER}").warning("bound")
        theirs.warning("refused %s with %r", "{NUMBER}", {{"Authorization": "Bearer {SECRET}"}})
        theirs.warning("GET /lookup?token={SECRET}&phone={NUMBER}", extra={{"job": {{"client": "{NUMBER}"}}}})
        for say in (log.exception, theirs.exception):
            try:
                raise ValueError("cannot store {NUMBER} at http://u:{SECRET}@db/")
            except ValueError:
                say("failed")
        """
    )
    assert len(found) == 7
    text = json.dumps(found, ensure_ascii=False)
    assert NUMBER[1:] not in text
    assert NUMBER[2:] not in text
    assert SECRET not in text
    assert "ValueError" in found[-1]["exception"]


def test_an_exception_is_shown_where_it_was_raised() -> None:
    [line] = lines_of("import structlog\nstructlog.get_logger('crm').error('x', exc_info=OSError('away'))")
    assert line["exception"].endswith("OSError: away")


def test_libraries_speak_from_warnings_on_and_we_from_our_level() -> None:
    found = lines_of(
        """
        import logging, structlog
        logging.getLogger("aiohttp.access").info("GET /")
        logging.getLogger("gateway.old").info("heard")
        structlog.get_logger("gateway").debug("details")
        """
    )
    assert [line["event"] for line in found] == ["heard"]


def test_a_line_that_cannot_be_formatted_is_not_printed_raw() -> None:
    found = lines_of(f"import logging\nlogging.getLogger('x').warning('%d calls', 'token={SECRET} {NUMBER}')")
    assert SECRET not in str(found)
    assert NUMBER not in str(found)


def test_people_get_the_same_masking() -> None:
    found = lines_of(
        f"import logging\nlogging.getLogger('x').warning('call', extra={{'client': '{NUMBER}'}})",
        format="console",
    )
    assert "+7916***67" in found[0]["text"]


def test_configuring_again_does_not_double_the_lines() -> None:
    assert (
        len(
            lines_of("configure_logs('info', 'json')\nimport logging\nlogging.getLogger('x').warning('once')")
        )
        == 1
    )


def test_a_message_that_is_no_http_is_named_and_not_quoted() -> None:
    [line] = lines_of(
        f"""
        import asyncio
        from aiohttp import web

        async def main():
            runner = web.AppRunner(web.Application())
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /pbx/a/lookup?x=1 HTTP/1.1\\r\\nHost: a\\r\\nBad Header {SECRET} {NUMBER}: x\\r\\n\\r\\n")
            await reader.read(2000)
            await runner.cleanup()

        asyncio.run(main())
        """
    )
    assert line["event"] == "http-message-malformed"
    assert SECRET not in json.dumps(line)
    assert "9161234567" not in json.dumps(line)


def test_no_name_that_an_error_quotes_is_told() -> None:
    found = lines_of(
        """
        import asyncio, logging, structlog
        log = structlog.get_logger("gateway")
        err = ValueError("invalid input for query argument $1: 'Пётр Отказов' (expected str, got int)")
        log.error("webhook-failed", error=f"{type(err).__name__}: {err}")
        log.error("loop-ended", exc_info=err)
        log.error("loop-ended", err=err)
        logging.getLogger("asyncio").error("Task exception was never retrieved: future=%r", err)
        """
    )
    assert len(found) == 4
    assert "Отказов" not in json.dumps(found, ensure_ascii=False)
    assert [line["event"] for line in found[:2]] == ["webhook-failed", "loop-ended"]
    assert "query argument $1: *** (expected str, got int)" in found[0]["error"]
