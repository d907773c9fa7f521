"""A clinic's own words in its messages: kept, and read in samples of what its patients get."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from clinic.care.own_text import fault_of
from clinic.messages.letters import Kind
from clinic.messages.rendering import render
from clinic.messages.sample_letters import sample_letter
from clinic.planning.findings import Finding, Weight
from clinic.queries.texts import ENGLISH, ClinicWords, newest_texts
from clinic.services.letters import card_of
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, check_version, record
from clinic.store.clinics import Clinic, ClinicText

LONGEST = {"directions": 600, "cancellation": 600, "closing": 300}
MOST_LINES = 12
MESSAGE_KINDS = tuple(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True)
class Sample:
    """A message as a patient would read it."""

    subject: str
    text: str
    html: str


def save_texts(
    work: UnitOfWork, clinic_id: int, words: Mapping[str, str], *, lock_version: int
) -> Done[int] | Refused:
    """Keeps a clinic's own words, as new versions where they differ, for all messages that are written from now on.

    An empty text takes them back.
    """
    clinic = work.db.get(Clinic, clinic_id, with_for_update=True)
    if clinic is None:
        raise NotFound(f"clinic {clinic_id}")
    if findings := judge_texts(words):
        return Refused(findings)
    check_version("clinic", clinic, lock_version)
    versions = newest_texts(work.db, clinic_id)
    changed = {code: text.strip() for code, text in words.items() if text.strip() != versions.get(code, (0, ""))[1]}
    work.db.add_all(
        ClinicText(clinic_id=clinic_id, code=code, language=ENGLISH, version=versions.get(code, (0, ""))[0] + 1,
                   text=text, made_at=work.now, made_by=work.actor.account_id)
        for code, text in changed.items())
    record(work, "texts-changed", "clinic", clinic_id, clinic_id=clinic_id,
           kept=sorted(code for code, text in words.items() if text.strip()))
    work.commit()
    return Done(clinic_id)


def judge_texts(words: Mapping[str, str]) -> tuple[Finding, ...]:
    """What speaks against these words, each at its field."""
    return tuple(
        Finding(f"text-{code}", Weight.BLOCKS, fault, code)
        for code, text in words.items() if (fault := _fault(code, text)) is not None)


def sample(
    clinic: ClinicWords, kind: str, *, words: Mapping[str, str] | None = None, language: str = "en", today: date
) -> Sample:
    """A message of that kind as the clinic would send it, with the words given in place of those that are kept.

    Words that could not be kept are left out of it.
    """
    told = {code: "" if _fault(code, text) else text for code, text in {**clinic.words, **(words or {})}.items()}
    facts = replace(clinic.facts, directions=told["directions"], cancellation=told["cancellation"],
                    closing=told["closing"])
    card = card_of(facts, names_zone=clinic.names_zone)
    rendered = render(sample_letter(Kind(kind), card, language=language, first_name="Anna", today=today))
    return Sample(rendered.subject, rendered.text, rendered.html)


def _fault(code: str, text: str) -> str | None:
    if code not in LONGEST:
        return "There is no such text."
    return fault_of(text, longest=LONGEST[code], most_lines=MOST_LINES)
