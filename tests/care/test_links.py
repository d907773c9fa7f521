"""How long a link opens: a day after the last date, within bounds."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clinic.care.links import LEAST, MOST, link_expires_at

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(("last_at", "expected"), [
    (None, NOW + timedelta(days=14)),
    (NOW - timedelta(days=3), NOW + timedelta(days=14)),
    (NOW + timedelta(days=13), NOW + timedelta(days=14)),
    (NOW + timedelta(days=90), NOW + timedelta(days=91)),
    (NOW + timedelta(days=3000), NOW + timedelta(days=400)),
])
def test_a_link_opens_until_a_day_after_the_last_date_within_its_bounds(
    last_at: datetime | None, expected: datetime
) -> None:
    assert link_expires_at(last_at, now=NOW) == expected
    assert NOW + LEAST <= expected <= NOW + MOST
