"""An appointment that is fixed: the planner leaves it, people do not have to."""
from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.engine import Engine

from clinic.services.pins import pin_appointment
from clinic.services.work import Done, Refused, Stale
from clinic.store.diary import Appointment
from tests.booking import booked, cancel, codes, counts, done, move, row, standing, times
from tests.small_clinic import SmallClinic, small_clinic


def pin(made: SmallClinic, appointment: Appointment, *, pinned: bool = True) -> Done[int] | Refused:
    with made.work("receptionist") as work:
        return pin_appointment(work, appointment.id, pinned=pinned, lock_version=appointment.lock_version)


def test_a_fixed_appointment_is_let_go_again_and_tells_nobody(engine: Engine) -> None:
    made = small_clinic(engine)
    second = standing(made, booked(made))[1]
    messages = counts(engine)["message"]

    done(pin(made, second))

    fixed = row(made, Appointment, second.id)
    assert (fixed.pinned, fixed.revision, fixed.lock_version) == (True, second.revision, second.lock_version + 1)
    done(pin(made, fixed, pinned=False))
    assert row(made, Appointment, second.id).pinned is False
    assert counts(engine)["message"] == messages


def test_a_fixed_appointment_is_still_moved_and_cancelled_by_hand(engine: Engine) -> None:
    made = small_clinic(engine)
    second, third = standing(made, booked(made))[1:]
    done(pin(made, third))
    fixed = row(made, Appointment, third.id)
    day = fixed.local_start.date() + timedelta(days=3)

    done(move(made, fixed, times(made, fixed.treatment_session_id or 0, day).times[0]))

    moved = row(made, Appointment, third.id)
    assert (moved.pinned, moved.local_start.date()) == (True, day)
    done(cancel(made, moved))
    done(cancel(made, second))


def test_what_is_over_is_not_fixed_and_who_comes_late_is_told(engine: Engine) -> None:
    made = small_clinic(engine)
    second = standing(made, booked(made))[1]

    with pytest.raises(Stale), made.work() as work:
        pin_appointment(work, second.id, pinned=True, lock_version=9)
    done(cancel(made, second))

    assert codes(pin(made, row(made, Appointment, second.id))) == ["closed"]
