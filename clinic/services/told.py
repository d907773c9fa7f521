"""What a patient knows once a message has been read: kept with it, so that the next one says only what is new."""
from __future__ import annotations

from typing import Any

from clinic.care.message_kinds import SCHEDULE
from clinic.care.owed import OwedItem, VisitChange
from clinic.care.own_text import Addition
from clinic.care.owner_facts import Told
from clinic.queries.letters import LetterFacts
from clinic.queries.own_texts import addition
from clinic.queries.owner_facts import told_document
from clinic.services.clinic_cards import language_of


def told_of(facts: LetterFacts, item: OwedItem) -> tuple[Told, ...]:
    """What the patient knows of each appointment once the item has been read."""
    told = [_told(facts, gone, cancelled=True) for visit in item.visits for gone in visit.withdrawn]
    told += [_told(facts, visit.appointment_id, cancelled=False) for visit in item.visits
             if visit.change is not VisitChange.CANCELLED]
    return tuple(told)


def kept_of(facts: LetterFacts, item: OwedItem) -> dict[str, Any]:
    """What the item keeps of what it told: the dates, and the version of the rule for who cannot come."""
    kept = told_document(told_of(facts, item))
    rule = addition(facts.clinic.texts, Addition.CANCELLATION, language_of(facts))
    if rule is None or item.kind not in SCHEDULE:
        return kept
    return kept | {"cancellation_rule": {"language": rule.language, "version": rule.version}}


def _told(facts: LetterFacts, appointment_id: int, *, cancelled: bool) -> Told:
    visit = facts.visits[appointment_id]
    return Told(visit.appointment_id, visit.treatment_session_id, visit.clinic_id, visit.revision,
                visit.local_start, visit.fold, visit.zone, cancelled)
