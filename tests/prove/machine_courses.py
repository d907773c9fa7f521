"""What becomes of a whole course: put right, stopped, resting, at another interval; and what its patient wishes."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy.orm import Session

from clinic.care.course_changes import Heard, IntervalChange
from clinic.care.protocols import Interval
from clinic.queries.repair import propose_repairs
from clinic.queries.rest_of_course import token_of
from clinic.queries.series import course_series
from clinic.services.contraindications import note_contraindication
from clinic.services.course_changes import change_interval
from clinic.services.courses import stop_course
from clinic.services.patients import PatientDetails, edit_patient
from clinic.services.pins import pin_appointment
from clinic.services.repair import repair_course, undo_repair
from clinic.services.resting import hold_course, resume_course
from clinic.services.work import Done, Refused, Stale
from tests.prove.machine_clinic import SOME, Clinic, Key
from tests.prove.plain_rows import Row

LIVING = ("active", "on-hold", "completed")


class Courses(Clinic):
    """What is decided of a course as a whole."""

    @precondition(lambda self: self.courses("active"))
    @rule(which=SOME, way=SOME, undo=st.booleans())
    def repair(self, which: int, way: int, undo: bool) -> None:
        """Whatever is proposed can be had, and can be taken back at once: then every time is what it was."""
        course = self.one(self.courses("active"), which)
        with Session(self.made.engine) as db:
            found = propose_repairs(db, course.id, now=self.made.now)
        self.count("propose repair", "some" if found.proposals else "none")
        if not found.proposals:
            return
        proposal, owner = self.one(found.proposals, way), ("course", course.id)
        reasons = {finding.code: "as the patient asks" for _, finding in proposal.warnings}
        times, fixed = self.times_of(course.id), self.unmovable(course.id)
        stale = self.act("stale", lambda work: repair_course(
            work, course.id, proposal.choices, proposal.undated, token=f"{found.token}.", overrides=reasons))
        assert isinstance(stale, Stale)
        outcome = self.act("repair", lambda work: repair_course(
            work, course.id, proposal.choices, proposal.undated, token=found.token, overrides=reasons), owner)
        assert isinstance(outcome, Done), f"proposed, and {outcome}"
        assert fixed.items() <= self.times_of(course.id).items()
        self.the_diary_is_sound()
        if undo:
            self.take_back(course.id, times)

    def take_back(self, course_id: int, times: dict[int, Any]) -> None:
        with Session(self.made.engine) as db:
            token = token_of(course_series(db, course_id, now=self.made.now))
        outcome = self.act("undo", lambda work: undo_repair(work, course_id, token=token), ("course", course_id))
        if isinstance(outcome, Done):
            assert self.times_of(course_id) == times
        else:
            assert isinstance(outcome, Refused) and {each.code for each in outcome.findings} == {"past"}, outcome

    @precondition(lambda self: self.courses("active"))
    @rule(which=SOME, surely=st.integers(0, 3))
    def stop(self, which: int, surely: int) -> None:
        if surely:
            return  # seldom, or nothing is left to do
        course = self.one(self.courses("active"), which)
        self.act("stop", lambda work: stop_course(
            work, course.id, reason="Moved away", lock_version=course.lock_version), ("course", course.id))

    @rule(patient=SOME, channel=st.sampled_from(("email", "email", "phone")), wants=st.integers(0, 3))
    def change_wishes(self, patient: int, channel: str, wants: int) -> None:
        row = self.rows["patient"][patient % len(self.rows["patient"])]
        details = PatientDetails(
            given_name=row.given_name, family_name=row.family_name, email=row.email, phone="020 7946 0000",
            channel=channel if row.email else "phone", wants_service_messages=wants > 0)
        courses = {each.id for each in self.rows["course"] if each.patient_id == row.id}
        plans = [each.id for each in self.rows["maintenance_plan"] if each.course_id in courses]
        outcome = self.act("change wishes", lambda work: edit_patient(
            work, row.id, details, lock_version=row.lock_version))
        assert isinstance(outcome, Done), outcome
        self.in_step |= {("course", each) for each in courses} | {("maintenance-plan", each) for each in plans}

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=SOME, pinned=st.booleans())
    def pin(self, which: int, pinned: bool) -> None:
        row = self.one(self.appointments("booked"), which)
        outcome = self.act("pin", lambda work: pin_appointment(
            work, row.id, pinned=pinned, lock_version=row.lock_version))
        assert isinstance(outcome, Done), outcome

    @precondition(lambda self: self.courses("active", "on-hold"))
    @rule(which=SOME, number=st.integers(2, 5), shorter=st.sampled_from((-5, 0, 0, 7)), reason=st.booleans())
    def change_interval(self, which: int, number: int, shorter: int, reason: bool) -> None:
        """Another interval from a session on; shorter than the protocol's needs a reason of its own."""
        course = self.one(self.courses("active", "on-hold"), which)
        series = next(each for each in self.series() if each.key == ("course", course.id))
        shortest, ideal, longest = series.usual(number)
        change = IntervalChange(number, Interval(shortest + shorter, ideal + max(shorter, 0), longest + 7))
        self.act("interval", lambda work: change_interval(
            work, course.id, change, reason="heals slowly", lock_version=course.lock_version,
            overrides={"shorter-than-protocol": "small area"} if reason else {}),
            ("course", course.id), role="practitioner")

    @precondition(lambda self: self.courses(*LIVING))
    @rule(which=SOME, what=st.integers(0, 40), days=st.sampled_from((None, None, -3, 10)), over=st.integers(0, 2),
          reason=st.booleans(), confirmed=st.booleans())
    def hear(self, which: int, what: int, days: int | None, over: int, reason: bool, confirmed: bool) -> None:
        """A contraindication is noted, or called over; what forbids treatment without an end lets the course rest."""
        course = self.one(self.courses(*LIVING), which)
        codes = [each["code"] for each in self.tables.documents[course.protocol_version_id]["contraindications"]]
        noted = [
            code for row in self.rows["screening"] if row.course_id == course.id for code in row.answers["applies"]]
        heard = Heard(self.one(codes, what), self.in_days(days))
        if noted and not over:
            heard = Heard(self.one(noted, what), over="healed, seen today")
        self.act("heard", lambda work: note_contraindication(
            work, course.id, heard, lock_version=course.lock_version, confirmed=confirmed,
            reason="weighed" if reason else ""), self.living(course), role="practitioner")

    @precondition(lambda self: self.courses(*LIVING))
    @rule(which=SOME, surely=st.integers(0, 2), days=st.sampled_from((None, 3, 40)))
    def let_rest(self, which: int, surely: int, days: int | None) -> None:
        """Seldom; for good, or for some days."""
        if surely:
            return
        course = self.one(self.courses(*LIVING), which)
        self.act("let rest", lambda work: hold_course(
            work, course.id, reason="abroad", lock_version=course.lock_version), self.living(course))
        self.the_diary_is_sound()
        if days:
            self.pass_time(self.made.now + timedelta(days=days), "lives")
            self.the_diary_is_sound()
            self.go_on(course.id, {})

    @precondition(lambda self: self.resting())
    @rule(which=SOME, over=st.booleans())
    def resume(self, which: int, over: bool) -> None:
        course = self.one(self.resting(), which)
        document = self.tables.documents[course.protocol_version_id]
        self.go_on(course.id, {each["code"]: "healed" for each in document["contraindications"]} if over else {})

    def go_on(self, course_id: int, words: dict[str, str]) -> None:
        course = next(row for row in self.rows["course"] if row.id == course_id)
        self.act("resume", lambda work: resume_course(
            work, course.id, asked_again=True, lock_version=course.lock_version, over=words, reasons=words),
            self.living(course), role="practitioner")

    def resting(self) -> list[Row]:
        """The courses that rest, or whose upkeep does."""
        plans = {row.course_id for row in self.rows["maintenance_plan"] if row.state == "on-hold"}
        return [row for row in self.rows["course"] if row.state == "on-hold" or row.id in plans]

    def in_days(self, days: int | None) -> date | None:
        """So many days from the clinic's date."""
        return None if days is None else self.local_date() + timedelta(days=days)

    def living(self, course: Row) -> Key:
        """The course while it lives, its upkeep from then on."""
        plan = next((row for row in self.rows["maintenance_plan"] if row.course_id == course.id), None)
        return ("course", course.id) if plan is None else ("maintenance-plan", plan.id)
