"""Logging: one event per decision, key=value (or JSON) lines on standard error; ids, never payloads or passwords."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

_ORDER = ["timestamp", "level", "event"]


def configure_logging(log_format: Literal["text", "json"] = "text", *, service: str | None = None) -> None:
    """Send structlog's events to standard error; call it once, first thing in a process.

    Parameters
    ----------
    log_format
        ``text`` for key=value, ``json`` for JSON lines.
    service
        Name of the process, put on every line.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _renderer(log_format),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(
            sys.stderr
        ),  # whatever it is now: a live screen takes its place
        cache_logger_on_first_use=False,
    )
    if service is not None:
        structlog.contextvars.bind_contextvars(service=service)


def _renderer(log_format: Literal["text", "json"]) -> structlog.typing.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False)
    return _one_line


def _one_line(
    logger: structlog.typing.WrappedLogger, name: str, event: MutableMapping[str, Any]
) -> str | bytes | bytearray | tuple[Any, ...] | MutableMapping[str, Any]:
    return structlog.processors.LogfmtRenderer(key_order=_ORDER, bool_as_flag=False)(logger, name, event)
