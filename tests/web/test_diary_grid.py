"""The grid of a diary: everything is drawn once, nothing lies on another, and odd days have the rows of their clock."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from clinic.care.evidence import OWN_FIGURE
from clinic.care.parts import Hold, Part, ResourceKind
from clinic.care.states import AppointmentState
from clinic.planning.local import DAY, instant
from clinic.queries.diary import (
    Diary,
    DiaryColumn,
    DiaryDay,
    DiaryResource,
    DiaryVisit,
    HeldPart,
    Shade,
    Stretch,
)
from clinic.web.diary_grid import Block, Grid, grid_of, lanes_of

LONDON = ZoneInfo("Europe/London")
MONDAY, SPRING, AUTUMN = date(2027, 3, 1), date(2027, 3, 28), date(2027, 10, 31)
ADA = DiaryResource(1, ResourceKind.PRACTITIONER, "Ada")
ROOM = DiaryResource(2, ResourceKind.ROOM, "Room 1")
PARTS = (
    Part("numbing", 0, 30, (Hold(ResourceKind.ROOM),), OWN_FIGURE),
    Part("procedure", 30, 30, (Hold(ResourceKind.PRACTITIONER), Hold(ResourceKind.ROOM)), OWN_FIGURE),
    Part("turnover", 60, 15, (Hold(ResourceKind.ROOM),), OWN_FIGURE),
)


def day(on: date = MONDAY) -> DiaryDay:
    return DiaryDay(on, instant(on, 0, LONDON), instant(on + DAY, 0, LONDON), None)


def visit(ident: int, at: datetime, minutes: int, *, resource: DiaryResource = ADA, held: tuple[int, int] | None = None,
          parts: tuple[Part, ...] = ()) -> DiaryVisit:
    """A visit that holds the resource all the time, or from one minute to another."""
    low, high = held or (0, minutes)
    ends = at + timedelta(minutes=minutes)
    return DiaryVisit(
        id=ident, lock_version=1, kind="session", state=AppointmentState.BOOKED, starts_at=at, ends_at=ends,
        local_start=at.astimezone(LONDON), local_end=ends.astimezone(LONDON), patient_id=1, patient="Ana", alerts="",
        treatment_id=None, treatment="Peel", number=None, of=None, fit=None, course_id=None, pinned=False,
        is_confirmed=False, held_until=None, ended_cause=None,
        holds=(HeldPart(resource, at + timedelta(minutes=low), at + timedelta(minutes=high)),), parts=parts)


def drawn(*visits: DiaryVisit, on: date = MONDAY, resource: DiaryResource = ADA, work: tuple[int, int] = (540, 1080),
          now: datetime = datetime(2027, 3, 1, 10, 27, tzinfo=UTC)) -> Grid:
    """One column of a day with these visits."""
    column = worked(day(on), *work, *visits, resource=resource)
    return grid_of(Diary(LONDON, (column.day,), (column,), visits), (column,), now=now)


def worked(its: DiaryDay, opens: int, closes: int, *visits: DiaryVisit, resource: DiaryResource = ADA) -> DiaryColumn:
    """A column with these hours of work."""
    hours = Stretch(Shade.WORK, instant(its.on, opens, LONDON), instant(its.on, closes, LONDON))
    return DiaryColumn(its, resource, (hours,), (), visits)


def area(block: Block) -> set[tuple[int, float]]:
    """The cells that a block covers, in twelfths of the column's width."""
    wide = 5040 // block.lanes
    return {(row, place) for row in range(block.top, block.top + block.rows)
            for place in range(wide * block.lane, wide * (block.lane + block.span), 60)}


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(1, 30)), max_size=14))
def test_no_two_spans_lie_on_each_other_and_each_lies_in_its_lanes(found: list[tuple[int, int]]) -> None:
    spans = [(top, top + rows) for top, rows in found]

    lanes = lanes_of(spans)

    assert len(lanes) == len(spans)
    for at, (lane, count, reach) in enumerate(lanes):
        assert 0 <= lane < lane + reach <= count
        for other in range(at):
            if spans[at][0] < spans[other][1] and spans[other][0] < spans[at][1]:
                their, many, wide = lanes[other]
                assert many == count
                assert lane + reach <= their or their + wide <= lane


@given(st.sampled_from((MONDAY, SPRING, AUTUMN)), st.lists(
    st.tuples(st.integers(0, 1435), st.integers(1, 300), st.integers(0, 60), st.integers(1, 90)), max_size=10))
def test_every_visit_of_a_day_is_drawn_once_and_hides_no_other(
    on: date, found: list[tuple[int, int, int, int]]
) -> None:
    visits = [
        visit(ident, min(instant(on, minute, LONDON), day(on).ends_at - timedelta(minutes=1)), minutes,
              held=(low, low + length))
        for ident, (minute, minutes, low, length) in enumerate(found)]

    grid = drawn(*visits, on=on, work=(0, 60))

    blocks = grid.columns[0].blocks
    assert sorted(block.visit.id for block in blocks) == list(range(len(visits)))
    seen: set[tuple[int, float]] = set()
    for block in blocks:
        assert 0 <= block.top < block.top + block.rows <= grid.rows
        assert not area(block) & seen
        seen |= area(block)
        assert all(0 <= part.top < part.top + part.rows <= block.rows for part in block.segments)


def test_a_block_is_solid_while_somebody_treats_and_light_while_it_only_holds() -> None:
    at = instant(MONDAY, 600, LONDON)

    [treated] = drawn(visit(1, at, 60, held=(30, 60), parts=PARTS)).columns[0].blocks
    [held] = drawn(visit(1, at, 60, resource=ROOM, held=(0, 75), parts=PARTS), resource=ROOM).columns[0].blocks
    [unknown] = drawn(visit(1, at, 60, held=(30, 75))).columns[0].blocks

    assert (treated.top, treated.rows) == (12, 12)
    assert [(part.name, part.solid, part.top, part.rows) for part in treated.segments] == [
        ("numbing", False, 0, 6), ("procedure", True, 6, 6)]
    assert [(part.name, part.solid, part.top, part.rows) for part in held.segments] == [
        ("numbing", False, 0, 6), ("procedure", True, 6, 6), ("turnover", False, 12, 3)]
    assert [(part.solid, part.top, part.rows) for part in unknown.segments] == [(True, 6, 6)]


def test_the_hours_of_the_day_are_as_the_clock_shows_them() -> None:
    spring, autumn = drawn(on=SPRING, work=(0, 240)), drawn(on=AUTUMN, work=(0, 240))
    usual = drawn(work=(0, 240))

    assert [(hour.row, hour.words, hour.again) for hour in spring.hours][:3] == [
        (0, "00:00", False), (12, "02:00", False), (24, "03:00", False)]
    assert [(hour.row, hour.words, hour.again) for hour in autumn.hours][:4] == [
        (0, "00:00", False), (12, "01:00", False), (24, "01:00", True), (36, "02:00", False)]
    assert (usual.rows, spring.rows, autumn.rows) == (96, 84, 108)


def test_a_week_with_a_clock_change_keeps_nine_o_clock_in_one_line() -> None:
    days = [day(SPRING - DAY), day(SPRING)]
    columns = [worked(each, 540, 1080, visit(at, instant(each.on, 660, LONDON), 30)) for at, each in enumerate(days)]
    night = [worked(each, 0, 480) for each in days]
    diary = Diary(LONDON, tuple(days), tuple(columns), ())

    by_day = grid_of(diary, columns, now=instant(MONDAY, 0, LONDON))
    by_night = grid_of(diary, night, now=instant(MONDAY, 0, LONDON))

    assert [column.blocks[0].top for column in by_day.columns] == [24, 24]
    assert [bool(column.hours) for column in by_day.columns] == [False, False]
    assert [bool(column.hours) for column in by_night.columns] == [False, True]
    assert by_night.hours[2].words == "02:00"


def test_the_line_of_now_lies_in_its_row_and_nowhere_on_another_day() -> None:
    assert drawn().columns[0].now == 17
    assert drawn(now=datetime(2027, 3, 1, 20, tzinfo=UTC)).columns[0].now is None
    assert drawn(now=datetime(2027, 3, 2, 10, tzinfo=UTC)).columns[0].now is None


def test_a_day_without_work_shows_its_usual_hours() -> None:
    its = day()
    column = DiaryColumn(its, ADA, (), (), ())

    grid = grid_of(Diary(LONDON, (its,), (column,), ()), (column,), now=instant(MONDAY, 0, LONDON))

    assert (grid.hours[0].words, grid.rows) == ("09:00", 96)


def test_free_time_that_no_visit_fits_in_is_not_offered() -> None:
    its = day()
    nine = instant(MONDAY, 540, LONDON)
    free = tuple((nine + timedelta(minutes=begins), nine + timedelta(minutes=ends)) for begins, ends in (
        (0, 5), (30, 40), (60, 150)))
    column = DiaryColumn(its, ADA, (), free, ())

    [shown] = grid_of(Diary(LONDON, (its,), (column,), ()), (column,), now=nine).columns

    assert [(gap.top, gap.rows) for gap in shown.gaps] == [(6, 2), (12, 18)]
