"""A clinic's rules about its messages: what is kept of them, and that what waits follows while what was sent stays."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import CHOICES, Elapsed, Rule, Shift, WallClock
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.message_rules import rules_of
from clinic.services.delivery import Courier
from clinic.services.message_rules import save_rules
from clinic.services.reconcile import sweep
from clinic.services.work import Done, NotFound, Refused, Stale
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import Clinic, MessageRule
from clinic.store.outbox import Message, WorkerRow
from tests.services.desk import Desk, Line

FIRST, SECOND = MessageKind.REMINDER_7D, MessageKind.REMINDER_2D
Rules = Mapping[MessageKind, Rule]


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def whole(desk: Desk, changes: Rules, protocol_id: int | None = None) -> dict[MessageKind, Rule]:
    """Every rule as it is, as the page sends them all, with some of them changed."""
    with desk.work() as work:
        kept = rules_of(work.db, 1, protocol_id)
    return {kind: kept.of(kind) for kind in CHOICES} | dict(changes)


def save(desk: Desk, changes: Rules, *, protocol_id: int | None = None, version: int = 1,
         most: int | None = None) -> Done[int] | Refused:
    rules = whole(desk, changes, protocol_id)
    with desk.work() as work:
        return save_rules(work, 1, rules, protocol_id=protocol_id, most_a_day=most, lock_version=version)


def kept(desk: Desk) -> list[tuple[int | None, str, int, dict[str, object]]]:
    with desk.work() as work:
        return [tuple(row) for row in work.db.execute(
            sa.select(MessageRule.protocol_id, MessageRule.kind, MessageRule.version, MessageRule.rule)
            .order_by(MessageRule.id))]


def follow(desk: Desk) -> None:
    """The worker looks twice: a second look changes nothing."""
    for _ in range(2):
        with desk.work() as work:
            sweep(work, limit=100)


def deliver(desk: Desk) -> None:
    with desk.work() as work:
        work.db.merge(WorkerRow(id="w", host="test", started_at=desk.now, heartbeat_at=desk.now))
        work.commit()
    Courier(desk.work, MailboxTransport(), "w", jitter=lambda: 0.5).deliver_due()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_new_version_is_kept_only_of_what_differs_and_says_only_how_it_departs(desk: Desk) -> None:
    five = Rule(when=WallClock(5), shift=Shift.EARLIER, gives_way=whole(desk, {})[FIRST].gives_way)

    outcomes = [save(desk, {FIRST: five}), save(desk, {FIRST: five}, version=2),
                save(desk, {FIRST: whole(desk, {})[FIRST]}, version=1)]

    assert outcomes == [Done(1), Done(0), Done(0)]
    assert kept(desk) == [(None, FIRST, 1, {"when": {"days": 5, "at": 540}})]
    with desk.work() as work:
        assert work.db.get_one(Clinic, 1).lock_version == 2
        assert work.db.scalars(sa.select(AuditEntry.facts).where(
            AuditEntry.action == "message-rules-changed")).all() == [
                {"protocol": None, "kinds": [FIRST], "most_a_day": 3}]


def test_a_protocol_keeps_what_departs_from_the_clinic_until_it_is_as_the_clinic_has_it(desk: Desk) -> None:
    ours = whole(desk, {})[SECOND]
    save(desk, {SECOND: Rule(when=WallClock(3, 600), shift=ours.shift, gives_way=ours.gives_way)})
    clinics = whole(desk, {})[SECOND]

    save(desk, {SECOND: Rule(False, clinics.when, clinics.weekdays, clinics.shift, clinics.gives_way)},
         protocol_id=1, version=2)
    save(desk, {SECOND: clinics}, protocol_id=1, version=3)

    assert kept(desk) == [(None, SECOND, 1, {"when": {"days": 3, "at": 600}}), (1, SECOND, 1, {"on": False}),
                          (1, SECOND, 2, {})]
    assert whole(desk, {}, 1)[SECOND] == clinics


def test_what_cannot_be_kept_is_refused_at_its_field_and_nothing_is_kept(desk: Desk) -> None:
    outcome = save(desk, {FIRST: Rule(when=WallClock(99)), MessageKind.AFTERCARE: Rule(is_on=False)}, most=0)

    assert isinstance(outcome, Refused)
    assert {finding.field for finding in outcome.findings} == {"reminder-7d-when", "aftercare-on", "most_a_day"}
    assert kept(desk) == []


def test_the_second_of_two_managers_is_told_and_the_first_ones_rules_stay(desk: Desk) -> None:
    theirs, mine = Rule(when=WallClock(4)), Rule(when=WallClock(6))
    save(desk, {FIRST: theirs})

    with pytest.raises(Stale):
        save(desk, {FIRST: mine}, version=1)

    assert whole(desk, {})[FIRST] == theirs


def test_a_clinic_or_protocol_that_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound), desk.work() as work:
        save_rules(work, 1, {}, protocol_id=99, lock_version=1)
    with pytest.raises(NotFound), desk.work() as work:
        save_rules(work, 99, {}, lock_version=1)


def test_what_waits_of_running_courses_follows_a_new_rule_and_what_was_sent_stays(desk: Desk) -> None:
    desk.book_course()
    desk.now = at("2027-03-13T09:00")  # a week before the first visit
    deliver(desk)
    before = desk.lines(FIRST)
    assert [line.state for line in before] == ["sent", "pending", "pending"]

    save(desk, {FIRST: Rule(when=WallClock(5, 600))})
    follow(desk)

    assert desk.lines(FIRST) == [before[0], Line(FIRST, "pending", at("2027-04-15T09:00")),
                                 Line(FIRST, "pending", at("2027-05-15T09:00"))]


def test_a_rule_for_one_protocol_moves_only_its_own_courses(desk: Desk) -> None:
    desk.book_course()
    before = desk.lines(FIRST)

    save(desk, {FIRST: Rule(when=WallClock(5, 600))}, protocol_id=1)
    follow(desk)

    assert whole(desk, {})[FIRST].when == WallClock(7)
    assert [line.due_at - old.due_at for line, old in zip(desk.lines(FIRST), before, strict=True)] == [
        timedelta(days=2, hours=1), timedelta(days=2, hours=1), timedelta(days=2, hours=1)]


def test_switched_off_nothing_of_it_waits_and_switched_on_again_it_comes_back_once(desk: Desk) -> None:
    desk.book_course()
    ours, before = whole(desk, {})[FIRST], desk.lines(FIRST)

    save(desk, {FIRST: Rule(False, ours.when, ours.weekdays, ours.shift, ours.gives_way)})
    follow(desk)
    off = desk.lines(FIRST)
    save(desk, {FIRST: ours}, version=2)
    follow(desk)

    assert {(line.state, line.reason) for line in off} == {("superseded", "the clinic does not send this message")}
    assert desk.lines(FIRST, live=True) == before
    assert len(desk.lines(FIRST)) == 2 * len(before)


def test_a_check_in_follows_its_hours_and_the_day_its_limit(desk: Desk) -> None:
    course_id = desk.book_course()
    desk.now = at("2027-03-20T11:00")
    desk.complete(desk.appointment_ids(course_id)[0])

    save(desk, {MessageKind.CHECK_IN_24H: Rule(when=Elapsed(30 * 60))}, most=1)
    follow(desk)

    [first] = desk.lines(MessageKind.CHECK_IN_24H)
    with desk.work() as work:
        assert work.db.get_one(Clinic, 1).most_messages_a_day == 1
        assert work.db.scalar(sa.select(sa.func.count()).select_from(Message).where(Message.state == "sent")) == 0
    assert first.due_at == at("2027-03-21T17:00")
