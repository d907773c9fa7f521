"""Wall-clock readings and instants, over both clock changes."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.planning.local import day_of, instant, local_of, resolve, zone
from tests.planning.reading import resolve as resolve_by_the_page
from tests.planning.reading import seconds

ZONES = ["Europe/London", "Australia/Lord_Howe", "America/Havana", "America/St_Johns", "Pacific/Apia", "UTC"]
LONDON = zone("Europe/London")


@given(
    st.sampled_from(ZONES), st.datetimes(datetime(2006, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001 - readings
        lambda wall: wall.replace(second=0, microsecond=0, fold=0)
    ), st.booleans(),
)
def test_a_reading_is_resolved_as_the_page_says(name: str, wall: datetime, last: bool) -> None:
    assert seconds(resolve(wall, zone(name), last=last)) == resolve_by_the_page(wall, zone(name), end=last)


@pytest.mark.parametrize(("day", "minute", "last", "expected"), [
    (date(2027, 3, 28), 90, False, datetime(2027, 3, 28, 1, tzinfo=UTC)),
    (date(2027, 10, 31), 90, False, datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    (date(2027, 10, 31), 90, True, datetime(2027, 10, 31, 1, 30, tzinfo=UTC)),
    (date(2027, 3, 27), 1440 + 540, False, datetime(2027, 3, 28, 8, tzinfo=UTC)),
    (date(2027, 6, 1), 1440, False, datetime(2027, 6, 1, 23, tzinfo=UTC)),
])
def test_minutes_after_midnight_become_instants(day: date, minute: int, last: bool, expected: datetime) -> None:
    assert instant(day, minute, LONDON, last=last) == expected


@given(st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_an_instant_keeps_its_place_on_the_local_clock(at: datetime) -> None:
    assert local_of(at, LONDON) - at == timedelta(0)
    assert day_of(at, LONDON) == local_of(at, LONDON).date()


@pytest.mark.parametrize("name", ["", "Europe/Atlantis", "../zone", "a\0b", "Europe"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        zone(name)
