"""Patients: added and changed, with what is wrong said field by field."""
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from clinic.care.mail_address import check_address
from clinic.planning.findings import Finding, Weight
from clinic.queries.doubles import alike, person_of
from clinic.queries.folding import digits, folded
from clinic.services.bounces import finish_asking
from clinic.services.links import end_links
from clinic.services.reconcile import reconcile_patient
from clinic.services.subscribing import follow_patient
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, check_version, record
from clinic.store.locks import lock_patients
from clinic.store.resources import Patient

CHANNELS = ("email", "phone", "none")
FIRST_BIRTH = date(1900, 1, 1)

_PHONE = re.compile(r"\+?[0-9 ()./-]{5,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """Times on some weekdays (Monday 0), in minutes after midnight, that a patient wishes for."""

    weekdays: tuple[int, ...]
    begins: int
    ends: int

    def __post_init__(self) -> None:
        if not self.weekdays or not set(self.weekdays) <= set(range(7)) or not 0 <= self.begins < self.ends <= 1440:
            raise ValueError(f"no such times: {self}")


@dataclass(frozen=True, slots=True)
class PatientDetails:
    """What is kept about a patient, apart from clinical notes."""

    given_name: str
    family_name: str
    birth_on: date | None = None
    email: str | None = None
    phone: str | None = None
    language: str = "en"
    channel: str = "email"
    wants_service_messages: bool = True
    wants_marketing: bool = False
    only_times: tuple[Wish, ...] = ()
    rather_times: tuple[Wish, ...] = ()
    alerts: str = ""


def add_patient(work: UnitOfWork, details: PatientDetails, *, is_another: bool = False) -> Done[int] | Refused:
    """Adds a patient, or says what stands in the way: also someone so alike that it may be the same person, unless
    staff say that it is another."""
    findings = judge(work, details)
    if not findings and not is_another:
        findings = _alike(work, details)
    if findings:
        return Refused(tuple(findings))
    row = Patient(created_at=work.now)
    _write(work, row, details)
    work.db.add(row)
    work.db.flush()
    follow_patient(work, row, wanted_before=False)
    record(work, "patient-added", "patient", row.id)
    work.commit()
    return Done(row.id)


def edit_patient(
    work: UnitOfWork, patient_id: int, details: PatientDetails, *, lock_version: int
) -> Done[int] | Refused:
    """Changes a patient and what their waiting messages must follow; Stale where someone else was faster.

    Another e-mail address ends the links that went to the old one.
    """
    lock_patients(work.db, (patient_id,))
    row = work.db.get(Patient, patient_id, with_for_update={"key_share": True})
    if row is None or row.merged_into_id is not None:
        raise NotFound(f"patient {patient_id}")
    findings = judge(work, details)
    if findings:
        return Refused(tuple(findings))
    check_version("patient", row, lock_version)
    wanted_news = row.marketing_consent_at is not None
    changed = _write(work, row, details)
    record(work, "patient-changed", "patient", row.id, fields=changed)
    if "email" in changed:
        end_links(work, patient_id)
        finish_asking(work, patient_id)
    reconcile_patient(work, patient_id)
    follow_patient(work, row, wanted_before=wanted_news)
    work.commit()
    return Done(row.id)


def search_text(details: PatientDetails) -> str:
    """What a search looks through: names, address, phone and birth date, folded, each word after a space."""
    parts = (details.family_name, details.given_name, details.email or "", digits(details.phone or ""),
             details.birth_on.isoformat() if details.birth_on else "")
    return f" {folded(' '.join(part for part in parts if part))} "


def judge(work: UnitOfWork, details: PatientDetails) -> list[Finding]:
    """What is wrong with these details, field by field; nothing where they can be kept."""
    found = [
        _blocks(field, f"Enter the {words}.")
        for field, words in (("given_name", "first name"), ("family_name", "family name"))
        if not getattr(details, field).strip()
    ]
    # The business may have clinics east of UTC, where the date is already the next one.
    if details.birth_on is not None and not FIRST_BIRTH <= details.birth_on <= work.now.date():
        found.append(_blocks("birth_on", "The birth date must lie between 1900 and today."))
    if details.phone is not None and (_PHONE.fullmatch(details.phone) is None or len(digits(details.phone)) < 5):
        found.append(_blocks("phone", "Enter the phone number with digits and spaces, such as +44 7700 900123."))
    return [*found, *_judge_channel(details)]


def _judge_channel(details: PatientDetails) -> list[Finding]:
    found = []
    if details.email is not None:
        try:
            check_address(details.email)
        except ValueError as fault:
            found.append(_blocks("email", str(fault)))
    if details.channel not in CHANNELS:
        found.append(_blocks("channel", "Choose how the patient is reached."))
    if details.channel == "email" and details.email is None:
        found.append(_blocks("email", "Enter the e-mail address, or choose another way to reach the patient."))
    if details.channel == "phone" and details.phone is None:
        found.append(_blocks("phone", "Enter the phone number, or choose another way to reach the patient."))
    return found


def _alike(work: UnitOfWork, details: PatientDetails) -> list[Finding]:
    """Whoever may be the same person: as likely as the lists of likely doubles ask for."""
    person = person_of(details.given_name, details.family_name, details.birth_on, details.email, details.phone)
    found = alike(work.db, person, limit=1)
    if not found:
        return []
    return [Finding(
        "possible-duplicate", Weight.WARNS, f"There is already a patient who may be the same person "
        f"({', '.join(found[0].likeness.reasons)}). Look first; if it is another person, say so below and save again.")]


def _write(work: UnitOfWork, row: Patient, details: PatientDetails) -> list[str]:
    """Writes the details into the row; answers the names of the fields that changed."""
    values = {
        "given_name": details.given_name, "family_name": details.family_name, "birth_on": details.birth_on,
        "email": details.email, "phone": details.phone, "language": details.language, "channel": details.channel,
        "wants_service_messages": details.wants_service_messages, "alerts": details.alerts,
        "only_times": [_document(wish) for wish in details.only_times],
        "rather_times": [_document(wish) for wish in details.rather_times],
        "search_text": search_text(details),
    }
    changed = [field for field, value in values.items() if getattr(row, field, None) != value]
    for field, value in values.items():
        setattr(row, field, value)
    if details.wants_marketing != (row.marketing_consent_at is not None):
        row.marketing_consent_at = work.now if details.wants_marketing else None
        changed.append("marketing_consent_at")
    return [field for field in changed if field != "search_text"]


def _document(wish: Wish) -> dict[str, object]:
    return {"weekdays": list(wish.weekdays), "begins": wish.begins, "ends": wish.ends}


def _blocks(field: str, text: str) -> Finding:
    return Finding(f"patient-{field.replace('_', '-')}", Weight.BLOCKS, text, field)
