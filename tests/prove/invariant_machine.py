"""A clinic's life in any order, right and wrong moves alike, with an audit of plain rows after every step.

Rules take small numbers only and mean the same in every run: the steps that a failure prints are a script.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy.orm import Session

from clinic.care.outcomes import NoShowCause, NotTreatedCause, PartlyTreated
from clinic.care.owed import messages_owed
from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.offers import CourseRequest, offer_course
from clinic.queries.owner_facts import owner_facts, owner_head
from clinic.queries.repair import propose_repairs
from clinic.queries.rest_of_course import token_of
from clinic.queries.session_problem import course_series
from clinic.queries.times import TimeOffer, offer_times
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services.appointments import (
    book_session,
    cancel_appointment,
    end_untreated,
    mark_arrived,
    mark_noshow,
    move_appointment,
)
from clinic.services.completion import complete_appointment
from clinic.services.courses import book_course, stop_course
from clinic.services.delivery import Courier
from clinic.services.patients import PatientDetails, edit_patient
from clinic.services.reconcile import Owner, reconcile, settle_expired, sweep
from clinic.services.repair import repair_course, undo_repair
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.services.workers import free_holds
from clinic.store.diary import Appointment
from tests.prove.arena import CLINICS, PROTOCOLS, Arena
from tests.prove.audit_letters import WAITING, letter_faults
from tests.prove.audit_series import diary_faults, series_of, too_close, too_late
from tests.prove.plain_rows import Row, Rows, Tables, changes

Outcome = Done[Any] | Refused | Stale
Key = tuple[str, int]
"""A course or a maintenance plan."""

SOME = st.integers(0, 11)
"""Which of those there are; counted round."""
REASON = {"too-late": "The patient travels"}
PLEAS = dict.fromkeys(("too-soon", "too-late", "spacing", "busy", "order", "not-before", "off-grid"), "please")
WAITS = {
    "a minute": timedelta(minutes=1), "the grace": timedelta(minutes=3), "an hour": timedelta(hours=1),
    "half a day": timedelta(hours=12), "a day": timedelta(days=1), "a week": timedelta(days=7),
    "a month": timedelta(days=30),
}
BOOKING = {"hold", "book course", "book kept course", "book visit", "move", "any time", "repair"}
"""What gives a session a time: nothing may stand too late after it without a reason of its own."""
ELSEWHERE = "complete elsewhere"
MAKES_FACTS = {ELSEWHERE, "undo"}
"""What is noted as it was, fitting or not."""


class InvariantMachine(RuleBasedStateMachine):
    """One clinic. Each rule reads its rows, acts through the services, and reads again; the audit follows."""

    def __init__(self, arena: Arena) -> None:
        super().__init__()
        self.arena = arena
        self.verb = ""
        self.kept: list[tuple[CourseRequest, list[VisitChoice]]] = []
        self.in_step: set[Key] = set()
        self.over: dict[tuple[str, int], str] = {}
        self.close: set[Any] = set()
        self.late: set[Any] = set()
        self.loose: set[Key] = set()
        self.lapsed: set[Key] = set()
        """Whose hold ran out since they were last touched: their windows follow when they are."""
        self.before: Rows = {}

    @initialize(where=st.sampled_from(sorted(CLINICS)), protocol=SOME, sessions=st.integers(1, 4))
    def open(self, where: str, protocol: int, sessions: int) -> None:
        self.url, self.made = self.arena.fresh(where)
        self.zone = ZoneInfo(CLINICS[where].zone)
        self.tables = Tables(self.made.engine)
        self.rows = self.before = self.tables.read()
        for patient in (0, 1):
            self.book_course(patient, protocol + patient, sessions, 0, 4)

    def teardown(self) -> None:
        if hasattr(self, "made"):
            self.arena.remove(self.url, self.made)

    # What the desk does.

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

    @precondition(lambda self: self.open_sessions("owed"))
    @rule(which=SOME, ahead=st.integers(0, 6), at=SOME, says_why=st.booleans())
    def book_visit(self, which: int, ahead: int, at: int, says_why: bool) -> None:
        about = self.one(self.open_sessions("owed"), which)
        time = self.offered_time(about, 7 * ahead, at)
        if time:
            self.book_time("book visit", time, says_why, about, lambda work, choice, reasons: book_session(
                work, about.id, choice, overrides=reasons))

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=SOME, ahead=st.integers(-6, 6), at=SOME, says_why=st.booleans())
    def move(self, which: int, ahead: int, at: int, says_why: bool) -> None:
        row = self.one(self.appointments("booked"), which)
        about = self.session_of(row)
        time = self.offered_time(about, 7 * ahead, at, around=row)
        if time:
            self.book_time("move", time, says_why, about, lambda work, choice, reasons: move_appointment(
                work, row.id, choice, lock_version=row.lock_version, overrides=reasons))

    @precondition(lambda self: self.appointments("booked", "arrived"))
    @rule(which=SOME)
    def cancel(self, which: int) -> None:
        row = self.one(self.appointments("booked", "arrived"), which)
        outcome = self.act("cancel", lambda work: cancel_appointment(
            work, row.id, reason="patient", lock_version=row.lock_version), row)
        assert isinstance(outcome, Done), outcome

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=SOME)
    def arrive(self, which: int) -> None:
        row = self.one(self.appointments("booked"), which)
        outcome = self.act("arrive", lambda work: mark_arrived(work, row.id, lock_version=row.lock_version), row)
        assert isinstance(outcome, Done) == (self.local_date() == row.local_start.date()), outcome

    @precondition(lambda self: self.appointments("booked", "arrived"))
    @rule(which=SOME, hours_ago=st.sampled_from((0, 0, 1, 26, 240)), partly=st.booleans())
    def complete(self, which: int, hours_ago: int, partly: bool) -> None:
        """Now, or some time ago: then it may have been on another date than planned."""
        row = self.one(self.appointments("booked", "arrived"), which)
        at = self.made.now - timedelta(hours=hours_ago)
        planned = at.astimezone(self.zone).date() == row.local_start.date()
        self.act("complete" if planned else ELSEWHERE, lambda work: complete_appointment(
            work, row.id, lock_version=row.lock_version, performed_at=at if hours_ago else None,
            partly=PartlyTreated("cheeks", "chin") if partly else None), row)

    @precondition(lambda self: self.appointments("booked", "arrived"))
    @rule(which=SOME, cause=st.sampled_from(NoShowCause))
    def miss(self, which: int, cause: NoShowCause) -> None:
        row = self.one(self.appointments("booked", "arrived"), which)
        outcome = self.act("miss", lambda work: mark_noshow(
            work, row.id, lock_version=row.lock_version, cause=cause), row)
        assert isinstance(outcome, Done) == (row.state == "booked" and row.starts_at <= self.made.now), outcome

    @precondition(lambda self: self.appointments("booked", "arrived"))
    @rule(which=SOME, cause=st.sampled_from(NotTreatedCause))
    def send_home(self, which: int, cause: NotTreatedCause) -> None:
        row = self.one(self.appointments("booked", "arrived"), which)
        outcome = self.act("send home", lambda work: end_untreated(
            work, row.id, cause=cause, lock_version=row.lock_version), row)
        assert isinstance(outcome, Done) == (self.local_date() >= row.local_start.date()), outcome

    @precondition(lambda self: self.courses("active"))
    @rule(which=SOME, way=SOME, undo=st.booleans())
    def repair(self, which: int, way: int, undo: bool) -> None:
        """Whatever is proposed can be had, and can be taken back at once: then every time is what it was."""
        course = self.one(self.courses("active"), which)
        mine = {row.id for row in self.sessions_of(course.id)}
        if any(row.treatment_session_id in mine and row.hold_expires_at <= self.made.now
               for row in self.appointments("proposed")):
            return  # the next tick of the worker clears it away; until then every proposal is stale
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

    @precondition(lambda self: self.open_sessions("owed"))
    @rule(which=SOME, at=SOME, minutes=st.sampled_from((3, 60)))
    def hold(self, which: int, at: int, minutes: int) -> None:
        """A time that is kept for a patient who has not said yes; written by hand, as no service does it yet."""
        about = self.one(self.open_sessions("owed"), which)
        time = self.offered_time(about, 0, at)
        if time and not time.moves_others:
            outcome = self.put("hold", about, parse_choice(time.choice), REASON)
            assert isinstance(outcome, Done), outcome
            self.the_diary_is_sound()
            self.act("keep until said", lambda work: _propose(work, about, minutes), about)

    # What time does.

    @rule(how_long=st.sampled_from(sorted(WAITS)), worker_lives=st.booleans())
    def wait(self, how_long: str, worker_lives: bool) -> None:
        self.pass_time(self.made.now + WAITS[how_long], worker_lives)

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=st.integers(0, 2), minutes=st.sampled_from((-180, 0, 120)), worker_lives=st.booleans())
    def wait_for_visit(self, which: int, minutes: int, worker_lives: bool) -> None:
        coming = sorted({row.starts_at for row in self.appointments("booked")})
        at = self.one(coming, which) + timedelta(minutes=minutes)
        self.pass_time(max(self.made.now, at), worker_lives)

    @rule(hours=st.sampled_from((-30, -1, 1, 30)))
    def wait_for_clock_change(self, hours: int) -> None:
        at = _next_clock_change(self.made.now + timedelta(hours=36), self.zone)
        if at - self.made.now < timedelta(days=120):
            self.pass_time(at + timedelta(hours=hours), True)

    @rule()
    def deliver(self) -> None:
        courier = Courier(self.made.work, MailboxTransport(), "worker", jitter=lambda: 0.5)
        round_ = courier.deliver_due(200)
        assert not round_.in_trouble
        self.count("deliver", f"{min(round_.done, 1)}")
        self.look("deliver")

    # What must not be.

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=SOME, off=st.sampled_from((-1, 1, 7)), verb=st.integers(0, 5))
    def say_it_too_late(self, which: int, off: int, verb: int) -> None:
        row = self.one(self.appointments("booked"), which)
        course = next((each for each in self.courses("active")), None)
        verbs: list[Callable[[UnitOfWork], Outcome]] = [
            lambda work: move_appointment(work, row.id, self.choice_of(row), lock_version=row.lock_version + off),
            lambda work: cancel_appointment(work, row.id, reason="x", lock_version=row.lock_version + off),
            lambda work: mark_noshow(work, row.id, lock_version=row.lock_version + off),
            lambda work: mark_arrived(work, row.id, lock_version=row.lock_version + off),
            lambda work: complete_appointment(work, row.id, lock_version=row.lock_version + off),
        ]
        if course:
            verbs.append(lambda work: stop_course(
                work, course.id, reason="x", lock_version=course.lock_version + off))
        assert isinstance(self.act("stale", verbs[verb % len(verbs)]), Stale)

    @precondition(lambda self: self.appointments("booked", "arrived") and self.open_sessions("owed", "booked"))
    @rule(which=SOME, whose=SOME)
    def take_someone_elses_time(self, which: int, whose: int) -> None:
        taken = self.one(self.appointments("booked", "arrived"), whose)
        others = [row for row in self.open_sessions("owed", "booked") if row.id != taken.treatment_session_id
                  and row.treatment_code == taken.treatment_code]
        if others:
            about = self.one(others, which)
            choice = replace(self.choice_of(taken), number=about.number)
            self.refused("someone else's", about, choice)

    @precondition(lambda self: self.open_sessions("owed", "booked"))
    @rule(which=SOME, days=st.integers(0, 2), at=SOME)
    def come_too_soon(self, which: int, days: int, at: int) -> None:
        """On the last day before the session may be, or shortly before that; with any number of pleas."""
        pairs = [
            (visit.row, before, series.gap(visit.row.number)) for series in self.series()
            for before, visit in zip(series.visits, series.visits[1:], strict=False)
            if visit.row.state in ("owed", "booked") and before.on is not None]
        if pairs:
            about, before, gap = self.one(pairs, which)
            on = before.on + timedelta(days=gap[0] - 1 - days)
            minute = (540, 780, 60, 1320)[at % 4]
            wall = datetime(on.year, on.month, on.day, minute // 60, tzinfo=self.zone)
            resources = self.resources_for(about)
            if resources:
                self.refused("too soon", about, VisitChoice(about.number, wall.astimezone(UTC), resources))

    @precondition(lambda self: self.appointments("booked"))
    @rule(which=SOME, wrong=st.integers(0, 4))
    def ask_for_nonsense(self, which: int, wrong: int) -> None:
        row = self.one(self.appointments("booked"), which)
        right = self.choice_of(row)
        first = right.resource_ids[0]
        choice = (
            replace(right, number=right.number + 1),
            replace(right, starts_at=self.made.now.replace(second=0) - timedelta(days=1)),
            replace(right, resource_ids=right.resource_ids[:-1]),
            replace(right, resource_ids=(999_999, *right.resource_ids[1:])),
            replace(right, resource_ids=(*right.resource_ids[:-1], first)),
        )[wrong]
        self.refused("nonsense", self.session_of(row), choice)

    @precondition(lambda self: self.over_sessions())
    @rule(which=SOME, whose=SOME)
    def book_what_is_over(self, which: int, whose: int) -> None:
        about = self.one(self.over_sessions(), which)
        like = [row for row in self.rows["appointment"] if row.treatment_code == about.treatment_code]
        resources = self.resources_for(about) or (1,)
        at = self.one(like, whose).starts_at if like else self.made.now
        choice = VisitChoice(about.number, at, resources)
        outcome = self.act("over", lambda work: book_session(work, about.id, choice, overrides=PLEAS))
        assert isinstance(outcome, Refused), outcome

    @precondition(lambda self: self.open_sessions("owed", "booked"))
    @rule(which=SOME, days=st.integers(0, 60), quarter=st.integers(0, 95), pleads=st.booleans())
    def take_any_time(self, which: int, days: int, quarter: int, pleads: bool) -> None:
        """A time that nobody offered: it may be right all the same, and is then like any other."""
        about = self.one(self.open_sessions("owed", "booked"), which)
        resources = self.resources_for(about)
        if resources:
            on = self.local_date() + timedelta(days=days)
            wall = datetime(on.year, on.month, on.day, quarter // 4, quarter % 4 * 15, tzinfo=self.zone)
            choice = VisitChoice(about.number, wall.astimezone(UTC), resources)
            self.put("any time", about, choice, REASON if pleads else {})

    # What always holds.

    @invariant()
    def the_diary_is_sound(self) -> None:
        if not self.before:
            return
        faults = diary_faults(self.rows, self.tables.documents, self.lapsed)
        faults += letter_faults(self.rows, self.made.now, self.in_step)
        faults += self.owed_faults()
        faults += self.touched()
        faults += self.out_of_bounds()
        assert faults == [], "\n".join(faults)

    def owed_faults(self) -> list[str]:
        """Where the rows are not what the clinic's own rule owes at this moment."""
        found = []
        messages = {row.id: row for row in self.rows["message"]}
        with Session(self.made.engine) as db:
            for kind, ident in sorted(self.in_step):
                head = owner_head(db, Owner(kind, ident))  # type: ignore[arg-type]
                assert head is not None
                owed = {item.key: item for item in messages_owed(owner_facts(db, head), now=self.made.now)}
                newest = {
                    (row.kind, row.subject_kind, row.subject_id, row.revision): messages[row.message_id]
                    for row in sorted(self.rows["message_item"], key=lambda row: row.generation)
                    if (row.owner_kind, row.owner_id) == (kind, ident)}
                for key, item in owed.items():
                    message = newest.get(key)
                    if item.useless_after > self.made.now and (message is None or message.state == "superseded"):
                        found.append(f"{key} is owed, and {message.state if message else 'not there'}")
                    elif message and message.state in WAITING and item.useless_after > self.made.now:
                        kept = (message.due_at, message.useless_after, message.state == "withheld")
                        due = (item.due_at, item.useless_after, item.withheld is not None)
                        if kept != due:
                            found.append(f"{key} waits as {kept}, and {due} is owed")
                found += [
                    f"{key} waits, and nothing owes it" for key, message in newest.items()
                    if key not in owed and (message.state in ("pending", "held") or (
                        message.state == "withheld" and message.useless_after > self.made.now))]
        return found

    def touched(self) -> list[str]:
        """What was over is as it was: the session, its appointment, and what that held."""
        held: dict[int, list[str]] = {}
        for row in self.rows["resource_booking"]:
            held.setdefault(row.appointment_id, []).append(str(row))
        now = {("session", row.id): str(row) for row in self.rows["treatment_session"]
               if row.state in ("completed", "not-done")}
        now |= {("appointment", row.id): f"{row} {held.get(row.id)}" for row in self.rows["appointment"]
                if row.state in ("fulfilled", "cancelled", "noshow")}
        found = [f"{key} was {old} and is {now.get(key)}" for key, old in self.over.items() if now.get(key) != old]
        self.over = now
        return found

    def out_of_bounds(self) -> list[str]:
        """Nobody is brought too close; too late only with a reason, and a new one for a time that is new.

        What was performed on another date than planned, and what is put back as it stood, makes its own facts: they
        are for a repair to put right, and only what is given a time after them is judged again.
        """
        made = (self.rows, self.tables.documents, self.made.now)
        close, late = too_close(*made), too_late(*made)
        new = [("too close", *each) for each in close - self.close]
        new += [("too late without a reason", *each) for each in late - self.late if each[0] not in self.reasoned()]
        self.close, self.late = close, late
        if self.verb in MAKES_FACTS:
            self.loose |= {self.owner_by_session(each[-1]) for each in new}
            return []
        return [f"{each} by {self.verb}" for each in sorted(new, key=str)
                if self.verb in BOOKING or self.owner_by_session(each[-1]) not in self.loose]

    def reasoned(self) -> set[int]:
        """The courses with a reason for being late; of what was just given a time, those with a new one."""
        known = {row.id for row in self.before["course_override"]}
        return {row.course_id for row in self.rows["course_override"] if row.code == "too-late" and row.reason.strip()
                and (self.verb not in BOOKING or row.id not in known)}

    def owner_by_session(self, ident: int) -> Key:
        return _owner(next(row for row in self.rows["treatment_session"] if row.id == ident))

    # How it is done.

    def act(self, verb: str, act: Callable[[UnitOfWork], Any], about: Any = None) -> Outcome:
        """What came of it: what was not done has changed nothing, what was done put its owner's messages in step."""
        outcome: Outcome
        try:
            with self.made.work() as work:
                outcome = act(work)
        except Stale as stale:
            outcome = stale
        before = self.look(verb)
        if isinstance(outcome, Done):
            self.count(verb, "done")
            owners = set(self.owners_of(about, before))
            self.in_step |= owners
            self.lapsed -= owners
        else:
            codes = ["stale"] if isinstance(outcome, Stale) else sorted({each.code for each in outcome.findings})
            self.count(verb, "+".join(codes))
            assert changes(before, self.rows) == [], f"{outcome}, and yet:"
        return outcome

    def look(self, verb: str) -> Rows:
        """Reads the rows again; what they were before."""
        self.verb, self.before, self.rows = verb.partition(",")[0], self.rows, self.tables.read()
        known = {row.id for row in self.before["appointment"] if row.cancellation_reason == "hold-expired"}
        self.lapsed |= {_owner(self.session_of(row)) for row in self.rows["appointment"]
                        if row.cancellation_reason == "hold-expired" and row.id not in known}
        return self.before

    def owners_of(self, about: Any, before: Rows) -> Iterable[Key]:
        """Whose messages a verb has put in step: the one it is about, and all that are new."""
        for name, kind in (("course", "course"), ("maintenance_plan", "maintenance-plan")):
            known = {row.id for row in before[name]}
            yield from ((kind, row.id) for row in self.rows[name] if row.id not in known)
        if isinstance(about, tuple):
            yield about
        elif about is not None:
            row = self.session_of(about) if hasattr(about, "treatment_session_id") else about
            yield _owner(row)

    def pass_time(self, to: datetime, worker_lives: bool) -> None:
        self.made.now = to
        self.in_step = set()
        if worker_lives:
            with self.made.work() as work:
                free_holds(work)
            with self.made.work() as work:
                settle_expired(work)
            after = None
            while True:
                with self.made.work() as work:
                    after = sweep(work, after=after)
                if after is None:
                    break
        self.look("wait")
        if worker_lives:
            self.in_step = {("course", row.id) for row in self.rows["course"]}
            self.in_step |= {("maintenance-plan", row.id) for row in self.rows["maintenance_plan"]}
        self.count("wait", "with a worker" if worker_lives else "alone")
        note(f"# it is {to.astimezone(self.zone):%a %d %b %Y %H:%M %Z}")

    def offered_course(
        self, patient: int, protocol: int, sessions: int, which: int
    ) -> tuple[CourseRequest, list[VisitChoice]] | None:
        code = PROTOCOLS[protocol % len(PROTOCOLS)]
        version = self.made.versions[code]
        document = self.tables.documents[version]
        request = CourseRequest(
            patient_id=self.made.patients[patient % len(self.made.patients)], clinic_id=self.made.clinic_id,
            protocol_version_id=version, sessions=sessions, not_before_on=self.local_date(),
            answers=ScreeningAnswers(document["indications"][0]["code"], LaxityGrade.NONE, none_apply=True))
        if sessions > document["sessions"]["most"]:
            return None
        with Session(self.made.engine) as db:
            offers = offer_course(db, request, now=self.made.now).offers
        self.count("offer course", "some" if offers else "none")
        if not offers:
            return None
        return request, [parse_choice(visit.choice) for visit in offers[which % len(offers)].visits]

    def offered_time(self, about: Row, ahead: int, at: int, around: Row | None = None) -> TimeOffer | None:
        """One of the times of a few days, counted from the window or from the appointment that is to move."""
        on = around.local_start.date() if around is not None else about.earliest_on or self.local_date()
        with Session(self.made.engine) as db:
            page = offer_times(db, about.id, now=self.made.now, days=6,
                               from_on=max(on + timedelta(days=ahead), self.local_date()))
        self.count("offer time", "some" if page.times else "none")
        return self.one(page.times, at) if page.times else None

    def book_time(self, verb: str, time: TimeOffer, says_why: bool, about: Row, put: Any) -> None:
        """What was offered can be had; what would be late needs the reason, and nothing else does.

        Where other sessions would have to follow it is marked, and refused as long as they do not.
        """
        choice = parse_choice(time.choice)
        verb = f"{verb}, others to follow" if time.moves_others else verb
        outcome = self.act(verb, lambda work: put(work, choice, REASON if says_why else {}), about)
        if isinstance(outcome, Refused) and time.moves_others:
            return
        if isinstance(outcome, Refused):
            assert not says_why and {each.code for each in outcome.findings} == {"too-late"}, f"offered, and {outcome}"
        else:
            assert isinstance(outcome, Done)
            self.holds_what_was_chosen([about], [choice])

    def put(self, verb: str, about: Row, choice: VisitChoice, overrides: dict[str, str]) -> Outcome:
        """The session at that time, booked or moved there."""
        row = next((each for each in self.appointments("booked") if each.treatment_session_id == about.id), None)
        if row is None:
            return self.act(verb, lambda work: book_session(work, about.id, choice, overrides=overrides), about)
        return self.act(verb, lambda work: move_appointment(
            work, row.id, choice, lock_version=row.lock_version, overrides=overrides), about)

    def refused(self, verb: str, about: Row, choice: VisitChoice) -> None:
        outcome = self.put(verb, about, choice, PLEAS)
        assert isinstance(outcome, Refused), f"{verb}: {outcome}"

    def holds_what_was_chosen(self, sessions: list[Row], visits: list[VisitChoice]) -> None:
        numbers = {row.id: row.number for row in sessions}
        found = [
            VisitChoice(numbers[row.treatment_session_id], row.starts_at, self.choice_of(row).resource_ids)
            for row in self.appointments("booked") if row.treatment_session_id in numbers]
        assert sorted(found, key=lambda each: each.number) == list(visits)

    def choice_of(self, row: Row) -> VisitChoice:
        """The time and resources of an appointment, as a form would send them."""
        held = sorted((each for each in self.rows["resource_booking"] if each.appointment_id == row.id and each.need),
                      key=lambda each: each.need)
        return VisitChoice(self.session_of(row).number, row.starts_at, tuple(each.resource_id for each in held))

    def resources_for(self, about: Row) -> tuple[int, ...] | None:
        """What some appointment for the same treatment holds."""
        held = {row.appointment_id for row in self.rows["resource_booking"]}
        like = [row for row in self.rows["appointment"] if row.id in held
                and row.treatment_code == about.treatment_code]
        return self.choice_of(like[-1]).resource_ids if like else None

    def appointments(self, *states: str) -> list[Row]:
        return [row for row in self.rows["appointment"] if row.state in states]

    def courses(self, *states: str) -> list[Row]:
        return [row for row in self.rows["course"] if row.state in states]

    def open_sessions(self, *states: str) -> list[Row]:
        return [row for row in self.rows["treatment_session"] if row.state in states]

    def over_sessions(self) -> list[Row]:
        return self.open_sessions("completed", "not-done")

    def session_of(self, row: Row) -> Row:
        return next(each for each in self.rows["treatment_session"] if each.id == row.treatment_session_id)

    def sessions_of(self, course_id: int) -> list[Row]:
        return [row for row in self.rows["treatment_session"] if row.course_id == course_id]

    def series(self) -> list[Any]:
        return series_of(self.rows, self.tables.documents, self.made.now)

    def local_date(self) -> Any:
        return self.made.now.astimezone(self.zone).date()

    def times_of(self, course_id: int) -> dict[int, tuple[Any, ...]]:
        """When and with what each session of a course stands, by its number."""
        mine = {row.id: row.number for row in self.sessions_of(course_id)}
        return {
            mine[row.treatment_session_id]: (row.starts_at, self.choice_of(row).resource_ids, row.local_start, row.fold)
            for row in self.appointments("booked", "arrived") if row.treatment_session_id in mine}

    def unmovable(self, course_id: int) -> dict[int, tuple[Any, ...]]:
        """Those of them that no repair may touch: pinned, arrived or begun."""
        mine = {row.id: row.number for row in self.sessions_of(course_id)}
        numbers = {mine[row.treatment_session_id] for row in self.appointments("booked", "arrived")
                   if row.treatment_session_id in mine
                   and (row.pinned or row.state == "arrived" or row.starts_at <= self.made.now)}
        return {number: times for number, times in self.times_of(course_id).items() if number in numbers}

    def one(self, found: Any, which: int) -> Any:
        return found[which % len(found)]

    def count(self, verb: str, outcome: str) -> None:
        self.arena.tally[f"{verb}: {outcome}"] += 1


def _owner(row: Row) -> Key:
    return ("course", row.course_id) if row.course_id is not None else ("maintenance-plan", row.maintenance_plan_id)


def _propose(work: UnitOfWork, about: Row, minutes: int) -> Done[int]:
    """Makes a hold of the appointment that was just booked for this session."""
    row = work.db.scalars(sa.select(Appointment).where(
        Appointment.treatment_session_id == about.id, Appointment.state == "booked")).one()
    row.state, row.hold_expires_at = "proposed", work.now + timedelta(minutes=minutes)
    work.db.flush()
    reconcile(work, Owner(*_owner(about)))  # type: ignore[arg-type]
    work.commit()
    return Done(row.id)


def _next_clock_change(at: datetime, where: ZoneInfo) -> datetime:
    offset = at.astimezone(where).utcoffset()
    while at.astimezone(where).utcoffset() == offset:
        at += timedelta(minutes=30)
    return at.replace(minute=at.minute // 30 * 30, second=0)
