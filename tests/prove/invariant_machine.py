"""A clinic's life in any order, right and wrong moves alike, with an audit of plain rows after every step.

Rules take small numbers only and mean the same in every run: the steps that a failure prints are a script, to be put
behind `state = InvariantMachine(arena)`.
"""
from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.prove.arena import CLINICS
from tests.prove.machine_absences import Absences
from tests.prove.machine_clinic import SOME
from tests.prove.machine_courses import Courses
from tests.prove.machine_desk import Desk
from tests.prove.machine_time import Time
from tests.prove.machine_wrongs import Wrongs


class InvariantMachine(Desk, Courses, Absences, Time, Wrongs):
    """One clinic, which begins with a course for each of two patients, and with some visits done. Rules read its rows,
    act, and read again."""

    @initialize(where=st.sampled_from(sorted(CLINICS)), protocol=SOME, sessions=st.integers(1, 4),
                treated=st.integers(0, 3))
    def open(self, where: str, protocol: int, sessions: int, treated: int) -> None:
        self.enter(where)
        for patient in (0, 1):
            self.book_course(patient, protocol + patient, sessions, 0, 4)
        self.let_visits_take_place(["treated"] * treated, "lives")
