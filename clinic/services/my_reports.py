"""What a patient tells the clinic on their own page, and what they want of it; each opens a task or changes a wish."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.guidance import RedFlag, Urgency
from clinic.care.instructions import red_flags
from clinic.care.translations import ENGLISH, translated
from clinic.messages.rendering import languages
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import day_of, zone
from clinic.queries.links import MyBrowser
from clinic.queries.owner_facts import owner_head
from clinic.services.links import opened
from clinic.services.reconcile import reconcile_patient
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.accounts import Task
from clinic.store.clinics import Clinic
from clinic.store.locks import lock_patients, lock_resources
from clinic.store.resources import Patient

MOST_A_DAY = 20
"""So many tasks a patient opens within a day; then only the phone helps. Reports of red flags are never refused."""
_DAY = timedelta(days=1)
_URGENCY_WORDS = {
    Urgency.EMERGENCY: "an emergency", Urgency.SAME_DAY: "to be seen the same day",
    Urgency.NEXT_WORKING_DAY: "to be seen by the next working day",
}


def report_symptom(
    work: UnitOfWork, id_hash: str, *, codes: Sequence[str], note: str
) -> Done[Urgency | None] | Refused:
    """Opens a task with the signs that the patient has: an urgent one where any is a red flag of their protocol.

    Answers the most urgent of them; none where there is no red flag among them.
    """
    browser = opened(work, id_hash)
    found = [flag for flag in _known_flags(work.db, browser) if flag.code in set(codes)]
    outcome = open_task(work, browser, "symptom", _said_of(found), note=note, urgent=bool(found))
    if isinstance(outcome, Refused):
        return outcome
    return Done(found[0].urgency if found else None)


def choose_language(work: UnitOfWork, id_hash: str, language: str) -> Done[str] | Refused:
    """From now on the patient is written to in that language."""
    browser = opened(work, id_hash)
    if language not in languages():
        return Refused((Finding("language", Weight.BLOCKS, "We do not write in this language"),))
    _change(work, browser, "language", language)
    return Done(language)


def want_reminders(work: UnitOfWork, id_hash: str, wanted: bool) -> Done[bool]:
    """Stops the reminders of this patient, or begins them again; what others at the same address get stays."""
    browser = opened(work, id_hash)
    _change(work, browser, "wants_reminders", wanted)
    return Done(wanted)


def open_task(
    work: UnitOfWork, browser: MyBrowser, kind: str, text: str, *, note: str = "", urgent: bool = False,
    appointment_id: int | None = None, wished: Sequence[datetime] = (),
) -> Done[int] | Refused:
    """A task for the desk from the patient; the same one asked for again stays one. `wished`: when they could come."""
    lock_resources(work.db, [browser.patient_id])
    words = f"{text} In their words: “{note}”" if note else text
    of_patient = sa.and_(Task.patient_id == browser.patient_id, Task.created_by.is_(None))
    same = work.db.scalar(sa.select(Task.id).where(
        of_patient, Task.kind == kind, Task.text == words, Task.done_at.is_(None)).limit(1))
    if same is not None:
        return Done(same)
    today = work.db.scalar(sa.select(sa.func.count()).select_from(Task).where(
        of_patient, Task.created_at > work.now - _DAY)) or 0
    if today >= MOST_A_DAY and not urgent:
        return Refused((Finding("many", Weight.BLOCKS, "Too many requests for one day"),))
    clinic = work.db.get_one(Clinic, browser.clinic_id)
    task = Task(
        clinic_id=clinic.id, patient_id=browser.patient_id, kind=kind, urgent=urgent, appointment_id=appointment_id,
        wished=[at.isoformat() for at in wished], text=words, due_on=day_of(work.now, zone(clinic.zone)),
        created_at=work.now)
    work.db.add(task)
    work.db.flush()
    record(work, "task-opened", "task", task.id, clinic_id=clinic.id, kind=kind, urgent=urgent)
    work.commit()
    return Done(task.id)


def flags_of(db: Session, browser: MyBrowser) -> tuple[RedFlag, ...]:
    """The signs that the patient may tick, most urgent first, in their language where they are there."""
    head = owner_head(db, browser.owner)
    if head is None or head.followed is None:
        return ()
    language = browser.language if browser.language in languages() else ENGLISH
    return red_flags(translated(head.followed, language).protocol)


def _known_flags(db: Session, browser: MyBrowser) -> tuple[RedFlag, ...]:
    head = owner_head(db, browser.owner)
    return red_flags(head.followed) if head and head.followed else ()


def _said_of(found: Sequence[RedFlag]) -> str:
    if not found:
        return "Reports a symptom on their page: call back."
    signs = "; ".join(f"{flag.text.rstrip('.')} ({_URGENCY_WORDS[flag.urgency]})" for flag in found)
    return f"Reports on their page: {signs}. They were told whom to call; call them now."


def _change(work: UnitOfWork, browser: MyBrowser, field: str, value: object) -> None:
    lock_patients(work.db, (browser.patient_id,))
    row = work.db.get_one(Patient, browser.patient_id, populate_existing=True)
    if getattr(row, field) == value:
        return
    setattr(row, field, value)
    row.lock_version += 1
    work.db.flush()
    record(work, "patient-changed", "patient", row.id, fields=[field])
    reconcile_patient(work, row.id)
    work.commit()
