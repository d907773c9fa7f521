"""Practitioners: added, changed, put out of use; with what they are qualified for and the papers that run out."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from clinic.care.certificates import CERTIFICATE_KINDS
from clinic.care.parts import QUALIFICATIONS
from clinic.care.rotas import RotaWeeks, judge_rota
from clinic.planning.findings import Finding, Weight
from clinic.services.rotas import put_rota
from clinic.services.work import Done, Refused, UnitOfWork, check_version, record
from clinic.store.resources import Certificate, Practitioner, Qualification

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Held:
    """A qualification that a practitioner holds from one date on; `expires_on` is its last date (none: no end)."""

    code: str
    valid_from: date
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class CertificateDetails:
    """A paper that runs out: a registration, an insurance, a training."""

    kind: str
    title: str
    valid_from: date
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class PractitionerDetails:
    """Who treats, what they may treat, and their papers."""

    name: str
    qualifications: tuple[Held, ...] = ()
    certificates: tuple[CertificateDetails, ...] = ()


def add_practitioner(
    work: UnitOfWork, details: PractitionerDetails, *, rota: RotaWeeks | None = None
) -> Done[int] | Refused:
    """Adds a practitioner, with a first rota where there is one, so that they can be booked at once."""
    findings = (*judge_practitioner(work, details), *(judge_rota(rota) if rota is not None else ()))
    if findings:
        return Refused(findings)
    person = put_practitioner(work, details)
    if rota is not None:
        put_rota(work, person.id, rota)
    work.commit()
    return Done(person.id)


def edit_practitioner(
    work: UnitOfWork, practitioner_id: int, details: PractitionerDetails, *, lock_version: int
) -> Done[int] | Refused:
    """Makes a practitioner what the details say, qualifications and certificates too."""
    person = work.db.get_one(Practitioner, practitioner_id, with_for_update=True)
    check_version("practitioner", person, lock_version)
    findings = judge_practitioner(work, details, except_id=practitioner_id)
    if findings:
        return Refused(findings)
    person.name = details.name.strip()
    _keep_qualifications(work, practitioner_id, details.qualifications)
    _keep_certificates(work, practitioner_id, details.certificates)
    record(work, "practitioner-changed", "practitioner", practitioner_id)
    work.commit()
    return Done(practitioner_id)


def put_in_use(work: UnitOfWork, practitioner_id: int, is_in_use: bool, *, lock_version: int) -> Done[int]:
    """Offers a practitioner for new appointments, or no longer; what is booked stays booked."""
    person = work.db.get_one(Practitioner, practitioner_id, with_for_update=True)
    check_version("practitioner", person, lock_version)
    person.active = is_in_use
    record(work, "practitioner-in-use" if is_in_use else "practitioner-out-of-use", "practitioner", practitioner_id)
    work.commit()
    return Done(practitioner_id)


def put_practitioner(work: UnitOfWork, details: PractitionerDetails) -> Practitioner:
    """Adds a practitioner whose details were judged, as part of a unit of work that goes on."""
    person = Practitioner(name=details.name.strip())
    work.db.add(person)
    work.db.flush()
    _keep_qualifications(work, person.id, details.qualifications)
    _keep_certificates(work, person.id, details.certificates)
    record(work, "practitioner-added", "practitioner", person.id)
    return person


def judge_practitioner(
    work: UnitOfWork, details: PractitionerDetails, *, except_id: int | None = None
) -> tuple[Finding, ...]:
    """What is wrong with the details of a practitioner."""
    name = details.name.strip()
    found = list(_judge_name(name))
    table = Practitioner.__table__
    other = work.db.scalar(sa.select(table.c.id).where(
        table.c.active, sa.func.lower(table.c.name) == name.lower(), table.c.id != (except_id or 0)).limit(1))
    if name and other is not None:
        found.append(_wrong("twice", f"There is a practitioner {name} already. Add something that tells them apart.",
                            "name"))
    found += _judge_qualifications(details.qualifications)
    found += _judge_certificates(details.certificates)
    return tuple(found)


def _judge_name(name: str) -> Iterator[Finding]:
    if not name:
        yield _wrong("missing", "Enter the practitioner's name.", "name")
    if len(name) > LONGEST_NAME:
        yield _wrong("name", f"The name may have at most {LONGEST_NAME} characters.", "name")


def _judge_qualifications(held: Iterable[Held]) -> Iterator[Finding]:
    seen = set()
    for each in held:
        words = QUALIFICATIONS.get(each.code)
        if words is None:
            yield _wrong("unknown-qualification", f"There is no qualification {each.code}.", None)
        elif each.expires_on is not None and each.expires_on < each.valid_from:
            yield _wrong("span", f"{words}: the last day lies before the first one.", f"held-{each.code}-0-until")
        elif (each.code, each.valid_from) in seen:
            yield _wrong("twice", f"{words} is there twice from {each.valid_from.isoformat()} on. Leave one out.",
                         f"held-{each.code}-0-from")
        seen.add((each.code, each.valid_from))


def _judge_certificates(papers: Iterable[CertificateDetails]) -> Iterator[Finding]:
    for number, each in enumerate(papers):
        if each.kind not in CERTIFICATE_KINDS:
            yield _wrong("kind", "Choose what kind of certificate it is.", f"paper-{number}-kind")
        if not each.title.strip():
            yield _wrong("missing", "Say which certificate it is, such as its register or insurer.",
                         f"paper-{number}-title")
        if each.expires_on is not None and each.expires_on < each.valid_from:
            yield _wrong("span", f"{each.title}: the last day lies before the first one.", f"paper-{number}-until")


def _keep_qualifications(work: UnitOfWork, practitioner_id: int, wanted: Iterable[Held]) -> None:
    """Rows that say the same stay, so that an audit of the table finds only what has changed."""
    kept = {(row.code, row.valid_from): row for row in work.db.scalars(
        sa.select(Qualification).where(Qualification.practitioner_id == practitioner_id))}
    for each in wanted:
        row = kept.pop((each.code, each.valid_from), None)
        if row is None:
            work.db.add(Qualification(practitioner_id=practitioner_id, code=each.code, valid_from=each.valid_from,
                                      expires_on=each.expires_on))
        else:
            row.expires_on = each.expires_on
    for row in kept.values():
        work.db.delete(row)
    work.db.flush()


def _keep_certificates(work: UnitOfWork, practitioner_id: int, wanted: Iterable[CertificateDetails]) -> None:
    rows = list(work.db.scalars(
        sa.select(Certificate).where(Certificate.practitioner_id == practitioner_id).order_by(Certificate.id)))
    for each in wanted:
        row = next((row for row in rows if (row.kind, row.title, row.valid_from) == (
            each.kind, each.title.strip(), each.valid_from)), None)
        if row is None:
            work.db.add(Certificate(practitioner_id=practitioner_id, kind=each.kind, title=each.title.strip(),
                                    valid_from=each.valid_from, expires_on=each.expires_on))
        else:
            row.expires_on = each.expires_on
            rows.remove(row)
    for row in rows:
        work.db.delete(row)
    work.db.flush()


def _wrong(code: str, words: str, place: str | None) -> Finding:
    return Finding(code, Weight.BLOCKS, words, place)
