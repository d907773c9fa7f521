"""Practitioners with their papers and rotas, absences, and patients that are moved in."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from clinic.interchange.moving_in.folder import Said
from clinic.interchange.moving_in.forms import ABSENCES, PATIENTS, PRACTITIONERS, ROTA
from clinic.interchange.moving_in.records import AbsenceRecord, PatientRecord, PractitionerRecord, RotaRecord
from clinic.messages.rendering import languages
from clinic.planning.local import resolve, zone
from clinic.services.moving.state import Moving
from clinic.services.patients import PatientDetails, judge, search_text
from clinic.store.clinics import Clinic
from clinic.store.resources import (
    Absence,
    Certificate,
    Device,
    Patient,
    Practitioner,
    Qualification,
    Resource,
    Room,
    Rota,
    RotaSpan,
)

_ALWAYS = date(2000, 1, 1)
"""A qualification without a first date holds for all that is moved in."""


def move_practitioners(moving: Moving) -> None:
    """Adds the practitioners with their qualifications and certificates; one of a name that is here is the same."""
    moving.file = PRACTITIONERS.file
    known = {name: ident for ident, name in moving.db.execute(sa.select(Practitioner.id, Practitioner.name))}
    here = frozenset(known.values())
    for batch in moving.batches(PRACTITIONERS):
        kept = []
        for said in batch:
            name = said.record.name
            if name in known and known[name] in here:
                moving.warn(said, "name", f"{name!r} is here already and taken as the same: nothing of it is changed")
            else:
                known[name] = _add_practitioner(moving, said.record)
            kept.append((said, known[name]))
        moving.keep(PRACTITIONERS, kept, linked=here)


def move_rota(moving: Moving) -> None:
    """Adds the hours of work and the breaks; rows of one practitioner and one first date are one rota."""
    moving.file = ROTA.file
    rotas: dict[tuple[int, date], Rota] = {}
    for batch in moving.batches(ROTA):
        moving.look_up("practitioner", [said.record.practitioner for said in batch])
        moving.look_up("clinic", [said.record.clinic for said in batch])
        kept = []
        for said in batch:
            row_id = _add_span(moving, said, said.record, rotas)
            if row_id is not None:
                kept.append((said, row_id))
        moving.keep(ROTA, kept)


def move_absences(moving: Moving) -> None:
    """Adds the absences, each by the clock of its clinic."""
    moving.file = ABSENCES.file
    zones = dict(moving.db.execute(sa.select(Clinic.id, Clinic.zone)).all())
    places: dict[int, int] = {
        ident: clinic_id for table in (Room, Device)
        for ident, clinic_id in moving.db.execute(sa.select(table.id, table.clinic_id))}
    for batch in moving.batches(ABSENCES):
        for kind in ("practitioner", "room", "device"):
            moving.look_up(kind, [said.record.whose for said in batch if said.record.column == kind])
        moving.look_up("clinic", [said.record.clinic for said in batch])
        kept = []
        for said in batch:
            record: AbsenceRecord = said.record
            resource_id = moving.find(said, record.column, record.column, record.whose)
            where = _zone_of(moving, said, zones, places.get(resource_id or 0))
            if resource_id is None or where is None:
                continue
            absence = Absence(
                resource_id=resource_id, starts_at=resolve(record.begins, zone(where)),
                ends_at=resolve(record.ends, zone(where), last=True), reason=record.reason)
            moving.db.add(absence)
            moving.db.flush()
            kept.append((said, absence.id))
        moving.keep(ABSENCES, kept)


def move_patients(moving: Moving) -> None:
    """Adds the patients, each with the same care as when one is entered at the desk."""
    moving.file = PATIENTS.file
    for batch in moving.batches(PATIENTS):
        sound = []
        for said in batch:
            details = _details(moving, said)
            findings = judge(moving.work, details)
            for finding in findings:
                moving.wrong(said, finding.field or "", finding.text)
            if not findings:
                sound.append((said, details))
        ids = moving.bulk.ids(_table(Resource), len(sound))
        if moving.is_good:
            _write_patients(moving, ids, [details for _, details in sound])
        moving.keep(PATIENTS, [(said, ident) for (said, _), ident in zip(sound, ids, strict=True)])


def _add_practitioner(moving: Moving, record: PractitionerRecord) -> int:
    person = Practitioner(name=record.name, active=record.active)
    moving.db.add(person)
    moving.db.flush()
    held = {(code, first or _ALWAYS): until for code, first, until in record.qualifications}
    moving.db.add_all(
        Qualification(practitioner_id=person.id, code=code, valid_from=first, expires_on=until)
        for (code, first), until in held.items())
    moving.db.add_all(
        Certificate(practitioner_id=person.id, kind=kind, title=title, valid_from=first or _before(moving, until),
                    expires_on=until)
        for kind, (title, first, until) in record.certificates)
    moving.db.flush()
    return person.id


def _before(moving: Moving, until: date | None) -> date:
    return min(moving.now.date(), until or date.max)


def _add_span(
    moving: Moving, said: Said, record: RotaRecord, rotas: dict[tuple[int, date], Rota]
) -> int | None:
    practitioner_id = moving.find(said, "practitioner", "practitioner", record.practitioner)
    clinic_id = moving.find(said, "clinic", "clinic", record.clinic) if record.clinic else None
    if practitioner_id is None or (record.clinic and clinic_id is None):
        return None
    key = (practitioner_id, record.starts_on)
    if key not in rotas:
        rotas[key] = moving.db.scalar(sa.select(Rota).where(
            Rota.practitioner_id == practitioner_id, Rota.starts_on == record.starts_on)) or Rota(
                practitioner_id=practitioner_id, starts_on=record.starts_on, ends_on=record.ends_on,
                weeks=record.weeks)
    rota = rotas[key]
    if (rota.weeks, rota.ends_on) != (record.weeks, record.ends_on):
        moving.wrong(said, "weeks", f"this rota from {record.starts_on} on repeats after {rota.weeks} weeks and ends "
                     f"{rota.ends_on or 'never'}, as an earlier row says: all its rows must agree")
        return None
    moving.db.add(rota)
    moving.db.flush()
    spans = [
        RotaSpan(rota_id=rota.id, week=record.week, weekday=day, opens=record.opens, closes=record.closes,
                 clinic_id=clinic_id, break_minutes=record.break_minutes)
        for day in record.weekdays]
    moving.db.add_all(spans)
    moving.db.flush()
    return spans[0].id


def _zone_of(moving: Moving, said: Said, zones: dict[int, str], clinic_id: int | None) -> str | None:
    """The zone by whose clock an absence is written; none, and a fault, where it cannot be told."""
    if said.record.clinic:
        clinic_id = moving.find(said, "clinic", "clinic", said.record.clinic)
        return zones[clinic_id] if clinic_id else None
    if clinic_id:
        return zones[clinic_id]
    if len(set(zones.values())) != 1:
        moving.wrong(said, "clinic", "is empty, but the clinics lie in several time zones: say whose clock counts"
                     if zones else "is empty, and there is no clinic: say whose clock counts")
        return None
    return next(iter(zones.values()))


def _details(moving: Moving, said: Said) -> PatientDetails:
    record: PatientRecord = said.record
    language = record.language
    if language not in languages():
        moving.warn(said, "language", f"there are no messages in {language!r} yet: this patient's are in English")
        language = "en"
    return PatientDetails(
        record.given_name, record.family_name, record.birth_on, record.email, record.phone, language, record.channel,
        record.wants_messages, record.wants_marketing, alerts=record.alerts)


def _write_patients(moving: Moving, ids: Sequence[int], people: Iterable[PatientDetails]) -> None:
    moving.bulk.insert(_table(Resource), ("id", "kind"), ((ident, "patient") for ident in ids))
    moving.bulk.insert(_table(Patient), _COLUMNS, (
        (ident, each.given_name, each.family_name, search_text(each), each.birth_on, each.email, each.phone,
         each.language, each.channel, each.wants_service_messages, moving.now if each.wants_marketing else None,
         [], [], each.alerts, moving.now, 1)
        for ident, each in zip(ids, people, strict=True)))


_COLUMNS = (
    "id", "given_name", "family_name", "search_text", "birth_on", "email", "phone", "language", "channel",
    "wants_service_messages", "marketing_consent_at", "only_times", "rather_times", "alerts", "created_at",
    "lock_version")


def _table(mapped: Any) -> sa.Table:
    found: sa.Table = mapped.__table__
    return found
