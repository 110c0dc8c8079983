"""The program's top level, in processes of its own: quick help, suggestions, completion, version."""

from __future__ import annotations

import functools
import os
import re
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from gateway.cli import all_commands, main
from gateway.cli.commands import COMMANDS
from gateway.cli.lazy import registered_by
from gateway.cli.output import print_table

_WORD_BY_WORD = sys.executable, "-m", "gateway.cli"
_ALL = all_commands()
_GROUPS = sorted({path.split()[0] for path in _ALL if " " in path})
_registered = functools.cache(registered_by)


def program(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CALLMATRIX_", "_CALLMATRIX_"))}
    return subprocess.run(
        [*_WORD_BY_WORD, *words],
        env={**clean, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def completed(line: str) -> set[str]:
    """What bash is offered for the last word of this line."""
    answer = program(
        _CALLMATRIX_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(line.split(" ")) - 1)
    )
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_of_each_what_the_command_says_of_itself(name: str) -> None:
    assert _registered(COMMANDS[name].module)[name].short_help == COMMANDS[name].summary


def test_the_list_of_commands_leaves_none_out() -> None:
    registered = {name for entry in COMMANDS.values() for name in _registered(entry.module)}
    assert registered == set(COMMANDS)


def test_help_lists_every_command_without_cutting_its_sentence() -> None:
    said = program("--help")
    assert said.returncode == 0
    plain = " ".join(said.stdout.split())
    assert [name for name, entry in COMMANDS.items() if f"{name} {entry.summary}" not in plain] == []


@pytest.mark.parametrize("group", _GROUPS)
def test_help_of_a_group_cuts_no_sentence(group: str) -> None:
    said = program(group, "--help").stdout
    assert "..." not in said.partition("Commands:")[2]


def test_help_imports_neither_the_database_nor_the_gateway() -> None:
    loaded = "import sys; sys.argv = ['callmatrix', '--help']; from gateway.cli import main\n"
    loaded += "try: main()\nexcept SystemExit: pass\nprint(*sorted(sys.modules), file=sys.stderr)"
    modules = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    ).stderr
    heavy = {"asyncpg", "aiohttp", "pydantic", "structlog", "rich", "orjson"}
    assert heavy & set(modules.split()) == set()
    ours = {m for m in modules.split() if m.startswith("gateway.")}
    assert ours == {"gateway.cli", "gateway.cli.commands", "gateway.cli.lazy", "gateway.cli.output"}


@pytest.mark.parametrize("words", [["-h"], ["account", "-h"], ["account", "add", "-h"], ["check", "-h"]])
def test_the_short_word_for_help_is_taken_everywhere(words: list[str]) -> None:
    short, long = program(*words), program(*words[:-1], "--help")
    assert (short.returncode, short.stdout) == (0, long.stdout)
    assert "Usage: callmatrix" in short.stdout


def test_the_version_is_that_of_the_package() -> None:
    said = program("--version")
    assert (said.returncode, said.stdout) == (0, f"callmatrix {version('callmatrix')}\n")


@pytest.mark.parametrize(
    ("words", "suggested"),
    [
        (["chekc"], "check"),
        (["acount", "list"], "account"),
        (["account", "lst"], "list"),
        (["sync", "--ful"], "--full"),
        (["lookup", "1", "--conection", "office"], "--connection"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_nearest(words: list[str], suggested: str) -> None:
    said = program(*words)
    assert said.returncode == 2
    assert re.search(rf"(Did you mean|Possible options:?) .*{suggested}", said.stderr), said.stderr


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("callmatrix a", {"account"}),
        ("callmatrix --v", {"--version"}),
        ("callmatrix account ", {"add", "list", "off", "on"}),
        ("callmatrix desk re", {"retry"}),
        ("callmatrix sync --f", {"--full"}),
        ("callmatrix account add --tok", {"--token"}),
    ],
)
def test_the_shell_completes_commands_that_are_not_loaded_yet(line: str, offered: set[str]) -> None:
    assert offered <= completed(line)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_the_shell_is_shown(shell: str) -> None:
    said = program("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert said.returncode == 0, said.stderr
    assert "_CALLMATRIX_COMPLETE" in said.stdout


def test_trouble_with_a_file_is_told_without_a_traceback() -> None:
    with open("/dev/full", "w") as full:
        said = subprocess.run(
            [*_WORD_BY_WORD, "check"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert said.returncode == 1
    assert "No space left" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize("path", _ALL)
def test_every_option_and_argument_explains_itself(path: str) -> None:
    silent = [p.name for p in _ALL[path].params if not getattr(p, "help", None)]
    assert silent == []


def test_a_taken_port_is_named_and_not_taken_for_the_database() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sandbox = program("sandbox", "--port", str(port))
        served = program(
            "serve", CALLMATRIX_PORT=str(port), CALLMATRIX_DATABASE_URL="postgresql://x@127.0.0.1:1/x"
        )
        demo = program("demo", "--port", str(port))
    for said in (sandbox, served, demo):
        assert said.returncode == 1
        assert str(port) in said.stderr
        assert "database" not in said.stderr
        assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sandbox", "--port", "99999"], 2),
        (["sandbox", "--profile", "hubspot"], 2),
        (["sandbox", "--port", "0", "--contacts", "10", "--state", "/nonexistent/x.db"], 1),
        (["serve", "--role", "boss"], 2),
        (["demo", "--port", "0"], 2),
        (["config", "import", "/nonexistent.yaml"], 1),
    ],
)
def test_nonsense_is_refused_in_a_few_lines(words: list[str], code: int) -> None:
    said = program(*words)
    assert said.returncode == code
    assert "Error" in said.stderr
    assert "Traceback" not in said.stderr


def test_the_sandbox_says_where_it_is_and_how_to_get_its_token() -> None:
    with subprocess.Popen(
        [*_WORD_BY_WORD, "sandbox", "--port", "0", "--contacts", "10"], stdout=subprocess.PIPE, text=True
    ) as sandbox:
        try:
            assert sandbox.stdout is not None
            lines = [sandbox.stdout.readline() for _ in range(2)]
        finally:
            sandbox.terminate()
    assert re.search(r"http://127\.0\.0\.1:\d+ ", lines[0])
    assert "/_sandbox/token" in lines[1]


def test_a_table_that_is_piped_has_tabs_and_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["account", "url", "reason"], [("sales", "https://example.amocrm.ru/" + "x" * 200, None)])
    assert capsys.readouterr().out.splitlines() == [
        "account\turl\treason",
        "sales\thttps://example.amocrm.ru/" + "x" * 200 + "\t",
    ]


@pytest.mark.parametrize("name", sorted(_ALL))
def test_an_argument_of_bytes_that_are_no_text_is_refused_in_words(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*name.split(), os.fsdecode(b"\xea\xef")])
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "is no UTF-8 text" in said
    assert "  do:  " in said


@pytest.mark.parametrize(
    "body", [b"a: &a [*a]\n", b"name: {{ company }}", b"name: \xff", b"[" * 5000, b"\x00"]
)
def test_a_file_that_cannot_be_read_is_refused_at_once(body: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(body)
    said = program("config", "import", str(file))
    assert said.returncode == 1
    assert said.stderr.startswith(f"Error: {file} ")
    assert "Traceback" not in said.stderr


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    said = program("config", "import", "/dev/zero")
    assert (said.returncode, "it is longer than" in said.stderr) == (1, True)


def test_a_folder_in_place_of_the_file_of_settings_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CALLMATRIX_", "_CALLMATRIX_"))}
    told = subprocess.run(
        [*_WORD_BY_WORD, "check"], env=clean, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert f"{tmp_path / '.env'} is a folder" in told.stderr, told.stdout + told.stderr
