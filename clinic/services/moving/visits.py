"""What an appointment holds, by its treatment: who and what, from when to when, and who can do it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES, Need, needs_of, patient_minutes, read_parts
from clinic.care.protocols import Protocol
from clinic.store.protocols import Treatment
from clinic.store.resources import Device, Practitioner, Qualification, Room

_WORDS = {**QUALIFICATIONS, **DEVICE_TYPES, **ROOM_FEATURES}


@dataclass(frozen=True, slots=True)
class VisitForm:
    """A treatment as the diary takes it: for how long the patient is here, and what is needed; no needs: no parts."""

    code: str
    minutes: int
    needs: tuple[Need, ...]

    def of_kind(self, kind: str) -> tuple[int, ...]:
        """The numbers, from 1, of the needs of that kind, those that share another one's resource left out."""
        return tuple(number for number, need in enumerate(self.needs, start=1)
                     if need.kind.value == kind and need.same_as is None)

    def count(self, kind: str) -> int:
        """How many needs of that kind it has, in all."""
        return sum(need.kind.value == kind for need in self.needs)

    def assigned(self, kind: str, count: int) -> tuple[tuple[int, int], ...] | None:
        """Which need gets which of so many resources, by its place among them; none where it does not hold so many.

        One that is named alone stands in wherever it is not needed twice at one time.
        """
        numbers = self.of_kind(kind)
        if count > len(numbers):
            return None
        if count == 1 and not self._overlap(numbers):
            found = dict.fromkeys(numbers, 0)
        else:
            found = dict(zip(numbers, range(count), strict=False))
        for number, need in enumerate(self.needs, start=1):
            if need.same_as in found:
                found[number] = found[need.same_as]
        return tuple(found.items())

    def _overlap(self, numbers: Sequence[int]) -> bool:
        spans = sorted((self.needs[each - 1].offset, self.needs[each - 1].offset + self.needs[each - 1].minutes)
                       for each in numbers)
        return any(later[0] < span[1] for span, later in zip(spans, spans[1:], strict=False))


@dataclass(frozen=True, slots=True)
class Thing:
    """A practitioner, room or device: what it can do, each skill with its first and last date where it has them."""

    kind: str
    name: str
    active: bool
    clinic_id: int | None
    skills: tuple[tuple[str, date | None, date | None], ...]

    def lacks(self, skills: Sequence[str], on: date) -> str | None:
        """The first of these skills that it does not have on that date, in words."""
        for skill in skills:
            if not any(code == skill and (first is None or first <= on) and (until is None or on <= until)
                       for code, first, until in self.skills):
                return _WORDS.get(skill, skill)
        return None


def visit_form(protocol: Protocol, code: str) -> VisitForm:
    """A treatment of a protocol."""
    parts = protocol.treatment(code).parts
    return VisitForm(code, patient_minutes(parts), needs_of(parts))


def other_visits(db: Session) -> Mapping[str, tuple[str, VisitForm]]:
    """The treatments that belong to no protocol, by their codes: the kind, and the form."""
    rows = db.execute(sa.select(Treatment.code, Treatment.kind, Treatment.parts).where(Treatment.kind != "session"))
    found = {}
    for code, kind, document in rows:
        parts = read_parts(document)
        found[code] = (kind, VisitForm(code, patient_minutes(parts), needs_of(parts)))
    return found


def things(db: Session) -> Mapping[int, Thing]:
    """Every practitioner, room and device, by id."""
    held: dict[int, list[tuple[str, date | None, date | None]]] = {}
    for row in db.execute(sa.select(
        Qualification.practitioner_id, Qualification.code, Qualification.valid_from, Qualification.expires_on
    )):
        held.setdefault(row.practitioner_id, []).append((row.code, row.valid_from, row.expires_on))
    found = {
        row.id: Thing("practitioner", row.name, row.active, None, tuple(held.get(row.id, ())))
        for row in db.execute(sa.select(Practitioner.id, Practitioner.name, Practitioner.active))}
    for room in db.execute(sa.select(Room.id, Room.name, Room.active, Room.clinic_id, Room.features)):
        skills = tuple((code, None, None) for code in room.features)
        found[room.id] = Thing("room", room.name, room.active, room.clinic_id, skills)
    for device in db.execute(sa.select(Device.id, Device.name, Device.active, Device.clinic_id, Device.device_type)):
        found[device.id] = Thing(
            "device", device.name, device.active, device.clinic_id, ((device.device_type, None, None),))
    return found
