"""The list of sessions that wait for a date: complete, in order of urgency, bounded, read in two statements."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.protocols import Interval
from clinic.care.windows import Window, window_after
from clinic.planning.local import DAY
from clinic.queries.shell import shell_counts
from clinic.queries.undated import PAGE, Due, Horizon, UndatedPage, undated_page
from clinic.services.resting import hold_course
from clinic.store.clinics import Clinic
from clinic.store.courses import Course, MaintenancePlan, TreatmentSession
from tests.booking import booked, cancel, course_row, done, perform, sessions_of, standing
from tests.queries.statements import counted
from tests.small_clinic import MONDAY, SmallClinic, small_clinic

TODAY = date(2027, 3, 1)


def listed(
    made: SmallClinic, *, only_due: bool = False, number: int = 1, today: date | None = None, clinic_id: int = 0
) -> UndatedPage:
    with Session(made.engine) as db:
        return undated_page(db, clinic_id or made.clinic_id, horizon(today or made.now.date()), only_due=only_due,
                            number=number)


def horizon(today: date = TODAY) -> Horizon:
    return Horizon(today, today + 399 * DAY)


def owe(made: SmallClinic, windows: list[tuple[int, int, int] | None], *, clinic_id: int = 0) -> int:
    """A course that owes a session for each window, in days from today; none: it has no window."""
    with made.work() as work:
        course = Course(
            patient_id=made.patients[0], clinic_id=clinic_id or made.clinic_id, state="active", laxity="none",
            protocol_version_id=made.versions["mn_rejuvenation"], indication="fine_lines", created_at=made.now)
        work.db.add(course)
        work.db.flush()
        for number, window in enumerate(windows, 1):
            spans = [TODAY + days * DAY for days in window] if window else [None] * 3
            work.db.add(TreatmentSession(
                course_id=course.id, number=number, treatment_code="skin-needling", state="owed",
                earliest_on=spans[0], ideal_on=spans[1], latest_on=spans[2]))
        work.commit()
        return course.id


def test_each_stands_as_its_window_does_and_the_most_urgent_comes_first(engine: Engine) -> None:
    made = small_clinic(engine)
    owe(made, [(500, 510, 530), (400, 399, 530), (400, 400, 530), (15, 20, 40), (14, 20, 40), None, (-40, -30, 0),
               (-40, -30, -1), (-60, -50, -20)])

    found = listed(made)

    assert [(row.number, row.due) for row in found.rows] == [
        (9, Due.OVERDUE), (8, Due.OVERDUE), (7, Due.NEAR), (5, Due.NEAR), (6, Due.NEAR), (4, Due.PLANNABLE),
        (2, Due.PLANNABLE), (1, Due.LATER), (3, Due.LATER),
    ]
    assert (found.total, dict(found.counts)) == (
        9, {Due.OVERDUE: 2, Due.NEAR: 3, Due.PLANNABLE: 2, Due.LATER: 2})
    assert [row.number for row in listed(made, only_due=True).rows] == [9, 8, 7, 5, 6]


def test_real_courses_and_upkeep_appear_when_they_lose_their_dates(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    ended = booked(made, sessions=1, patient_id=made.patients[1])
    assert listed(made).rows == ()
    done(perform(made, standing(made, ended)[0]))
    done(cancel(made, standing(made, course_id)[1]))

    upkeep, lost = sorted(listed(made).rows, key=lambda row: not row.of_maintenance)

    assert (upkeep.course_id, upkeep.number, upkeep.patient_id) == (ended, 1, made.patients[1])
    second = sessions_of(made, course_id=course_id)[1]
    assert (lost.id, lost.course_id, lost.patient, lost.protocol) == (
        second.id, course_id, "Ana Novák", "Microneedling: fine lines, texture, mild laxity")
    assert lost.window is not None
    assert (lost.window.earliest_on, lost.window.latest_on) == (second.earliest_on, second.latest_on)


def test_the_window_follows_the_real_session_before(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    first, second, third = standing(made, course_id)
    done(cancel(made, third))
    assert listed(made).rows[0].window == _four_weeks_after(second.local_start.date())

    done(perform(made, first))
    made.now += timedelta(days=3)
    done(perform(made, second))

    assert listed(made).rows[0].window == _four_weeks_after(second.local_start.date())


def test_what_rests_or_has_ended_or_is_another_clinics_is_not_listed(engine: Engine) -> None:
    made = small_clinic(engine)
    rests, stopped = owe(made, [(1, 2, 3)]), owe(made, [(1, 2, 3)])
    with made.work() as work:
        other = Clinic(name="Hill", zone="Europe/Lisbon", address="", phone="1", sender_name="Hill",
                       sender_email="hill@harbour.example")
        work.db.add(other)
        work.db.get_one(Course, stopped).state = "revoked"
        work.commit()
        other_id = other.id
    elsewhere = owe(made, [(1, 2, 3)], clinic_id=other_id)
    with made.work() as work:
        done(hold_course(work, rests, reason="Abroad", lock_version=course_row(made, rests).lock_version))

    assert listed(made).rows == ()
    assert [row.course_id for row in listed(made, clinic_id=other_id).rows] == [elsewhere]


def test_upkeep_at_rest_is_not_listed(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    done(perform(made, standing(made, course_id)[0]))
    assert len(listed(made).rows) == 1

    with made.work() as work:
        work.db.execute(sa.update(MaintenancePlan).values(state="on-hold"))
        work.commit()

    assert listed(made).rows == ()


@pytest.mark.parametrize("sessions", [1, 30, 300])
def test_a_page_takes_two_statements_however_long_the_list_is(engine: Engine, sessions: int) -> None:
    made = small_clinic(engine)
    owe(made, [(number, number, number) for number in range(sessions)])

    with counted(engine) as told:
        first = listed(made)

    assert len([each for each in told if each.startswith("SELECT")]) == 2
    assert (len(first.rows), first.total) == (min(sessions, PAGE), sessions)
    pages = [listed(made, number=number) for number in range(1, -(-sessions // PAGE) + 1)]
    assert sorted(row.number for each in pages for row in each.rows) == list(range(1, sessions + 1))
    assert [each.has_next for each in pages] == [True] * (len(pages) - 1) + [False]
    assert listed(made, number=10**9) == pages[-1]


def test_the_navigation_counts_what_is_due_now(engine: Engine) -> None:
    made = small_clinic(engine)
    owe(made, [(-9, -8, -7), (14, 20, 40), (15, 20, 40), None])

    with Session(engine) as db, counted(engine) as told:
        waiting = shell_counts(db, made.clinic_id, horizon(), MONDAY).sessions_due

    assert (waiting, len([each for each in told if each.startswith("SELECT")])) == (3, 1)


def _four_weeks_after(on: date) -> Window:
    return window_after(on, Interval(28, 30, 56))
