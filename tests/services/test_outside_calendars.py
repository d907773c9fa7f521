"""Outside calendars: kept as busy times, replaced as a whole, taken back, and seen by the planner."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.outside_calendars import busy_effect, calendar_facts
from clinic.services.absences import add_absence
from clinic.services.outside_calendars import REASON, import_calendar, keep_calendar, remove_calendar
from clinic.services.work import Done, NotFound, Refused
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import Clinic
from clinic.store.engine import for_writing
from clinic.store.resources import Absence, Rota, RotaSpan
from tests.interchange.calendars.dialects import DIALECTS
from tests.interchange.calendars.scenarios import SCENARIOS
from tests.interchange.calendars.written import event, file
from tests.queries.statements import counted
from tests.small_clinic import MONDAY, SmallClinic, small_clinic
from tests.web.seed import add_appointment

NOON = file(event("DTSTART:20270302T120000Z", "DURATION:PT1H", "SUMMARY:Dentist"))


def imported(made: SmallClinic, data: bytes, source: str = "Private") -> Done[int] | Refused:
    """The first practitioner's calendar, read."""
    with made.work("manager") as work:
        return import_calendar(work, made.practitioners[0], source=source, data=data)


def kept(engine: Engine, who: int) -> list[tuple[datetime, datetime, str, str | None]]:
    """The absences of a practitioner."""
    with Session(engine) as db:
        rows = db.execute(sa.select(Absence.starts_at, Absence.ends_at, Absence.reason, Absence.source).where(
            Absence.resource_id == who).order_by(Absence.starts_at))
        return [(row.starts_at, row.ends_at, row.reason, row.source) for row in rows]


def test_busy_times_are_kept_without_what_they_are_about(engine: Engine) -> None:
    made = small_clinic(engine)

    outcome = imported(made, NOON)

    noon = datetime(2027, 3, 2, 12, tzinfo=UTC)
    assert outcome == Done(1)
    assert kept(engine, made.practitioners[0]) == [(noon, noon + timedelta(hours=1), REASON, "Private")]
    with Session(engine) as db:
        entry = db.scalars(sa.select(AuditEntry).where(AuditEntry.action == "calendar-read")).one()
    assert (entry.subject_id, entry.facts) == (made.practitioners[0], {"spans": 1})


def test_reading_again_replaces_that_calendar_only(engine: Engine) -> None:
    made = small_clinic(engine)
    noon = datetime(2027, 3, 2, 12, tzinfo=UTC)
    with made.work() as work:
        add_absence(work, made.practitioners[0], starts_at=noon, ends_at=noon + timedelta(hours=2), reason="Leave")
    imported(made, NOON)
    imported(made, NOON, source="University")

    imported(made, DIALECTS["google"](SCENARIOS["one_meeting"]()))

    assert sorted((row[0].day, row[3] or "") for row in kept(engine, made.practitioners[0])) == [
        (2, ""), (2, "University"), (9, "Private")]


def test_a_calendar_that_is_refused_leaves_what_was_read_before(engine: Engine) -> None:
    made = small_clinic(engine)
    imported(made, NOON)

    outcome = imported(made, b"<html>Sign in</html>")

    assert isinstance(outcome, Refused)
    assert outcome.findings[0].text.startswith("Line 1: This is a web page")
    assert len(kept(engine, made.practitioners[0])) == 1


def test_an_empty_calendar_takes_back_what_was_read(engine: Engine) -> None:
    made = small_clinic(engine)
    imported(made, NOON)

    assert imported(made, file()) == Done(0)
    assert kept(engine, made.practitioners[0]) == []


def test_removing_a_calendar_removes_its_rows(engine: Engine) -> None:
    made = small_clinic(engine)
    imported(made, NOON)
    imported(made, NOON, source="University")

    with made.work("manager") as work:
        outcome = remove_calendar(work, made.practitioners[0], source="Private")

    assert outcome == Done(1)
    assert [row[3] for row in kept(engine, made.practitioners[0])] == ["University"]


def test_a_sixth_calendar_is_refused_and_a_name_is_needed(engine: Engine) -> None:
    made = small_clinic(engine)
    for number in range(5):
        imported(made, NOON, source=f"Calendar {number}")

    assert [isinstance(imported(made, NOON, source=name), Refused) for name in ("Another", " ", "x" * 61, "Calendar 2")
            ] == [True, True, True, False]


@pytest.mark.parametrize("spans", [
    [(MONDAY + timedelta(hours=2), MONDAY + timedelta(hours=1))],
    [(MONDAY, MONDAY + timedelta(hours=2)), (MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=3))],
    [(MONDAY - timedelta(days=9), MONDAY)], [(MONDAY, MONDAY + timedelta(days=9000))],
])
def test_times_that_no_reading_gives_are_refused(spans: list[tuple[datetime, datetime]], engine: Engine) -> None:
    made = small_clinic(engine)

    with made.work() as work:
        outcome = keep_calendar(work, made.practitioners[0], source="Private", spans=spans)

    assert isinstance(outcome, Refused)


def test_nobody_s_calendar_is_not_read(engine: Engine) -> None:
    made = small_clinic(engine)

    with made.work() as work, pytest.raises(NotFound):
        import_calendar(work, 999, source="Private", data=NOON)


def test_days_without_a_zone_are_those_of_the_clinic_where_they_work_most(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        far = Clinic(name="Far", zone="Asia/Tokyo", address="1", phone="1", sender_name="F",
                     sender_email="f@far.example")
        db.add(far)
        db.flush()
        rota = Rota(practitioner_id=made.practitioners[0], starts_on=datetime(2027, 2, 1, tzinfo=UTC).date())
        db.add(rota)
        db.flush()
        db.add(RotaSpan(rota_id=rota.id, weekday=0, opens=540, closes=1080, clinic_id=far.id))
        db.commit()

    imported(made, file(event("DTSTART;VALUE=DATE:20270310")))

    assert kept(engine, made.practitioners[0])[0][0] == datetime(2027, 3, 9, 15, tzinfo=UTC)


def test_only_appointments_inside_busy_times_are_met(engine: Engine) -> None:
    made = small_clinic(engine)
    who = made.practitioners[0]
    with Session(for_writing(engine)) as db:
        met = [add_appointment(db, made.patients[number], made.clinic_id, MONDAY + timedelta(days=1, hours=hour),
                               resources=(who,)) for number, hour in ((0, 2), (1, 3), (2, 5))]
        db.commit()
    ten = MONDAY + timedelta(days=1, hours=1)
    spans = [(ten, ten + timedelta(minutes=90)), (ten + timedelta(minutes=165), ten + timedelta(hours=4))]

    with Session(engine) as db:
        effect = busy_effect(db, who, spans)

    assert (effect.appointments, effect.patients, [row.appointment_id for row in effect.rows]) == (1, 1, met[:1])


@pytest.mark.parametrize("count", [1, 300])
def test_the_facts_take_few_statements_however_much_was_read(count: int, engine: Engine) -> None:
    made = small_clinic(engine)
    begins = [MONDAY + timedelta(hours=2 * number) for number in range(count)]
    spans = [(each, each + timedelta(hours=1)) for each in begins]
    with made.work() as work:
        keep_calendar(work, made.practitioners[0], source="Private", spans=spans)

    with Session(engine) as db, counted(engine) as told:
        facts = calendar_facts(db, made.practitioners[0], now=MONDAY)

    assert facts is not None
    assert (facts.sources[0].busy, len(told) <= 4) == (count, True)
