"""A clinic with its own words, as its messages would sign themselves."""
from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.queries.letters import OWN_WORDS, ClinicFacts, own_words, rule_of, rule_version
from clinic.store.clinics import Clinic, ClinicText

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class ClinicWords:
    """A clinic as it signs its messages; `names_zone` where the business has clinics in several zones."""

    facts: ClinicFacts
    names_zone: bool
    lock_version: int

    @property
    def words(self) -> dict[str, str]:
        """Its own words by their code, empty where it has none."""
        return {code: getattr(self.facts, code) for code in OWN_WORDS}


def clinic_words(db: Session, clinic_id: int) -> ClinicWords:
    """The clinic with its own words, in one statement; raises NoResultFound for one that is not there."""
    zones = sa.select(sa.func.count(sa.distinct(Clinic.zone))).scalar_subquery()
    row = db.execute(
        sa.select(Clinic.id, Clinic.name, Clinic.zone, Clinic.address, Clinic.phone, Clinic.sender_name,
                  Clinic.sender_email, *own_words(), Clinic.out_of_hours_phone, Clinic.review_url, *rule_version(),
                  Clinic.lock_version, zones.label("zones"))
        .where(Clinic.id == clinic_id)).one()
    facts = ClinicFacts(row.id, row.name, row.zone, row.address, row.phone, row.sender_name, row.sender_email,
                        row.directions, row.cancellation, row.closing, row.out_of_hours_phone, row.review_url,
                        rule_of(row))
    return ClinicWords(facts, row.zones > 1, row.lock_version)


def newest_texts(db: Session, clinic_id: int, language: str = ENGLISH) -> dict[str, tuple[int, str]]:
    """The newest version of each text of a clinic in a language, with its number; an empty one was taken back."""
    rows = db.execute(
        sa.select(ClinicText.code, ClinicText.version, ClinicText.text)
        .where(ClinicText.clinic_id == clinic_id, ClinicText.language == language).order_by(ClinicText.version))
    return {row.code: (row.version, row.text) for row in rows}
