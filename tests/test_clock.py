"""The one place that asks the time."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clinic.clock import system_clock


def test_the_present_instant_is_aware_utc_in_whole_seconds() -> None:
    before = datetime.now(UTC)

    now = system_clock()

    assert (now.tzinfo, now.microsecond) == (UTC, 0)
    assert before - timedelta(seconds=1) < now <= datetime.now(UTC)
