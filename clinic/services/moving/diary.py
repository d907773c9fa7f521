"""The diary that a move-in fills: overlaps said in words beforehand, then everything held in its order of time."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from clinic.interchange.moving_in.forms import APPOINTMENTS
from clinic.interchange.moving_in.spans import HERE, Held
from clinic.planning.local import local_of, zone
from clinic.services.moving.appointments import Appointments
from clinic.services.moving.courses import Courses, table
from clinic.services.moving.state import AT_ONCE, Moving
from clinic.store.diary import ResourceBooking
from clinic.store.expressions import epoch
from clinic.store.occupancy import merge_changes
from clinic.store.resources import Device, Patient, Practitioner, Room

_COLUMNS = ("appointment_id", "resource_id", "clinic_id", "need", "starts_at", "ends_at")
_MERGED_AT_ONCE = 50_000
_LONGEST = 4000 * 60
"""No booking of the diary is longer; one that were is taken for so long."""


class Diary:
    """What the new appointments hold, beside what the diary holds already."""

    def __init__(self, moving: Moving, courses: Courses, appointments: Appointments) -> None:
        """All appointments must have been read."""
        self._moving, self._courses, self._appointments = moving, courses, appointments

    def judge(self) -> None:
        """Says which appointments would hold somebody or something that is held at that time."""
        self._read_diary()
        names: dict[int, str] = {}
        lines = self._appointments.lines
        for resource_id, first, second in self._appointments.spans.clashes():
            late, early = (second, first) if second.place != HERE else (first, second)
            if early.place != HERE and lines[early.place] > lines[late.place]:
                late, early = early, late
            if resource_id not in names:
                names[resource_id] = self._name(resource_id)
            by = "in the diary already" if early.place == HERE else \
                "by this appointment itself" if early.place == late.place else f"by line {lines[early.place]}"
            self._moving.faults.add(
                APPOINTMENTS.file, lines[late.place], "start",
                f"{names[resource_id]} is booked {by} at that time, {self._words(early, late)}: two appointments "
                "cannot have the same one")

    def write(self) -> None:
        """Writes what is held, and brings the packed diary up to date."""
        moving = self._moving
        moving.bulk.insert(table(ResourceBooking), _COLUMNS, self._rows())
        merged = 1
        while merged:
            merged = merge_changes(moving.db, _MERGED_AT_ONCE)
            moving.step(0, "Packing the diary")

    def _rows(self) -> Iterator[Sequence[Any]]:
        appointments = self._appointments
        for resource_id in appointments.spans.resources():
            count = 0
            for held in appointments.spans.of(resource_id):
                count += held.need == 0
                yield (
                    appointments.ids[held.place], resource_id, appointments.clinics[held.place], held.need,
                    held.starts, held.ends)
            if count:
                self._moving.step(count, "Filling the diary")

    def _read_diary(self) -> None:
        spans = self._appointments.spans
        row: Any = ResourceBooking.__table__
        if self._moving.db.scalar(sa.select(sa.func.max(row.c.id))) is None:
            return
        wanted = spans.resources()
        for first in range(0, len(wanted), AT_ONCE):
            some = wanted[first:first + AT_ONCE]
            for resource_id, starts, ends in self._moving.db.execute(
                sa.select(row.c.resource_id, epoch(row.c.starts_at), epoch(row.c.ends_at))
                .where(row.c.resource_id.in_(some), row.c.ends_at > self._moving.now)
            ):
                begins = starts - starts % 60
                spans.add(resource_id, Held(begins, min(ends, begins + _LONGEST), 0, HERE))

    def _name(self, resource_id: int) -> str:
        for kind in (Practitioner, Room, Device):
            name = self._moving.db.scalar(sa.select(kind.name).where(kind.id == resource_id))
            if name is not None:
                return name
        name = self._moving.db.scalar(sa.select(Patient.given_name).where(Patient.id == resource_id))
        return "the patient" if name is None else f"the patient ({name})"

    def _words(self, early: Held, late: Held) -> str:
        where = zone(self._courses.zones[self._appointments.clinics[late.place]])
        begins, ends = (local_of(datetime.fromtimestamp(at, UTC), where) for at in (early.starts, early.ends))
        return f"{begins:%Y-%m-%d %H:%M} to {ends:%H:%M}"
