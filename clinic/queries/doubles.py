"""Records that may be of one person: those like what is being typed, and all of the business.

Nothing is compared with everything. Two records meet where they share a key: the words of the name, the birth date
(also with day and month swapped), the e-mail address, or the end of the phone number. A key that very many share, such
as the clinic's own number, says nothing and is left out.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.likeness import Likeness, Person, likeness
from clinic.queries.folding import digits, folded
from clinic.store.resources import Patient

PAGE = 25
SHOWN = 5
MOST_OF_A_KEY = 40
_EACH = 40
_PHONE_KEY = 8
_P = Patient.__table__.c


@dataclass(frozen=True, slots=True)
class Record:
    """A patient as the desk tells them apart."""

    id: int
    given_name: str
    family_name: str
    birth_on: date | None
    email: str | None
    phone: str | None

    @property
    def name(self) -> str:
        """First name and family name."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Alike:
    """A record that may be of the person who is being typed."""

    record: Record
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class Double:
    """Two records that may be of one person; the older one first."""

    one: Record
    other: Record
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class DoublesPage:
    """A page of the likely doubles, the likeliest first."""

    rows: tuple[Double, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there is another page."""
        return self.number * PAGE < self.total


def person_of(given_name: str, family_name: str, birth_on: date | None, email: str | None, phone: str | None) -> Person:
    """What is compared of a record."""
    return Person(folded(given_name), folded(family_name), birth_on, folded(email or ""), digits(phone or ""))


def alike(db: Session, person: Person, *, but: int | None = None, limit: int = SHOWN) -> tuple[Alike, ...]:
    """The records most like this person, the likeliest first; one statement, and so many rows at most.

    Found by the beginnings of the names in either order, the birth date and the e-mail address.
    """
    if not (person.given and person.family):
        return ()
    rows = db.execute(sa.union(*(
        sa.select(found.subquery()) for found in _candidates(person, but)))).all()
    judged = ((row, likeness(person, person_of(*row[1:]))) for row in rows)
    likely = sorted((pair for pair in judged if pair[1].is_likely), key=lambda pair: (-pair[1].score, pair[0].id))
    return tuple(Alike(Record(*row), found) for row, found in likely[:limit])


def doubles(db: Session, *, number: int = 1) -> DoublesPage:
    """A page of all likely doubles, the likeliest first; in one statement."""
    columns = (_P.id, _P.given_name, _P.family_name, _P.birth_on, _P.email, _P.phone)
    rows = db.execute(sa.select(*columns).where(_P.merged_into_id.is_(None)).order_by(_P.id)).all()
    found = sorted(_pairs(rows), key=lambda each: (-each[2].score, each[0], each[1]))
    number = max(1, min(number, -(-len(found) // PAGE)))
    shown = found[(number - 1) * PAGE:number * PAGE]
    return DoublesPage(
        tuple(Double(Record(*rows[one]), Record(*rows[other]), judged) for one, other, judged in shown),
        len(found), number)


def _pairs(rows: Sequence[Any]) -> Iterator[tuple[int, int, Likeness]]:
    """The likely pairs, by their places among the rows."""
    people = [person_of(*row[1:]) for row in rows]
    sharing: dict[object, list[int]] = defaultdict(list)
    for place, person in enumerate(people):
        for key in _keys(person):
            sharing[key].append(place)
    met: set[tuple[int, int]] = set()
    for places in sharing.values():
        if 1 < len(places) <= MOST_OF_A_KEY:
            met.update(combinations(places, 2))
    for one, other in met:
        judged = likeness(people[one], people[other])
        if judged.is_likely:
            yield one, other, judged


def _keys(person: Person) -> Iterable[object]:
    yield tuple(sorted(f"{person.given} {person.family}".split()))
    if person.birth_on is not None:
        born = person.birth_on
        yield (born.year, *sorted((born.month, born.day)))
    if person.email:
        yield person.email
    if len(person.phone) >= _PHONE_KEY:
        yield person.phone[-_PHONE_KEY:]


def _candidates(person: Person, but: int | None) -> Iterator[sa.Select[Any]]:
    columns = (_P.id, _P.given_name, _P.family_name, _P.birth_on, _P.email, _P.phone)
    every = sa.select(*columns).where(_P.merged_into_id.is_(None))
    if but is not None:
        every = every.where(_P.id != but)
    first, last = person.given.split()[0], person.family.split()[0]
    for begin in (f" {person.family} {first[:1]}", f" {person.given} {last[:1]}", f" {last[:3]}"):
        # Those of exactly this name come first where the beginnings are too common for all of them.
        near = sa.case((_P.search_text.startswith(f" {person.family} {person.given} ", autoescape=True), 0), else_=1)
        chosen = every.where(_P.search_text.startswith(begin, autoescape=True)).order_by(near, _P.id)
        if begin == f" {last[:3]}":
            chosen = chosen.where(_P.search_text.contains(f" {first[:2]}", autoescape=True))
        yield chosen.limit(_EACH)
    if person.birth_on is not None:
        yield every.where(_P.birth_on == person.birth_on).order_by(_P.id).limit(_EACH)
    if person.email:
        yield every.where(_P.email.in_({person.email})).order_by(_P.id).limit(_EACH)
