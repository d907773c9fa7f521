"""The coming days of a clinic: how many messages would go out under the rules as kept, and under others."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from clinic.care.ahead import Ahead, Ending, as_booked
from clinic.care.foreseen import Mail, foresee
from clinic.care.message_kinds import MessageKind
from clinic.care.message_rules import MessageRules, rules_from
from clinic.planning.local import DAY, day_of, instant, zone
from clinic.queries.clinic_owners import KnownOwner, KnownPatient, clinic_owners
from clinic.queries.message_rules import Documents, rule_documents

DAYS = 30


@dataclass(frozen=True, slots=True)
class OtherRules:
    """Rules that are not kept: the documents of the whole clinic, or of the one protocol named; and the day's limit."""

    documents: Documents
    protocol_id: int | None
    most_a_day: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many now, and how many under the other rules."""

    kept: int = 0
    other: int = 0

    @property
    def difference(self) -> int:
        """How many more; below zero: fewer."""
        return self.other - self.kept


@dataclass(frozen=True, slots=True)
class ComingDays:
    """E-mails by day, each day of the span once, and what they say by kind; `changed` is for how many patients anything
    would differ. Not all are looked at where there are too many."""

    by_day: tuple[tuple[date, Numbers], ...]
    by_kind: tuple[tuple[MessageKind, Numbers], ...]
    patients: int
    changed: int
    is_all: bool

    @property
    def total(self) -> Numbers:
        """E-mails in all."""
        return Numbers(sum(each.kept for _, each in self.by_day), sum(each.other for _, each in self.by_day))


def coming_days(
    db: Session, clinic_id: int, other: OtherRules | None, *, most_a_day: int, where: str, now: datetime
) -> ComingDays:
    """The next 30 days, today the first: what is booked takes place, nothing new is booked, and mail gets through.

    Without other rules both numbers are of those that are kept.
    """
    first_on = day_of(now, zone(where))
    until = instant(first_on + DAYS * DAY, 0, zone(where))
    known = clinic_owners(db, clinic_id, now=now, until=until)
    kept = _Count(first_on, where)
    typed, changed = (kept, 0) if other is None else (_Count(first_on, where), 0)
    under = _Under(db, clinic_id, other) if other else None
    for patient in known.patients:
        ahead = [_ahead(owner, now=now, until=until) for owner in patient.owners]
        mails = _mails(ahead, patient, most_a_day, now=now, until=until)
        kept.add(mails)
        if other is not None and under is not None:
            found = mails
            if most_a_day != other.most_a_day or any(map(under.differs, patient.owners)):
                others = [each.under(under.rules_of(owner)) for each, owner in zip(ahead, patient.owners, strict=True)]
                found = _mails(others, patient, other.most_a_day, now=now, until=until)
            typed.add(found)
            changed += _told(mails) != _told(found)
    return ComingDays(
        tuple((on, Numbers(kept.days[on], typed.days[on])) for on in (first_on + n * DAY for n in range(DAYS))),
        tuple((kind, Numbers(kept.kinds[kind], typed.kinds[kind])) for kind in MessageKind
              if kept.kinds[kind] or typed.kinds[kind]),
        len(known.patients), changed, known.is_all)


class _Count:
    """What goes out, counted."""

    def __init__(self, first_on: date, where: str) -> None:
        self.days: Counter[date] = Counter()
        self.kinds: Counter[MessageKind] = Counter()
        self._where = zone(where)

    def add(self, mails: Iterable[Mail]) -> None:
        for mail in mails:
            self.days[day_of(mail.at, self._where)] += 1
            self.kinds.update(saying.item.kind for saying in mail.said)


class _Under:
    """The other rules, by protocol."""

    def __init__(self, db: Session, clinic_id: int, other: OtherRules) -> None:
        self._db, self._clinic_id, self._other = db, clinic_id, other
        self._found: dict[int | None, MessageRules] = {}

    def differs(self, owner: KnownOwner) -> bool:
        return self.rules_of(owner) != owner.head.rules

    def rules_of(self, owner: KnownOwner) -> MessageRules:
        ident = owner.protocol_id
        if ident not in self._found:
            self._found[ident] = rules_from(*self._levels(ident))
        return self._found[ident]

    def _levels(self, ident: int | None) -> Iterator[Mapping[str, Mapping[str, Any]]]:
        for level in dict.fromkeys((None, ident)):
            kept = rule_documents(self._db, self._clinic_id, level)
            yield self._other.documents if level == self._other.protocol_id else kept


def _ahead(owner: KnownOwner, *, now: datetime, until: datetime) -> Ahead:
    protocol = owner.head.followed
    ending = Ending(protocol.assessment.after_days, owner.head.may_ask_opinion) if protocol else None
    return as_booked(owner.facts, owner.ends, ending, now=now, until=until)


def _mails(
    ahead: Sequence[Ahead], patient: KnownPatient, most_a_day: int, *, now: datetime, until: datetime
) -> tuple[Mail, ...]:
    found = foresee(ahead, begins_at=now, until=until, most_a_day=most_a_day, before=patient.before)
    return tuple(mail for mail in found if mail.at < until)


def _told(mails: Iterable[Mail]) -> list[tuple[datetime, list[MessageKind]]]:
    return [(mail.at, [saying.item.kind for saying in mail.said]) for mail in mails]
