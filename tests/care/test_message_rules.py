"""A clinic's rules: what it may choose, how its choice moves a message, and that ours stay as they were without one."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.care.message_kinds import KEEPS_SAFE, MessageKind
from clinic.care.message_rules import (
    CHOICES,
    DEFAULTS,
    OUR_RULES,
    Elapsed,
    GivesWay,
    MessageRules,
    Rule,
    Shift,
    WallClock,
    departure_of,
    document_of,
    rules_from,
)
from clinic.care.owed import messages_owed, why_no_longer
from clinic.care.rule_faults import judge_rule
from clinic.planning.local import day_of, instant, local_of, zone
from tests.care.owners import NOW, course, owed_session, visit

LISBON = zone("Europe/Lisbon")
SATURDAY = date(2027, 3, 20)
FIRST, SECOND = MessageKind.REMINDER_7D, MessageKind.REMINDER_2D

whens = st.one_of(st.builds(Elapsed, st.integers(60, 30 * 1440)), st.builds(WallClock, st.integers(0, 30),
                                                                           st.integers(0, 1439)))
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
rules = st.builds(
    Rule, st.booleans(), whens, weekdays, st.sampled_from(Shift), st.frozensets(st.sampled_from(GivesWay)))


def due(kind: MessageKind, rule: Rule, now: datetime = NOW) -> list[datetime]:
    facts = course(visit(1, SATURDAY), rules=MessageRules({kind: rule}))
    return [item.due_at for item in messages_owed(facts, now=now) if item.kind is kind]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_every_kind_has_a_default_that_its_own_choices_allow() -> None:
    assert set(DEFAULTS) == set(CHOICES) == set(MessageKind)
    assert {kind: judge_rule(kind, rule) for kind, rule in DEFAULTS.items()
            if rule.is_on and judge_rule(kind, rule)} == {}


def test_what_keeps_a_patient_safe_or_tells_a_date_cannot_be_switched_off() -> None:
    fixed = {kind for kind in MessageKind if judge_rule(kind, Rule(False, DEFAULTS[kind].when))}

    assert fixed == KEEPS_SAFE | {MessageKind.CONFIRMATION, MessageKind.DATES_HELD}


def test_a_reminder_goes_by_the_wall_clock_or_by_hours_that_elapse_over_a_clock_change() -> None:
    sunday = course(visit(1, date(2027, 3, 28), 10))  # the clock goes forward that night
    by_wall = MessageRules({SECOND: Rule(when=WallClock(1, 10 * 60))})
    by_hours = MessageRules({SECOND: Rule(when=Elapsed(24 * 60))})

    found = [[item.due_at for item in messages_owed(course(*sunday.appointments, rules=rules), now=NOW)
              if item.kind is SECOND] for rules in (by_wall, by_hours)]

    assert found == [[utc("2027-03-27T10:00")], [utc("2027-03-27T09:00")]]


def test_a_weekday_that_is_not_allowed_moves_a_message_to_the_one_before_or_after() -> None:
    workdays = frozenset({0, 1, 2, 3, 4})

    earlier = due(FIRST, Rule(when=WallClock(7), weekdays=workdays, shift=Shift.EARLIER))
    later = due(FIRST, Rule(when=WallClock(7), weekdays=workdays, shift=Shift.LATER))

    assert (earlier, later) == ([utc("2027-03-12T09:00")], [utc("2027-03-15T09:00")])


def test_what_a_clinic_does_not_send_is_not_owed_and_says_so() -> None:
    facts = course(visit(1, SATURDAY), rules=MessageRules({FIRST: Rule(is_on=False)}))

    assert [item for item in messages_owed(facts, now=NOW) if item.kind is FIRST] == []
    assert why_no_longer(facts, FIRST, "appointment", 101, 0) == "the clinic does not send this message"


def test_the_second_reminder_gives_way_to_a_patient_who_has_said_that_they_come() -> None:
    facts = course(visit(1, SATURDAY, confirmed_at=NOW))
    stubborn = course(visit(1, SATURDAY, confirmed_at=NOW), rules=MessageRules({SECOND: Rule(when=WallClock(2))}))

    kinds = [[item.kind for item in messages_owed(each, now=NOW)] for each in (facts, stubborn)]

    assert [FIRST in each for each in kinds] == [True, True]
    assert [SECOND in each for each in kinds] == [False, True]
    assert why_no_longer(facts, SECOND, "appointment", 101, 0) == "the patient has said that they come"


def test_a_first_reminder_is_of_use_until_the_second_one_follows() -> None:
    facts = course(visit(1, SATURDAY), rules=MessageRules({SECOND: Rule(when=WallClock(3))}))

    [first] = [item for item in messages_owed(facts, now=NOW) if item.kind is FIRST]

    assert first.useless_after == utc("2027-03-17T10:00")


def test_a_first_reminder_without_a_second_one_is_of_use_until_shortly_before_the_visit() -> None:
    facts = course(visit(1, SATURDAY), rules=MessageRules({SECOND: Rule(is_on=False, when=WallClock(2))}))

    [first] = [item for item in messages_owed(facts, now=NOW) if item.kind is FIRST]

    assert first.useless_after == utc("2027-03-20T08:00")


def test_the_last_level_that_says_something_counts_and_an_empty_one_says_nothing() -> None:
    clinic = {FIRST.value: {"when": {"days": 5, "at": 600}, "weekdays": [0, 1]}, SECOND.value: {"on": False}}
    protocol = {FIRST.value: {"weekdays": [2]}, SECOND.value: {}}

    rules = rules_from(clinic, protocol)

    assert rules.of(FIRST) == Rule(True, WallClock(5, 600), frozenset({2}), Shift.EARLIER, frozenset({GivesWay.NEWS}))
    assert not rules.of(SECOND).is_on
    assert rules_from() == OUR_RULES


@given(st.sampled_from(MessageKind), rules, rules)
def test_a_rule_that_is_kept_comes_back_as_it_was_whole_or_by_what_departs(
    kind: MessageKind, rule: Rule, base: Rule
) -> None:
    assert rules_from({kind.value: document_of(rule)}).of(kind) == rule
    assert rules_from({kind.value: document_of(base)}, {kind.value: departure_of(rule, base)}).of(kind) == rule


@given(rules, st.sampled_from(("Europe/Lisbon", "America/New_York", "Australia/Lord_Howe")),
       st.dates(date(2027, 3, 1), date(2027, 11, 30)), st.integers(0, 1439))
def test_a_message_goes_out_on_an_allowed_weekday_less_than_a_week_away(
    rule: Rule, name: str, on: date, minute: int
) -> None:
    where = zone(name)
    starts_at = instant(on, minute, where)

    at = rule.before(starts_at, on, where)

    free = Rule(when=rule.when).before(starts_at, on, where)
    assert local_of(at, where).weekday() in rule.weekdays
    assert abs(at - free) < timedelta(days=7)
    assert day_of(at, where) == day_of(free, where) or (at > free) is (rule.shift is Shift.LATER)


@pytest.mark.parametrize(("kind", "rule", "code"), [
    (FIRST, Rule(when=WallClock(31)), "days"),
    (FIRST, Rule(when=WallClock(-1)), "days"),
    (FIRST, Rule(when=WallClock(3, 1440)), "minute"),
    (SECOND, Rule(when=Elapsed(30)), "minutes"),
    (MessageKind.AFTERCARE, Rule(is_on=False), "must-be-on"),
    (MessageKind.AFTERCARE, Rule(when=Elapsed(60)), "no-time"),
    (MessageKind.CHECK_IN_24H, Rule(when=WallClock(1)), "only-hours"),
    (MessageKind.CHECK_IN_24H, Rule(when=Elapsed(60 * 100)), "minutes"),
    (MessageKind.RECALL, Rule(when=Elapsed(60)), "only-days"),
    (FIRST, Rule(when=WallClock(7), weekdays=frozenset()), "no-weekday"),
    (MessageKind.CHECK_IN_24H, Rule(when=Elapsed(24 * 60), weekdays=frozenset(range(5))), "any-day"),
    (MessageKind.RECALL, Rule(when=WallClock(0), gives_way=frozenset({GivesWay.NEWS})), "gives-way"),
])
def test_a_rule_that_cannot_be_kept_says_why(kind: MessageKind, rule: Rule, code: str) -> None:
    assert code in {finding.code for finding in judge_rule(kind, rule)}


def test_the_nudge_asks_as_many_days_before_the_window_as_the_clinic_chose() -> None:
    waiting = owed_session(2, earliest_on=date(2027, 4, 12), ideal_on=date(2027, 4, 14), latest_on=date(2027, 5, 10))
    facts = course(sessions=(waiting,), rules=MessageRules({MessageKind.NUDGE_14D: Rule(when=WallClock(7, 10 * 60))}))

    found = {item.kind: item.due_at for item in messages_owed(facts, now=NOW)}

    assert found == {MessageKind.NUDGE_14D: utc("2027-04-05T09:00"), MessageKind.NUDGE_IDEAL: utc("2027-04-14T08:00"),
                     MessageKind.OUT_OF_WINDOW: utc("2027-05-11T08:00")}
