"""An independent audit of the diary: SQL and arithmetic over the tables alone, with none of the clinic's own code."""
from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

ACTIVE = {"proposed", "booked", "arrived"}
BLOCKING = ACTIVE | {"fulfilled"}

OVERLAPS = """
SELECT one.id, other.id FROM resource_booking AS one JOIN resource_booking AS other
ON one.resource_id = other.resource_id AND one.id < other.id
AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
"""
STRAY_ROWS = """
SELECT held.id FROM resource_booking AS held JOIN appointment ON appointment.id = held.appointment_id
WHERE appointment.state NOT IN ('proposed', 'booked', 'arrived', 'fulfilled')
"""
SESSION_STATES = """
SELECT owed.id, owed.state,
  COALESCE(SUM(CASE WHEN held.state IN ('proposed', 'booked', 'arrived') THEN 1 ELSE 0 END), 0),
  COALESCE(SUM(CASE WHEN held.state = 'fulfilled' THEN 1 ELSE 0 END), 0)
FROM treatment_session AS owed LEFT JOIN appointment AS held ON held.treatment_session_id = owed.id
GROUP BY owed.id, owed.state
"""
STALE_MESSAGES = """
SELECT item.id, item.kind FROM message_item AS item JOIN message ON message.id = item.message_id
LEFT JOIN appointment ON appointment.id = item.subject_id
WHERE item.subject_kind = 'appointment' AND message.state IN ('pending', 'held')
AND (appointment.state <> CASE WHEN item.kind = 'missed' THEN 'noshow' ELSE 'booked' END
  OR appointment.revision <> item.revision)
AND item.kind NOT IN ('confirmation', 'change', 'cancellation')
"""
WAITING_SCHEDULES = """
SELECT item.owner_kind, item.owner_id, COUNT(*) FROM message_item AS item
JOIN message ON message.id = item.message_id
WHERE item.kind IN ('confirmation', 'change', 'cancellation') AND message.state IN ('pending', 'held')
AND message.useless_after > :untold_at
GROUP BY item.owner_kind, item.owner_id
"""
AFTERCARE = """
SELECT owed.id, COUNT(item.id) FROM treatment_session AS owed
LEFT JOIN message_item AS item ON item.kind = 'aftercare' AND item.subject_kind = 'treatment-session'
  AND item.subject_id = owed.id
WHERE owed.state = 'completed' GROUP BY owed.id HAVING COUNT(item.id) <> 1
"""
MOVED_IN = """
SELECT DISTINCT owed.id FROM treatment_session AS owed
LEFT JOIN maintenance_plan AS plan ON plan.id = owed.maintenance_plan_id
JOIN imported ON imported.kind = 'course' AND imported.row_id = COALESCE(owed.course_id, plan.course_id)
LEFT JOIN appointment AS held ON held.treatment_session_id = owed.id AND held.state = 'fulfilled'
WHERE owed.state = 'completed' AND held.id IS NULL
"""
OF_NOBODY = """
SELECT 'course' AS kind, course.id FROM course JOIN patient ON patient.id = course.patient_id
WHERE patient.merged_into_id IS NOT NULL
UNION ALL SELECT 'appointment', appointment.id FROM appointment JOIN patient ON patient.id = appointment.patient_id
WHERE patient.merged_into_id IS NOT NULL AND appointment.uid LIKE '%@appointment'
UNION ALL SELECT 'message', message.id FROM message JOIN patient ON patient.id = message.patient_id
WHERE patient.merged_into_id IS NOT NULL
UNION ALL SELECT 'task', task.id FROM task JOIN patient ON patient.id = task.patient_id
WHERE patient.merged_into_id IS NOT NULL
"""
OF_ANOTHER = """
SELECT held.id FROM resource_booking AS held JOIN appointment ON appointment.id = held.appointment_id
WHERE held.need = 0 AND held.resource_id <> appointment.patient_id AND appointment.uid LIKE '%@appointment'
"""
EXPECTED_SESSIONS = {"owed": (0, 0), "booked": (1, 0), "completed": (0, 1), "not-done": (0, 0)}


def audit(engine: Engine, *, untold_at: datetime | None = None) -> list[str]:
    """Everything in the diary that contradicts itself, in words; nothing if it is sound.

    With `untold_at`, the instant at which nobody has been sent anything yet, each course with a coming date must have
    exactly one message that waits to tell it.
    """
    with engine.connect() as connection:
        faults = [f"bookings {one} and {other} overlap" for one, other in _all(connection, OVERLAPS)]
        faults += [f"booking {ident} is of an appointment that ended" for (ident,) in _all(connection, STRAY_ROWS)]
        faults += [f"{kind} {ident} is of a record that was put into another" for kind, ident in _all(
            connection, OF_NOBODY)]
        faults += [f"booking {ident} holds another patient than its visit" for (ident,) in _all(connection, OF_ANOTHER)]
        faults += _session_faults(connection)
        faults += _appointment_faults(connection)
        faults += _course_faults(connection)
        faults += _gap_faults(connection)
        faults += _message_faults(connection, untold_at)
    return faults


def _session_faults(connection: Connection) -> Iterator[str]:
    moved_in = _moved_in(connection)
    for ident, state, active, fulfilled in _all(connection, SESSION_STATES):
        if ident in moved_in and (active, fulfilled) == (0, 0):
            continue
        if EXPECTED_SESSIONS[state] != (active, fulfilled):
            yield f"session {ident} is {state} with {active} active and {fulfilled} fulfilled appointments"


def _moved_in(connection: Connection) -> set[int]:
    """Sessions that another system had seen done: only their dates came in, no visits, and their care is over."""
    return {ident for (ident,) in _all(connection, MOVED_IN)}


def _appointment_faults(connection: Connection) -> Iterator[str]:
    """Each appointment against its own wall clock, its revisions, and the rows that it holds."""
    held = _held(connection)
    treatments = _treatments(connection)
    last_at = max((_instant(at) for (at,) in _all(connection, "SELECT at FROM audit")), default=datetime.now(UTC))
    changes = Counter(
        ident for (ident,) in _all(connection, "SELECT subject_id FROM audit WHERE subject_kind = 'appointment'"
                                   " AND action = 'appointment-moved'"))
    for row in _appointments(connection):
        starts_at, ends_at = _instant(row.starts_at), _instant(row.ends_at)
        wall = datetime.fromisoformat(str(row.local_start)).replace(tzinfo=ZoneInfo(row.zone), fold=row.fold)
        if wall.astimezone(UTC) != starts_at:
            yield f"appointment {row.id} says {wall} and {starts_at}"
        if ends_at - starts_at != timedelta(minutes=row.minutes):
            yield f"appointment {row.id} does not last {row.minutes} minutes"
        if row.revision < changes[row.id]:
            yield f"appointment {row.id} was moved {changes[row.id]} times and is at revision {row.revision}"
        elsewhere = row.kind == "session" and row.state == "fulfilled" and _date(row.performed_on) != wall.date()
        if row.state == "proposed" and _instant(row.hold_expires_at) <= last_at and not held[row.id]:
            continue  # a hold that has run out, cleared for somebody and not yet ended
        if row.kind != "session" and not _is_ours(row):
            continue  # written past every service
        if row.state in BLOCKING and not elsewhere:
            yield from _held_faults(row, starts_at, held[row.id], treatments[row.version, row.treatment_code])
        elif held[row.id]:
            yield f"appointment {row.id} is {row.state} and holds {len(held[row.id])} rows"


def _held_faults(
    row: Any, starts_at: datetime, held: list[Any], wanted: list[tuple[str, frozenset[str], int, int]]
) -> Iterator[str]:
    """Whether it holds its patient and every need of its treatment, by those who can, and nothing else."""
    spans = [(each.kind, _minutes(starts_at, each.starts_at), _minutes(starts_at, each.ends_at)) for each in held]
    expected = [("patient", 0, row.minutes), *((kind, begins, ends) for kind, _, begins, ends in wanted)]
    if sorted(spans) != sorted(expected):
        yield f"appointment {row.id} holds {sorted(spans)} and needs {sorted(expected)}"
        return
    if [each.resource_id for each in held if each.kind == "patient"] != [row.patient_id]:
        yield f"appointment {row.id} holds another patient than {row.patient_id}"
    for kind, skills, begins, ends in wanted:
        here = [each for each, span in zip(held, spans, strict=True) if span == (kind, begins, ends)]
        if not any(skills <= each.skills and each.home in (None, row.clinic_id) for each in here):
            yield f"appointment {row.id} has nobody and nothing that can {sorted(skills)}"


def _course_faults(connection: Connection) -> Iterator[str]:
    """A course has all its sessions, and an appointment was made for every visit that was booked with it."""
    sessions: defaultdict[int, list[int]] = defaultdict(list)
    for course_id, number in _all(
        connection, "SELECT course_id, number FROM treatment_session WHERE course_id IS NOT NULL ORDER BY number"
    ):
        sessions[course_id].append(number)
    made = dict(_all(
        connection, "SELECT owed.course_id, COUNT(held.id) FROM treatment_session AS owed"
        " JOIN appointment AS held ON held.treatment_session_id = owed.id"
        " JOIN audit ON audit.subject_id = owed.course_id AND audit.action IN ('course-booked', 'dates-held')"
        " WHERE held.created_at = audit.at GROUP BY owed.course_id"))
    booked = {ident: _json(facts) for ident, facts in _all(
        connection, "SELECT subject_id, facts FROM audit WHERE action IN ('course-booked', 'dates-held')")}
    added: Counter[int] = Counter()
    for ident, facts in _all(connection, "SELECT subject_id, facts FROM audit WHERE action = 'course-extended'"):
        added[ident] += _json(facts)["sessions"]
    courses = {ident for (ident,) in _all(
        connection, "SELECT id FROM course WHERE id NOT IN (SELECT row_id FROM imported WHERE kind = 'course')")}
    if courses != set(booked):
        yield f"courses {sorted(courses ^ set(booked))} exist without a booking, or were booked and do not exist"
    for ident in courses & set(booked):
        numbers = sessions[ident]
        if numbers != list(range(1, booked[ident]["sessions"] + added[ident] + 1)):
            yield f"course {ident} has the sessions {numbers}"
        if made.get(ident, 0) < booked[ident]["visits"]:
            yield f"course {ident} was booked in part"


def _gap_faults(connection: Connection) -> Iterator[str]:
    """No two sessions of a course closer than its protocol allows."""
    documents = _documents(connection)
    dates: defaultdict[tuple[int, int], list[tuple[date, int]]] = defaultdict(list)
    for course_id, version, number, local_start, performed_on in _all(
        connection, "SELECT course.id, course.protocol_version_id, owed.number, held.local_start, owed.performed_on"
        " FROM course"
        " JOIN treatment_session AS owed ON owed.course_id = course.id"
        " JOIN appointment AS held ON held.treatment_session_id = owed.id"
        " WHERE held.state IN ('proposed', 'booked', 'arrived', 'fulfilled')"
    ):
        on = _date(performed_on) if performed_on else datetime.fromisoformat(str(local_start)).date()
        dates[course_id, version].append((on, number))
    for (course_id, version), found in dates.items():
        cycle = documents[version]["cycle"]
        for (before, _), (after, number) in pairwise(sorted(found)):
            shortest = cycle[(number - 1) % len(cycle)]["interval"]["shortest"]
            if (after - before).days < shortest:
                yield f"course {course_id} has session {number} {(after - before).days} days after the one before"


def _message_faults(connection: Connection, untold_at: datetime | None) -> Iterator[str]:
    for ident, kind in _all(connection, STALE_MESSAGES):
        yield f"item {ident} ({kind}) waits for an appointment that is not so any more"
    moved_in = _moved_in(connection)
    for ident, count in _all(connection, AFTERCARE):
        if ident in moved_in and count <= 1:
            continue
        yield f"completed session {ident} has {count} aftercare items"
    if untold_at is None:
        return
    as_kept = int(untold_at.timestamp()) if connection.dialect.name == "sqlite" else untold_at
    waiting = {(kind, ident): count for kind, ident, count in _all(connection, WAITING_SCHEDULES, untold_at=as_kept)}
    coming = {
        ("course", row.course_id) if row.course_id is not None else ("appointment", row.id)
        if row.kind != "session" else ("maintenance-plan", row.maintenance_plan_id)
        for row in _appointments(connection)
        if row.state in ("booked", "arrived") and _instant(row.starts_at) > untold_at
        and (row.kind == "session" or _is_ours(row))
    }
    for owner in sorted(coming | set(waiting)):
        if waiting.get(owner, 0) != (owner in coming):
            yield f"{owner} has {waiting.get(owner, 0)} messages that wait to tell its dates"


def _appointments(connection: Connection) -> list[Any]:
    return _all(
        connection, "SELECT held.*, owed.course_id, owed.maintenance_plan_id, owed.performed_on,"
        " course.protocol_version_id AS version"
        " FROM appointment AS held LEFT JOIN treatment_session AS owed ON owed.id = held.treatment_session_id"
        " LEFT JOIN maintenance_plan AS plan ON plan.id = owed.maintenance_plan_id"
        " LEFT JOIN course ON course.id = COALESCE(owed.course_id, plan.course_id) ORDER BY held.id")


def _is_ours(row: Any) -> bool:
    """Whether a service booked it, and no test by hand."""
    return str(row.uid).endswith("@appointment")


class _Held:
    """A row of the diary with what its resource is able to do, and the clinic where it stands."""

    def __init__(self, row: Any, skills: frozenset[str]) -> None:
        self.resource_id: int = row.resource_id
        self.kind: str = row.kind
        self.home: int | None = row.home
        self.skills = skills
        self.starts_at, self.ends_at = _instant(row.starts_at), _instant(row.ends_at)


def _held(connection: Connection) -> defaultdict[int, list[_Held]]:
    qualified: defaultdict[int, list[tuple[str, date, date | None]]] = defaultdict(list)
    for ident, code, valid_from, expires_on in _all(
        connection, "SELECT practitioner_id, code, valid_from, expires_on FROM qualification"
    ):
        qualified[ident].append((code, _date(valid_from), _date(expires_on) if expires_on else None))
    found: defaultdict[int, list[_Held]] = defaultdict(list)
    for row in _all(
        connection, "SELECT held.*, resource.kind, room.features, device.device_type,"
        " COALESCE(room.clinic_id, device.clinic_id) AS home FROM resource_booking AS held"
        " JOIN resource ON resource.id = held.resource_id LEFT JOIN room ON room.id = resource.id"
        " LEFT JOIN device ON device.id = resource.id ORDER BY held.appointment_id, held.need"
    ):
        on = _instant(row.starts_at).date()
        skills = frozenset(
            code for code, valid_from, expires_on in qualified[row.resource_id]
            if valid_from <= on and (expires_on is None or on <= expires_on))
        skills |= frozenset(_json(row.features or "[]")) | {row.device_type}
        found[row.appointment_id].append(_Held(row, skills))
    return found


def _treatments(connection: Connection) -> Mapping[tuple[int | None, str], list[tuple[str, frozenset[str], int, int]]]:
    """What each treatment of each protocol version needs: kind, skills, and from when to when after the arrival.

    Visits that are for no course are of no version.
    """
    others = _all(connection, "SELECT code, parts FROM treatment WHERE kind <> 'session'")
    return {(None, code): _needs(_json(parts)) for code, parts in others} | {
        (version, treatment["code"]): _needs(treatment["parts"])
        for version, document in _documents(connection).items() for treatment in document["treatments"]
    }


def _needs(parts: list[Any]) -> list[tuple[str, frozenset[str], int, int]]:
    minutes: defaultdict[tuple[str, frozenset[str]], set[int]] = defaultdict(set)
    for part in parts:
        for hold in part["holds"]:
            held = minutes[hold["kind"], frozenset(hold.get("skills", ()))]
            held |= set(range(part["offset"], part["offset"] + part["minutes"]))
    return [
        (kind, skills, begins, ends) for (kind, skills), held in minutes.items()
        for begins, ends in zip(
            sorted(each for each in held if each - 1 not in held),
            sorted(each + 1 for each in held if each + 1 not in held), strict=True)
    ]


def _documents(connection: Connection) -> Mapping[int, Any]:
    return {ident: _json(document) for ident, document in _all(connection, "SELECT id, document FROM protocol_version")}


def _all(connection: Connection, statement: str, **values: Any) -> list[Any]:
    return list(connection.execute(sa.text(statement), values).all())


def _minutes(since: datetime, at: datetime) -> int:
    return int((at - since).total_seconds() // 60)


def _instant(value: Any) -> datetime:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else value.astimezone(UTC)


def _date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
