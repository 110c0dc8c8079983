"""The program called as the command line calls it, in this process: quick, for tests with many calls."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from structlog._config import BoundLoggerLazyProxy

from gateway.cli import main
from runtime.logs import OURS


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


async def typed(database_url: str | None, *words: str, stdin: bytes = b"", **env: str) -> Said:
    """Return what `callmatrix` with these words prints and ends with. Settings are those of env alone."""
    if database_url is not None:
        env = {"CALLMATRIX_DATABASE_URL": database_url, **env}
    return await asyncio.to_thread(_typed, words, stdin, env)


def _typed(words: tuple[str, ...], stdin: bytes, env: dict[str, str]) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with (
        _environment(env),
        _logs_as_before(),
        _standard_input(stdin),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main(list(words))
            code: object = 0
        except SystemExit as ended:
            code = ended.code
    return Said(code if isinstance(code, int) else int(code is not None), out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _logs_as_before() -> Iterator[None]:
    """Commands say how the process logs, and loggers keep to what they were first used under."""
    config, root, ours = structlog.get_config(), logging.getLogger(), [logging.getLogger(n) for n in OURS]
    handlers, levels = list(root.handlers), [(logger, logger.level) for logger in (root, *ours)]
    try:
        yield
    finally:
        structlog.configure(**config)
        root.handlers[:] = handlers
        for logger, level in levels:
            logger.setLevel(level)
        for module in list(sys.modules.values()):
            for name, value in list(vars(module).items()):
                if name == "log" and isinstance(value, BoundLoggerLazyProxy):
                    vars(value).pop("bind", None)


@contextlib.contextmanager
def _environment(env: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith("CALLMATRIX_"):
            del os.environ[name]
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _standard_input(body: bytes) -> Iterator[None]:
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(body), "utf-8")
    try:
        yield
    finally:
        sys.stdin = before
