"""A clinic that has at least one row of every kind, with the nastiest words that a person may type."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services.protocols import load_catalogue
from clinic.store.accounts import Account, Task
from clinic.store.clinics import Clinic, ClinicText, Closure, MessageRule, TranslationApproval, TravelTime
from clinic.store.courses import CourseOverride, HandoverNote, Recall, RecallAttempt
from clinic.store.diary import Appointment, RunningLate
from clinic.store.engine import for_writing
from clinic.store.moving import Imported, PatientMerge
from clinic.store.newsletter import Edition, EditionText, Subscriber
from clinic.store.outbox import Bounce, ContactAttempt, Message, MessageAttempt
from clinic.store.resources import Absence, Certificate, ClinicalNote, Patient, RotaDay
from tests.booking import booked, cancel, perform, standing
from tests.small_clinic import SmallClinic, small_clinic

NASTY = (
    '=HYPERLINK("http://evil.example","click")', "+351 91 555 0000", "-1", "@SUM(A1)", "\tindented", "\rreturn",
    "'s Gravenhage", "'=kept", "''", "two\nlines\r\nand, a comma; \"quoted\"", "مريم العلي \u202eRTL", "👩‍⚕️ 张伟",
    "\ufeffmark", " spaces ", "NULL", "\\N", "é\u0301", "＝1+1", "",
)


def clinic_of_everything(engine: Engine, words: Sequence[str] = NASTY) -> SmallClinic:
    """Courses that were booked, given, cancelled and finished through the services; the rest in rows."""
    made = small_clinic(engine, patients=len(words) + 3)
    first, second = booked(made), booked(made, patient_id=made.patients[1])
    one = booked(made, "mn_rejuvenation", 1, patient_id=made.patients[2])
    for course_id in (first, one):
        perform(made, standing(made, course_id)[0])
    cancel(made, standing(made, second)[2])
    with made.work() as work:
        load_catalogue(work)
    with Session(for_writing(engine)) as db:
        _add_rows(db, made, words)
        db.commit()
    return made


def _add_rows(db: Session, made: SmallClinic, words: Sequence[str]) -> None:
    now = made.now
    text = "".join(words)
    other = Clinic(name="Lisboa", zone="Europe/Lisbon", address=text, phone="1", sender_name="x", sender_email="x@y.z")
    db.add(other)
    db.flush()
    db.add_all([
        TravelTime(one_clinic_id=made.clinic_id, other_clinic_id=other.id, minutes=40),
        ClinicText(clinic_id=made.clinic_id, code="directions", text=text),
        ClinicText(clinic_id=made.clinic_id, code="recall/opening", language="de", text=text, made_at=now),
        ClinicText(clinic_id=made.clinic_id, code="directions", version=2, text=text[::-1], made_at=now),
        MessageRule(clinic_id=made.clinic_id, kind="reminder-7d", rule={"on": False, "words": text}, made_at=now),
        TranslationApproval(language="de", subject="messages", sha256="ab", approved_at=now),
        Closure(clinic_id=made.clinic_id, from_on=date(2027, 12, 25), to_on=date(2027, 12, 26), reason=words[0]),
        Certificate(practitioner_id=made.practitioners[0], kind="insurance", title=text, valid_from=date(2027, 1, 1),
                    expires_on=None),
        RotaDay(practitioner_id=made.practitioners[0], on_date=date(2028, 2, 29), spans=[[540, 600, 1, None]]),
        Absence(resource_id=made.practitioners[1], starts_at=now + timedelta(days=300),
                ends_at=now + timedelta(days=301), reason=text, source=words[0]),
        RunningLate(clinic_id=made.clinic_id, practitioner_id=made.practitioners[0], on_date=now.date(), minutes=20,
                    at=now, by=made.accounts["receptionist"]),
        HandoverNote(patient_id=made.patients[0], course_id=1, text=f"Next time: {text}", written_at=now,
                     read_at=now, read_by=made.accounts["practitioner"]),
        ClinicalNote(patient_id=made.patients[0], written_at=now, written_by=made.accounts["practitioner"], text=text),
        Task(clinic_id=made.clinic_id, patient_id=made.patients[0], kind="call", text=text, due_on=now.date(),
             created_at=now, done_at=now, done_by=made.accounts["receptionist"], wished=[now.isoformat()],
             reply=words[0]),
        CourseOverride(course_id=1, code="interval", value={"words": list(words)}, reason=text, made_at=now),
        *(Imported(kind="patient", reference=f"{word}{number}", row_id=made.patients[number], digest="00")
          for number, word in enumerate(words)),
        _consultation(made, now),
    ])
    patients: Any = Patient.__table__
    # The record that was put away points to one that comes later in every order of ids.
    merged, kept = made.patients[3], made.patients[4]
    db.execute(sa.update(patients).where(patients.c.id == merged).values(merged_into_id=kept))
    db.add(PatientMerge(kept_id=kept, merged_id=merged, made_at=now, moved={"course": [1], "words": text}))
    for ident, word in zip(made.patients[3:], words, strict=False):
        db.execute(sa.update(patients).where(patients.c.id == ident).values(
            given_name=word, family_name=word[::-1], phone=word, alerts=text, birth_on=date(1900, 1, 1),
            rather_times=[[0, 540, 600]]))
    recall = db.scalars(sa.select(Recall)).first()
    assert recall is not None
    db.add(RecallAttempt(recall_id=recall.id, asked_at=now, channel="phone", outcome=text))
    _sending(db, now)
    _add_messages(db, made, text)
    db.execute(sa.update(Account).values(password_hash="$argon2id$secret"))


def _add_messages(db: Session, made: SmallClinic, text: str) -> None:
    """What goes to others than patients, comes back, and is told by phone."""
    now = made.now
    asked = Subscriber(email="reader@example.org", interests=["skin", text], patient_id=made.patients[0],
                       state="asked", asked_at=now, consent_source=text, consent_wording=text)
    edition = Edition(clinic_id=made.clinic_id, title=text, interests=[text], created_at=now)
    db.add_all([asked, edition])
    db.flush()
    sent = Message(clinic_id=made.clinic_id, subscriber_id=asked.id, state="failed", reason=text, due_at=now,
                   useless_after=now, created_at=now, note=text, decision="told", decided_at=now)
    db.add_all([sent, EditionText(edition_id=edition.id, language="de", subject=text, blocks=[{"text": text}])])
    db.flush()
    db.add_all([
        ContactAttempt(message_id=sent.id, at=now, outcome="no-answer", note=text),
        Bounce(message_id=sent.id, email=text, at=now, is_hard=True, status="5.1.1", text=text, digest="ab",
               lifted_at=now),
    ])


def _consultation(made: SmallClinic, now: datetime) -> Appointment:
    """In the hour that happens twice when summer time ends, for one who was told of it elsewhere."""
    start = datetime.fromisoformat("2027-10-31T01:30")
    return Appointment(
        clinic_id=made.clinic_id, patient_id=made.patients[0], kind="consultation", treatment_code="consultation",
        state="booked", uid="moved-in@elsewhere", local_start=start, zone="Europe/London", fold=1, minutes=30,
        starts_at=datetime.fromisoformat("2027-10-31T01:30:00Z"), ends_at=datetime.fromisoformat("2027-10-31T02:00Z"),
        scheduled_at=now, created_at=now, told_start=start)


def _sending(db: Session, now: datetime) -> None:
    """Two messages in the hands of a worker: one may be out, one is not."""
    for number, message in enumerate(db.scalars(sa.select(Message).where(Message.state == "pending").limit(2))):
        message.state, message.lease_token, message.lease_until = "sending", f"token{number}", now
        message.worker_id, message.attempts = "worker", 1
        if number:
            message.dot_at, message.mime, message.mime_sha256 = now, b"\xf8\x00From: me\r\n", "ab"
            db.add(MessageAttempt(message_id=message.id, number=1, at=now, worker_id="worker", phase="begun"))
