"""The figures by hand: months, windows, misses, who goes on, what is too small to show, and the coming weeks."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as tried_with
from hypothesis import strategies as st

from clinic.care.endings import BY_PATIENT, CANCELLATION, STOPPING, Whose, cancelled_by, cause_of
from clinic.care.figures.counted import Column, Happened, Placing, counted, placing
from clinic.care.figures.definitions import COLUMNS, TOPICS, Topic, columns_at
from clinic.care.figures.going_on import steepest, steps
from clinic.care.figures.happened import CourseEnd, End, Ended, Given, Visit, course_end, visit_end
from clinic.care.figures.months import Month, Months, month_named, month_of, usual_months, week_of
from clinic.care.figures.post import Fate, Settled, post_of
from clinic.care.figures.shares import Count, Middle, Share, differ, middle
from clinic.care.figures.small import FEWEST, left_out
from clinic.care.figures.tables import By, Causes, causes, notices, table
from clinic.care.figures.use import Hours, weeks_ahead
from clinic.care.states import AppointmentState, MessageDecision, MessageState

MARCH = Months(Month(2027, 3), Month(2027, 3))
FIVE = frozenset(range(1, 6))


def session(patient: int, late: int | None, *, on: date = date(2027, 3, 10), number: int = 2, protocol: int = 1,
            dated: bool | None = True, upkeep: bool = False, who: int | None = 7) -> Given:
    """A session given so many days after its ideal date, with a window of a week about that; none: it had none."""
    outside = None if late is None else min(late + 7, 0) or max(late - 7, 0)
    return Given(month_of(on), 1, protocol, who, [patient], [None if upkeep else number], [late], [outside], [dated])


def visit(patient: int, end: End, cause: str = "", *, protocol: int | None = 1, hours: int | None = None) -> Visit:
    notice = None if hours is None else timedelta(hours=hours)
    return Visit(date(2027, 3, 12), 1, protocol, 7, patient, end, cause, notice)


def course(patient: int, end: CourseEnd, given: int, days: int = 60, cause: str = "") -> Ended:
    last = date(2027, 3, 20)
    return Ended(last, 1, 1, 7, patient, end, cause, given, last - timedelta(days=days), last)


def test_months_are_those_of_the_clinics_clock_through_both_changes() -> None:
    berlin, months = ZoneInfo("Europe/Berlin"), Months(Month(2027, 3), Month(2027, 10))

    assert months.instants(berlin) == (
        datetime(2027, 2, 28, 23, tzinfo=UTC), datetime(2027, 10, 31, 23, tzinfo=UTC))
    assert MARCH.instants(berlin) == (datetime(2027, 2, 28, 23, tzinfo=UTC), datetime(2027, 3, 31, 22, tzinfo=UTC))
    assert (months.count, months.before, months.covers(date(2027, 10, 31)), months.covers(date(2027, 11, 1))) == (
        8, Months(Month(2026, 7), Month(2027, 2)), True, False)
    assert usual_months(date(2027, 3, 1)) == Months(Month(2026, 12), Month(2027, 2))
    assert (month_named("2027-03"), month_named("2027-13"), month_named("2027-3"), month_named("²027-03")) == (
        Month(2027, 3), None, None, None)
    assert (month_of(date(2027, 12, 31)).plus(1).code, week_of(date(2027, 3, 7))) == ("2028-01", date(2027, 3, 1))
    with pytest.raises(ValueError, match="out of order"):
        Months(Month(2027, 3), Month(2027, 2))


def test_the_middle_is_that_of_the_sorted_days_and_its_quarters_those_of_the_halves() -> None:
    assert middle([9, -2, 4], FIVE) == Middle(4, -2, 9, 3, FIVE)
    assert middle([1, 2, 3, 40], FIVE) == Middle(2.5, 1.5, 21.5, 4, FIVE)
    assert middle([7], FIVE) == Middle(7, 7, 7, 1, FIVE)


def test_sessions_are_counted_in_their_windows_with_both_ends_and_first_ones_not_at_all() -> None:
    lates = (0, 7, 8, -7, -8, 2, None)
    given = [session(patient, late) for patient, late in enumerate(lates)]

    found = counted(Happened(given))

    assert (found[Column.IN_WINDOW], found[Column.GIVEN]) == (
        Share(4, 6, frozenset(range(6))), Count(7, frozenset(range(7))))
    assert found[Column.DRIFT] == Middle(1, -7, 7, 6, frozenset(range(6)))
    assert placing(given) == Placing(too_early=1, inside=4, too_late=1, without=1)


def test_what_the_clinic_caused_and_what_was_called_off_in_time_is_not_missed() -> None:
    ends = (End.NO_SHOW, End.LATE, End.KEPT, End.NOT_TREATED, End.OURS, End.IN_TIME, End.WITH_COURSE, End.OPEN)
    rows = Happened([session(1, 0)], [visit(patient, end) for patient, end in enumerate(ends)])

    found = counted(rows)

    assert (found[Column.NO_SHOW], found[Column.LATE]) == (
        Share(1, 5, frozenset({0, 1, 2, 3})), Share(1, 5, frozenset({0, 1, 2, 3})))


@pytest.mark.parametrize(("state", "facts", "expected"), [
    ("noshow", {"ended_cause": "ill"}, (End.NO_SHOW, "ill")),
    ("noshow", {"ended_cause": "by-clinic"}, (End.OURS, "by-clinic")),
    ("cancelled", {"ended_cause": "tan"}, (End.NOT_TREATED, "tan")),
    ("cancelled", {"reason": "The patient is ill: flu", "notice": timedelta(hours=23, minutes=59)},
     (End.LATE, "The patient is ill")),
    ("cancelled", {"reason": f"{BY_PATIENT}: travelling", "notice": timedelta(hours=24)}, (End.IN_TIME, BY_PATIENT)),
    ("cancelled", {"reason": "The patient is ill", "notice": timedelta(hours=24), "notice_hours": 48},
     (End.LATE, "The patient is ill")),
    ("cancelled", {"reason": "The patient is ill", "notice": timedelta(0), "notice_hours": 0},
     (End.IN_TIME, "The patient is ill")),
    ("cancelled", {"reason": "the dog", "notice": timedelta(0)}, (End.LATE, "Another reason")),
    ("cancelled", {"reason": "The patient is ill", "by_clinic": True}, (End.OURS, "The patient is ill")),
    ("cancelled", {"reason": "The practitioner is away"}, (End.OURS, "The practitioner is away")),
    ("cancelled", {"reason": "course-stopped"}, (End.WITH_COURSE, "Another reason")),
    ("cancelled", {"reason": "hold-expired"}, (End.NONE, "Another reason")),
    ("fulfilled", {}, (End.KEPT, "")), ("arrived", {}, (End.OPEN, "")),
])
def test_how_a_visit_ended_is_read_from_its_state_reason_and_notice(
    state: str, facts: dict[str, object], expected: tuple[End, str]
) -> None:
    known = {"ended_cause": None, "reason": None, "by_clinic": False, "notice": None, "notice_hours": 24, **facts}

    assert visit_end(AppointmentState(state), **known) == expected  # type: ignore[arg-type] # as given above


def test_every_reason_of_the_desk_has_somebody_whose_doing_it_is() -> None:
    whose = {reason: cancelled_by(reason, by_clinic=False) for reason in (*CANCELLATION, BY_PATIENT, "left-undated")}

    assert [reason for reason, each in whose.items() if each is not Whose.PATIENT] == [
        "The practitioner is away", "Room or device out of service", "Booked by mistake", "left-undated"]
    assert cause_of("A medical reason: pregnant", STOPPING) == "A medical reason"


def test_courses_are_completed_or_not_among_those_that_began_and_ended() -> None:
    ended = [course(1, CourseEnd.COMPLETED, 4, 90), course(2, CourseEnd.REACHED, 2), course(3, CourseEnd.STOPPED, 1),
             course(4, CourseEnd.QUIET, 2), course(5, CourseEnd.COMPLETED, 3, 60), course(6, CourseEnd.COMPLETED, 1, 0)]

    found = counted(Happened(ended=ended))

    assert found[Column.COMPLETED] == Share(4, 6, frozenset(range(1, 7)))
    assert found[Column.TO_COMPLETION] == Middle(75, 60, 90, 2, frozenset({1, 5}))
    assert [course_end(True, None, 3), course_end(False, "moving abroad", 1), course_end(False, "moving abroad", 0),
            course_end(False, "Booked by mistake", 2), course_end(False, "The result is reached: early", 2)] == [
        (CourseEnd.COMPLETED, ""), (CourseEnd.STOPPED, "Another reason"), (CourseEnd.NONE, "Another reason"),
        (CourseEnd.NONE, "Booked by mistake"), (CourseEnd.REACHED, "The result is reached")]


def test_people_drop_out_where_the_most_of_those_who_were_to_go_on_stop() -> None:
    second = [session(patient, 0, number=2) for patient in range(8)]
    third = [session(patient, 0, number=3) for patient in range(20, 26)]
    ended = [course(10, CourseEnd.STOPPED, 1), course(11, CourseEnd.QUIET, 1), course(30, CourseEnd.STOPPED, 2),
             course(31, CourseEnd.QUIET, 2), course(32, CourseEnd.STOPPED, 2), course(40, CourseEnd.REACHED, 1),
             course(50, CourseEnd.STOPPED, 3)]

    found = steps([*second, *third, session(60, 0, number=5, upkeep=True)], ended)

    assert [(step.after, step.went_on, step.stopped, round(step.left, 1)) for step in found] == [
        (1, 8, 2, 80.0), (2, 6, 3, 53.3)]
    assert steepest(found) == found[1]
    assert steepest(steps(second, [])) is None


def test_a_row_of_few_patients_is_left_out_with_another_one_that_would_give_it_away() -> None:
    rows = Happened([
        *(session(patient, 0, protocol=1) for patient in range(20)),
        *(session(patient, 0, protocol=2) for patient in range(9)), session(30, 0, protocol=3),
        *(session(patient, 0, protocol=4) for patient in range(40, 47))])

    found = table(rows, By.PROTOCOL)

    shown = {row.key: row.cells.get(Column.IN_WINDOW) for row in found.rows}
    assert [key for key, cell in shown.items() if cell] == [1, 2]
    assert found.total[Column.IN_WINDOW] == Share(37, 37, frozenset({*range(20), 30, *range(40, 47)}))


@tried_with(st.dictionaries(st.integers(0, 9), st.frozensets(st.integers(0, 30), max_size=12), max_size=8))
def test_nothing_left_out_can_be_worked_out_from_the_total(rows: dict[int, frozenset[int]]) -> None:
    hidden = left_out(rows)

    missing = frozenset[int]().union(*(rows[key] for key in hidden))
    shown = [key for key, who in rows.items() if who and key not in hidden]
    assert all(len(rows[key]) >= FEWEST for key in shown)
    assert not hidden or not shown or (len(missing) >= FEWEST and len(hidden) > 1)
    assert bool(hidden) == any(0 < len(who) < FEWEST for who in rows.values())


def test_a_month_without_anything_has_its_row_and_a_small_total_is_not_shown() -> None:
    months = Months(Month(2027, 3), Month(2027, 4))

    found = table(Happened([session(patient, 0) for patient in range(3)]), By.MONTH, months)

    assert [(row.key, dict(row.cells)) for row in found.rows] == [
        (Month(2027, 3), {}), (Month(2027, 4), {Column.GIVEN: Count(0)})]
    assert found.total == {}
    assert found.rows[1].nothing == set(Column) - {Column.GIVEN}  # a dash, not "too few"
    assert Column.IN_WINDOW not in found.rows[0].nothing | found.nothing


def test_causes_and_notices_that_are_left_out_are_not_even_named() -> None:
    visits = [*(visit(patient, End.LATE, "ill", hours=3) for patient in range(6)),
              *(visit(patient, End.IN_TIME, "away", hours=200) for patient in range(7)),
              visit(8, End.IN_TIME, "away", hours=30), visit(9, End.NO_SHOW, "forgot")]

    assert causes(visits, {End.LATE, End.IN_TIME}) == Causes((("away", 8), ("ill", 6)), 0)
    assert causes(visits, {End.NO_SHOW}) == Causes((), 1)
    assert notices(visits) == Causes((("More than 7 days", 7),), 7)
    assert notices(visits).total == 14


def test_what_finds_no_place_in_a_week_is_owed_in_the_next() -> None:
    mondays = [date(2027, 3, 1) + timedelta(weeks=week) for week in range(4)]

    found = weeks_ahead(mondays, dict(zip(mondays, (60, 30, 100, 0), strict=True)), {mondays[0]: 45, mondays[1]: 90})

    assert [(week.free, week.owed, week.left_over, week.is_full) for week in found] == [
        (60, 45, 0, False), (30, 90, 60, True), (100, 0, 0, False), (0, 0, 0, False)]
    assert not weeks_ahead(mondays, {}, {mondays[0]: 45})[0].is_full
    assert (Hours(600, 660).percent, Hours().percent) == (110.0, None)


def test_messages_are_told_among_those_that_were_to_be_told() -> None:
    march = Month(2027, 3)
    rows = [Settled(march, MessageState.SENT, None, 90, 40), Settled(march, MessageState.FAILED, None, 4, 4),
            Settled(march, MessageState.FAILED, MessageDecision.TOLD, 2, 2),
            Settled(march, MessageState.EXPIRED, None, 4, 4), Settled(march, MessageState.SUPERSEDED, None, 50, 20),
            Settled(march, MessageState.WITHHELD, None, 5, 5),
            Settled(march, MessageState.EXPIRED, MessageDecision.SKIPPED, 1, 1)]

    found = post_of(rows)

    assert (found.fates[Fate.FAILED], found.fates[Fate.TOLD], found.fates[Fate.NOT_NEEDED], found.fates[Fate.WITHHELD],
            found.wanted, found.percent) == (4, 2, 51, 5, 100, 90.0)
    assert post_of(rows[1:2]).percent is None


def test_a_difference_that_chance_brings_about_is_not_called_one() -> None:
    assert not differ(Share(8, 10), Share(6, 10))
    assert differ(Share(80, 100), Share(60, 100))
    assert not differ(Share(0, 10), Share(0, 0))


def test_every_figure_has_its_definition() -> None:
    assert (set(COLUMNS), set(TOPICS)) == (set(Column), set(Topic))
    assert all(each.text.endswith(".") for each in (*COLUMNS.values(), *TOPICS.values()))


def test_what_is_late_says_the_notice_of_each_clinic() -> None:
    said = {str(notice): columns_at(notice)[Column.LATE].counts.removeprefix(COLUMNS[Column.LATE].counts).strip()
            for notice in ({"Quay": 48, "Mill": 48}, {"Quay": 0}, {"Quay": 48, "Hill": 0, "Mill": 48, "Dale": 1})}

    assert list(said.values()) == [
        "That is 48 hours.", "It asks for none: only what had begun is late.",
        "That is none at Hill; 1 hour at Dale; 48 hours at Quay and Mill."]
