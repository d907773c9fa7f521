from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.resources import Absence, Patient
from tests.store.rows import NOW, add_appointment, open_clinic, patient

BERLIN = ZoneInfo("Europe/Berlin")

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime.fromisoformat("1900-01-02"), datetime.fromisoformat("2200-01-01"), timezones=offsets)


def round_trip(engine: Engine, at: datetime) -> datetime | None:
    with Session(for_writing(engine)) as db:
        row = patient("Ida")
        row.marketing_consent_at = at
        db.add(row)
        db.flush()
        db.expire(row)
        return row.marketing_consent_at


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=instants)
def test_an_instant_comes_back_as_the_same_second_in_utc(engine: Engine, at: datetime) -> None:
    read = round_trip(engine, at)

    assert read is not None
    assert (read, read.tzinfo) == (at.astimezone(UTC).replace(microsecond=0), UTC)


@pytest.mark.parametrize("fold", [0, 1])
def test_both_passes_of_a_repeated_hour_come_back_apart(engine: Engine, fold: int) -> None:
    at = datetime(2027, 10, 31, 2, 30, fold=fold, tzinfo=BERLIN)

    assert round_trip(engine, at) == datetime(2027, 10, 31, fold, 30, tzinfo=UTC)


def test_an_instant_without_its_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="an instant needs its zone"):
        round_trip(engine, datetime.fromisoformat("2027-03-01 09:00"))


def test_no_instant_stays_none(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        db.add(patient("Ida"))
        db.commit()

        assert db.scalars(sa.select(Patient.marketing_consent_at)).one() is None


def test_instants_are_compared_in_the_database_as_instants(engine: Engine) -> None:
    ids = open_clinic(engine)
    with Session(for_writing(engine)) as db:
        for hour in (8, 9, 10):
            start = datetime(2027, 3, 1, hour, tzinfo=BERLIN)
            db.add(Absence(resource_id=ids.room, starts_at=start, ends_at=start + timedelta(hours=1), reason="service"))
        db.commit()

        late = sa.select(Absence.starts_at).where(Absence.starts_at >= NOW).order_by(Absence.starts_at)

        assert db.scalars(late).all() == [datetime(2027, 3, 1, 9, tzinfo=UTC)]


def test_a_local_start_keeps_its_wall_time_and_fold(engine: Engine) -> None:
    ids = open_clinic(engine)
    wall = datetime.fromisoformat("2027-10-31 02:30")
    with Session(for_writing(engine)) as db:
        row = add_appointment(db, ids)
        row.local_start, row.fold, row.zone = wall, 1, "Europe/Berlin"
        db.commit()

        read = db.execute(sa.select(Appointment.local_start, Appointment.fold, Appointment.zone)).one()

    assert tuple(read) == (wall, 1, "Europe/Berlin")


def test_dates_lists_and_words_come_back_as_they_were(engine: Engine) -> None:
    times = [{"weekday": 1, "from": "09:00", "note": "früh, 朝"}]
    with Session(for_writing(engine)) as db:
        row = patient("Zoë 🌿")
        row.birth_on, row.only_times = date(1980, 2, 29), times
        db.add(row)
        db.commit()
        db.expire(row)

        assert (row.given_name, row.birth_on, row.only_times) == ("Zoë 🌿", date(1980, 2, 29), times)
