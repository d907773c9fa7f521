"""Rotas: the weeks that a practitioner works, given and taken back; and single dates with hours of their own."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import sqlalchemy as sa

from clinic.care.rotas import DaySpan, RotaWeeks, Timetable, judge_day, judge_rota
from clinic.planning.findings import Finding, Weight
from clinic.queries.timetables import timetables
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, check_version, record
from clinic.store.clinics import Clinic
from clinic.store.resources import Practitioner, Rota, RotaDay, RotaSpan


def set_rota(
    work: UnitOfWork, practitioner_id: int, rota: RotaWeeks, *, rota_id: int | None = None,
    lock_version: int | None = None,
) -> Done[int] | Refused:
    """Gives a practitioner a rota from a date on, until it ends or another begins; or changes one that they have.

    `lock_version` is the practitioner's, as it was shown; none where nobody was shown anything.
    """
    _take(work, practitioner_id, lock_version)
    findings = (*judge_rota(rota), *_judge_clinics(work, [each.span for each in rota.spans]),
                *_judge_start(work, practitioner_id, rota, rota_id))
    if findings:
        return Refused(findings)
    if rota_id is not None:
        _remove(work, practitioner_id, rota_id)
    row = put_rota(work, practitioner_id, rota)
    work.commit()
    return Done(row.id)


def remove_rota(work: UnitOfWork, practitioner_id: int, rota_id: int, *, lock_version: int) -> Done[int]:
    """Takes a rota back; the one before it holds again."""
    _take(work, practitioner_id, lock_version)
    _remove(work, practitioner_id, rota_id)
    record(work, "rota-removed", "practitioner", practitioner_id, rota_id=rota_id)
    work.commit()
    return Done(practitioner_id)


def set_day(
    work: UnitOfWork, practitioner_id: int, on_date: date, spans: Sequence[DaySpan], *, reason: str,
    lock_version: int | None = None,
) -> Done[int] | Refused:
    """Gives a date hours of its own instead of those of the rota; without spans it is a day off."""
    _take(work, practitioner_id, lock_version)
    findings = (*judge_day(spans, name="This date", place="d0"), *_judge_clinics(work, spans))
    if findings:
        return Refused(findings)
    _put_day(work, practitioner_id, on_date, spans, reason)
    work.commit()
    return Done(practitioner_id)


def remove_day(work: UnitOfWork, practitioner_id: int, on_date: date, *, lock_version: int | None = None) -> Done[int]:
    """Takes the hours of a date back: those of the rota hold again."""
    _take(work, practitioner_id, lock_version)
    row = work.db.scalar(sa.select(RotaDay).where(
        RotaDay.practitioner_id == practitioner_id, RotaDay.on_date == on_date))
    if row is None:
        raise NotFound(f"hours of practitioner {practitioner_id} on {on_date}")
    work.db.delete(row)
    record(work, "rota-day-removed", "practitioner", practitioner_id, on=on_date.isoformat())
    work.commit()
    return Done(practitioner_id)


def swap(
    work: UnitOfWork, giver_id: int, taker_id: int, *, on_date: date, in_return_on: date | None, reason: str
) -> Done[int] | Refused:
    """One practitioner takes another's day and, where it is an exchange, gives one of their own in return."""
    for each in sorted({giver_id, taker_id}):
        _take(work, each, None)
    known = timetables(work.db, [giver_id, taker_id])
    found = swapped(known[giver_id], known[taker_id], on_date=on_date, in_return_on=in_return_on)
    if giver_id == taker_id:
        found = _same_person()
    if isinstance(found, Refused):
        return found
    for person, days in ((giver_id, found[0]), (taker_id, found[1])):
        for day, spans in days.items():
            _put_day(work, person, day, spans, reason)
    record(work, "days-swapped", "practitioner", giver_id, taker=taker_id, on=on_date.isoformat(),
           in_return=in_return_on.isoformat() if in_return_on else None)
    work.commit()
    return Done(giver_id)


Days = Mapping[date, tuple[DaySpan, ...]]


def swapped(
    giver: Timetable, taker: Timetable, *, on_date: date, in_return_on: date | None
) -> tuple[Days, Days] | Refused:
    """The hours of the giver's and of the taker's dates once they have swapped, or why they cannot."""
    given = giver.spans_on(on_date)
    returned = taker.spans_on(in_return_on) if in_return_on else ()
    findings = []
    if not given:
        findings.append(_wrong("no-hours", f"There are no hours to take over on {on_date.isoformat()}.", "on_date"))
    if in_return_on and not returned:
        findings.append(_wrong("no-hours", f"There are no hours to give in return on {in_return_on.isoformat()}.",
                               "in_return_on"))
    if findings:
        return Refused(tuple(findings))
    if in_return_on == on_date:
        return {on_date: returned}, {on_date: given}
    of_giver = {on_date: ()} | ({in_return_on: giver.spans_on(in_return_on) + returned} if in_return_on else {})
    of_taker = {on_date: taker.spans_on(on_date) + given} | ({in_return_on: ()} if in_return_on else {})
    for days in (of_giver, of_taker):
        for day, spans in days.items():
            findings += judge_day(spans, name=day.isoformat(), place="on_date" if day == on_date else "in_return_on")
    return Refused(tuple(findings)) if findings else (of_giver, of_taker)


def put_rota(work: UnitOfWork, practitioner_id: int, rota: RotaWeeks) -> Rota:
    """Adds a rota that was judged, as part of a unit of work that goes on."""
    row = Rota(practitioner_id=practitioner_id, starts_on=rota.starts_on, ends_on=rota.ends_on, weeks=rota.weeks)
    work.db.add(row)
    work.db.flush()
    work.db.add_all(
        RotaSpan(rota_id=row.id, week=each.week, weekday=each.weekday, opens=each.span.opens, closes=each.span.closes,
                 clinic_id=each.span.clinic_id, break_minutes=each.span.break_minutes)
        for each in rota.spans)
    record(work, "rota-set", "practitioner", practitioner_id, rota_id=row.id)
    return row


def _put_day(work: UnitOfWork, practitioner_id: int, on_date: date, spans: Sequence[DaySpan], reason: str) -> None:
    row = work.db.scalar(sa.select(RotaDay).where(
        RotaDay.practitioner_id == practitioner_id, RotaDay.on_date == on_date))
    if row is None:
        row = RotaDay(practitioner_id=practitioner_id, on_date=on_date)
        work.db.add(row)
    row.spans = [[span.opens, span.closes, span.clinic_id, span.break_minutes] for span in spans]
    row.reason = reason.strip()
    record(work, "rota-day-set", "practitioner", practitioner_id, on=on_date.isoformat())


def _take(work: UnitOfWork, practitioner_id: int, lock_version: int | None) -> None:
    """Locks a practitioner: who books them meanwhile waits, and reads the new hours."""
    person = work.db.get_one(Practitioner, practitioner_id, with_for_update=True)
    check_version("practitioner", person, person.lock_version if lock_version is None else lock_version)


def _remove(work: UnitOfWork, practitioner_id: int, rota_id: int) -> None:
    row = work.db.get(Rota, rota_id)
    if row is None or row.practitioner_id != practitioner_id:
        raise NotFound(f"rota {rota_id} of practitioner {practitioner_id}")
    work.db.execute(sa.delete(RotaSpan).where(RotaSpan.rota_id == rota_id))
    work.db.delete(row)
    work.db.flush()


def _judge_start(
    work: UnitOfWork, practitioner_id: int, rota: RotaWeeks, rota_id: int | None
) -> tuple[Finding, ...]:
    other = work.db.scalar(sa.select(Rota.id).where(
        Rota.practitioner_id == practitioner_id, Rota.starts_on == rota.starts_on, Rota.id != (rota_id or 0)))
    if other is None:
        return ()
    return (_wrong("same-start", "Another rota starts on this Monday. Change that one, or choose another Monday.",
                   "starts_on"),)


def _judge_clinics(work: UnitOfWork, spans: Sequence[DaySpan]) -> tuple[Finding, ...]:
    named = {span.clinic_id for span in spans if span.clinic_id is not None}
    unknown = named - set(work.db.scalars(sa.select(Clinic.id)))
    return tuple(_wrong("unknown-clinic", f"There is no clinic {each}.", None) for each in sorted(unknown))


def _same_person() -> Refused:
    return Refused((_wrong("same-person", "Choose another practitioner: nobody swaps with themselves.", "taker"),))


def _wrong(code: str, words: str, place: str | None) -> Finding:
    return Finding(code, Weight.BLOCKS, words, place)
