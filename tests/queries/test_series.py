"""A course that runs, in order, and the problem that places one of its sessions while all else stays."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.planning import Gap, Problem
from clinic.queries.rest_of_course import rest_of_course
from clinic.queries.series import Series, course_series, maintenance_series, series_of
from clinic.store.courses import TreatmentSession
from tests.booking import booked, cancel, done, healthy, held_by, perform, sessions_of, standing
from tests.small_clinic import SmallClinic, small_clinic


def series(made: SmallClinic, course_id: int) -> Series:
    with Session(made.engine, expire_on_commit=False) as db:
        return course_series(db, course_id, now=made.now)


def asked(made: SmallClinic, course_id: int, number: int, late: Sequence[int] = ()) -> tuple[Problem, int]:
    """The problem that places that session while every other one stays, and which of its steps it is."""
    with Session(made.engine) as db:
        rest = rest_of_course(db, course_series(db, course_id, now=made.now), now=made.now)
    problem, numbers = rest.asked((number,), rest.before, late=late)
    return problem, numbers.index(number) + 1


def test_the_session_is_free_and_its_neighbours_are_pinned_with_what_they_hold(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    first, _, third = standing(made, course_id)

    problem, step = asked(made, course_id, 2)

    assert step == 2
    assert [each.pinned is None for each in problem.steps] == [False, True, False]
    pins = [problem.steps[0].pinned, problem.steps[2].pinned]
    assert [(pin.start_at, pin.resources) for pin in pins if pin] == [
        (each.starts_at, tuple(str(resource) for _, resource in held_by(made, each.id)[1:])) for each in (first, third)]


def test_sessions_without_a_date_stretch_the_interval(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    for each in standing(made, course_id)[1:3]:
        done(cancel(made, each))

    problem, step = asked(made, course_id, 4)

    assert (step, len(problem.steps)) == (2, 2)
    assert problem.steps[1].gap == Gap(84, 90, 168)


def test_completed_sessions_are_no_steps_and_the_next_counts_from_the_last_of_them(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    first = standing(made, course_id)[0]
    done(perform(made, first))

    problem, step = asked(made, course_id, 2)

    assert (step, len(problem.steps)) == (1, 2)
    assert problem.last_session_on == date(2027, 3, 1)
    assert problem.steps[0].gap == Gap(28, 30, 56)


def test_sessions_that_may_be_late_are_never_early(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)

    strict, _ = asked(made, course_id, 2)
    lenient, _ = asked(made, course_id, 2, (2, 3))

    assert [each.gap for each in strict.steps[1:]] == [Gap(28, 30, 56), Gap(28, 30, 56)]
    assert [(each.gap.min, each.gap.ideal, each.gap.max) for each in lenient.steps[1:] if each.gap] == [
        (28, 30, 3660), (28, 30, 3660)]


def test_a_first_session_made_up_for_late_keeps_the_protocols_interval(engine: Engine) -> None:
    """Two treatments take turns, so that the second visit is not the first session."""
    made = small_clinic(engine)
    course_id = booked(made, "combo_mn_peel", 4, answers=healthy(indication="acne_scars"))
    first, second, *_ = standing(made, course_id)
    done(cancel(made, first))
    done(perform(made, second))

    problem, step = asked(made, course_id, 1)

    assert step == 1
    assert (problem.steps[0].gap, problem.last_session_on) == (Gap(21, 21, 35), second.local_start.date())


def test_upkeep_counts_from_the_last_session_of_its_course(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, "rfmn_laxity", 1)
    done(perform(made, standing(made, course_id)[0]))
    with Session(engine) as db:
        owed = db.get_one(TreatmentSession, sessions_of(made, course_id=course_id)[0].id + 1)

        found = series_of(db, owed, now=made.now)
        problem, numbers = rest_of_course(db, found, now=made.now).asked((1,), {})

    assert found.plan is not None
    assert (found.before_on, numbers) == (date(2027, 3, 1), [1])
    assert problem.steps[0].gap == Gap(180, 365, 365)
    assert problem.last_session_on == date(2027, 3, 1)
    with Session(engine) as db:
        assert maintenance_series(db, found.plan.id, now=made.now).windows() == found.windows()


def test_a_series_tells_each_window_from_the_sessions_before_as_they_stand(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    second_on = standing(made, course_id)[1].local_start.date()

    found = series(made, course_id)

    spans = found.windows()
    assert spans[0] is None
    assert [each.ideal_on for each in spans[1:] if each] == [
        date(2027, 3, 1) + timedelta(days=30), second_on + timedelta(days=30)]
    assert [place.on for place in found.places] == [
        each.local_start.date() for each in standing(made, course_id)]
