"""What is to get a time: a session that is owed, a visit that belongs to no course, or an appointment of either."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import url_for

from clinic.queries.appointments import KnockOn, SessionPage, VisitSubject
from clinic.queries.other_visits import VisitWish, offer_visit_times
from clinic.queries.times import TimesPage, offer_times
from clinic.queries.treatment_sessions import AppointmentLine
from clinic.web.kit import kit, now


@dataclass(frozen=True, slots=True)
class SessionWish:
    """A treatment session, and the appointment that it has, if it has one."""

    subject: SessionPage
    old: AppointmentLine | None

    @property
    def name(self) -> str:
        """What it is, within a sentence."""
        return f"{'maintenance session' if self.subject.of_maintenance else 'session'} {self.subject.line.number}"

    @property
    def back(self) -> str:
        """Where it is left for, and where it leads to once it is done."""
        return url_for("courses.show", course_id=self.subject.course_id)

    @property
    def moves_a_course(self) -> bool:
        """Whether later sessions of a course may have to follow."""
        return not self.subject.of_maintenance

    def address(self, **query: Any) -> str:
        """The page of its times."""
        if self.old:
            return url_for("appointments.move", appointment_id=self.old.id, **query)
        return url_for("appointments.book", treatment_session_id=self.subject.line.id, **query)

    def times(
        self, from_on: date, days: int, practitioner_id: int | None, *, asking: bool = False, look_on: bool = False
    ) -> TimesPage:
        """The times of those days; `asking`: also those at which the patient does not come unless they agree. With
        `look_on`, what lies beyond them where there is none."""
        with kit().read() as db:
            return offer_times(db, self.subject.line.id, now=now(), from_on=from_on, days=days,
                               practitioner_id=practitioner_id, asking=asking, look_on=look_on)

    def knock_on(self, day: date) -> tuple[KnockOn, ...]:
        """What a new date means for what follows."""
        return self.subject.knock_on(day)

    @property
    def around(self) -> date | None:
        """The date that it has, or had best have."""
        return self.subject.line.held_on or self.subject.line.ideal_on


@dataclass(frozen=True, slots=True)
class OtherWish:
    """A visit that belongs to no course, and its appointment where it is to be moved."""

    subject: VisitSubject
    old: AppointmentLine | None

    moves_a_course = False

    @property
    def name(self) -> str:
        """What it is, within a sentence."""
        return self.subject.what.lower()

    @property
    def wish(self) -> VisitWish:
        """What is asked of the planner."""
        return VisitWish(self.subject.patient.id, self.subject.clinic_id, self.subject.code,
                         self.old.id if self.old else None)

    @property
    def back(self) -> str:
        """Where it is left for, and where it leads to once it is done."""
        return url_for("patients.show", patient_id=self.subject.patient.id)

    def address(self, **query: Any) -> str:
        """The page of its times."""
        if self.old:
            return url_for("appointments.move", appointment_id=self.old.id, **query)
        return url_for("appointments.book_other", patient_id=self.subject.patient.id, code=self.subject.code, **query)

    def times(
        self, from_on: date, days: int, practitioner_id: int | None, *, asking: bool = False, look_on: bool = False
    ) -> TimesPage:
        """The times of those days; `asking`: also those at which the patient does not come unless they agree. With
        `look_on`, what lies beyond them where there is none."""
        with kit().read() as db:
            return offer_visit_times(db, self.wish, now=now(), from_on=from_on, days=days,
                                     practitioner_id=practitioner_id, asking=asking, look_on=look_on)

    @property
    def around(self) -> date | None:
        """The date that it has."""
        return self.old.local_start.date() if self.old else None

    def knock_on(self, _day: date) -> tuple[KnockOn, ...]:
        """Nothing follows from it."""
        return ()


Wish = SessionWish | OtherWish
