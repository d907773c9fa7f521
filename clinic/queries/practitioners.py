"""Practitioners as the set-up shows them: what they may treat, when they work, which papers run out."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.certificates import Paper, PaperStanding, Standing, warnings
from clinic.care.parts import QUALIFICATIONS
from clinic.care.rotas import DaySpan, RotaWeeks, Timetable
from clinic.queries.timetables import timetables
from clinic.store.clinics import Clinic
from clinic.store.resources import Certificate, Practitioner, Qualification, Rota, RotaDay

PAGE = 40


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A qualification of a practitioner."""

    code: str
    valid_from: date
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class CertificateLine:
    """A certificate of a practitioner."""

    kind: str
    title: str
    valid_from: date
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A practitioner with everything that their form edits; `warnings` are of papers, the most urgent first."""

    id: int
    name: str
    active: bool
    lock_version: int
    held: tuple[HeldLine, ...]
    certificates: tuple[CertificateLine, ...]
    warnings: tuple[PaperStanding, ...]

    def codes_on(self, day: date) -> tuple[str, ...]:
        """What the practitioner may treat on a date, in the order of the list."""
        valid = {each.code for each in self.held
                 if each.valid_from <= day and (each.expires_on is None or each.expires_on >= day)}
        return tuple(code for code in QUALIFICATIONS if code in valid)


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A practitioner in the list, with the rota that holds today, or the next one."""

    card: PersonCard
    rota: RotaWeeks | None


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of the list."""

    rows: tuple[PersonRow, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there is another page."""
        return self.number * PAGE < self.total


@dataclass(frozen=True, slots=True)
class RotaLine:
    """A rota of a practitioner with its id; `holds` says whether it is the one that holds today."""

    id: int
    rota: RotaWeeks
    holds: bool


@dataclass(frozen=True, slots=True)
class DayLine:
    """A date with hours of its own."""

    on_date: date
    spans: tuple[DaySpan, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One practitioner, with the rotas that are not over and the coming dates that have hours of their own."""

    card: PersonCard
    rotas: tuple[RotaLine, ...]
    days: tuple[DayLine, ...]


def people_page(db: Session, *, today: date, in_use: bool = True, number: int = 1) -> PeoplePage:
    """A page of practitioners by name, in six statements at most, however many there are."""
    table = Practitioner.__table__
    total = db.scalar(sa.select(sa.func.count()).select_from(table).where(table.c.active == in_use)) or 0
    number = max(1, min(number, -(-total // PAGE)))
    ids = list(db.scalars(
        sa.select(table.c.id).where(table.c.active == in_use).order_by(sa.func.lower(table.c.name), table.c.id)
        .limit(PAGE).offset((number - 1) * PAGE)))
    if not ids:
        return PeoplePage((), total, number)
    cards, times = person_cards(db, ids, today=today), timetables(db, ids, from_on=today)
    return PeoplePage(
        tuple(PersonRow(cards[ident], rota_for(times[ident], today)) for ident in ids), total, number)


def person_page(db: Session, practitioner_id: int, *, today: date) -> PersonPage | None:
    """One practitioner; none where there is nobody with that id."""
    card = person_cards(db, [practitioner_id], today=today).get(practitioner_id)
    if card is None:
        return None
    known = timetables(db, [practitioner_id], from_on=today)[practitioner_id]
    ids = {starts_on: ident for ident, starts_on in db.execute(
        sa.select(Rota.id, Rota.starts_on).where(Rota.practitioner_id == practitioner_id))}
    now = holding(known, today)
    rotas = tuple(
        RotaLine(ids[each.starts_on], each, each is now) for each in known.rotas
        if each is now or each.starts_on > today)
    reasons: dict[date, str] = dict(db.execute(
        sa.select(RotaDay.on_date, RotaDay.reason).where(
            RotaDay.practitioner_id == practitioner_id, RotaDay.on_date >= today)).all())
    days = tuple(DayLine(on, spans, reasons.get(on, "")) for on, spans in sorted(known.days.items()))
    return PersonPage(card, rotas, days)


def person_cards(db: Session, ids: Collection[int], *, today: date) -> Mapping[int, PersonCard]:
    """These practitioners by their ids, in three statements."""
    table = Practitioner.__table__
    held: defaultdict[int, list[HeldLine]] = defaultdict(list)
    for row in db.scalars(sa.select(Qualification).where(Qualification.practitioner_id.in_(ids)).order_by(
            Qualification.code, Qualification.valid_from)):
        held[row.practitioner_id].append(HeldLine(row.code, row.valid_from, row.expires_on))
    papers: defaultdict[int, list[CertificateLine]] = defaultdict(list)
    for each in db.scalars(sa.select(Certificate).where(Certificate.practitioner_id.in_(ids)).order_by(
            Certificate.kind, Certificate.title, Certificate.valid_from, Certificate.id)):
        papers[each.practitioner_id].append(
            CertificateLine(each.kind, each.title, each.valid_from, each.expires_on))
    people = db.execute(sa.select(table.c.id, table.c.name, table.c.active, table.c.lock_version)
                        .where(table.c.id.in_(ids)))
    return {
        ident: PersonCard(ident, name, active, version, tuple(held[ident]), tuple(papers[ident]),
                          warnings(_papers(held[ident], papers[ident]), today))
        for ident, name, active, version in people}


def papers_to_look_after(db: Session, *, today: date) -> Mapping[Standing, int]:
    """How many papers of practitioners in use have lapsed or lapse soon, by how they stand; in one statement."""
    held, paper, person = Qualification.__table__, Certificate.__table__, Practitioner.__table__
    rows = db.execute(sa.union_all(
        sa.select(held.c.practitioner_id, sa.literal("held"), held.c.code, held.c.valid_from, held.c.expires_on)
        .join(person, person.c.id == held.c.practitioner_id).where(person.c.active),
        sa.select(paper.c.practitioner_id, paper.c.kind, paper.c.title, paper.c.valid_from, paper.c.expires_on)
        .join(person, person.c.id == paper.c.practitioner_id).where(person.c.active)))
    counts: defaultdict[Standing, int] = defaultdict(int)
    found = [Paper(f"{who}/{kind}/{about}", valid_from, expires_on)
             for who, kind, about, valid_from, expires_on in rows]
    for each in warnings(found, today):
        counts[each.standing] += 1
    return counts


def clinic_choices(db: Session) -> tuple[tuple[int, str, str], ...]:
    """Every clinic's id, name and zone, by its name."""
    rows = db.execute(sa.select(Clinic.id, Clinic.name, Clinic.zone).order_by(Clinic.name, Clinic.id))
    return tuple((ident, name, where) for ident, name, where in rows)


def practitioner_choices(db: Session) -> tuple[tuple[int, str], ...]:
    """Id and name of every practitioner in use, by name."""
    table = Practitioner.__table__
    rows = db.execute(sa.select(table.c.id, table.c.name).where(table.c.active).order_by(
        sa.func.lower(table.c.name), table.c.id))
    return tuple((ident, name) for ident, name in rows)


def holding(known: Timetable, today: date) -> RotaWeeks | None:
    """The rota that holds on a date, if one does."""
    begun = [rota for rota in known.rotas if rota.starts_on <= today]
    newest = max(begun, key=lambda rota: rota.starts_on, default=None)
    return newest if newest and (newest.ends_on is None or newest.ends_on >= today) else None


def rota_for(known: Timetable, today: date) -> RotaWeeks | None:
    """The rota that holds on a date, else the next to begin."""
    coming = [rota for rota in known.rotas if rota.starts_on > today]
    return holding(known, today) or min(coming, key=lambda rota: rota.starts_on, default=None)


def _papers(held: Sequence[HeldLine], papers: Sequence[CertificateLine]) -> list[Paper]:
    return [
        *(Paper(QUALIFICATIONS.get(each.code, each.code), each.valid_from, each.expires_on) for each in held),
        *(Paper(each.title, each.valid_from, each.expires_on) for each in papers)]
