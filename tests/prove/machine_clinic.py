"""What the machine of any order stands on: a clinic, its plain rows, and the audit that follows every step."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy.orm import Session

from clinic.care.owed import messages_owed
from clinic.care.screening import LaxityGrade, ScreeningAnswers
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.course_asks import CourseRequest
from clinic.queries.offers import offer_course
from clinic.queries.owner_facts import owner_facts, owner_head
from clinic.queries.times import TimeOffer, offer_times
from clinic.queries.visit_choice import VisitChoice, parse_choice
from clinic.services.appointments import book_session, move_appointment
from clinic.services.delivery import Courier
from clinic.services.reconcile import Owner, settle_expired, sweep
from clinic.services.work import Done, Refused, Stale, UnitOfWork
from clinic.services.workers import free_holds
from tests.prove.arena import CLINICS, PROTOCOLS, Arena
from tests.prove.audit_absences import put_into_absence, sent_in_absence
from tests.prove.audit_letters import WAITING, letter_faults
from tests.prove.audit_pages import page_faults
from tests.prove.audit_series import come_while_resting, diary_faults, series_of, too_close, too_late
from tests.prove.plain_rows import Row, Rows, Tables, changes

Outcome = Done[Any] | Refused | Stale
Key = tuple[str, int]
"""A course or a maintenance plan."""

SOME = st.integers(0, 11)
"""Which of those there are; counted round."""
REASON = {"too-late": "The patient travels"}
PLEAS = dict.fromkeys(("too-soon", "too-late", "spacing", "busy", "order", "not-before", "off-grid"), "please")
BOOKING = {"hold", "book course", "book kept course", "book visit", "move", "any time", "repair"}
"""What gives a session a time: nothing may stand too late after it without a reason of its own."""
ELSEWHERE = "complete elsewhere"
MAKES_FACTS = {ELSEWHERE, "undo", "interval", "heard"}
"""What is noted as it is, whether what is booked fits it or not."""


class Clinic(RuleBasedStateMachine):
    """One clinic, its rows as they were before the last verb and as they are, and what is known of them."""

    def __init__(self, arena: Arena) -> None:
        super().__init__()
        self.arena = arena
        self.verb = ""
        self.kept: list[tuple[CourseRequest, list[VisitChoice]]] = []
        self.in_step: set[Key] = set()
        """Whose messages were put in step at this instant."""
        self.touched_now: set[Key] = set()
        self.over: dict[tuple[str, int], str] = {}
        self.close: set[Any] = set()
        self.late: set[Any] = set()
        self.loose: set[Key] = set()
        """Whose facts have moved under what was booked: a repair may be due."""
        self.lapsed: set[Key] = set()
        """Whose hold ran out since they were last touched: their windows follow when they are."""
        self.before: Rows = {}

    def enter(self, where: str) -> None:
        """Begins in a new copy of that clinic."""
        self.url, self.made = self.arena.fresh(where)
        self.hours = CLINICS[where]
        self.zone = ZoneInfo(self.hours.zone)
        self.tables = Tables(self.made.engine)
        self.rows = self.before = self.tables.read()

    def teardown(self) -> None:
        if hasattr(self, "made"):
            self.arena.remove(self.url, self.made)

    @invariant()
    def the_diary_is_sound(self) -> None:
        if not self.before:
            return
        faults = diary_faults(self.rows, self.tables.documents, self.lapsed, self.made.now)
        faults += letter_faults(self.rows, self.made.now, self.in_step)
        faults += self.owed_faults()
        faults += self.touched()
        faults += self.out_of_bounds()
        faults += put_into_absence(self.before, self.rows) if self.verb in BOOKING else []
        faults += sent_in_absence(self.before, self.rows)
        faults += page_faults(self.rows)
        faults += come_while_resting(self.rows, self.tables.documents, self.made.now)
        self.touched_now = set()
        assert faults == [], "\n".join(faults)

    def owed_faults(self) -> list[str]:
        """Where the rows are not what the clinic's own rule owes at this moment."""
        found = []
        messages = {row.id: row for row in self.rows["message"]}
        with Session(self.made.engine) as db:
            for kind, ident in sorted(self.in_step if self.verb == "wait" else self.touched_now & self.in_step):
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
                        # When something that is not sent would be due matters to nobody, and is not kept up.
                        if kept[1:] != due[1:] or (item.withheld is None and kept != due):
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
        new += [("too late without a reason", *each) for each in late - self.late if not self.has_reason(*each)]
        self.close, self.late = close, late
        if self.verb in MAKES_FACTS:
            self.loose |= {self.owner_by_session(each[-1]) for each in new}
            return []
        return [f"{each} by {self.verb}" for each in sorted(new, key=str)
                if self.verb in BOOKING or self.owner_by_session(each[-1]) not in self.loose]

    def has_reason(self, course_id: int, _: int, session_id: int) -> bool:
        """Whether somebody said why; where times were just given, anew, unless what is late stands as it did then."""
        known = {row.id for row in self.before["course_override"]}
        stood = {row.id: row.scheduled_at for row in self.before["appointment"]}
        stands = {row.scheduled_at for row in self.appointments("booked") if row.treatment_session_id == session_id
                  and stood.get(row.id) == row.scheduled_at}
        return any(
            row.course_id == course_id and row.code == "too-late" and row.reason.strip()
            and (self.verb not in BOOKING or row.id not in known or row.made_at in stands)
            for row in self.rows["course_override"])

    def owner_by_session(self, ident: int) -> Key:
        return owner_of(next(row for row in self.rows["treatment_session"] if row.id == ident))

    def act(
        self, verb: str, act: Callable[[UnitOfWork], Any], about: Any = None, *, role: str | None = None
    ) -> Outcome:
        """What came of it: what was not done has changed nothing, what was done put its owner's messages in step."""
        outcome: Outcome
        try:
            with self.made.work(role) as work:
                outcome = act(work)
        except Stale as stale:
            outcome = stale
        before = self.look(verb)
        if isinstance(outcome, Done):
            self.count(verb, "done")
            owners = set(self.owners_of(about, before))
            if any(kind == "maintenance-plan" for kind, _ in owners):
                self.count("upkeep", "concerned")
            self.in_step |= owners
            self.touched_now |= owners
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
        self.lapsed |= {owner_of(self.session_of(row)) for row in self.rows["appointment"]
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
            yield owner_of(row)

    def pass_time(self, to: datetime, worker: str) -> None:
        """It is later. A worker that lives has done its round at that instant, and may have sent what was due."""
        if to.astimezone(self.zone).utcoffset() != self.made.now.astimezone(self.zone).utcoffset():
            self.count("clock", "changed")
        self.made.now = to
        self.in_step = set()
        if worker != "sleeps":
            self.do_round()
        if worker == "delivers":
            self.send_what_is_due()
            self.do_round()  # what was sent may fill a patient's day: what else they are owed then waits
        self.look("wait")
        if worker != "sleeps":
            self.in_step = {("course", row.id) for row in self.rows["course"]}
            self.in_step |= {("maintenance-plan", row.id) for row in self.rows["maintenance_plan"]}
        self.count("wait", f"worker {worker}")
        if currently_in_test_context():
            note(f"# it is {to.astimezone(self.zone):%a %d %b %Y %H:%M %Z}")

    def do_round(self) -> None:
        """The worker's ticks, one after the other."""
        with self.made.work() as work:
            free_holds(work)
        with self.made.work() as work:
            settle_expired(work)
        after = None
        while True:
            with self.made.work() as work:
                after = sweep(work, after=after)
            if after is None:
                return

    def send_what_is_due(self) -> None:
        """Every message that is due goes to a mailbox."""
        courier = Courier(self.made.work, MailboxTransport(), "worker", jitter=lambda: 0.5)
        done = courier.deliver_due(200)
        assert not done.in_trouble
        self.count("deliver", "some" if done.done else "none")

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

    def of_today(self, *states: str) -> list[Row]:
        return [row for row in self.appointments(*states) if row.local_start.date() == self.local_date()]

    def courses(self, *states: str) -> list[Row]:
        return [row for row in self.rows["course"] if row.state in states]

    def open_sessions(self, *states: str) -> list[Row]:
        return [row for row in self.rows["treatment_session"] if row.state in states]

    def going_on(self, *states: str) -> list[Row]:
        """Those of a course, or of upkeep, that is active."""
        active = {("course", row.id) for row in self.courses("active")}
        active |= {("maintenance-plan", row.id) for row in self.rows["maintenance_plan"] if row.state == "active"}
        return [row for row in self.open_sessions(*states) if owner_of(row) in active]

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


def owner_of(row: Row) -> Key:
    """Whose session it is."""
    return ("course", row.course_id) if row.course_id is not None else ("maintenance-plan", row.maintenance_plan_id)
