"""What check-out offers: every time can be taken as it stands, keeps the course in its windows, and is the nearest."""
from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.appointments import appointment_page
from clinic.queries.check_out import AROUND, CheckOut, check_out
from clinic.queries.visit_choice import parse_choice
from clinic.services.repair import repair_course, undo_repair
from tests.booking import booked, cancel, done, perform, rebook, sessions_of, standing
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic, small_clinic


def left_of(made: SmallClinic, appointment_id: int) -> CheckOut:
    with Session(made.engine) as db:
        page = appointment_page(db, appointment_id)
        assert page and page.treatment_session
        return check_out(db, page.appointment, page.treatment_session, now=made.now)


def test_each_shift_is_the_same_weekday_or_close_keeps_every_window_and_is_taken_and_undone(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    first, second, *_ = before = standing(made, course_id)
    done(perform(made, first))
    found = left_of(made, first.id)
    assert found.following is not None
    assert found.following.appointment.id == second.id
    # The clocks of London change on 28 March: the date keeps its local time across it.
    assert second.local_start.date().isoformat() > "2027-03-28"

    offered = {shift.weeks: shift.offer for shift in found.following.shifts}
    assert offered[-1] is None
    assert [shift.reason[:18] for shift in found.following.shifts] == ["before its window,", "", ""]
    for shift in found.following.shifts[1:]:
        assert shift.offer and shift.with_it
        wanted = second.local_start + timedelta(weeks=shift.weeks)
        assert abs(shift.offer.local_start.date() - wanted.date()) <= AROUND
        assert shift.offer.local_start.replace(tzinfo=None).time() == second.local_start.time()
        token = left_of(made, first.id).token
        with made.work() as work:
            done(repair_course(work, course_id, shift.with_it.choices, shift.with_it.undated, token=token))
        after = standing(made, course_id)
        assert after[1].starts_at == shift.offer.starts_at
        assert {line.number for line in shift.others} == {
            number for number in (3, 4) if after[number - 1].starts_at != before[number - 1].starts_at}
        assert all(row.earliest_on and row.latest_on and row.earliest_on <= visit.local_start.date() <= row.latest_on
                   for row, visit in list(zip(sessions_of(made, course_id=course_id), after, strict=True))[1:])
        assert audit(made.engine) == []
        with made.work() as work:
            done(undo_repair(work, course_id, token=left_of(made, first.id).token))
    assert [visit.starts_at for visit in standing(made, course_id)] == [visit.starts_at for visit in before]


def test_a_session_without_a_date_is_offered_its_best_time_and_the_one_after_it_next(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    first, *later = standing(made, course_id)
    done(perform(made, first))
    for visit in later:
        done(cancel(made, visit))

    for more in (1, 0):
        found = left_of(made, first.id).undated
        assert found and found.best and found.window and found.more == more
        assert found.best.local_start.date() == found.window.ideal_on or abs(
            found.best.local_start.date() - found.window.ideal_on) <= timedelta(days=2)
        done(rebook(made, found.treatment_session_id, parse_choice(found.best.choice)))

    assert left_of(made, first.id).undated is None
    assert audit(made.engine) == []


def test_after_the_last_session_the_upkeep_is_offered_and_past_the_horizon_its_reason(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    [last] = standing(made, course_id)
    done(perform(made, last))

    found = left_of(made, last.id)

    assert found.of_upkeep and found.goes_on
    assert found.undated and found.undated.window
    assert bool(found.undated.best) != bool(found.undated.reason)
