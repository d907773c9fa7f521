"""The planner's problem of a course: what the protocol asks, and what the patient has had or will have elsewhere."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.catalogue import load_catalogue
from clinic.care.protocols import maintenance_step, steps_for
from clinic.planning import Gap, Hours, Kind, Need, Past, Placement, Problem, Spacing, Step, judge, starts
from clinic.queries.course_asks import course_problem
from clinic.queries.problems import Asked, earliest_start, planned_step, problem_of, times_of
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.rest_of_course import rest_of_course
from clinic.queries.series import course_series
from clinic.queries.visit_choice import VisitChoice
from clinic.services.holding import change_time
from clinic.store.clinics import Clinic, Closure
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.resources import Absence, Patient, Practitioner, Qualification, Room
from tests.booking import (
    asked,
    at,
    book,
    booked,
    choose,
    counts,
    done,
    held_by,
    offered,
    perform,
    standing,
)
from tests.queries.statements import counted
from tests.small_clinic import SmallClinic, small_clinic


def problem(made: SmallClinic, code: str, sessions: int = 2) -> Problem:
    request = asked(made, code, sessions)
    with Session(made.engine) as db:
        protocol = protocol_of(db, request.protocol_version_id)
        return course_problem(db, request, protocol, steps_for(protocol, sessions), date(2027, 3, 1), now=made.now)


def test_every_step_of_every_protocol_can_be_asked_for() -> None:
    for protocol in load_catalogue():
        for step in (*steps_for(protocol, protocol.sessions.most), maintenance_step(protocol)):
            planned = planned_step(step, step.interval)

            assert planned.minutes > 0
            assert {need.kind for need in planned.needs} >= {Kind.PRACTITIONER, Kind.ROOM}
            assert (planned.gap is None) == (step.interval is None)


def test_a_step_carries_its_interval_and_needs_in_their_order() -> None:
    protocol = next(each for each in load_catalogue() if each.code == "mn_prp")

    second = planned_step(steps_for(protocol, 2)[1], steps_for(protocol, 2)[1].interval)

    assert second.gap == Gap(28, 30, 56)
    assert [(need.kind, need.offset, need.minutes, need.same_as) for need in second.needs] == [
        (Kind.PRACTITIONER, 20, 20, None), (Kind.PRACTITIONER, 65, 40, 1), (Kind.ROOM, 0, 120, None),
        (Kind.DEVICE, 65, 55, None)]


def test_a_course_begins_now_at_the_earliest_and_looks_as_far_as_the_clinic_books(engine: Engine) -> None:
    made = small_clinic(engine, horizon=90)
    made.now = at(1, 10, 7)

    found = problem(made, "mn_rejuvenation")

    assert found.not_before == made.now
    assert (found.ruler.first_on, found.ruler.days) == (date(2027, 3, 1), 90)
    assert earliest_start(date(2027, 3, 28), "Europe/London", made.now) == datetime(2027, 3, 28, tzinfo=UTC)
    assert earliest_start(date(2027, 7, 1), "Europe/London", made.now) == datetime(2027, 6, 30, 23, tzinfo=UTC)


def test_what_is_done_and_what_is_to_come_elsewhere_counts_by_modality(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    done(perform(made, standing(made, course_id)[0]))

    found = problem(made, "ipl_photorejuvenation")

    second_on = standing(made, course_id)[1].local_start.date()
    name = "Microneedling (Microneedling: fine lines, texture, mild laxity)"
    assert [past for past in found.history if past.treatment == "microneedling"] == [
        Past("microneedling", date(2027, 3, 1)), Past("microneedling", second_on)]
    assert Spacing("microneedling", "ipl-facial", 14) in found.spacing
    assert Past(name, second_on) in found.history
    assert [each for each in found.spacing if each.first == "ipl-facial"] == [Spacing("ipl-facial", name, 14)]


def test_a_patient_without_other_courses_has_no_history(engine: Engine) -> None:
    made = small_clinic(engine)
    booked(made, patient_id=made.patients[1])

    assert problem(made, "ipl_photorejuvenation").history == ()


@pytest.mark.parametrize("first, then, days", [
    ("mn_rejuvenation", "ipl_photorejuvenation", 14), ("ipl_photorejuvenation", "mn_rejuvenation", 14),
    ("mn_rejuvenation", "rfmn_laxity", 28), ("peel_medium", "mn_rejuvenation", 90),
])
def test_a_course_keeps_its_distance_after_another_one(engine: Engine, first: str, then: str, days: int) -> None:
    made = small_clinic(engine)
    booked(made, first, 1)

    offers = offered(made, asked(made, then, 1)).offers

    assert {offer.visits[0].local_start.date() >= date(2027, 3, 1) + timedelta(days=days) for offer in offers} == {True}


@pytest.mark.parametrize("days, against", [(87, ["spacing"]), (90, [])])
def test_what_is_booked_before_another_course_keeps_that_ones_distance(
    engine: Engine, days: int, against: list[str]
) -> None:
    """The other way round: needling that is booked already must lie 90 days after a medium peel."""
    made = small_clinic(engine)
    made.now = at(2, 8)
    needling = asked(made, sessions=1)
    needled_at = datetime(2027, 3, 2, 9, tzinfo=UTC) + timedelta(days=days)
    needs = (made.practitioners[0], made.rooms[0], made.devices[0])
    done(book(made, needling, [choose(1, needled_at, needs)]))

    peel = asked(made, "peel_medium", 1)
    first_on = {offer.visits[0].local_start.date() for offer in offered(made, peel).offers}
    outcome = book(made, peel, [choose(1, at(2, 9), (made.practitioners[1], made.rooms[1]))])

    assert [finding.code for finding in outcome.findings] == against
    assert (date(2027, 3, 2) in first_on) == (against == [])


def test_upkeep_of_a_course_counts_for_other_courses(engine: Engine) -> None:
    made = small_clinic(engine)
    done(perform(made, standing(made, booked(made, "rfmn_laxity", 1))[0]))

    found = problem(made, "mn_rejuvenation")

    assert Past("rf_microneedling", date(2027, 3, 1)) in found.history
    assert counts(engine)["maintenance_plan"] == 1


def test_a_cancelled_visit_elsewhere_counts_for_nothing(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, sessions=1))[0]
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE appointment SET state = 'cancelled'"))
        db.commit()

    assert problem(made, "ipl_photorejuvenation").history == ()
    assert held_by(made, visit.id) == []


def test_a_patients_times_are_read_as_hours() -> None:
    stored = [{"weekdays": [1, 3], "begins": 840, "ends": 1080}]

    assert times_of(stored) == (Hours(frozenset({1, 3}), 840, 1080),)


def test_a_course_is_asked_in_the_same_few_statements_whatever_the_patient_has(engine: Engine) -> None:
    made = small_clinic(engine)
    said: list[str] = []
    problem(made, "ipl_photorejuvenation")
    sa.event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2].split()[0]))
    problem(made, "ipl_photorejuvenation")
    empty = said.count("SELECT")
    booked(made, sessions=4)
    booked(made, "peel_medium", 1)
    said.clear()

    problem(made, "ipl_photorejuvenation")

    assert said.count("SELECT") == empty


@pytest.mark.parametrize("ignored", [False, True])
def test_a_problem_takes_three_statements_at_most_however_many_rows_days_and_people(
    engine: Engine, ignored: bool
) -> None:
    made = small_clinic(engine, patients=1)
    said: dict[int, int] = {}
    for size in (1, 30, 300):
        grow(made, size)
        course_id = booked(made, "peel_superficial", 2, patient_id=grown_patient(made))
        with Session(engine) as db:
            series = course_series(db, course_id, now=made.now)
            asked_of = Asked(
                clinic_id=made.clinic_id, patient_id=series.course.patient_id, protocol=series.protocol,
                steps=tuple(planned_step(place.step, place.interval) for place in series.places), not_before=made.now,
                ignore=tuple(place.appointment.id for place in series.places if place.appointment and ignored),
                until_on=made.now.date() + timedelta(days=size))
            db.commit()
            with counted(engine) as told:
                problem_of(db, asked_of, now=made.now)
        said[size] = sum(each.startswith("SELECT") for each in told)

    assert said == {1: 2, 30: 2, 300: 2}


def test_a_grid_finer_than_the_pages_takes_one_statement_more_and_is_exact(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE clinic SET start_step_minutes = 7"))
        db.commit()
    course_id = booked(made, "peel_superficial", 1)
    first = standing(made, course_id)[0]

    with counted(engine) as told:
        found = problem(made, "peel_superficial", 1)

    held = {resource_id for _, resource_id in held_by(made, first.id)}
    room = next(each for each in found.resources if int(each.id) in held and each.kind is Kind.ROOM)
    assert found.ruler.granule == 60
    assert room.busy >> found.ruler.down(first.starts_at) & 1
    assert not room.busy >> (found.ruler.down(first.starts_at) - 1) & 1
    assert sum("FROM clinic" in each or "resource_booking" in each for each in told) <= 3


def grow(made: SmallClinic, count: int) -> None:
    """So many more practitioners, rooms, closures, absences and booked hours."""
    with Session(for_writing(made.engine)) as db:
        for at in range(count):
            person = Practitioner(name=f"Person {at}")
            db.add_all([person, Room(clinic_id=made.clinic_id, name=f"Room {count}-{at}", features=[])])
            db.flush()
            db.add_all([
                Qualification(practitioner_id=person.id, code="peel-superficial", valid_from=date(2020, 1, 1)),
                Absence(resource_id=person.id, starts_at=made.now, ends_at=made.now + timedelta(days=1), reason="away"),
                Closure(clinic_id=made.clinic_id, from_on=date(2028, 1, 1), to_on=date(2028, 1, 1), reason="holiday")])
            visit = Appointment(
                clinic_id=made.clinic_id, patient_id=made.patients[0], kind="other", treatment_code="other",
                state="booked", uid=f"{count}-{at}", zone="Europe/London", fold=0, minutes=60,
                local_start=at_nine().replace(tzinfo=None), starts_at=at_nine(),
                ends_at=at_nine() + timedelta(hours=1), scheduled_at=made.now, created_at=made.now)
            db.add(visit)
            db.flush()
            db.add(ResourceBooking(
                appointment_id=visit.id, clinic_id=made.clinic_id, resource_id=person.id, need=1,
                starts_at=at_nine(), ends_at=at_nine() + timedelta(hours=1)))
        db.commit()


def at_nine() -> datetime:
    return datetime(2027, 3, 2, 9, tzinfo=UTC)


def grown_patient(made: SmallClinic) -> int:
    """One more patient."""
    with Session(for_writing(made.engine)) as db:
        person = Patient(given_name="Pat", family_name="Berg", search_text="pat berg", created_at=made.now)
        db.add(person)
        db.commit()
        return person.id


def test_a_qualification_counts_on_the_day_whatever_else_one_is_qualified_for(engine: Engine) -> None:
    """Of two sessions that ask for different skills, who is losing one keeps being offered for the other."""
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE practitioner SET active = :no WHERE id <> :id"),
                   {"no": False, "id": made.practitioners[0]})
        db.execute(sa.text("UPDATE qualification SET expires_on = '2027-03-03' WHERE code = 'ipl'"))
        db.commit()
    needs = {code: (Need(Kind.PRACTITIONER, 30, frozenset({code})),) for code in ("ipl", "peel-superficial")}
    with Session(made.engine) as db:
        protocol = protocol_of(db, made.versions["peel_superficial"])
        found = problem_of(db, Asked(
            clinic_id=made.clinic_id, patient_id=made.patients[0], protocol=protocol, not_before=made.now,
            steps=(Step("ipl", 30, needs["ipl"]), Step("peel", 30, needs["peel-superficial"], Gap(1, 1, 30)))),
            now=made.now)

    def last_on(step: int) -> date:
        return max(starts(found, step).starts or ()).date()

    late = Placement(1, at(4, 10), (str(made.practitioners[0]),))
    assert last_on(1) == date(2027, 3, 3)
    assert last_on(2) == date(2027, 4, 2)
    assert [finding.code for finding in judge(found, [late])] == ["lacks-skill"]
    assert judge(found, [Placement(1, at(3, 10), (str(made.practitioners[0]),))]) == ()


def test_a_break_keeps_clear_of_an_appointment_that_may_move(engine: Engine) -> None:
    """What stands over the middle of the lunch hours can stay, though the planner may move it."""
    made = small_clinic(engine)
    course_id = booked(made, "peel_superficial", 1)
    noon = VisitChoice(1, at(2, 12, 45), (made.practitioners[0], made.rooms[0]))
    with made.work() as work:
        # Past every judgement: the break itself would keep the desk from this time.
        series = course_series(work.db, course_id, now=made.now)
        place = series.places[0]
        assert place.appointment is not None
        change_time(work, work.db.get_one(Clinic, made.clinic_id), place.appointment, place.step.parts, noon)
        work.commit()
    with Session(made.engine) as db:
        rest = rest_of_course(db, course_series(db, course_id, now=made.now), now=made.now)
    found, numbers = rest.asked((1,), rest.before)
    step = numbers.index(1) + 1

    assert judge(found, [Placement(step, noon.starts_at, tuple(map(str, noon.resource_ids)))]) == ()
    assert noon.starts_at in (starts(found, step).starts or ())
