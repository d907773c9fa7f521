"""Which messages go out to one patient as time passes, and which do not: `messages_owed`, asked at every turn.

Nothing is decided here a second time: what is owed, and when, is the answer that the outbox is kept by; what goes in
one e-mail, and how many on one day, is what delivery asks too.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from clinic.care.ahead import Ahead
from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.message_rules import EVERY_DAY, MessageRules
from clinic.care.owed import OwedItem, VisitChange, messages_owed, why_no_longer
from clinic.care.owner_facts import AppointmentFacts, Owner, OwnerFacts, Told
from clinic.care.priority import priority_of
from clinic.care.quiet import QuietHours, is_quiet
from clinic.care.together import MOST, SOON, day_that_is_full, may_go_now, may_share
from clinic.planning.local import day_of

Key = tuple[str, str, int, int]
_NO_LIMIT = 1000
_TOLD_UNTIL_THEN = frozenset({*SCHEDULE, MessageKind.DATES_HELD})


class Moved(StrEnum):
    """What moved a message from the time that its rule names."""

    WEEKDAY = "weekday"
    QUIET = "quiet"
    ENOUGH = "enough"


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that is said, and what was known of its owner then."""

    facts: OwnerFacts
    item: OwedItem


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail and what it says; more than one thing where they were due within the hour."""

    at: datetime
    said: tuple[Saying, ...]


@dataclass(frozen=True, slots=True)
class Unsaid:
    """What would have gone out then, and why it does not."""

    at: datetime
    saying: Saying
    why: str


@dataclass(frozen=True, slots=True)
class Before:
    """What one patient has been sent so far: which keys are settled, and the dates of the latest, the newest first."""

    settled: frozenset[Key] = frozenset()
    sent_on: tuple[date, ...] = ()


def foresee(
    owners: Sequence[Ahead], *, begins_at: datetime, most_a_day: int, until: datetime | None = None,
    before: Before | None = None
) -> tuple[Mail, ...]:
    """Every e-mail to the patient of these owners from `begins_at` on, in order; with no end named, to the last."""
    return tuple(_mails(_Post(owners, before or Before(), most_a_day), begins_at, until))


def unsaid(
    owners: Sequence[Ahead], mails: Sequence[Mail], *, begins_at: datetime, most_a_day: int
) -> tuple[Unsaid, ...]:
    """What these mails leave out: what is switched off, what gave way, and what the day's limit held back too long."""
    free = [Ahead(tuple((at, replace(facts, rules=_without_limits(facts.rules))) for at, facts in each.stages))
            for each in owners]
    said = {saying.item.key for mail in mails for saying in mail.said}
    by_owner = {each.stages[0][1].owner: each for each in owners}
    found = []
    for mail in foresee(free, begins_at=begins_at, most_a_day=_NO_LIMIT):
        for saying in mail.said:
            if saying.item.key not in said:
                facts = by_owner[saying.facts.owner].at(mail.at)
                found.append(Unsaid(mail.at, saying, _why_unsaid(facts, saying.item, mails, mail.at, most_a_day)))
    return tuple(found)


def moved_by(saying: Saying, now: datetime) -> tuple[Moved, ...]:
    """What kept the thing said from the time that its rule names."""
    facts, item = saying.facts, saying.item
    any_day = MessageRules(MappingProxyType(
        {kind: replace(facts.rules.of(kind), weekdays=EVERY_DAY) for kind in MessageKind}))
    others = {
        Moved.WEEKDAY: replace(facts, rules=any_day),
        Moved.QUIET: replace(facts, quiet=QuietHours(0, 0, facts.quiet.zone)),
        Moved.ENOUGH: replace(facts, full_on=None),
    }
    return tuple(moved for moved, other in others.items() if _due_of(other, item.key, now) != item.due_at)


class _Post:
    """What one patient knows and still waits for, as it changes with what is sent."""

    def __init__(self, owners: Sequence[Ahead], before: Before, most_a_day: int) -> None:
        self.owners = owners
        self.settled = set(before.settled)
        self._sent_on = list(before.sent_on)
        self._most_a_day = most_a_day
        self._told: dict[Owner, dict[int, Told]] = {}
        self._prepared: set[tuple[int, date]] = set()
        self._heard_of_held: set[Owner] = set()
        self._owed: dict[Owner, tuple[OwnerFacts, list[Saying]]] = {}

    def waiting(self, now: datetime) -> list[Saying]:
        """What is owed and was not said yet, the most urgent and then the longest due first."""
        full_on = day_that_is_full(self._sent_on, self._most_a_day)
        found = [each for owner in self.owners for each in self._waiting_of(owner.at(now), full_on, now)]
        return sorted(found, key=lambda each: (priority_of([each.item.kind]), each.item.due_at, each.item.key))

    def send(self, said: Sequence[Saying], now: datetime) -> Mail:
        """Sends these things in one e-mail: the patient knows them now."""
        for each in said:
            self.settled.add(each.item.key)
            self._hear(each)
        self._sent_on.insert(0, day_of(now, said[0].facts.quiet.zone))
        return Mail(now, tuple(sorted(said, key=lambda each: each.item.kind not in SCHEDULE)))

    def _waiting_of(self, stage: OwnerFacts, full_on: date | None, now: datetime) -> list[Saying]:
        """The answer of the last turn where it cannot have changed since: most of the time nothing has."""
        known, sayings = self._owed.get(stage.owner, (None, []))
        facts = replace(self._as_heard(stage), full_on=full_on)
        sayings = [each for each in sayings if self._is_open(each.item, now)]
        if facts != known or any(_may_change(each.item, now) for each in sayings):
            sayings = [Saying(facts, item) for item in messages_owed(facts, now=now) if self._is_open(item, now)]
        self._owed[stage.owner] = facts, sayings
        return sayings

    def _is_open(self, item: OwedItem, now: datetime) -> bool:
        return item.withheld is None and item.key not in self.settled and item.useless_after >= now

    def _as_heard(self, facts: OwnerFacts) -> OwnerFacts:
        told = {each.appointment_id: each for each in facts.told} | self._told.get(facts.owner, {})
        return replace(facts, told=tuple(told.values()), told_precare=facts.told_precare | self._prepared,
                       told_held=facts.told_held or facts.owner in self._heard_of_held)

    def _hear(self, saying: Saying) -> None:
        facts, item = saying.facts, saying.item
        if item.kind is MessageKind.DATES_HELD:
            self._heard_of_held.add(facts.owner)
        told = tuple(_told_by(facts, item))
        if item.kind is MessageKind.PRECARE:
            self._prepared |= {(each.treatment_session_id, each.local_start.date()) for each in told}
        elif item.kind in SCHEDULE:
            self._told.setdefault(facts.owner, {}).update({each.appointment_id: each for each in told})


def _mails(post: _Post, now: datetime, until: datetime | None) -> Iterator[Mail]:
    while until is None or now <= until:
        waiting = post.waiting(now)
        due = [each for each in waiting if each.item.due_at <= now]
        if due:
            yield post.send(_going_together(due[0], waiting, now), now)
            continue
        turns = [each.item.due_at for each in waiting]
        turns += [at for owner in post.owners if (at := owner.next_after(now)) is not None]
        if not turns:
            return
        now = min(turns)


def _may_change(item: OwedItem, now: datetime) -> bool:
    """Whether the passing of time alone may change it: dates begin and are no news then, quiet hours hold back."""
    return item.kind in _TOLD_UNTIL_THEN or item.due_at <= now


def _going_together(first: Saying, waiting: Iterable[Saying], now: datetime) -> list[Saying]:
    if is_quiet(now, first.facts.quiet) or not may_share([first.item.kind]):
        return [first]
    soon = sorted((each for each in waiting if each is not first and now < each.item.useless_after
                   and each.item.due_at <= now + SOON), key=lambda each: each.item.due_at)[:MOST]
    return [first, *(each for each in soon if may_go_now(each.item, now) and may_share([each.item.kind]))]


def _told_by(facts: OwnerFacts, item: OwedItem) -> Iterator[Told]:
    """What the patient knows of each appointment once the item has been read."""
    by_id: Mapping[int, AppointmentFacts] = {each.id: each for each in facts.appointments}
    for visit in item.visits:
        for ident in visit.withdrawn:
            if ident in by_id:
                yield _told(by_id[ident], cancelled=True)
        if visit.change is not VisitChange.CANCELLED and visit.appointment_id in by_id:
            yield _told(by_id[visit.appointment_id], cancelled=False)


def _told(each: AppointmentFacts, *, cancelled: bool) -> Told:
    return Told(each.id, each.treatment_session_id, each.clinic_id, each.revision, each.local_start, each.fold,
                each.zone, cancelled)


def _without_limits(rules: MessageRules) -> MessageRules:
    return MessageRules(MappingProxyType(
        {kind: replace(rules.of(kind), is_on=True, gives_way=frozenset()) for kind in MessageKind}))


def _why_unsaid(
    facts: OwnerFacts, item: OwedItem, mails: Sequence[Mail], at: datetime, most_a_day: int
) -> str:
    days = [day_of(mail.at, facts.quiet.zone) for mail in reversed(mails) if mail.at <= at]
    full = replace(facts, full_on=day_that_is_full(days, most_a_day))
    held = [each.withheld for each in messages_owed(full, now=at) if each.key == item.key]
    return next((why for why in held if why), why_no_longer(facts, *item.key))


def _due_of(facts: OwnerFacts, key: Key, now: datetime) -> datetime | None:
    return next((each.due_at for each in messages_owed(facts, now=now) if each.key == key), None)
