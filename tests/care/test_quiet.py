from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.quiet import QuietHours, is_quiet, next_allowed
from clinic.planning.local import local_of, zone

LISBON = zone("Europe/Lisbon")
NIGHT = QuietHours(20 * 60, 8 * 60, LISBON)
ZONES = ("Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu")

quiet_hours = st.builds(
    QuietHours, st.integers(0, 1439), st.integers(0, 1439), st.sampled_from(ZONES).map(zone))
weeks_with_changes = (datetime(2027, 3, 12, tzinfo=UTC), datetime(2027, 10, 12, tzinfo=UTC))
around_changes = st.builds(
    lambda first, seconds: first + timedelta(seconds=seconds),
    st.sampled_from(weeks_with_changes), st.integers(0, 28 * 86400))


@pytest.mark.parametrize(("at", "allowed"), [
    ("2027-03-01T19:59", "2027-03-01T19:59"),
    ("2027-03-01T20:00", "2027-03-02T08:00"),
    ("2027-03-02T03:00", "2027-03-02T08:00"),
    ("2027-03-02T08:00", "2027-03-02T08:00"),
])
def test_the_night_ends_at_eight(at: str, allowed: str) -> None:
    found = next_allowed(datetime.fromisoformat(at).replace(tzinfo=LISBON), NIGHT)

    assert found == datetime.fromisoformat(allowed).replace(tzinfo=LISBON)


def test_the_night_of_a_clock_change_ends_at_eight_of_the_new_time() -> None:
    spring = next_allowed(datetime(2027, 3, 27, 23, tzinfo=UTC), NIGHT)
    autumn = next_allowed(datetime(2027, 10, 30, 23, tzinfo=UTC), NIGHT)

    assert spring == datetime(2027, 3, 28, 7, tzinfo=UTC)
    assert autumn == datetime(2027, 10, 31, 8, tzinfo=UTC)


def test_quiet_hours_that_end_in_a_repeated_hour_end_in_its_second_pass() -> None:
    quiet = QuietHours(22 * 60, 90, LISBON)

    found = next_allowed(datetime(2027, 10, 31, 0, 45, tzinfo=UTC), quiet)

    assert found == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


def test_quiet_hours_that_end_in_a_skipped_hour_end_when_it_is_over() -> None:
    quiet = QuietHours(22 * 60, 90, LISBON)

    found = next_allowed(datetime(2027, 3, 28, 0, 30, tzinfo=UTC), quiet)

    assert found == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)


def test_equal_minutes_mean_no_quiet_hours() -> None:
    at = datetime(2027, 3, 1, 3, tzinfo=UTC)

    assert next_allowed(at, QuietHours(0, 0, LISBON)) == at


def test_minutes_outside_a_day_are_refused() -> None:
    with pytest.raises(ValueError, match="minutes of a day"):
        QuietHours(0, 1440, LISBON)


@given(around_changes, quiet_hours)
def test_what_is_allowed_is_never_quiet_never_earlier_and_the_first(at: datetime, quiet: QuietHours) -> None:
    found = next_allowed(at, quiet)

    assert found >= at
    assert not is_quiet(found, quiet)
    assert next_allowed(found, quiet) == found
    assert found == at or is_quiet(found - timedelta(seconds=1), quiet)


@given(around_changes, quiet_hours)
def test_away_from_clock_changes_quiet_is_what_the_clock_on_the_wall_says(at: datetime, quiet: QuietHours) -> None:
    local = local_of(at, quiet.zone)
    if any(local_of(at + timedelta(hours=hours), quiet.zone).utcoffset() != local.utcoffset() for hours in (-25, 25)):
        return
    minute = local.hour * 60 + local.minute

    inside = (quiet.begins <= minute < quiet.ends if quiet.begins < quiet.ends
              else quiet.begins != quiet.ends and (minute >= quiet.begins or minute < quiet.ends))

    assert is_quiet(at, quiet) == inside
