"""One thing to be said: when it is due, until when it is of use, and why it may not be sent."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from clinic.care.mail_address import check_address
from clinic.care.message_kinds import ASKED_OFF, KEEPS_SAFE, MessageKind
from clinic.care.message_rules import MORNING
from clinic.care.owner_facts import AppointmentFacts, OwnerFacts, PatientFacts, SubjectKind, Told
from clinic.care.quiet import next_allowed
from clinic.care.states import MessageState
from clinic.planning.local import DAY, day_of, instant

GRACE = timedelta(minutes=3)
"""How long a change may be taken back before anything is said about it."""

NOT_WANTED = "does not want messages"
NO_REMINDERS = "does not want reminders"
ADDRESS_DEAD = "e-mails to this address came back"
TOO_LATE = "it would come too late to be of use"
IN_ABSENCE = "an absence is noted for the time of the visit: it goes after all if that is taken back"
ENOUGH = "the patient has had as many messages as go out on one day, and later it would be of no use"


class VisitChange(StrEnum):
    """What has become of a date since the patient last heard of it."""

    NEW = "new"
    KEPT = "kept"
    MOVED = "moved"
    CANCELLED = "cancelled"


_STANDS = (VisitChange.NEW, VisitChange.KEPT)


@dataclass(frozen=True, slots=True)
class OwedVisit:
    """A date as a message tells it. `old` is what the patient was told before; `withdrawn` are the appointments
    whose calendar entries the patient still has and that are no more."""

    appointment_id: int
    change: VisitChange
    old: Told | None = None
    withdrawn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OwedItem:
    """One thing to be said, once for its key. `withheld` says why it may not be sent as things stand."""

    kind: MessageKind
    subject_kind: SubjectKind
    subject_id: int
    revision: int
    due_at: datetime
    useless_after: datetime
    visits: tuple[OwedVisit, ...] = ()
    withheld: str | None = None

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What must never be said twice."""
        return (self.kind.value, self.subject_kind, self.subject_id, self.revision)


def waits_as(state: MessageState, withheld: str | None, *, is_of_use: bool) -> MessageState:
    """What becomes of a message that waits, once anybody looks whether it may be sent as things stand."""
    if withheld:
        return MessageState.WITHHELD
    return MessageState.PENDING if state is MessageState.WITHHELD and is_of_use else state


def why_unreachable(patient: PatientFacts) -> str | None:
    """Why no e-mail may go to this patient; none: it may."""
    if not patient.wants_messages or patient.channel == "none":
        return NOT_WANTED
    if patient.channel == "phone":
        return "asked for the phone"
    if not patient.email:
        return "no e-mail address"
    if patient.comes_back:
        return ADDRESS_DEAD
    try:
        check_address(patient.email)
    except ValueError as error:
        return str(error)
    return None


def owed_item(
    facts: OwnerFacts, now: datetime, kind: MessageKind, key: tuple[SubjectKind, int, int], *,
    planned: datetime, useless_after: datetime, at_any_hour: bool = False, visits: tuple[OwedVisit, ...] = (),
    withheld: str | None = None, keeps_safe: bool = False,
) -> OwedItem:
    """The item as it is due: outside quiet hours, not on a day that has had enough, never past its use."""
    due_at = planned if at_any_hour else _allowed(facts, planned, now)
    withheld = _why_withheld(facts, kind, visits) or withheld
    if due_at <= useless_after and not (keeps_safe or kind in KEEPS_SAFE):
        due_at = _on_a_freer_day(facts, due_at)
        withheld = withheld or (ENOUGH if due_at > useless_after else None)
    if due_at > useless_after:
        due_at, withheld = useless_after, withheld or TOO_LATE
    return OwedItem(kind, *key, due_at=due_at, useless_after=useless_after, visits=visits, withheld=withheld)


def about_visit(
    facts: OwnerFacts, now: datetime, kind: MessageKind, appointment: AppointmentFacts, *,
    planned: datetime, useless_after: datetime, keeps_safe: bool = False,
) -> OwedItem:
    """An item about one appointment as it stands, said once for each of its revisions."""
    return owed_item(
        facts, now, kind, ("appointment", appointment.id, appointment.revision), planned=planned,
        useless_after=useless_after, visits=(OwedVisit(appointment.id, VisitChange.KEPT),), keeps_safe=keeps_safe)


def _why_withheld(facts: OwnerFacts, kind: MessageKind, visits: tuple[OwedVisit, ...]) -> str | None:
    """Why it may not be sent. While a date is in an absence a person does not say it either: that comes before why no
    e-mail can, which asks for a person."""
    why_not = why_unreachable(facts.patient) or _why_not_wanted(facts.patient, kind)
    if why_not in (NOT_WANTED, NO_REMINDERS):
        return why_not
    return IN_ABSENCE if _counts_on_an_absent(facts, visits) else why_not


def _counts_on_an_absent(facts: OwnerFacts, visits: tuple[OwedVisit, ...]) -> bool:
    """Whether it only says that dates stand, and one of them is in an absence.

    What takes a time back is said whatever else it says: without it a patient comes in vain.
    """
    return all(each.change in _STANDS for each in visits) and any(
        facts.is_in_absence(each.appointment_id) for each in visits)


def _why_not_wanted(patient: PatientFacts, kind: MessageKind) -> str | None:
    return NO_REMINDERS if kind in ASKED_OFF and not patient.wants_reminders else None


def _allowed(facts: OwnerFacts, planned: datetime, now: datetime) -> datetime:
    """Its time outside quiet hours; what is overdue in quiet hours waits for their end."""
    due_at = next_allowed(planned, facts.quiet)
    resumes_at = next_allowed(max(due_at, now), facts.quiet)
    return due_at if resumes_at <= now else resumes_at


def _on_a_freer_day(facts: OwnerFacts, due_at: datetime) -> datetime:
    """Its time, or the morning after the day on which the patient has had enough."""
    if facts.full_on is None or day_of(due_at, facts.quiet.zone) > facts.full_on:
        return due_at
    return next_allowed(instant(facts.full_on + DAY, MORNING, facts.quiet.zone), facts.quiet)
