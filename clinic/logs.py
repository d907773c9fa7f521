"""Structured logs: one line of JSON for each thing that happened, with an action and ids, never a name."""
from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON; what a program logs as `extra={"facts": {...}}` becomes its fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "from": record.name,
                                "action": record.getMessage(), **getattr(record, "facts", {})}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = told(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True, default=str)


def told(error: BaseException) -> dict[str, Any]:
    """An error as a log may keep it: its kind and its places. Its words may quote what a patient told us."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"kind": type(error).__qualname__,
            "at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}" for frame in frames[-12:]]}


def configure(level: str) -> None:
    """Sends everything that is logged, of this level and above, to standard error as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("waitress").setLevel(logging.WARNING)
