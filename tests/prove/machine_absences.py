"""Practitioners are away, rooms and devices out of service: noted while visits stand there, and taken back."""
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy.orm import Session

from clinic.queries.absences import standing_absences
from clinic.services.absences import add_absence, remove_absence
from clinic.services.work import Done, Refused, UnitOfWork
from tests.prove.audit_absences import EXPECTED, in_absence, visits_met
from tests.prove.machine_clinic import SOME, Clinic, owner_of
from tests.prove.plain_rows import changes

SPANS = {
    "its last minute": (timedelta(minutes=-1), timedelta(hours=1)),
    "its day": (timedelta(hours=12), timedelta(hours=12)),
    "some days": (timedelta(days=1), timedelta(days=4)),
    "the days after": (timedelta(), timedelta(days=2)),
}
"""How long before one moment of a visit, and how long after it, somebody is away: the last begins as the visit ends."""


class Absences(Clinic):
    """Who is away."""

    @precondition(lambda self: self.appointments(*EXPECTED))
    @rule(which=SOME, whom=SOME, span=st.sampled_from(sorted(SPANS)),
          hours=st.sampled_from((None, None, 0, 1, 24)), worker=st.sampled_from(("sleeps", "lives", "delivers")))
    def note_absence(self, which: int, whom: int, span: str, hours: int | None, worker: str) -> None:
        """Of somebody or something that a visit holds; it may be taken back some hours later."""
        row = self.one(self.appointments(*EXPECTED), which)
        everything = [each for each in self.rows["resource_booking"] if each.appointment_id == row.id and each.need]
        if not everything:
            return  # what it held was freed for somebody else, as its time to be confirmed was up
        held = self.one(everything, whom)
        before, after = SPANS[span]
        at = held.starts_at if span == "its day" else held.ends_at
        self.change_absences("note absence", lambda work: add_absence(
            work, held.resource_id, starts_at=at - before, ends_at=at + after, reason="Ill"))
        if hours is not None:
            self.the_diary_is_sound()
            self.pass_time(self.made.now + timedelta(hours=hours), worker)
            self.the_diary_is_sound()
            self.take_absence_back(-1)

    @precondition(lambda self: self.rows["absence"])
    @rule(which=SOME)
    def take_absence_back(self, which: int) -> None:
        row = self.one(self.rows["absence"], which)
        self.change_absences("take absence back", lambda work: remove_absence(work, row.id))

    def change_absences(self, verb: str, change: Callable[[UnitOfWork], Done[int] | Refused]) -> None:
        """Every visit stays as it is; who stands in an absence is listed there, and what counts on it is out of step
        until somebody looks."""
        before = self.rows
        self.act(verb, change)
        away = in_absence(before) ^ in_absence(self.rows)
        self.in_step -= {owner_of(self.session_of(row)) for row in self.rows["appointment"] if row.id in away}
        self.count("absence", "of a visit" if away else "of nobody's time")
        assert {each.partition(":")[0] for each in changes(before, self.rows)} <= {"absence", "audit"}
        with Session(self.made.engine) as db:
            listed = standing_absences(db, clinic_id=self.made.clinic_id, now=self.made.now)
        assert {each.id: each.visits for each in listed} == visits_met(self.rows, self.made.clinic_id, self.made.now)
