"""Structured logs, for people or for collectors. Secrets never appear; phone numbers are masked by who logs them, and
once more here."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_NAMES = re.compile(r"token|secret|password|authorization|api_key|salt|sign$", re.IGNORECASE)
_NUMBER = re.compile(r"(?<!\d)(\+?\d{3,4})\d{4,8}(\d{3})(?!\d)")
_TOKEN_IN_URL = re.compile(r"((?:token|phone|secret|api_key)=)[^&\s\"']+", re.IGNORECASE)
_UNMASKED = {"timestamp", "level", "event"}


def configure_logs(level: str = "info", format: str = "console") -> None:
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Secrets become ***, the middle of long numbers too."""
    for key, value in event.items():
        if key in _UNMASKED:
            continue
        if _SECRET_NAMES.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = _NUMBER.sub(r"\1***\2", _TOKEN_IN_URL.sub(r"\1***", value))
    return event
