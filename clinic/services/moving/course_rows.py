"""What a moved-in course is in the database: its sessions with their windows, its own interval, and its upkeep."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from clinic.care.course_changes import IntervalChange, interval_before
from clinic.care.outcomes import VisitOutcome
from clinic.care.protocols import Interval, Protocol, Step, steps_for
from clinic.care.recalls import ask_on
from clinic.care.states import CourseState, MaintenanceState, SessionState
from clinic.care.windows import Window, window_after, windows
from clinic.interchange.moving_in.forms import APPOINTMENTS
from clinic.planning.local import instant, zone
from clinic.planning.words import date_words
from clinic.queries.course_changes import INTERVAL
from clinic.queries.series import course_series, maintenance_series
from clinic.services.holding import refresh_windows
from clinic.services.moving.courses import BOOKED, DONE, Courses, Going, Upkeep, table
from clinic.services.moving.state import AT_ONCE, Moving
from clinic.store.accounts import AuditEntry
from clinic.store.courses import Course, CourseOverride, MaintenancePlan, Recall, TreatmentSession
from clinic.store.locks import lock_course

MOVED_IN = "moved in with it"
_STATES = (SessionState.OWED, SessionState.BOOKED, SessionState.COMPLETED, SessionState.NOT_DONE)
_COURSE = ("id", "patient_id", "clinic_id", "protocol_version_id", "practitioner_id", "state", "indication", "laxity",
           "created_at", "created_by", "ended_on", "lock_version")
_OVERRIDE = ("course_id", "code", "value", "reason", "made_at", "made_by")
_PLAN = ("id", "course_id", "state", "interval_days", "shortest_days", "longest_days", "created_at", "lock_version")
_SESSION = ("id", "course_id", "maintenance_plan_id", "number", "treatment_code", "state", "earliest_on", "ideal_on",
            "latest_on", "performed_at", "performed_on", "outcome", "lock_version")
_AUDIT = ("at", "actor", "account_id", "clinic_id", "action", "subject_kind", "subject_id", "facts")
_RECALL = ("treatment_session_id", "ask_on")


class CourseRows:
    """The rows of all courses in hand, made one after the other as they are written."""

    def __init__(self, moving: Moving, courses: Courses) -> None:
        """The dates of all coming sessions must be known by now."""
        self._moving, self._courses = moving, courses
        self._steps: dict[tuple[int, int], tuple[Step, ...]] = {}

    def judge(self) -> None:
        """Warns of coming sessions that are too close to the one before, or before it: they are promised already."""
        for going in self._courses.going.values():
            if any(going.lines):
                self._judge(going)

    def write(self) -> None:
        """Writes the new courses, then everything that belongs to them."""
        bulk, courses = self._moving.bulk, self._courses
        bulk.insert(table(Course), _COURSE, self._told(map(self._course, courses.new())))
        bulk.insert(table(AuditEntry), _AUDIT, (self._audit(going) for going in courses.new()))
        bulk.insert(table(CourseOverride), _OVERRIDE, (
            self._override(going, going.interval) for going in courses.new() if going.interval))
        bulk.insert(table(MaintenancePlan), _PLAN, (
            self._plan(going, going.upkeep) for going in courses.new() if going.upkeep))
        bulk.insert(table(TreatmentSession), _SESSION, (
            row for going in courses.new() for row in (*self._sessions(going), *self._upkeep(going))))
        bulk.insert(table(Recall), _RECALL, (
            row for going in courses.new() if going.upkeep for row in self._recalls(going, going.upkeep)))

    def book_earlier_ones(self) -> None:
        """Says of sessions that came with an earlier folder that they are booked now."""
        ids = [going.sessions[place] for going in self._touched() for place, line in enumerate(going.lines) if line]
        ids += [going.upkeep.sessions[-1] for going in self._touched() if going.upkeep and going.upkeep.line]
        for first in range(0, len(ids), AT_ONCE):
            self._moving.db.execute(
                sa.update(TreatmentSession).where(TreatmentSession.id.in_(ids[first:first + AT_ONCE]))
                .values(state=SessionState.BOOKED, lock_version=TreatmentSession.lock_version + 1)
                .execution_options(synchronize_session=False))

    def refresh_earlier_ones(self) -> None:
        """Lets the windows of courses that came with an earlier folder follow the dates that this one brought."""
        db, now = self._moving.db, self._moving.now
        for going in self._touched():
            lock_course(db, going.id)
            series = maintenance_series(db, going.upkeep.plan_id, now=now) if going.upkeep and going.upkeep.line \
                else course_series(db, going.id, now=now)
            refresh_windows(series, series.windows())
            db.flush()
            db.expunge_all()

    def _touched(self) -> Iterator[Going]:
        return (going for going in self._courses.going.values()
                if not going.is_new and (any(going.lines) or (going.upkeep and going.upkeep.line)))

    def _told(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            yield row
            self._moving.step(1, "Writing courses")

    def _judge(self, going: Going) -> None:
        known = [(place, day) for place, day in enumerate(going.dates) if day]
        intervals = self._intervals(going)
        for (place, day), (later, on) in pairwise(known):
            if not going.lines[later] and not going.lines[place]:
                continue
            line = going.lines[later] or going.lines[place]
            said = f"session {later + 1} on {date_words(date.fromordinal(on))}"
            if on <= day:
                self._warn(line, f"{said} is not after session {place + 1} on {date_words(date.fromordinal(day))}")
                continue
            least = sum(each.shortest for each in intervals[place + 1:later + 1] if each)
            if on - day < least:
                self._warn(line, f"{said} comes {on - day} days after session {place + 1}; at least {least} are asked "
                           "for. The date is kept: look at it with a practitioner")

    def _warn(self, line: int, text: str) -> None:
        self._moving.warnings.add(APPOINTMENTS.file, line, "start", text)

    def _protocol(self, going: Going) -> Protocol:
        return self._courses.protocol(going)

    def _step_list(self, going: Going) -> tuple[Step, ...]:
        key = (going.version_id, len(going.states))
        if key not in self._steps:
            self._steps[key] = steps_for(self._protocol(going), len(going.states))
        return self._steps[key]

    def _intervals(self, going: Going) -> list[Interval | None]:
        changes = [IntervalChange(2, going.interval)] if going.interval else []
        return [interval_before(step, changes) for step in self._step_list(going)]

    def _course(self, going: Going) -> tuple[Any, ...]:
        state = CourseState.COMPLETED if going.is_done else CourseState.ACTIVE
        ended_on = date.fromordinal(max(going.dates)) if going.is_done else None
        return (going.id, going.patient_id, going.clinic_id, going.version_id, going.practitioner_id, state.value,
                going.indication, "none", self._moving.now, self._moving.work.actor.account_id, ended_on, 1)

    def _audit(self, going: Going) -> tuple[Any, ...]:
        actor = self._moving.work.actor
        return (self._moving.now, actor.name, actor.account_id, going.clinic_id, "course-moved-in", "course", going.id,
                {"done": going.states.count(DONE), "sessions": len(going.states)})

    def _override(self, going: Going, interval: Interval) -> tuple[Any, ...]:
        change = IntervalChange(2, interval)
        return (going.id, INTERVAL, {"finding": change.words, **change.document()}, MOVED_IN, self._moving.now,
                self._moving.work.actor.account_id)

    def _plan(self, going: Going, upkeep: Upkeep) -> tuple[Any, ...]:
        interval = self._protocol(going).maintenance.interval
        state = MaintenanceState.ACTIVE if self._is_wanted(upkeep) else MaintenanceState.REVOKED
        return (upkeep.plan_id, going.id, state.value, interval.ideal, interval.shortest, interval.longest,
                self._moving.now, 1)

    def _sessions(self, going: Going) -> Iterator[tuple[Any, ...]]:
        dates = [date.fromordinal(day) if day else None for day in going.dates]
        found = windows(self._intervals(going), dates)
        for place, (step, window) in enumerate(zip(self._step_list(going), found, strict=True)):
            state, day = going.states[place], dates[place]
            yield self._session(
                going, going.sessions[place], (going.id, None), place + 1, step.treatment, state, window, day)

    def _upkeep(self, going: Going) -> Iterator[tuple[Any, ...]]:
        upkeep = going.upkeep
        if upkeep is None:
            return
        treatment = self._protocol(going).maintenance.treatment
        owner = (None, upkeep.plan_id)
        before = date.fromordinal(max(going.dates))
        for number, (ident, day) in enumerate(zip(upkeep.sessions, upkeep.done, strict=False), start=1):
            window, before = window_after(before, self._protocol(going).maintenance.interval), date.fromordinal(day)
            yield self._session(going, ident, owner, number, treatment, DONE, window, before)
        owed = self._owed_upkeep(going, upkeep)
        if owed is not None:
            yield self._session(going, upkeep.sessions[-1], owner, len(upkeep.sessions), treatment,
                                BOOKED if upkeep.line else 0, owed[0], None)

    def _owed_upkeep(self, going: Going, upkeep: Upkeep) -> tuple[Window, date] | None:
        """The window of the upkeep that is owed, and the session that it counts from."""
        if not self._is_wanted(upkeep):
            return None
        after = date.fromordinal(max([*upkeep.done, *going.dates]))
        return window_after(after, self._protocol(going).maintenance.interval), after

    def _recalls(self, going: Going, upkeep: Upkeep) -> Iterator[tuple[int, date]]:
        """For each upkeep session when its patient was or will be asked: it counts from the session before it."""
        interval = self._protocol(going).maintenance.interval
        for ident, day in zip(upkeep.sessions, (max(going.dates), *upkeep.done), strict=False):
            after = date.fromordinal(day)
            yield ident, ask_on(window_after(after, interval), after)

    @staticmethod
    def _is_wanted(upkeep: Upkeep) -> bool:
        return len(upkeep.sessions) > len(upkeep.done)

    def _session(
        self, going: Going, ident: int, owner: tuple[int | None, int | None], number: int, treatment: str,
        state: int, window: Window | None, day: date | None,
    ) -> tuple[Any, ...]:
        is_done = state == DONE
        return (
            ident, *owner, number, treatment, _STATES[state].value, window.earliest_on if window else None,
            window.ideal_on if window else None, window.latest_on if window else None,
            self._performed_at(going, day) if is_done and day else None, day if is_done else None,
            VisitOutcome.TREATED.value if is_done else None, 1)

    def _performed_at(self, going: Going, day: date) -> datetime:
        """Only the date is known: noon of the clinic stands for it, or now on the day of the move."""
        return min(instant(day, 12 * 60, zone(self._courses.zones[going.clinic_id])),
                   self._moving.now.astimezone(UTC))
