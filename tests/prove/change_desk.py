"""A desk in a process of its own that moves, cancels and books again while workers send, and notes what was on the wire
when it did."""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.clock import system_clock
from clinic.queries.visit_choice import VisitChoice
from clinic.services.appointments import move_appointment
from clinic.services.work import Actor, UnitOfWork
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import open_engine
from clinic.store.outbox import Message
from tests.prove.race_desk import REASONS, Arena, RandomDesk, told

BEHIND = timedelta(minutes=10)
"""The desk lives a little in the past, so that no change waits out its grace: its message is due at once."""


@dataclass(frozen=True)
class Change:
    """A visit as a change left it, when that was saved, and which attempts to send which messages were under way then:
    their bytes were frozen before."""

    appointment_id: int
    revision: int
    saved_at: float
    on_the_wire: frozenset[tuple[int, int]]


def run_change_desk(url: str, arena: Arena, seed: int, operations: int, history: Path) -> None:
    """So many random changes, each with a line in the history; whatever is no refusal ends the process."""
    engine = open_engine(url)
    desk = _ChangeDesk(engine, arena, seed, history)
    for _ in range(operations):
        desk.now = system_clock() - BEHIND
        desk.act()
        time.sleep(desk.random.random() / 8)
    engine.dispose()
    assert desk.log.errors == [], desk.log.errors


def changes_in(history: Path) -> list[Change]:
    """What a desk has noted."""
    found = map(json.loads, history.read_text().splitlines())
    return [Change(each["appointment"], each["revision"], each["at"], frozenset(map(tuple, each["wire"])))
            for each in found]


class _ChangeDesk(RandomDesk):
    def __init__(self, engine: sa.Engine, arena: Arena, seed: int, history: Path) -> None:
        super().__init__(engine, arena, seed)
        self._history = history
        self.actions = ((self.move, 8), (self.cancel, 1), (self.book_session, 1))

    def booked(self) -> Any:
        """Rather one of a patient to whom a message is just being sent, or waits to be tried again."""
        under_way = sa.exists().where(
            Message.patient_id == Appointment.patient_id, Message.state.in_(("sending", "pending")),
            sa.or_(Message.state == "sending", Message.mime_sha256.is_not(None)))
        return self.any_row(self.sessions().where(Appointment.state == "booked", under_way)) or super().booked()

    def move(self) -> str:
        """To the same time of another day, without a look at what is free."""
        row = self.booked()
        with Session(self.engine) as db:
            number = db.scalar(sa.select(TreatmentSession.number).join(Appointment).where(Appointment.id == row.id))
            held = db.execute(sa.select(ResourceBooking.resource_id).where(
                ResourceBooking.appointment_id == row.id, ResourceBooking.need > 0).order_by(ResourceBooking.need))
            to = db.get_one(Appointment, row.id).starts_at + timedelta(days=self.random.choice((-2, -1, 1, 2, 7)))
            choice = VisitChoice(number or 0, to, tuple(held.scalars()))
        with self.work() as work:
            return told(move_appointment(work, row.id, choice, lock_version=row.lock_version, overrides=REASONS))

    def work(self, as_who: str = "test") -> UnitOfWork:
        return _Noting(self.engine, self, self._history)


class _Noting(UnitOfWork):
    """Its messages are locked when it commits: who sends one of them has frozen it before, or asks again after."""

    def __init__(self, engine: sa.Engine, desk: _ChangeDesk, history: Path) -> None:
        super().__init__(engine, lambda: desk.now, Actor("test"))
        self._history = history

    def commit(self) -> None:
        self.db.flush()
        visits = [row for row in self.db.identity_map.values() if isinstance(row, Appointment)]
        wire = self.db.execute(sa.select(Message.id, Message.attempts).where(
            Message.state == "sending", Message.mime_sha256.is_not(None))).all()
        about_to_be_saved_at = time.time()
        super().commit()
        with self._history.open("a") as history:
            for row in visits:
                history.write(json.dumps({"appointment": row.id, "revision": row.revision, "at": about_to_be_saved_at,
                                          "wire": [list(each) for each in wire]}) + "\n")
