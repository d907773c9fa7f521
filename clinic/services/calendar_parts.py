"""The calendar files of a message: what a patient's calendar is told of the dates that it is about."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from clinic.care.mail_address import check_address
from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.owed import OwedItem, OwedVisit, VisitChange
from clinic.interchange.calendar import CalendarEntry, Party, cancel_file, request_file, series_file
from clinic.messages.discretion import discreet
from clinic.messages.rendering import calendar_words
from clinic.queries.letters import ClinicFacts, LetterFacts
from clinic.services.clinic_cards import address_lines, card_for, language_of


def calendar_parts(facts: LetterFacts, item: OwedItem, now: datetime) -> Iterator[bytes]:
    """The files that go with what is owed: one of all dates for several at once, else one for each that changed."""
    if item.kind not in SCHEDULE:
        return
    organizer = organizer_of(facts.clinic)
    if item.kind is MessageKind.CONFIRMATION and len(item.visits) > 1:
        entries = [calendar_entry(facts, visit.appointment_id) for visit in item.visits]
        yield series_file(entries, organizer=organizer, stamped_at=now)
        return
    attendee = Party(facts.given_name, _normal(facts.head.patient.email or ""))
    for visit in item.visits:
        for gone in visit.withdrawn:
            yield cancel_file(calendar_entry(facts, gone), organizer=organizer, attendee=attendee, stamped_at=now)
        if _is_entered(visit):
            yield request_file(calendar_entry(facts, visit.appointment_id), organizer=organizer, attendee=attendee,
                               stamped_at=now)


def organizer_of(clinic: ClinicFacts) -> Party:
    """Who invites, as a patient's calendar shows it: the sender of messages, named only where that tells nothing."""
    name = discreet(clinic.sender_name) or discreet(clinic.name)
    return Party(name, check_address(clinic.sender_email))


def calendar_entry(facts: LetterFacts, appointment_id: int) -> CalendarEntry:
    """The appointment as the patient's calendar shows it: neutral."""
    visit, words = facts.visits[appointment_id], calendar_words(language_of(facts), card_for(facts))
    clinic = facts.clinics[visit.clinic_id]
    place = filter(None, (discreet(clinic.name), *address_lines(clinic.address)))
    return CalendarEntry(
        uid=visit.uid, revision=visit.revision, starts_at=visit.starts_at, ends_at=visit.ends_at, zone=visit.zone,
        summary=words.summary, location=", ".join(place), description=words.description,
    )


def _normal(email: str) -> str:
    """The address as it is written to; as it is where nothing can be sent there, and this is only looked at."""
    try:
        return check_address(email)
    except ValueError:
        return email


def _is_entered(visit: OwedVisit) -> bool:
    """Whether the patient's calendar needs this date anew."""
    if visit.change is VisitChange.KEPT:
        return bool(visit.withdrawn)
    return visit.change is not VisitChange.CANCELLED
