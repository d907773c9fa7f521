"""What must not be: late news, other people's times, times too soon, nonsense; and times that nobody offered."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from clinic.queries.visit_choice import VisitChoice
from clinic.services.appointments import book_session, cancel_appointment, move_appointment
from clinic.services.attendance import mark_arrived, mark_noshow
from clinic.services.completion import complete_appointment
from clinic.services.courses import stop_course
from clinic.services.work import Refused, Stale, UnitOfWork
from tests.prove.machine_clinic import PLEAS, REASON, SOME, Clinic, Outcome
from tests.prove.plain_rows import Row


class Wrongs(Clinic):
    """What nobody may do, and what only looks so."""

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
            starts_at = self.when_open(on, at, at, back=True)
            resources = self.resources_for(about)
            if resources:
                self.refused("too soon", about, VisitChoice(about.number, starts_at, resources))

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

    @precondition(lambda self: self.not_bookable())
    @rule(which=SOME, whose=SOME)
    def book_what_is_over_or_rests(self, which: int, whose: int) -> None:
        about = self.one(self.not_bookable(), which)
        like = [row for row in self.rows["appointment"] if row.treatment_code == about.treatment_code]
        resources = self.resources_for(about) or (1,)
        at = self.one(like, whose).starts_at if like else self.made.now
        choice = VisitChoice(about.number, at, resources)
        outcome = self.act("over", lambda work: book_session(work, about.id, choice, overrides=PLEAS))
        assert isinstance(outcome, Refused), outcome

    @precondition(lambda self: self.open_sessions("owed", "booked"))
    @rule(which=SOME, days=st.integers(0, 60), quarter=st.integers(0, 23), pleads=st.booleans())
    def take_any_time(self, which: int, days: int, quarter: int, pleads: bool) -> None:
        """A time that nobody offered: it may be right all the same, and is then like any other."""
        about = self.one(self.open_sessions("owed", "booked"), which)
        resources = self.resources_for(about)
        if resources:
            starts_at = self.when_open(self.local_date() + timedelta(days=days), days, quarter)
            choice = VisitChoice(about.number, starts_at, resources)
            self.put("any time", about, choice, REASON if pleads else {})

    def not_bookable(self) -> list[Row]:
        """What is done, will not be done, or waits for its course to go on."""
        bookable = {row.id for row in self.going_on("owed", "booked")}
        return [row for row in self.rows["treatment_session"] if row.id not in bookable]

    def when_open(self, on: date, which: int, quarter: int, *, back: bool = False) -> datetime:
        """So many quarters of an hour after the clinic has opened, on the next such weekday or the last one."""
        weekday, opens, _ = self.hours.opens[which % len(self.hours.opens)]
        while on.weekday() != weekday:
            on += timedelta(days=-1 if back else 1)
        wall = datetime(on.year, on.month, on.day, opens // 60, opens % 60, tzinfo=self.zone)
        return wall.astimezone(UTC) + timedelta(minutes=15 * quarter)
