"""Hours and dates on the ruler, over both clock changes and the odd ones."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.planning.hours import Hours, opening_bits, window_bits
from clinic.planning.local import local_of, zone
from clinic.planning.ruler import Ruler, busy_bits, granule_for, grid_bits, ruler
from tests.planning.reading import Document

ALL_WEEK = frozenset(range(7))
CHANGES = [
    ("Europe/London", date(2027, 3, 25)), ("Europe/London", date(2027, 10, 28)),
    ("Australia/Lord_Howe", date(2027, 4, 1)), ("Australia/Lord_Howe", date(2027, 9, 30)),
    ("America/Havana", date(2027, 3, 11)), ("America/Havana", date(2027, 11, 4)),
    ("America/St_Johns", date(2006, 10, 26)), ("America/Sao_Paulo", date(2018, 11, 1)),
    ("Pacific/Apia", date(2011, 12, 28)), ("Asia/Kathmandu", date(2027, 3, 1)),
]


def spans(on: Ruler, bits: int) -> list[tuple[datetime, datetime]]:
    """The runs of set bits as instants."""
    found, bit = [], 0
    while bits >> bit:
        while not bits >> bit & 1:
            bit += 1
        begins = bit
        while bits >> bit & 1:
            bit += 1
        found.append((on.instant(begins), on.instant(bit)))
    return found


def clock(hour: int) -> str:
    return f"{hour // 60:02}:{hour % 60:02}"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CHANGES), st.lists(st.tuples(st.integers(0, 288), st.integers(0, 288)), min_size=1, max_size=3))
def test_opening_hours_are_those_read_from_the_page(
    where: tuple[str, date], pairs: list[tuple[int, int]]
) -> None:
    name, first_on = where
    on = ruler(zone(name), first_on, 6)
    hours = [(begins * 5, ends * 5) for begins, ends in pairs]
    page = Document({
        "time_zone": name, "not_before": f"{first_on}T12:00", "horizon_days": 6, "resources": [{
            "id": "room", "hours": [
                {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": clock(begins), "to": clock(ends)}
                for begins, ends in hours
            ],
        }],
    })

    opened = opening_bits(on, tuple(Hours(ALL_WEEK, begins, ends) for begins, ends in hours))

    low, high = on.origin.timestamp(), on.instant(on.length).timestamp()
    assert [(one.timestamp(), other.timestamp()) for one, other in spans(on, opened)] == [
        (max(one, low), min(other, high)) for one, other in page.open_spans["room"] if other > low and one < high
    ]


@pytest.mark.parametrize(("name", "first_on"), CHANGES)
@pytest.mark.parametrize("step", [15, 45, 60, 420])
def test_the_grid_is_that_read_from_the_page(name: str, first_on: date, step: int) -> None:
    where = zone(name)
    on = ruler(where, first_on, 6, granule_for(step, (), where, first_on, 6))
    page = Document({
        "time_zone": name, "not_before": f"{first_on}T00:00", "horizon_days": 6, "start_step_minutes": step,
    })

    grid = grid_bits(on, step) >> on.up(datetime.fromtimestamp(page.not_before, UTC))

    first = on.up(datetime.fromtimestamp(page.not_before, UTC))
    assert [on.instant(first + bit).timestamp() for bit in range(grid.bit_length()) if grid >> bit & 1] == list(
        page.grid()
    )


def test_hours_over_a_spring_change_are_an_hour_shorter_and_in_autumn_an_hour_longer() -> None:
    night = (Hours(frozenset({5}), 22 * 60, 6 * 60),)
    spring, autumn = (ruler(zone("Europe/London"), day, 3) for day in (date(2027, 3, 27), date(2027, 10, 30)))

    lengths = [[ends - begins for begins, ends in spans(on, opening_bits(on, night))] for on in (spring, autumn)]

    assert [each[0] for each in lengths] == [timedelta(hours=7), timedelta(hours=9)]


def test_hours_that_a_change_skips_wholly_open_nothing() -> None:
    on = ruler(zone("Europe/London"), date(2027, 3, 28), 1)

    assert opening_bits(on, (Hours(frozenset({6}), 70, 110),)) & on.inside(on.instant(on.spans[1].low), on.instant(
        on.spans[1].high
    )) == 0


def test_an_override_replaces_what_begins_on_its_date_and_leaves_the_night_before() -> None:
    on = ruler(zone("UTC"), date(2027, 3, 1), 3)
    night = (Hours(ALL_WEEK, 22 * 60, 4 * 60),)

    opened = opening_bits(on, night, {date(2027, 3, 2): [(600, 660)]})

    second = datetime(2027, 3, 2, tzinfo=UTC)
    around = [span for span in spans(on, opened) if span[0].date() in (date(2027, 3, 1), date(2027, 3, 2))]
    assert [(begins - second, ends - second) for begins, ends in around] == [
        (timedelta(hours=-2), timedelta(hours=4)), (timedelta(hours=10), timedelta(hours=11)),
    ]


def test_what_is_busy_rounds_outward_and_what_is_open_inward() -> None:
    on = ruler(zone("UTC"), date(2027, 3, 1), 2, 900)
    begins, ends = datetime(2027, 3, 1, 9, 7, tzinfo=UTC), datetime(2027, 3, 1, 10, 7, tzinfo=UTC)

    assert spans(on, busy_bits(on, [(begins, ends)])) == [(
        datetime(2027, 3, 1, 9, tzinfo=UTC), datetime(2027, 3, 1, 10, 15, tzinfo=UTC)
    )]
    assert spans(on, on.inside(begins, ends)) == [(
        datetime(2027, 3, 1, 9, 15, tzinfo=UTC), datetime(2027, 3, 1, 10, tzinfo=UTC)
    )]


def test_windows_are_not_joined() -> None:
    on = ruler(zone("UTC"), date(2027, 3, 1), 2, 3600)

    starts = window_bits(on, (Hours(ALL_WEEK, 540, 660), Hours(ALL_WEEK, 660, 780)), 2)

    assert {local_of(begins, on.zone).hour for begins, _ in spans(on, starts)} == {9, 11}


def test_a_granule_that_does_not_fit_the_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        ruler(zone("Australia/Lord_Howe"), date(2027, 4, 1), 10, 3600)
