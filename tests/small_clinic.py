"""A small real clinic for tests: three practitioners, two rooms, devices, patients, approved protocols."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.catalogue import load_catalogue
from clinic.care.parts import QUALIFICATIONS
from clinic.services.work import Actor, UnitOfWork
from clinic.store.accounts import Account, AccountRole
from clinic.store.clinics import Business, Clinic, OpeningHours
from clinic.store.engine import for_writing
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.store.resources import Device, Patient, Practitioner, Qualification, Room, Rota, RotaSpan
from tests.imprint import Imprint, is_blank, press, taken

MONDAY = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@dataclass
class SmallClinic:
    """Ids of what was made, and a clock that tests move by hand."""

    engine: Engine
    now: datetime = MONDAY
    clinic_id: int = 0
    practitioners: list[int] = field(default_factory=list)
    rooms: list[int] = field(default_factory=list)
    devices: list[int] = field(default_factory=list)
    patients: list[int] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)

    def clock(self) -> datetime:
        """The instant that the test has set."""
        return self.now

    def work(self, role: str | None = None) -> UnitOfWork:
        """A unit of work of the account with that role, or of nobody in particular."""
        account_id = self.accounts[role] if role else None
        return UnitOfWork(self.engine, self.clock, Actor("account" if role else "test", account_id))

    def on(self, engine: Engine) -> SmallClinic:
        """The same clinic in another database."""
        return SmallClinic(engine, self.now, self.clinic_id, [*self.practitioners], [*self.rooms], [*self.devices],
                           [*self.patients], {**self.versions}, {**self.accounts})


_BUILT: dict[tuple[str, int, int], tuple[SmallClinic, Imprint]] = {}


def small_clinic(engine: Engine, *, zone: str = "Europe/London", horizon: int = 400, patients: int = 3) -> SmallClinic:
    """The clinic in a migrated database: open Monday to Friday from 09:00 to 18:00.

    It is built once of each kind, and then pressed into the database of each further test that has nothing else in it.
    """
    kind = (zone, horizon, patients)
    with for_writing(engine).begin() as connection:
        blank = is_blank(connection)
        if blank and kind in _BUILT:
            made, imprint = _BUILT[kind]
            press(connection, imprint)
            return made.on(engine)
    made = build_small_clinic(engine, zone=zone, horizon=horizon, patients=patients)
    if blank:
        with engine.connect() as connection:
            _BUILT[kind] = made.on(engine), taken(connection)
    return made


def build_small_clinic(engine: Engine, *, zone: str, horizon: int, patients: int) -> SmallClinic:
    """Builds the clinic row by row."""
    made = SmallClinic(engine)
    with Session(for_writing(engine), expire_on_commit=False) as db:
        clinic = _clinic(db, zone, horizon)
        made.clinic_id = clinic.id
        _people(db, made)
        _things(db, made, patients)
        _accounts(db, made)
        _protocols(db, made)
        db.commit()
    return made


def _clinic(db: Session, zone: str, horizon: int) -> Clinic:
    db.add(Business(id=1, name="Harbour Skin"))
    clinic = Clinic(
        name="Harbour Street", zone=zone, address="1 Harbour Street", phone="+44 20 7946 0000",
        sender_name="Harbour Skin", sender_email="desk@harbour.example", booking_horizon_days=horizon)
    db.add(clinic)
    db.flush()
    db.add_all(OpeningHours(clinic_id=clinic.id, weekday=day, opens=540, closes=1080) for day in range(5))
    return clinic


def _people(db: Session, made: SmallClinic) -> None:
    for name in ("Dr Amari", "Nurse Bell", "Dr Chen"):
        person = Practitioner(name=name)
        db.add(person)
        db.flush()
        made.practitioners.append(person.id)
        db.add_all(
            Qualification(practitioner_id=person.id, code=code, valid_from=date(2020, 1, 1)) for code in QUALIFICATIONS)
        rota = Rota(practitioner_id=person.id, starts_on=date(2026, 1, 5))
        db.add(rota)
        db.flush()
        db.add_all(
            RotaSpan(rota_id=rota.id, weekday=day, opens=540, closes=1080, clinic_id=made.clinic_id)
            for day in range(5))
        db.add_all(RotaSpan(rota_id=rota.id, weekday=day, opens=720, closes=840, break_minutes=30) for day in range(5))


def _things(db: Session, made: SmallClinic, patients: int) -> None:
    features = ["numbing-chair", "laser-safe"]
    rooms = [Room(clinic_id=made.clinic_id, name=f"Room {number}", features=features) for number in (1, 2)]
    types = ("needling-pen", "rf-needling", "ipl", "laser-nafl", "laser-hair")
    devices = [Device(clinic_id=made.clinic_id, name=kind.title(), device_type=kind) for kind in types]
    names = [("Ana", "Novák"), ("Ben", "Okafor"), ("张", "伟"), *((f"Pat{n}", f"Ient{n}") for n in range(patients))]
    people = [
        Patient(given_name=given, family_name=family, search_text=f"{given} {family}".casefold(),
                email=f"patient{number}@example.com", created_at=made.now)
        for number, (given, family) in enumerate(names[:patients])]
    db.add_all([*rooms, *devices, *people])
    db.flush()
    made.rooms = [room.id for room in rooms]
    made.devices = [device.id for device in devices]
    made.patients = [person.id for person in people]


def _accounts(db: Session, made: SmallClinic) -> None:
    for role in ("receptionist", "practitioner", "manager", "administrator", "auditor"):
        account = Account(email=f"{role}@harbour.example", name=role.title(), password_hash="-", created_at=made.now)
        db.add(account)
        db.flush()
        made.accounts[role] = account.id
        db.add(AccountRole(account_id=account.id, clinic_id=made.clinic_id, role=role))


def _protocols(db: Session, made: SmallClinic) -> None:
    for code, name, document in _library():
        protocol = Protocol(code=code, name=name)
        db.add(protocol)
        db.flush()
        version = ProtocolVersion(
            protocol_id=protocol.id, number=1, document=document, state="approved", created_at=made.now,
            approved_by=made.accounts["practitioner"], approved_at=made.now)
        db.add(version)
        db.flush()
        made.versions[code] = version.id


@lru_cache(maxsize=1)
def _library() -> tuple[tuple[str, str, Any], ...]:
    """The library's codes, names and documents, read once for all tests: reading takes longer than most of them."""
    return tuple((content.code, content.name, content.to_document()) for content in load_catalogue())
