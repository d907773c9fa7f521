"""What is foreseen is what goes out: the sequence of a made-up course beside a post that simply ticks every hour."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.care.ahead import Ahead
from clinic.care.business_days import BusinessDays
from clinic.care.catalogue import load_catalogue
from clinic.care.foreseen import Key, Mail, Moved, foresee, moved_by, unsaid
from clinic.care.made_up_course import Setting, Story, made_up_course
from clinic.care.message_kinds import KEEPS_SAFE, SCHEDULE, MessageKind
from clinic.care.message_rules import OUR_RULES, Elapsed, GivesWay, MessageRules, Rule, Shift, WallClock
from clinic.care.owed import messages_owed
from clinic.care.owner_facts import OwnerFacts
from clinic.care.protocols import Interval, Protocol, Sessions
from clinic.care.quiet import QuietHours, is_quiet
from clinic.planning.local import local_of, zone
from tests.care.owners import told_by

ZONES = ("Europe/Lisbon", "America/New_York", "Australia/Lord_Howe")
SPRING, AUTUMN = date(2027, 2, 12), date(2027, 9, 17)
WORKDAYS = BusinessDays(frozenset(range(5)))
FIRST, SECOND = MessageKind.REMINDER_7D, MessageKind.REMINDER_2D

weekdays = st.frozensets(st.integers(0, 6), min_size=1)
reminders = st.builds(
    Rule, st.booleans(), st.one_of(st.builds(WallClock, st.integers(0, 14), st.integers(0, 1439)),
                                   st.builds(Elapsed, st.integers(120, 14 * 1440))),
    weekdays, st.sampled_from(Shift), st.frozensets(st.sampled_from(GivesWay)))
rules = st.builds(
    lambda first, second, check, precare: MessageRules({
        FIRST: first, SECOND: second, MessageKind.CHECK_IN_24H: Rule(when=Elapsed(check)),
        MessageKind.PRECARE: Rule(when=WallClock(precare), shift=Shift.EARLIER)}),
    reminders, reminders, st.integers(12 * 60, 48 * 60), st.integers(0, 10))


@cache
def protocol() -> Protocol:
    """A protocol of the library, shortened to three sessions a fortnight apart."""
    found = next(each for each in load_catalogue() if each.code == "mn_rejuvenation")
    return replace(found, sessions=Sessions(3, 3, 3, found.sessions.evidence),
                   cycle=tuple(replace(turn, interval=Interval(10, 14, 21)) for turn in found.cycle))


def setting(rules: MessageRules = OUR_RULES, where: str = "Europe/Lisbon", quiet: tuple[int, int] = (1200, 480),
            **more: bool) -> Setting:
    return Setting(QuietHours(*quiet, zone(where)), WORKDAYS, rules, **more)


def course(setting_: Setting, story: Story = Story.AHEAD, booked_on: date = SPRING) -> tuple[Ahead, ...]:
    return made_up_course(protocol(), setting_, story, booked_on=booked_on)


def begins(owners: Sequence[Ahead]) -> datetime:
    return owners[0].stages[0][0]


def sent(owners: Sequence[Ahead], most: int = 20) -> tuple[Mail, ...]:
    return foresee(owners, begins_at=begins(owners), most_a_day=most)


def kinds(mails: Sequence[Mail]) -> list[MessageKind]:
    return [each.item.kind for mail in mails for each in mail.said]


def ticked(owner: Ahead, ends_at: datetime) -> dict[Key, datetime]:
    """What a post says that looks every hour, with what has been said kept by the tests' own rule."""
    said: dict[Key, datetime] = {}
    now, heard = owner.stages[0][0], None
    while now < ends_at:
        facts = owner.at(now)
        if heard is not None:
            facts = replace(facts, told=heard.told, told_precare=heard.told_precare)
        for item in messages_owed(facts, now=now):
            if item.withheld is None and item.due_at <= now <= item.useless_after and item.key not in said:
                said[item.key] = now
                facts = heard_of(facts, item.kind, item.key)
                heard = facts
        now += timedelta(hours=1)
    return said


def heard_of(facts: OwnerFacts, kind: MessageKind, key: Key) -> OwnerFacts:
    if kind in SCHEDULE:
        now = max(each.scheduled_at for each in facts.appointments)
        [item] = [each for each in messages_owed(facts, now=now) if each.key == key]
        return told_by(facts, item)
    if kind is MessageKind.PRECARE:
        [visit] = [each for each in facts.appointments if each.id == key[2]]
        prepared = (visit.treatment_session_id, visit.local_start.date())
        return replace(facts, told_precare=facts.told_precare | {prepared})
    return facts


@settings(max_examples=8, deadline=None)
@given(rules, st.sampled_from(ZONES), st.sampled_from((SPRING, AUTUMN)), st.sampled_from(Story))
def test_what_is_foreseen_is_what_a_post_says_that_looks_every_hour(
    rules: MessageRules, where: str, booked_on: date, story: Story
) -> None:
    owners = course(setting(rules, where), story, booked_on)
    ends_at = owners[0].stages[-1][0] + timedelta(days=5)

    found = {each.item.key: (mail.at, each.item) for mail in sent(owners) for each in mail.said if mail.at < ends_at}

    looked = ticked(owners[0], ends_at - timedelta(hours=2))
    brief = {key for key, (at, item) in found.items() if item.useless_after - item.due_at < timedelta(hours=1)}
    late = {key for key, (at, _) in found.items() if at > ends_at - timedelta(hours=4)}
    assert looked.keys() - found.keys() == set()
    assert found.keys() - looked.keys() - brief - late == set()
    # What goes along goes up to an hour early, and the post looks up to an hour late.
    assert {key: looked[key] - at for key, (at, _) in found.items()
            if key in looked and not timedelta(0) <= looked[key] - at <= timedelta(hours=2)} == {}


@settings(max_examples=30, deadline=None)
@given(rules, st.sampled_from(ZONES), st.sampled_from((SPRING, AUTUMN)), st.sampled_from(Story),
       st.tuples(st.integers(0, 1439), st.integers(0, 1439)), st.integers(1, 4))
def test_a_sequence_is_sorted_says_nothing_twice_keeps_quiet_and_never_leaves_out_what_keeps_safe(
    rules: MessageRules, where: str, booked_on: date, story: Story, quiet: tuple[int, int], most: int
) -> None:
    owners = course(setting(rules, where, quiet), story, booked_on)

    mails = sent(owners, most)

    left_out = unsaid(owners, mails, begins_at=begins(owners), most_a_day=most)
    keys = [each.item.key for mail in mails for each in mail.said]
    assert [mail.at for mail in mails] == sorted(mail.at for mail in mails)
    assert len(set(keys)) == len(keys)
    assert [kinds([mail]) for mail in mails if is_quiet(mail.at, owners[0].stages[0][1].quiet)
            and MessageKind.AFTERCARE not in kinds([mail])] == []
    assert KEEPS_SAFE & {each.saying.item.kind for each in left_out} == set()
    assert {each.saying.item.key for each in left_out} & set(keys) == set()
    assert all(each.why for each in left_out)


@pytest.mark.parametrize(("story", "also", "never"), [
    (Story.AHEAD, {"recall", "course-complete", "review-visit", "review-request"}, {"missed", "nudge-14d"}),
    (Story.LATE, {"confirmation", "precare"}, {"missed"}),
    (Story.UNDATED, {"nudge-14d", "nudge-ideal", "out-of-window"}, {"course-complete", "recall"}),
    (Story.MISSED, {"missed", "nudge-ideal", "out-of-window"}, {"course-complete", "recall"}),
])
def test_each_story_shows_the_messages_that_it_is_about(story: Story, also: set[str], never: set[str]) -> None:
    on = MessageRules({MessageKind.REVIEW_REQUEST: Rule(when=WallClock(14))})

    found = {str(kind) for kind in kinds(sent(course(setting(on, may_ask_opinion=True), story)))}

    assert (also - found, never & found) == (set(), set())


def test_a_late_booking_is_told_in_one_e_mail_and_its_reminder_gives_way() -> None:
    owners = course(setting(), Story.LATE)

    mails = sent(owners)

    assert kinds(mails[:1]) == [MessageKind.CONFIRMATION, MessageKind.PRECARE]
    left = unsaid(owners, mails, begins_at=begins(owners), most_a_day=20)
    assert {(each.saying.item.kind, each.saying.item.subject_id, each.why) for each in left} == {
        (kind, 1, "the patient has only just heard of the time") for kind in (FIRST, SECOND)}


def test_a_patient_who_says_that_they_come_is_not_reminded_a_second_time() -> None:
    owners = course(setting(), Story.CONFIRMS)

    mails = sent(owners)

    left = unsaid(owners, mails, begins_at=begins(owners), most_a_day=20)
    assert (kinds(mails).count(FIRST), kinds(mails).count(SECOND)) == (3, 0)
    assert {(each.saying.item.kind, each.why) for each in left} == {(SECOND, "the patient has said that they come")}


def test_what_is_switched_off_is_shown_where_it_would_have_been() -> None:
    ours, off = course(setting()), course(setting(MessageRules({FIRST: Rule(is_on=False, when=WallClock(7))})))

    left = unsaid(off, sent(off), begins_at=begins(off), most_a_day=20)

    assert [each.at for each in left] == [mail.at for mail in sent(ours) if FIRST in kinds([mail])]
    assert {each.why for each in left} == {"the clinic does not send this message"}


def test_it_says_what_moved_a_message_from_its_time() -> None:
    never_on_weekends = frozenset(range(5))
    owners = course(setting(MessageRules({
        FIRST: Rule(when=WallClock(6), weekdays=never_on_weekends, shift=Shift.EARLIER),
        SECOND: Rule(when=WallClock(3, 7 * 60))})))

    found = {(each.item.kind, moved) for mail in sent(owners) for each in mail.said
             for moved in moved_by(each, mail.at)}

    assert found >= {(FIRST, Moved.WEEKDAY), (SECOND, Moved.QUIET)}
    assert {moved for kind, moved in found if kind is FIRST} == {Moved.WEEKDAY}
    assert {moved for kind, moved in found if kind is SECOND} == {Moved.QUIET}


def test_the_limit_of_a_day_leaves_to_the_morning_what_can_wait_and_nothing_that_keeps_safe() -> None:
    apart = MessageRules({MessageKind.COURSE_COMPLETE: Rule(when=Elapsed(150))})
    owners = course(setting(apart))
    after_last = owners[0].stages[-1][0]

    [mail] = [mail for mail in sent(owners, most=1) if MessageKind.COURSE_COMPLETE in kinds([mail])]

    [complete] = [each for each in mail.said if each.item.kind is MessageKind.COURSE_COMPLETE]
    assert local_of(mail.at, zone("Europe/Lisbon")).date() == local_of(after_last, zone("Europe/Lisbon")).date() + \
        timedelta(days=1)
    assert moved_by(complete, mail.at) == (Moved.ENOUGH,)
    assert kinds(sent(owners, most=1)).count(MessageKind.AFTERCARE) == 3
