"""Closures: added with their reason, taken back, and a year's holidays at once or not at all."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.services import closures
from clinic.services.closures import MOST_AT_ONCE, ClosedDays
from clinic.services.work import NotFound
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import Closure
from tests.booking import codes, done
from tests.small_clinic import SmallClinic, small_clinic

XMAS = date(2027, 12, 25)
HOLIDAYS = (ClosedDays(XMAS, XMAS, "Christmas Day"), ClosedDays(XMAS + timedelta(1), XMAS + timedelta(2), "Boxing Day"))


def kept(made: SmallClinic) -> list[tuple[date, date, str]]:
    with made.engine.connect() as connection:
        rows = connection.execute(sa.select(Closure.from_on, Closure.to_on, Closure.reason).order_by(Closure.from_on))
        return [tuple[date, date, str](row) for row in rows]


def test_a_closure_is_added_and_taken_back_and_both_are_in_the_audit(engine: Engine) -> None:
    made = small_clinic(engine)
    with made.work() as unit:
        ident = done(closures.close_clinic(unit, made.clinic_id, from_on=XMAS, to_on=XMAS, reason=" Christmas "))
    assert kept(made) == [(XMAS, XMAS, "Christmas")]

    with made.work() as unit:
        assert done(closures.open_again(unit, ident)) == made.clinic_id

    assert kept(made) == []
    with made.engine.connect() as connection:
        assert connection.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all() == [
            "closure-added", "closure-removed"]
    with made.work() as unit, pytest.raises(NotFound):
        closures.open_again(unit, ident)


@pytest.mark.parametrize("from_on, to_on, reason, code", [
    (XMAS, XMAS - timedelta(1), "x", "span"), (XMAS, XMAS + timedelta(3661), "x", "span"), (XMAS, XMAS, " ", "missing"),
])
def test_a_closure_that_cannot_be_is_refused(
    engine: Engine, from_on: date, to_on: date, reason: str, code: str
) -> None:
    made = small_clinic(engine)

    with made.work() as unit:
        outcome = closures.close_clinic(unit, made.clinic_id, from_on=from_on, to_on=to_on, reason=reason)

    assert (codes(outcome), kept(made)) == ([code], [])


def test_holidays_are_loaded_once_however_often_their_file_comes(engine: Engine) -> None:
    made = small_clinic(engine)
    for added in (2, 0):
        with made.work() as unit:
            assert done(closures.add_holidays(unit, made.clinic_id, HOLIDAYS)) == added

    assert kept(made) == [(each.from_on, each.to_on, each.reason) for each in HOLIDAYS]


def test_a_holiday_within_a_longer_closure_adds_nothing(engine: Engine) -> None:
    made = small_clinic(engine)
    with made.work() as unit:
        closures.close_clinic(unit, made.clinic_id, from_on=XMAS - timedelta(2), to_on=XMAS + timedelta(9), reason="x")

    with made.work() as unit:
        assert done(closures.add_holidays(unit, made.clinic_id, HOLIDAYS)) == 0


def test_holidays_come_all_or_none_and_not_without_end(engine: Engine) -> None:
    made = small_clinic(engine)
    many = [ClosedDays(XMAS + timedelta(n), XMAS + timedelta(n), "x") for n in range(MOST_AT_ONCE + 1)]

    bad = (*HOLIDAYS, ClosedDays(XMAS, XMAS, ""))

    with made.work() as unit:
        assert codes(closures.add_holidays(unit, made.clinic_id, bad)) == ["missing"]
    with made.work() as unit:
        assert codes(closures.add_holidays(unit, made.clinic_id, many)) == ["too-many"]

    assert kept(made) == []
