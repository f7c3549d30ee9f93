"""What the server says of itself: a line for each event, for people or as JSON."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import Any

from rowform.errors import RowformError
from rowform.text import escape, json_text, quote
from rowform.wire import moment

_LOG = logging.getLogger("rowform.serve")
_FACTS = "facts"
#: What needs no quotes.
_PLAIN = re.compile(r"[A-Za-z0-9_.,:-]+")


def tell(
    message: str, *, level: int = logging.INFO, error: BaseException | None = None, **facts: Any
) -> None:
    """Log an event.

    Args:
        message: what happened; always the same words for the same thing.
        level: how bad it is.
        error: with its traceback in the log, where that is wanted.
        facts: what goes with it.
    """
    _LOG.log(
        level, message, extra={_FACTS: facts}, exc_info=error if _LOG.isEnabledFor(logging.DEBUG) else None
    )


def reason(error: BaseException) -> str:
    """What to say of an error: its own words if it is one of ours."""
    return (
        error.message
        if isinstance(error, RowformError)
        else f"internal error: {type(error).__name__}: {error}"
    )


def set_up(*, as_json: bool, debug: bool) -> None:
    """Log to stderr from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else PlainLines())
    _LOG.handlers = [handler]
    _LOG.propagate = False
    _LOG.setLevel(logging.DEBUG if debug else logging.INFO)


def _time(record: logging.LogRecord) -> str:
    return moment(datetime.fromtimestamp(record.created, UTC))


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in getattr(record, _FACTS, {}).items() if value is not None}


class JsonLines(logging.Formatter):
    """One JSON object for each event."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _time(record), "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return " ".join(json_text({**line, **_facts(record)}, indent=0).split("\n"))


class PlainLines(logging.Formatter):
    """``2026-04-01T09:00:00.000Z INFO message name=value``; values cannot break out of their line."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={_plain(value)}" for name, value in _facts(record).items())
        line = f"{_time(record)} {record.levelname} {escape(record.getMessage())}{facts}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _plain(value: Any) -> str:
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else quote(value)
