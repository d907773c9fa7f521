"""Whatever happens to a course, its patient knows the truth in the end, and hears nothing twice."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.care.owed import VisitChange, messages_owed
from clinic.care.owner_facts import AppointmentFacts, OwnerFacts, SessionFacts
from clinic.care.quiet import QuietHours, is_quiet
from clinic.care.states import AppointmentState, SessionState
from clinic.planning.local import resolve, zone
from tests.care.owners import QUIET, course, owed_session, told_by

ZONES = ("Europe/Lisbon", "America/New_York", "Australia/Lord_Howe")
SCHEDULE = ("confirmation", "change", "cancellation")

days_of_change = st.sampled_from((date(2027, 3, 10), date(2027, 10, 10))).flatmap(
    lambda first: st.integers(0, 60).map(lambda count: first + timedelta(days=count)))
instants = st.builds(
    lambda day, minute: datetime.combine(day, time(minute // 60, minute % 60), tzinfo=UTC),
    days_of_change, st.integers(0, 1439))


@st.composite
def appointments(draw: st.DrawFn, number: int, where: str) -> AppointmentFacts:
    local = datetime.combine(draw(days_of_change), time(draw(st.integers(0, 23)), draw(st.sampled_from((0, 15, 30)))))
    state = draw(st.sampled_from(AppointmentState))
    causes = {AppointmentState.NOSHOW: (None, *NoShowCause), AppointmentState.CANCELLED: (None, *NotTreatedCause)}
    open_ = state in (AppointmentState.PROPOSED, AppointmentState.BOOKED, AppointmentState.ARRIVED)
    return AppointmentFacts(
        id=100 + number, treatment_session_id=number, clinic_id=1, state=state, revision=draw(st.integers(0, 3)),
        local_start=local, fold=0, zone=where, starts_at=resolve(local, zone(where)), scheduled_at=draw(instants),
        closed_at=None if open_ else draw(instants), ended_cause=draw(st.sampled_from(causes.get(state, (None,)))),
    )


@st.composite
def treatment_sessions(draw: st.DrawFn, number: int) -> SessionFacts:
    if draw(st.booleans()):
        performed_at = draw(instants)
        late = timedelta(hours=draw(st.integers(0, 100)))
        return SessionFacts(number, number, SessionState.COMPLETED, performed_at, performed_at + late, precare_days=3)
    return owed_session(number, precare_days=draw(st.one_of(st.none(), st.integers(0, 14))),
                        ask_on=draw(days_of_change), latest_on=draw(days_of_change))


@st.composite
def owners(draw: st.DrawFn) -> OwnerFacts:
    count, where = draw(st.integers(1, 4)), draw(st.sampled_from(ZONES))
    active = draw(st.booleans())
    facts = course(
        *(draw(appointments(number, where)) for number in range(1, count + 1)),
        sessions=tuple(draw(treatment_sessions(number)) for number in range(1, count + 1)),
        is_active=active, is_completed=not active and draw(st.booleans()),
        quiet=QuietHours(draw(st.integers(0, 1439)), draw(st.integers(0, 1439)), zone(where)),
    )
    if draw(st.booleans()):
        for item in [each for each in messages_owed(facts, now=draw(instants)) if each.kind in SCHEDULE]:
            facts = told_by(facts, item)
    return facts


@given(owners(), instants)
def test_nothing_is_due_in_quiet_hours_but_aftercare(facts: OwnerFacts, now: datetime) -> None:
    items = [item for item in messages_owed(facts, now=now) if item.kind != "aftercare" and item.withheld is None]

    assert [item for item in items if is_quiet(item.due_at, facts.quiet)] == []
    assert not is_quiet(now, facts.quiet) or [item for item in items if item.due_at <= now] == []


@given(owners(), instants)
def test_nothing_is_useless_before_it_is_due(facts: OwnerFacts, now: datetime) -> None:
    items = messages_owed(facts, now=now)

    assert [item for item in items if item.useless_after < item.due_at] == []


@given(owners(), instants)
def test_every_key_is_owed_once_and_items_come_by_due_time(facts: OwnerFacts, now: datetime) -> None:
    items = messages_owed(facts, now=now)

    assert len({item.key for item in items}) == len(items)
    assert [item.due_at for item in items] == sorted(item.due_at for item in items)


@given(owners(), instants)
def test_the_order_in_which_rows_are_read_does_not_matter(facts: OwnerFacts, now: datetime) -> None:
    turned = replace(facts, appointments=facts.appointments[::-1], sessions=facts.sessions[::-1],
                     told=facts.told[::-1])

    assert messages_owed(turned, now=now) == messages_owed(facts, now=now)


@given(owners(), instants)
def test_what_was_told_is_not_owed_again(facts: OwnerFacts, now: datetime) -> None:
    for schedule in [item for item in messages_owed(facts, now=now) if item.kind in SCHEDULE]:
        facts = told_by(facts, schedule)

    after = messages_owed(facts, now=now)

    assert [item for item in after if item.kind in SCHEDULE] == []


@given(owners(), instants, instants)
def test_as_time_passes_nothing_new_is_owed(facts: OwnerFacts, now: datetime, later: datetime) -> None:
    now, later = sorted((now, later))
    before = {item.key[1:] for item in messages_owed(facts, now=now)}
    after = {item.key[1:] for item in messages_owed(facts, now=later)}

    assert after <= before


class CourseLife(RuleBasedStateMachine):
    """A desk that books, moves, cancels and takes back at random, and a post that delivers whatever is due."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2027, 3, 22, 9, tzinfo=UTC)
        self.facts = course(sessions=tuple(owed_session(number) for number in (1, 2, 3)), is_active=True)
        self.sent: list[tuple[str, str, int, int]] = []

    def standing(self) -> list[AppointmentFacts]:
        return [each for each in self.facts.appointments if each.is_standing and each.starts_at > self.now]

    def keep(self, appointment: AppointmentFacts) -> None:
        others = tuple(each for each in self.facts.appointments if each.id != appointment.id)
        self.facts = replace(self.facts, appointments=(*others, appointment))

    @rule(number=st.integers(1, 3), ahead=st.integers(0, 40), hour=st.integers(0, 23))
    def book(self, number: int, ahead: int, hour: int) -> None:
        local = datetime.combine(self.now.date() + timedelta(days=ahead), time(hour))
        starts_at = resolve(local, QUIET.zone)
        if starts_at > self.now and number not in {each.treatment_session_id for each in self.standing()}:
            self.keep(AppointmentFacts(
                id=100 + len(self.facts.appointments), treatment_session_id=number, clinic_id=1, revision=0,
                state=AppointmentState.BOOKED, local_start=local, fold=0, zone="Europe/Lisbon", starts_at=starts_at,
                scheduled_at=self.now))

    @precondition(lambda self: self.standing())
    @rule(data=st.data(), ahead=st.integers(1, 40), hour=st.integers(0, 23))
    def move(self, data: st.DataObject, ahead: int, hour: int) -> None:
        each = data.draw(st.sampled_from(self.standing()))
        local = datetime.combine(self.now.date() + timedelta(days=ahead), time(hour))
        self.keep(replace(each, local_start=local, starts_at=resolve(local, QUIET.zone), scheduled_at=self.now,
                          revision=each.revision + 1))

    @precondition(lambda self: self.standing())
    @rule(data=st.data())
    def move_and_undo_before_anything_is_said(self, data: st.DataObject) -> None:
        each = data.draw(st.sampled_from(self.standing()))
        agreed = any(told.agrees_with(each) for told in self.facts.told if told.appointment_id == each.id)

        self.keep(replace(each, revision=each.revision + 2, scheduled_at=self.now))

        schedule = [item for item in messages_owed(self.facts, now=self.now) if item.kind in SCHEDULE]
        changes = {line.appointment_id: line.change for item in schedule for line in item.visits}
        assert not agreed or changes.get(each.id, VisitChange.KEPT) is VisitChange.KEPT

    @precondition(lambda self: self.standing())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        each = data.draw(st.sampled_from(self.standing()))
        self.keep(replace(each, state=AppointmentState.CANCELLED, revision=each.revision + 1, closed_at=self.now))

    @rule(minutes=st.sampled_from((1, 3, 60, 12 * 60, 3 * 1440)))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def deliver(self) -> None:
        for item in messages_owed(self.facts, now=self.now):
            if item.due_at <= self.now <= item.useless_after and item.withheld is None and item.key not in self.sent:
                assert item.kind == "aftercare" or not is_quiet(self.now, self.facts.quiet)
                self.sent.append(item.key)
                if item.kind in SCHEDULE:
                    self.facts = told_by(self.facts, item)

    @invariant()
    def nothing_is_sent_twice_and_every_change_is_still_owed(self) -> None:
        owed = [item for item in messages_owed(self.facts, now=self.now) if item.kind in SCHEDULE]

        assert [item for item in owed if item.key in self.sent] == []
        assert owed or self.patient_expects() == {each.local_start for each in self.standing()}

    def patient_expects(self) -> set[datetime]:
        return {told.local_start for told in self.facts.told if not told.cancelled and told.starts_at > self.now}


CourseLife.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestCourseLife = CourseLife.TestCase
