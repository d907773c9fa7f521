"""What fills a clinic to the brim: long and foreign words, long lists, everything open that may be open."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.app import Kit
from clinic.care.newsletter import Block, Content
from clinic.queries.folding import folded
from clinic.services.editions import Draft, begin_edition
from clinic.services.work import Actor, Done
from clinic.store.accounts import Account, Task
from clinic.store.clinics import Business, Clinic, Closure
from clinic.store.courses import HandoverNote
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message
from clinic.store.resources import Absence, Certificate, ClinicalNote, Device, Patient, Practitioner, Room

LONGEST = "Wolfeschlegelsteinhausenbergerdorff", "Maximiliana-Theodora von der"
"""A family name and the given names before it that make sixty letters and more."""
HARD_NAMES: tuple[tuple[str, str], ...] = (
    (LONGEST[1], LONGEST[0]), ("مريم عبد الرحمن", "العلي الهاشمي"), ("伟", "张"), ("Zoë", "Ó Súilleabháin-Đorđević"),
    ("அன்னபூரணி", "சுப்பிரமணியன்"), ("O", "Ng"))
SENTENCE = ("Rings the bell twice, comes with her sister who translates, and must sit down before blood is mentioned; "
            "latex allergy, lidocaine is fine.")
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
WORDS = Content("en", "Spring", (Block("New hours", "We open on Saturdays.\n\nFrom nine to one."),
                                 Block("Sun", "Wear a hat.", "More", "https://harbour.example/sun")))


def fill_to_the_brim(kit: Kit, clinic_id: int, names: Mapping[str, object], now: datetime) -> None:
    """Writes them into a clinic of some years."""
    shown = int(str(names["patient"]))
    with Session(for_writing(kit.engine)) as db:
        db.get_one(Business, 1).name = "Harbour Skin, Laser & Aesthetic Medicine"
        db.get_one(Clinic, clinic_id).name = "Harbour Street and the Old Customs House"
        _rename_patients(db, clinic_id, shown, now)
        _rename_things(db, int(str(names["practitioner"])))
        _write_about(db, clinic_id, shown, int(str(names["course"])), now)
        _worry(db, clinic_id, now)
        db.commit()
    publish(kit, clinic_id, f"Spring at the harbour: {LONG_WORD}", readers=120)


def publish(kit: Kit, clinic_id: int, title: str, *, readers: int) -> None:
    """A newsletter: readers, and an edition that is being written."""
    with kit.work(Actor("screens")) as work:
        work.db.add_all(Subscriber(
            email=f"reader.number{each}@home.example", language="de" if each % 4 == 0 else "en", state="subscribed",
            asked_at=work.now, consented_at=work.now, consent_source="page", consent_wording="1: Send it.")
            for each in range(readers))
        work.commit()
    with kit.work(Actor("screens")) as work:
        assert isinstance(begin_edition(work, clinic_id, Draft(title, (), (WORDS,))), Done)


def _rename_patients(db: Session, clinic_id: int, shown: int, now: datetime) -> None:
    """Whom the screens are about has the longest name; of today's patients every third has a hard one."""
    today = db.scalars(
        sa.select(Appointment.patient_id).where(
            Appointment.clinic_id == clinic_id, Appointment.starts_at.between(now - timedelta(hours=12),
                                                                              now + timedelta(hours=12)))
        .order_by(Appointment.starts_at, Appointment.id)).all()
    newest = db.scalars(sa.select(Patient.id).order_by(Patient.id.desc()).limit(18)).all()
    chosen: Sequence[int] = [shown, *today[::3], *newest]
    for at, ident in enumerate(dict.fromkeys(chosen)):
        row, (given, family) = db.get_one(Patient, ident), HARD_NAMES[at % len(HARD_NAMES)]
        row.given_name, row.family_name = given, family
        row.search_text = f" {folded(f'{family} {given} {row.email}')} "
        row.alerts = SENTENCE if at % 4 == 0 else row.alerts


def _rename_things(db: Session, busiest: int) -> None:
    for at, person in enumerate(db.scalars(sa.select(Practitioner).order_by(Practitioner.id))):
        given, family = HARD_NAMES[at % len(HARD_NAMES)]
        if person.id == busiest or at % 3 == 1:
            person.name = f"Dr {given} {family}{f' {at}' if at > len(HARD_NAMES) else ''}"
    for at, thing in enumerate(db.scalars(sa.select(Room).order_by(Room.id))):
        thing.name = LONG_WORD if at == 0 else thing.name
    for at, machine in enumerate(db.scalars(sa.select(Device).order_by(Device.id))):
        machine.name = f"{LONG_WORD} 3000" if at == 0 else machine.name


def _write_about(db: Session, clinic_id: int, patient_id: int, course_id: int, now: datetime) -> None:
    """Much to know of the patient whom the screens are about, and of everybody who comes today."""
    db.add_all(HandoverNote(patient_id=patient_id, course_id=course_id, text=f"{SENTENCE} ({number})",
                            written_at=now - timedelta(days=number)) for number in range(1, 5))
    db.add_all(ClinicalNote(patient_id=patient_id, written_at=now - timedelta(days=number), text=SENTENCE * 3)
               for number in range(1, 4))
    late = sa.update(Message).where(Message.clinic_id == clinic_id, Message.state == "pending", Message.id % 9 == 0)
    db.execute(late.values(state="held", reason="no-address"))


def _worry(db: Session, clinic_id: int, now: datetime) -> None:
    """Tasks, absences, closures and papers that run out."""
    patients = db.scalars(sa.select(Patient.id).order_by(Patient.id.desc()).limit(40)).all()
    writer = db.scalar(sa.select(sa.func.min(Account.id)))
    db.add_all(Task(clinic_id=clinic_id, patient_id=patient_id, kind=("move", "symptom", "cancel", "call")[at % 4],
                    text=SENTENCE, due_on=now.date() - timedelta(days=at % 5), created_at=now, urgent=at % 8 == 1)
               for at, patient_id in enumerate(patients))
    people = db.scalars(sa.select(Practitioner.id)).all()
    db.add_all(Absence(resource_id=ident, starts_at=now + timedelta(days=10 + at), reason=SENTENCE[:60],
                       ends_at=now + timedelta(days=12 + at)) for at, ident in enumerate(list(people) * 3))
    db.add_all(Closure(clinic_id=clinic_id, from_on=date(2027, month, 2), to_on=date(2027, month, 3), reason=LONG_WORD)
               for month in range(4, 13))
    db.add_all(Certificate(practitioner_id=ident, kind="insurance", title=LONG_WORD, valid_from=date(2026, 1, 1),
                           expires_on=now.date() + timedelta(days=at)) for at, ident in enumerate(people))
    if writer is not None:
        db.get_one(Account, writer).name = " ".join(LONGEST)
