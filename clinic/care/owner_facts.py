"""What is known of a course, a maintenance plan or another visit when its messages are decided on."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from clinic.care.business_days import EVERY_DAY, BusinessDays
from clinic.care.message_kinds import MessageKind as MessageKind
from clinic.care.message_rules import OUR_RULES, MessageRules
from clinic.care.outcomes import NoShowCause
from clinic.care.quiet import QuietHours
from clinic.care.states import AppointmentState, SessionState
from clinic.planning.local import day_of, resolve, zone

OwnerKind = Literal["course", "maintenance-plan", "appointment"]
SubjectKind = Literal["course", "maintenance-plan", "treatment-session", "appointment"]

NO_SESSION = 0
"""Stands where the id of a treatment session would: another visit is for none, and owns its messages by itself."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A course or a maintenance plan, to which treatment sessions and messages belong; or a visit that is for neither.
    """

    kind: OwnerKind
    id: int


def owner_named(kind: str, ident: int) -> Owner:
    """The owner that a row names by its kind and id."""
    [known] = [each for each in get_args(OwnerKind) if each == kind]
    return Owner(known, ident)


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """How the patient may be written to. `comes_back` says that a mail server gave back what was sent there."""

    email: str | None
    channel: str = "email"
    wants_messages: bool = True
    wants_reminders: bool = True
    comes_back: bool = False


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A treatment session: `recorded_at` is when its completion was entered, `precare_days` the longest lead of
    its instructions (none: it has no instructions), `ask_on` the day of its recall, `treatment` the code of what is
    given in it. The dates are its window's."""

    id: int
    number: int
    state: SessionState
    performed_at: datetime | None = None
    recorded_at: datetime | None = None
    latest_on: date | None = None
    precare_days: int | None = None
    ask_on: date | None = None
    earliest_on: date | None = None
    ideal_on: date | None = None
    treatment: str = ""


@dataclass(frozen=True, slots=True)
class AppointmentFacts:
    """An appointment for one of the owner's sessions; its wall-clock start, zone and fold are the promise.

    `ended_cause` is why a patient who came was not treated, or why one did not come; `confirmed_at` when the patient
    said that they come. `by_clinic`: its last change was the clinic's doing. It `is_in_absence` while a practitioner, a
    room or a device that it holds is noted absent for its time.
    """

    id: int
    treatment_session_id: int
    clinic_id: int
    state: AppointmentState
    revision: int
    local_start: datetime
    fold: int
    zone: str
    starts_at: datetime
    scheduled_at: datetime
    closed_at: datetime | None = None
    ended_cause: str | None = None
    confirmed_at: datetime | None = None
    by_clinic: bool = False
    is_in_absence: bool = False

    @property
    def is_standing(self) -> bool:
        """Whether the patient is expected."""
        return self.state in (AppointmentState.BOOKED, AppointmentState.ARRIVED)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was cancelled before anyone came: not one that ended because the patient was not treated."""
        return self.state is AppointmentState.CANCELLED and self.ended_cause is None

    @property
    def is_missed(self) -> bool:
        """Whether the patient did not come, for a reason that is known and not the clinic's own."""
        return self.state is AppointmentState.NOSHOW and self.ended_cause not in (None, NoShowCause.BY_CLINIC)

    def was_on_another_date(self, performed_at: datetime | None) -> bool:
        """Whether its session was performed, and on another date than this."""
        return self.state is AppointmentState.FULFILLED and performed_at is not None and (
            day_of(performed_at, zone(self.zone)) != self.local_start.date())


@dataclass(frozen=True, slots=True)
class Told:
    """What the patient last heard of an appointment: where and when at which revision, or that it is off.

    Where it is not sure that it reached them, since a mail server's answer was lost, `before` is what did, if anything.
    """

    appointment_id: int
    treatment_session_id: int
    clinic_id: int
    revision: int
    local_start: datetime
    fold: int
    zone: str
    cancelled: bool = False
    is_sure: bool = True
    before: Told | None = None

    @property
    def surely(self) -> Told | None:
        """What is sure to have reached the patient."""
        return self if self.is_sure else self.before

    @property
    def starts_at(self) -> datetime:
        """The instant that the patient was told."""
        return resolve(self.local_start, zone(self.zone), last=self.fold == 1)

    def agrees_with(self, appointment: AppointmentFacts) -> bool:
        """Whether the patient already expects that time and place."""
        return (self.local_start, self.fold, self.clinic_id) == (
            appointment.local_start, appointment.fold, appointment.clinic_id)


@dataclass(frozen=True, slots=True)
class HeldDates:
    """The dates of a course that are held subject to a consultation; `until_at` is the end of the last day."""

    appointments: tuple[AppointmentFacts, ...]
    until_at: datetime


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What decides on the ends of a course: `judged_on` is when its result is to be judged, `is_booked` says that a
    review is booked or was held since. A patient who consents may be asked for an opinion, unless a concern is open."""

    judged_on: date | None = None
    is_booked: bool = False
    may_ask_opinion: bool = False
    has_concern: bool = False


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """Everything that decides which messages an owner owes.

    `told` has one entry for each appointment that the patient ever heard of, and `told_precare` the session and
    local date of every preparation that was sent. `business` are the days on which the clinic can be called;
    `screened_on` is the date on which the patient was last screened. `held` are dates that wait for a consultation,
    and `told_held` says whether the patient ever heard of such dates. `full_on` is the last local date on which the
    patient got as many messages as the clinic sends on one day, and `is_being_told` that a message with dates is just
    being sent.
    """

    owner: Owner
    is_active: bool
    is_completed: bool
    patient: PatientFacts
    quiet: QuietHours
    sessions: tuple[SessionFacts, ...]
    appointments: tuple[AppointmentFacts, ...]
    told: tuple[Told, ...] = ()
    told_precare: frozenset[tuple[int, date]] = frozenset()
    business: BusinessDays = EVERY_DAY
    screened_on: date | None = None
    held: HeldDates | None = None
    told_held: bool = False
    rules: MessageRules = OUR_RULES
    review: ReviewFacts = ReviewFacts()
    full_on: date | None = None
    is_being_told: bool = False

    @property
    def is_said_of(self) -> int:
        """Moves up whenever the time, place or cancellation of any of the owner's appointments changes."""
        held = self.held.appointments if self.held else ()
        return sum(appointment.revision + 1 for appointment in (*self.appointments, *held))

    def is_in_absence(self, appointment_id: int) -> bool:
        """Whether that appointment is one that is booked or held, for a time at which an absence is noted."""
        held = self.held.appointments if self.held else ()
        return any(each.id == appointment_id and each.is_in_absence for each in (*self.appointments, *held))
