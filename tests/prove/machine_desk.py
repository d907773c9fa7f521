"""What a desk does all day: courses and sessions are booked, moved, cancelled, kept; visits come and end."""
from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from clinic.care.outcomes import NoShowCause, NotTreatedCause, PartlyTreated
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services.appointments import book_session, cancel_appointment, move_appointment
from clinic.services.attendance import end_untreated, mark_arrived, mark_noshow
from clinic.services.completion import complete_appointment
from clinic.services.courses import book_course
from clinic.services.moving_back import move_back
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.diary import Appointment
from tests.prove.machine_clinic import ELSEWHERE, REASON, SOME, Clinic, owner_of
from tests.prove.plain_rows import Row


class Desk(Clinic):
    """The desk's day."""

    @rule(patient=SOME, protocol=SOME, sessions=st.integers(1, 4), which=SOME, dated=st.integers(1, 4))
    def book_course(self, patient: int, protocol: int, sessions: int, which: int, dated: int) -> None:
        found = self.offered_course(patient, protocol, sessions, which)
        if found:
            request, visits = found
            outcome = self.act("book course", lambda work: book_course(work, request, visits[:dated]))
            assert isinstance(outcome, Done), f"offered, and refused: {outcome}"
            self.holds_what_was_chosen(self.sessions_of(outcome.value), visits[:dated])

    @rule(patient=SOME, protocol=SOME, sessions=st.integers(1, 4), which=SOME)
    def look_at_courses(self, patient: int, protocol: int, sessions: int, which: int) -> None:
        found = self.offered_course(patient, protocol, sessions, which)
        self.kept += [found] if found else []

    @precondition(lambda self: self.kept)
    @rule(which=SOME)
    def book_what_was_looked_at(self, which: int) -> None:
        request, visits = self.kept.pop(which % len(self.kept))
        self.act("book kept course", lambda work: book_course(work, request, visits))

    @precondition(lambda self: self.going_on("owed"))
    @rule(which=SOME, ahead=st.integers(0, 6), at=SOME, says_why=st.booleans())
    def book_visit(self, which: int, ahead: int, at: int, says_why: bool) -> None:
        about = self.one(self.going_on("owed"), which)
        time = self.offered_time(about, 7 * ahead, at)
        if time:
            self.book_time("book visit", time, says_why, about, lambda work, choice, reasons: book_session(
                work, about.id, choice, overrides=reasons))

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=SOME, ahead=st.integers(-6, 6), at=SOME, says_why=st.booleans())
    def move(self, which: int, ahead: int, at: int, says_why: bool) -> None:
        going_on = {row.id for row in self.going_on("booked")}
        movable = [row for row in self.appointments("booked") if row.treatment_session_id in going_on]
        if not movable:
            return
        row = self.one(movable, which)
        about, held = self.session_of(row), self.choice_of(row)
        time = self.offered_time(about, 7 * ahead, at, around=row)
        if time:
            self.book_time("move", time, says_why, about, lambda work, choice, reasons: move_appointment(
                work, row.id, choice, lock_version=row.lock_version, overrides=reasons))
        if at % 2 == 0:  # it was a slip
            self.move_back(row, held)

    def move_back(self, row: Row, held: VisitChoice) -> None:
        """As it stood before its move, if it moved at all and that is not past."""
        moved = next(each for each in self.appointments("booked") if each.id == row.id)
        if moved.revision == row.revision:
            return
        outcome = self.act("move back", lambda work: move_back(work, row.id, lock_version=moved.lock_version), row)
        back = next(each for each in self.appointments("booked") if each.id == row.id)
        if isinstance(outcome, Done):
            assert (self.choice_of(back), back.scheduled_at) == (held, row.scheduled_at), "not as it stood"
        else:
            assert isinstance(outcome, Refused) and row.starts_at <= self.made.now, outcome

    @precondition(lambda self: self.appointments("booked", "arrived"))
    @rule(which=SOME)
    def cancel(self, which: int) -> None:
        row = self.one(self.appointments("booked", "arrived"), which)
        outcome = self.act("cancel", lambda work: cancel_appointment(
            work, row.id, reason="patient", lock_version=row.lock_version), row)
        assert isinstance(outcome, Done), outcome

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=SOME, seldom=st.integers(0, 5))
    def arrive(self, which: int, seldom: int) -> None:
        if seldom and not self.of_today("booked"):
            return
        row = self.one(self.of_today("booked") or self.appointments("booked"), which)
        outcome = self.act("arrive", lambda work: mark_arrived(work, row.id, lock_version=row.lock_version), row)
        assert isinstance(outcome, Done) == (self.local_date() == row.local_start.date()), outcome

    @precondition(lambda self: self.appointments("booked", "arrived"))
    @rule(which=SOME, hours_ago=st.sampled_from((0, 0, 0, 1, 26, 240)), partly=st.booleans())
    def complete(self, which: int, hours_ago: int, partly: bool) -> None:
        """Now, or some time ago: then it may have been on another date than planned."""
        row = self.one(self.of_today("booked", "arrived") or self.appointments("booked", "arrived"), which)
        at = self.made.now - timedelta(hours=hours_ago)
        planned = at.astimezone(self.zone).date() == row.local_start.date()
        self.act("complete" if planned else ELSEWHERE, lambda work: complete_appointment(
            work, row.id, lock_version=row.lock_version, performed_at=at if hours_ago else None,
            partly=PartlyTreated("cheeks", "chin") if partly else None), row)

    @precondition(lambda self: self.appointments("booked", "arrived"))
    @rule(which=SOME, cause=st.sampled_from(NoShowCause))
    def miss(self, which: int, cause: NoShowCause) -> None:
        row = self.one(self.of_today("booked", "arrived") or self.appointments("booked", "arrived"), which)
        outcome = self.act("miss", lambda work: mark_noshow(
            work, row.id, lock_version=row.lock_version, cause=cause), row)
        assert isinstance(outcome, Done) == (row.state == "booked" and row.starts_at <= self.made.now), outcome

    @precondition(lambda self: self.appointments("booked", "arrived"))
    @rule(which=SOME, cause=st.sampled_from(NotTreatedCause))
    def send_home(self, which: int, cause: NotTreatedCause) -> None:
        row = self.one(self.of_today("booked", "arrived") or self.appointments("booked", "arrived"), which)
        outcome = self.act("send home", lambda work: end_untreated(
            work, row.id, cause=cause, lock_version=row.lock_version), row)
        assert isinstance(outcome, Done) == (self.local_date() >= row.local_start.date()), outcome

    @precondition(lambda self: self.going_on("owed"))
    @rule(which=SOME, at=SOME, minutes=st.sampled_from((3, 60)))
    def hold(self, which: int, at: int, minutes: int) -> None:
        """A time that is kept for a patient who has not said yes; written by hand, as no service does it yet."""
        about = self.one(self.going_on("owed"), which)
        time = self.offered_time(about, 0, at)
        if time and not time.moves_others:
            outcome = self.put("hold", about, parse_choice(time.choice), REASON)
            assert isinstance(outcome, Done), outcome
            self.the_diary_is_sound()
            self.act("keep until said", lambda work: _propose(work, about, minutes), about)


def _propose(work: UnitOfWork, about: Row, minutes: int) -> Done[int]:
    """Makes a hold of the appointment that was just booked for this session."""
    row = work.db.scalars(sa.select(Appointment).where(
        Appointment.treatment_session_id == about.id, Appointment.state == "booked")).one()
    row.state, row.hold_expires_at = "proposed", work.now + timedelta(minutes=minutes)
    work.db.flush()
    reconcile(work, Owner(*owner_of(about)))  # type: ignore[arg-type]
    work.commit()
    return Done(row.id)
