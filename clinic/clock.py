"""The one place that asks the time."""
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present instant, aware UTC, in whole seconds: the grain that both databases keep."""
    return datetime.now(UTC).replace(microsecond=0)
