"""A clinic's life in any order, right and wrong moves alike, with an audit of plain rows after every step.

Rules take small numbers only and mean the same in every run: the steps that a failure prints are a script, to be put
behind `state = InvariantMachine(arena)`.
"""
from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.prove.arena import CLINICS
from tests.prove.machine_clinic import SOME
from tests.prove.machine_courses import Courses
from tests.prove.machine_desk import Desk
from tests.prove.machine_time import Time
from tests.prove.machine_wrongs import Wrongs


class InvariantMachine(Desk, Courses, Time, Wrongs):
    """One clinic, which begins with a course for each of two patients. Rules read its rows, act, and read again."""

    @initialize(where=st.sampled_from(sorted(CLINICS)), protocol=SOME, sessions=st.integers(2, 4))
    def open(self, where: str, protocol: int, sessions: int) -> None:
        self.enter(where)
        for patient in (0, 1):
            self.book_course(patient, protocol + patient, sessions, 0, 4)
