"""Structured logs, for people or for collectors: one shape for our own lines and for those of all libraries.

Every line passes one formatter, and what it says passes `runtime.masking` there, whatever it is nested in: nobody has to
remember to mask.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

import structlog

from runtime.masking import mask_quoted, mask_trace, mask_value

OURS = ("gateway", "crm", "sms", "campaigns", "runtime", "routing")
_KEPT = frozenset(("timestamp", "level", "logger"))
_Event = MutableMapping[str, Any]
_NOTHING: Mapping[str, Callable[[], None]] = MappingProxyType({})


class _Lines(logging.StreamHandler[Any]):
    """Ours, so that configuring once more replaces it and nobody else's."""


def configure_logs(
    level: str = "info", format: str = "console", *, otherwise: Mapping[str, Callable[[], None]] = _NOTHING
) -> None:
    """Once at the start of a process. level: of our own lines; libraries speak from warnings on. otherwise: what is called in
    place of writing a line, by the line's name: where people are told in words."""
    structlog.configure(
        processors=[_instead(otherwise), *_BEFORE, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    lines = _Lines(sys.stderr)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_BEFORE, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _name_malformed_http,
                structlog.processors.format_exc_info,
                mask,
                _renderer(format),
            ],
        )
    )
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _Lines)]:
        root.removeHandler(handler)
    root.addHandler(lines)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(True)
    # What fails to be formatted is otherwise printed as it is, with its arguments.
    logging.raiseExceptions = False


def _instead(otherwise: Mapping[str, Callable[[], None]]) -> Any:
    def of(_logger: Any, _method: str, event: _Event) -> _Event:
        if (tell := otherwise.get(str(event.get("event")))) is None:
            return event
        tell()
        raise structlog.DropEvent

    return of


_BEFORE: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _renderer(format: str) -> Any:
    if format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _name_malformed_http(_logger: Any, _method: str, event: _Event) -> _Event:
    """Name a message that is not HTTP: the library quotes it, and nobody knows what stands in it."""
    err = event.get("exc_info")
    if isinstance(err, tuple):
        err = err[1]
    # By its name: commands that serve no HTTP must not load the library for their logs.
    if any(kind.__name__ == "HttpProcessingError" for kind in type(err).__mro__):
        del event["exc_info"]
        event["event"], event["error"] = "http-message-malformed", type(err).__name__
    return event


_QUOTING = {"error": mask_quoted, "exception": mask_trace, "event": mask_quoted}
"""What may quote what somebody sent. Our own events are names; sentences of libraries show errors within them."""


def mask(_logger: Any, _method: str, event: _Event) -> _Event:
    """Return the line with nothing readable in it that may not be; see `runtime.masking`."""
    kept = {key: event.pop(key) for key in _KEPT & event.keys()}
    is_ours = str(kept.get("logger", "")).partition(".")[0] in OURS
    for key, hide in _QUOTING.items():
        if isinstance(event.get(key), str) and not (is_ours and key == "event"):
            event[key] = hide(event[key])
    return {**mask_value(dict(event)), **kept}
