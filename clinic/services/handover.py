"""Handing over to the next visit of a patient: a note is left, and somebody has read it."""
from __future__ import annotations

from clinic.services.work import Done, NotFound, UnitOfWork, record
from clinic.store.courses import Course, HandoverNote
from clinic.store.resources import Patient

LONGEST = 500
"""What is longer belongs into the clinical notes."""


def leave_note(work: UnitOfWork, patient_id: int, *, text: str, course_id: int | None = None) -> Done[int]:
    """Leaves a note for the next visit of a patient, about one of their courses where that is named."""
    patient = work.db.get(Patient, patient_id)
    if patient is None or patient.merged_into_id is not None:
        raise NotFound(f"patient {patient_id}")
    if course_id is not None and work.db.get_one(Course, course_id).patient_id != patient_id:
        raise NotFound(f"course {course_id} of patient {patient_id}")
    row = HandoverNote(patient_id=patient_id, course_id=course_id, text=text, written_at=work.now,
                       written_by=work.actor.account_id)
    work.db.add(row)
    work.db.flush()
    record(work, "note-left", "patient", patient_id, note_id=row.id)
    work.commit()
    return Done(row.id)


def mark_read(work: UnitOfWork, note_id: int) -> Done[int]:
    """Notes that whoever acts has read it; the first who did stays."""
    row = work.db.get(HandoverNote, note_id, with_for_update=True)
    if row is None:
        raise NotFound(f"note {note_id}")
    if row.read_at is None:
        row.read_at, row.read_by = work.now, work.actor.account_id
        record(work, "note-read", "patient", row.patient_id, note_id=row.id)
        work.commit()
    return Done(row.id)
