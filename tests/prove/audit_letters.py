"""Which messages must wait: read afresh from the rules of the letters, from plain rows and without the clinic's code.

Written for the schedule (confirmation, change, cancellation), reminders, aftercare and check-ins.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.prove.audit_absences import in_absence
from tests.prove.plain_rows import Row, Rows

SCHEDULE = ("confirmation", "change", "clinic-change", "cancellation")
READ_AFRESH = (*SCHEDULE, "reminder-7d", "reminder-2d", "aftercare", "check-in-24h", "check-in-72h")
WAITING = ("pending", "held", "withheld")
SAFE = ("change", "clinic-change", "cancellation", "dates-released", "aftercare", "check-in-24h", "check-in-72h")
"""What no daily limit holds back."""
UNWANTED = ("reminder-7d", "reminder-2d")
"""What a patient who wants no reminders does not get."""
GRACE = timedelta(minutes=3)

Subject = tuple[str, str, int, int]
"""Kind, kind of subject, its id, its revision; a schedule is known by its owner alone: its revision is 0 here."""


@dataclass(frozen=True)
class Due:
    """When something is to be said, until when it is of use, and whether it may not be sent."""

    at: datetime
    useless_after: datetime
    is_withheld: bool


@dataclass(frozen=True)
class Case:
    """An owner with everything that decides on its messages."""

    kind: str
    id: int
    is_active: bool
    can_be_reached: bool
    wants_reminders: bool
    full_on: date | None
    clinic: Row
    sessions: tuple[Row, ...]
    appointments: tuple[Row, ...]
    told: tuple[Any, ...]
    away: frozenset[int]
    """The appointments that stand in an absence: what says only that they stand is not sent."""


def letter_faults(rows: Rows, now: datetime, in_step: set[tuple[str, int]]) -> list[str]:
    """What is missing among the messages that wait, and what waits and should not; nothing where all is right.

    Judged are the owners whose messages were put in step at `now`; of the others only what is true at any moment.
    """
    found = [*_said_once(rows, now), *_about_what_is_gone(rows)]
    for case in cases(rows):
        if (case.kind, case.id) in in_step:
            found += _faults(rows, case, now)
    return found


def cases(rows: Rows) -> list[Case]:
    """Every course and maintenance plan, as its messages see it."""
    clinics, patients = ({row.id: row for row in rows[name]} for name in ("clinic", "patient"))
    courses = {row.id: row for row in rows["course"]}
    owners = [("course", row, row) for row in rows["course"]]
    owners += [("maintenance-plan", row, courses[row.course_id]) for row in rows["maintenance_plan"]]
    told, away = _told(rows), in_absence(rows)
    blocked = {row.email.lower() for row in rows["bounce"] if row.is_hard and row.lifted_at is None}
    found = []
    for kind, owner, course in owners:
        sessions = tuple(row for row in rows["treatment_session"] if owner.id == (
            row.course_id if kind == "course" else row.maintenance_plan_id))
        idents = {row.id for row in sessions}
        appointments = tuple(row for row in rows["appointment"] if row.treatment_session_id in idents
                             and row.state != "proposed")
        patient = patients[course.patient_id]
        reached = patient.wants_service_messages and patient.channel == "email" and bool(patient.email) and (
            patient.email.lower() not in blocked)
        clinic = clinics[course.clinic_id]
        found.append(Case(kind, owner.id, owner.state == "active", reached, patient.wants_reminders,
                          _full_on(rows, patient.id, clinic), clinic, sessions, appointments,
                          tuple(told[kind, owner.id].values()), away))
    return found


def expected(case: Case, now: datetime) -> dict[Subject, Due]:
    """What the owner owes: everything that is to be said, was said, or would have been."""
    found = dict(_schedule(case, now))
    for row in case.appointments:
        if row.state == "booked" and case.is_active:
            found.update(_reminders(case, row, now))
    for row in case.sessions:
        if row.state == "completed":
            found.update(_after_treatment(case, row, now))
    return found


def _full_on(rows: Rows, patient_id: int, clinic: Row) -> date | None:
    """The last day of the clinic on which the patient got as many messages as it sends on one day."""
    counts: defaultdict[date, int] = defaultdict(int)
    for row in rows["message"]:
        if row.patient_id == patient_id and row.state in ("sent", "uncertain"):
            counts[row.settled_at.astimezone(ZoneInfo(clinic.zone)).date()] += 1
    last = max(counts, default=None)
    return last if last is not None and counts[last] >= clinic.most_messages_a_day else None


def _faults(rows: Rows, case: Case, now: datetime) -> Iterator[str]:
    about = f"{case.kind} {case.id}"
    owed = expected(case, now)
    newest = _newest(rows, case, now)
    for subject, due in owed.items():
        message = newest.get(subject)
        if due.useless_after <= now:
            continue  # its time has passed: whatever became of it, nobody is told any more
        is_there = message is not None and message.state != "superseded"
        if not is_there or (subject[0] in SCHEDULE and message.state not in WAITING):
            yield f"{about} owes {subject} at {due.at}, and it is {message.state if message else 'not there'}"
        elif message.state in WAITING:
            # When something that is not sent would be due matters to nobody, and is not kept up.
            at = due.at if due.is_withheld else message.due_at
            kept = Due(at, message.useless_after, message.state == "withheld")
            if kept != due:
                yield f"{about} keeps {subject} as {kept}, and {due} is owed"
    for subject, message in newest.items():
        if waits(message, now) and subject not in owed and message.useless_after > now:
            yield f"{about} does not owe {subject}, which is {message.state} for {message.due_at}"


def waits(message: Row, now: datetime) -> bool:
    """Whether it may still go; what was withheld until it was of no use is left as it is, for staff to see."""
    return message.state in ("pending", "held") or (message.state == "withheld" and message.useless_after > now)


def _newest(rows: Rows, case: Case, now: datetime) -> dict[Subject, Row]:
    """The newest message of each subject; of the schedule the one that waits, or else the newest of its kind."""
    messages = {row.id: row for row in rows["message"]}
    found: dict[Subject, Row] = {}
    for item in sorted(rows["message_item"], key=lambda row: (row.generation, row.id)):
        if item.dropped is not None and messages[item.message_id].state != "superseded":
            continue  # it went, or goes, without this
        if (item.owner_kind, item.owner_id) != (case.kind, case.id) or item.kind not in READ_AFRESH:
            continue
        schedule = item.kind in SCHEDULE
        subject = (item.kind, item.subject_kind, item.subject_id, 0 if schedule else item.revision)
        if not (schedule and subject in found and waits(found[subject], now)):
            found[subject] = messages[item.message_id]
    return found


def _said_once(rows: Rows, now: datetime) -> Iterator[str]:
    """Of one key one message lives; of one owner one schedule waits; each message has something to say."""
    messages = {row.id: row for row in rows["message"]}
    living: defaultdict[Any, list[str]] = defaultdict(list)
    schedules: defaultdict[Any, int] = defaultdict(int)
    for item in rows["message_item"]:
        message = messages[item.message_id]
        if item.dropped is not None and message.state != "superseded":
            continue
        living[item.kind, item.subject_kind, item.subject_id, item.revision].append(message.state)
        schedules[item.owner_kind, item.owner_id] += item.kind in SCHEDULE and waits(message, now)
    for key, states in living.items():
        if sum(state != "superseded" for state in states) > 1:
            yield f"{key} is there {states}"
    for key, count in schedules.items():
        if count > 1:
            yield f"{key} has {count} schedules that wait"
    for ident in messages.keys() - {item.message_id for item in rows["message_item"]}:
        yield f"message {ident} says nothing"


def _about_what_is_gone(rows: Rows) -> Iterator[str]:
    """At any moment: nothing waits about a visit that is cancelled, missed, over, or at another time by now."""
    messages = {row.id: row for row in rows["message"]}
    appointments = {row.id: row for row in rows["appointment"]}
    for item in rows["message_item"]:
        if item.subject_kind == "appointment" and messages[item.message_id].state in ("pending", "held"):
            row = appointments[item.subject_id]
            expected = "noshow" if item.kind == "missed" else "booked"
            if row.state != expected or row.revision != item.revision:
                yield f"{item.kind} waits for appointment {row.id}, which is {row.state} at revision {row.revision}"


def _told(rows: Rows) -> defaultdict[tuple[str, int], dict[int, Any]]:
    """For each owner the last that the patient heard of each appointment."""
    sent = {row.id for row in rows["message"] if row.state in ("sent", "uncertain", "sending") and row.mime is not None}
    told: defaultdict[tuple[str, int], dict[int, Any]] = defaultdict(dict)
    for item in rows["message_item"]:
        if item.kind in SCHEDULE and item.message_id in sent and item.dropped is None:
            for visit in item.facts.get("visits", ()):
                known = told[item.owner_kind, item.owner_id].get(visit["appointment"])
                if known is None or known["revision"] <= visit["revision"]:
                    told[item.owner_kind, item.owner_id][visit["appointment"]] = visit
    return told


def _schedule(case: Case, now: datetime) -> Iterator[tuple[Subject, Due]]:
    """One message where what the patient expects of coming dates is not what stands; its kind by what is new."""
    performed = {row.id: row.performed_on for row in case.sessions}
    # Called off: not one at which the patient was here, whether treated or not; but one that was brought forward.
    cancelled = {
        row.id: row for row in case.appointments if (row.state == "cancelled" and row.ended_cause is None)
        or (row.state == "fulfilled" and performed[row.treatment_session_id] != row.local_start.date())}
    kinds: set[str] = set()
    changed_at: list[datetime] = []
    matters_until: list[datetime] = []
    ours: list[bool] = []
    counts_on: set[int] = set()
    for row in case.sessions:
        stands = next((each for each in case.appointments if each.treatment_session_id == row.id
                       and each.state in ("booked", "arrived")), None)
        believed = [each for each in case.told if each["treatment_session"] == row.id and not each["cancelled"]
                    and (each["appointment"] in cancelled or (stands and each["appointment"] == stands.id))]
        believed.sort(key=lambda each: each["appointment"])
        withdrawn = [cancelled[each["appointment"]] for each in believed if each["appointment"] in cancelled]
        kind = _news(case, stands, believed, now)
        if kind is None:
            continue
        kinds.add(kind)
        if kind == "new" or (kind == "kept" and withdrawn):
            counts_on.add(stands.id)
        if kind == "kept":
            continue
        assert kind == "cancelled" or stands is not None
        changed_at += [each.closed_at or each.scheduled_at for each in withdrawn]
        ours.append((withdrawn[-1] if kind == "cancelled" else stands).changed_by_clinic)
        if kind == "cancelled":
            matters_until.append(_told_start(believed[-1]))
        else:
            changed_at.append(stands.scheduled_at)
            matters_until.append(stands.starts_at)
    if not kinds - {"kept"}:
        return
    name = "confirmation" if kinds == {"new"} else "cancellation" if kinds <= {"kept", "cancelled"} else (
        "clinic-change" if all(ours) else "change")
    is_away = kinds <= {"new", "kept"} and not counts_on.isdisjoint(case.away)
    yield (name, case.kind, case.id, 0), _due(
        case, now, name, max(changed_at) + GRACE, max(matters_until), is_away=is_away)


def _news(case: Case, stands: Row | None, believed: list[Any], now: datetime) -> str | None:
    """What is news of one session; nothing of what is past, nor of dates that rest with their course."""
    if stands is not None:
        if stands.starts_at <= now or not case.is_active:
            return None
        if not believed:
            return "new"
        last = believed[-1]
        same = (datetime.fromisoformat(last["local_start"]), last["fold"], last["clinic"]) == (
            stands.local_start, stands.fold, stands.clinic_id)
        return "kept" if same else "moved"
    return "cancelled" if believed and _told_start(believed[-1]) > now else None


def _told_start(told: Any) -> datetime:
    wall = datetime.fromisoformat(told["local_start"]).replace(tzinfo=ZoneInfo(told["zone"]), fold=told["fold"])
    return wall.astimezone(UTC)


def _reminders(case: Case, row: Row, now: datetime) -> Iterator[tuple[Subject, Due]]:
    """At nine, seven and two days before; not where the patient heard of the time in the day before that, and not the
    second where they said that they come."""
    on: date = row.local_start.date()
    minute = row.local_start.hour * 60 + row.local_start.minute
    plans = (("reminder-7d", 7, _local(row.zone, on - timedelta(days=2), minute)),
             ("reminder-2d", 2, row.starts_at - timedelta(hours=2)))
    for kind, days, useless_after in plans:
        planned = _local(row.zone, on - timedelta(days=days), 9 * 60)
        if planned > row.scheduled_at + timedelta(days=1) and not (kind == "reminder-2d" and row.confirmed_at):
            yield (kind, "appointment", row.id, row.revision), _due(
                case, now, kind, planned, useless_after, is_away=row.id in case.away)


def _after_treatment(case: Case, row: Row, now: datetime) -> Iterator[tuple[Subject, Due]]:
    """Aftercare at once and at any hour; a check-in after a day and after three, if that is still to come."""
    recorded_at = next((each.closed_at for each in case.appointments
                        if each.treatment_session_id == row.id and each.state == "fulfilled"), row.performed_at)
    yield (("aftercare", "treatment-session", row.id, 0),
           Due(row.performed_at, row.performed_at + timedelta(hours=72), not case.can_be_reached))
    for kind, hours in (("check-in-24h", 24), ("check-in-72h", 72)):
        planned = row.performed_at + timedelta(hours=hours)
        if planned > recorded_at:
            useless_after = _loud(case.clinic, planned) + timedelta(hours=24)
            yield (kind, "treatment-session", row.id, 0), _due(case, now, kind, planned, useless_after)


def _due(
    case: Case, now: datetime, kind: str, planned: datetime, useless_after: datetime, *, is_away: bool = False
) -> Due:
    """Outside quiet hours, not on a day that has had enough; what is overdue goes now, or when quiet hours end; what
    comes too late, or counts on somebody who is away, is withheld."""
    at = _loud(case.clinic, planned)
    if at <= now and _loud(case.clinic, now) != now:
        at = _loud(case.clinic, now)
    is_full = case.full_on is not None and at.astimezone(ZoneInfo(case.clinic.zone)).date() <= case.full_on
    if is_full and kind not in SAFE and at <= useless_after:
        at = _loud(case.clinic, _local(case.clinic.zone, case.full_on + timedelta(days=1), 9 * 60))
    if at > useless_after:
        return Due(useless_after, useless_after, True)
    is_unwanted = kind in UNWANTED and not case.wants_reminders
    return Due(at, useless_after, is_unwanted or is_away or not case.can_be_reached)


def _loud(clinic: Row, at: datetime) -> datetime:
    """The first instant from then on outside quiet hours, which run past midnight and end before noon."""
    local = at.astimezone(ZoneInfo(clinic.zone))
    minute = local.hour * 60 + local.minute
    assert clinic.quiet_to < clinic.quiet_from
    if clinic.quiet_to <= minute < clinic.quiet_from:
        return at
    morning = local.date() + timedelta(days=1 if minute >= clinic.quiet_from else 0)
    return _local(clinic.zone, morning, clinic.quiet_to)


def _local(zone: str, on: date, minute: int) -> datetime:
    wall = datetime(on.year, on.month, on.day, minute // 60, minute % 60, tzinfo=ZoneInfo(zone))
    return wall.astimezone(UTC)
