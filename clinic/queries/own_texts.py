"""What a clinic says in words of its own: the newest version of each of its texts."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from clinic.care.own_text import fingerprint
from clinic.care.translations import ENGLISH
from clinic.store.clinics import ClinicText


@dataclass(frozen=True, slots=True)
class OwnText:
    """A version of a text of a clinic; an empty one was taken back."""

    clinic_id: int
    language: str
    code: str
    version: int
    text: str
    made_at: datetime | None

    @property
    def fingerprint(self) -> str:
        """What an approval of exactly these words is kept under."""
        return fingerprint(self.clinic_id, self.code, self.language, self.text)


OwnTexts = Mapping[tuple[str, str], OwnText]
"""A clinic's texts by language and code: only those that say something."""
NO_TEXTS: OwnTexts = MappingProxyType({})


def own_texts(db: Session, clinic_id: int) -> OwnTexts:
    """All that a clinic says in words of its own, in one statement."""
    return {(row.language, row.code): OwnText(clinic_id, *row)
            for row in db.execute(_newest(), {"clinic_id": clinic_id})}


def addition(texts: OwnTexts, code: str, language: str) -> OwnText | None:
    """What a clinic adds to its messages in a language; where it has no such words in it, the English ones."""
    return texts.get((language, code)) or texts.get((ENGLISH, code))


def in_language(texts: OwnTexts, language: str, codes: Iterable[str]) -> tuple[OwnText, ...]:
    """Those of the texts that the clinic has in exactly that language."""
    return tuple(found for code in codes if (found := texts.get((language, code))) is not None)


@cache
def _newest() -> sa.Select[*tuple[Any, ...]]:
    newer = aliased(ClinicText)
    return (
        sa.select(ClinicText.language, ClinicText.code, ClinicText.version, ClinicText.text, ClinicText.made_at)
        .where(ClinicText.clinic_id == sa.bindparam("clinic_id"), ClinicText.text != "",
               ~sa.exists().where(newer.clinic_id == ClinicText.clinic_id, newer.code == ClinicText.code,
                                  newer.language == ClinicText.language, newer.version > ClinicText.version)))
