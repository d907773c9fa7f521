"""When practitioners work, as their rotas and the dates with hours of their own say it."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.rotas import DaySpan, RotaWeeks, Timetable, WeekSpan
from clinic.store.expressions import names_clinic
from clinic.store.resources import Rota, RotaDay, RotaSpan


def timetables(
    db: Session, practitioner_ids: Collection[int], *, from_on: date | None = None
) -> Mapping[int, Timetable]:
    """The timetable of each of these practitioners, in two statements; of single dates those from a date on."""
    rotas: defaultdict[int, dict[int, tuple[Any, list[WeekSpan]]]] = defaultdict(dict)
    rows = db.execute(
        sa.select(Rota, RotaSpan).outerjoin(RotaSpan, RotaSpan.rota_id == Rota.id)
        .where(Rota.practitioner_id.in_(practitioner_ids))
        .order_by(Rota.starts_on, RotaSpan.week, RotaSpan.weekday, RotaSpan.opens, RotaSpan.id))
    for rota, span in rows:
        spans = rotas[rota.practitioner_id].setdefault(rota.id, (rota, []))[1]
        if span is not None:
            spans.append(week_span(span))
    days = _days(db, practitioner_ids, from_on)
    return {
        ident: Timetable(tuple(_weeks(*each) for each in rotas[ident].values()), days[ident])
        for ident in practitioner_ids}


def who_works_at(clinic_id: int) -> sa.CompoundSelect[Any]:
    """The ids of those whom a rota or a date of its own puts at work at a clinic, whenever."""
    return (
        sa.select(Rota.practitioner_id).join(RotaSpan, RotaSpan.rota_id == Rota.id)
        .where(RotaSpan.clinic_id == clinic_id)
        .union_all(sa.select(RotaDay.practitioner_id).where(
            names_clinic(RotaDay.spans, sa.bindparam("clinic", clinic_id, sa.Integer, unique=True)))))


def week_span(row: RotaSpan) -> WeekSpan:
    """A row of a rota as a value."""
    return WeekSpan(row.week, row.weekday, DaySpan(row.opens, row.closes, row.clinic_id, row.break_minutes))


def day_spans(stored: Iterable[Iterable[Any]]) -> tuple[DaySpan, ...]:
    """What the row of a date keeps, as values."""
    return tuple(DaySpan(*each) for each in stored)


def _weeks(rota: Rota, spans: list[WeekSpan]) -> RotaWeeks:
    return RotaWeeks(rota.starts_on, tuple(spans), rota.weeks, rota.ends_on)


def _days(
    db: Session, practitioner_ids: Collection[int], from_on: date | None
) -> Mapping[int, dict[date, tuple[DaySpan, ...]]]:
    wanted = sa.select(RotaDay).where(RotaDay.practitioner_id.in_(practitioner_ids)).order_by(RotaDay.on_date)
    if from_on is not None:
        wanted = wanted.where(RotaDay.on_date >= from_on)
    days: defaultdict[int, dict[date, tuple[DaySpan, ...]]] = defaultdict(dict)
    for row in db.scalars(wanted):
        days[row.practitioner_id][row.on_date] = day_spans(row.spans)
    return days
