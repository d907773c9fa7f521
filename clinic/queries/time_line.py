"""The time line of a patient or a course, in two statements however long it is."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.protocols import Protocol
from clinic.care.time_line import AHEAD, BEHIND, SHOWN, Entry, Source, Stretch, Theme, TimeLine, end_of, laid_out
from clinic.queries.protocol_contents import contents_of
from clinic.queries.time_line_arms import Arm, Whose, arms
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.outbox import MessageItem
from clinic.store.types import Instant


def time_line_of_patient(
    db: Session, patient_id: int, *, clinic_ids: Sequence[int], theme: Theme | None, stretch: Stretch, now: datetime,
    with_notes: bool,
) -> TimeLine:
    """What happened to a patient at these clinics and is to come; clinical notes only for those who may see them."""
    return _read(db, Whose.PATIENT, theme, stretch, now, with_notes,
                 {"patient_id": patient_id, "clinic_ids": list(clinic_ids)})


def time_line_of_course(
    db: Session, course_id: int, patient_id: int, *, theme: Theme | None, stretch: Stretch, now: datetime,
) -> TimeLine:
    """What happened to a course and the upkeep that follows it, and is to come."""
    return _read(db, Whose.COURSE, theme, stretch, now, False, {"course_id": course_id, "patient_id": patient_id})


def _read(
    db: Session, whose: Whose, theme: Theme | None, stretch: Stretch, now: datetime, with_notes: bool,
    named: Mapping[str, Any],
) -> TimeLine:
    today = end_of(now)
    if stretch.later is not None and stretch.later < today:
        stretch = Stretch()
    before, after = stretch.older or today, stretch.later or today
    statement = _statement(whose, theme, with_notes, stretch.older is not None, stretch.later is not None)
    if statement is None:
        return laid_out((), stretch, now=now)
    rows = db.execute(statement, {
        **named, **{f"before_{name}": getattr(before, name) for name in ("at", "source", "id")},
        **{f"after_{name}": getattr(after, name) for name in ("at", "source", "id")}}).all()
    found = laid_out(map(_entry, rows), stretch, now=now)
    return _told(db, found)


@cache
def _statement(whose: Whose, theme: Theme | None, with_notes: bool, is_older: bool, is_later: bool) -> Any:
    """All that is asked of the database, put together once; none where nothing of the theme is ever to come."""
    wanted: list[sa.Select[Any]] = []
    for arm in arms(whose, theme, with_notes=with_notes):
        if not is_later:
            wanted.append(_bounded(arm, _is_before(arm), arm.at.desc(), arm.id.desc(),
                                   most=SHOWN if is_older else BEHIND))
        if arm.has_future and not is_older:
            wanted.append(_bounded(arm, _is_after(arm), arm.at, arm.id, most=SHOWN if is_later else AHEAD))
    return sa.union_all(*wanted) if wanted else None


def _bounded(arm: Arm, which: sa.ColumnElement[bool], *order: sa.SQLColumnExpression[Any], most: int) -> sa.Select[Any]:
    return sa.select(arm.select.where(which).order_by(*order).limit(most + 1).subquery())


def _is_before(arm: Arm) -> sa.ColumnElement[bool]:
    at, source, ident = _place("before")
    return sa.or_(arm.at < at, sa.and_(arm.at == at, sa.or_(
        source > int(arm.source), sa.and_(source == int(arm.source), arm.id < ident))))


def _is_after(arm: Arm) -> sa.ColumnElement[bool]:
    at, source, ident = _place("after")
    return sa.or_(arm.at > at, sa.and_(arm.at == at, sa.or_(
        source < int(arm.source), sa.and_(source == int(arm.source), arm.id > ident))))


def _place(name: str) -> tuple[sa.BindParameter[Any], ...]:
    return (sa.bindparam(f"{name}_at", type_=Instant()), sa.bindparam(f"{name}_source", type_=sa.Integer),
            sa.bindparam(f"{name}_id", type_=sa.Integer))


def _entry(row: Any) -> Entry:
    facts = row.facts or {}
    said = tuple(str(each["text"]) for each in row.found or ())
    return Entry(
        row.at, Source(row.source), row.id, row.what, row.why or "", row.who or "", row.by or "", row.number,
        row.upkeep_id is not None, row.about or "", row.words or "", row.local_start, row.then, row.ref, facts, said)


def _told(db: Session, found: TimeLine) -> TimeLine:
    """The entries with what only other rows say of them: the kinds of messages, the titles of contraindications."""
    items = _items(db, [each.id for each in found.entries if each.source is Source.MESSAGE])
    versions = {each.ref for each in found.entries
                if each.source in (Source.SCREENING, Source.OVERRIDE) and each.ref is not None}
    protocols = contents_of(db, versions)

    def told(entry: Entry) -> Entry:
        if entry.source is Source.MESSAGE:
            kinds, number, is_upkeep = items.get(entry.id, ((), None, False))
            return replace(entry, said=kinds, number=number, is_upkeep=is_upkeep)
        if entry.source is Source.SCREENING:
            return replace(entry, said=(*_answers(entry, protocols), *entry.said))
        if entry.source is Source.OVERRIDE:
            return replace(entry, said=(_passed(entry, protocols),))
        return entry

    return replace(found, ahead=tuple(map(told, found.ahead)), behind=tuple(map(told, found.behind)))


def _items(db: Session, message_ids: Sequence[int]) -> Mapping[int, tuple[tuple[str, ...], int | None, bool]]:
    """The kinds of what each message says, and the session that it is about where it is about one alone."""
    rows = db.execute(
        sa.select(MessageItem.message_id, MessageItem.kind, TreatmentSession.number,
                  TreatmentSession.maintenance_plan_id.label("plan_id"))
        .outerjoin(Appointment, sa.and_(MessageItem.subject_kind == "appointment",
                                        Appointment.id == MessageItem.subject_id))
        .outerjoin(TreatmentSession, TreatmentSession.id == sa.case(
            (MessageItem.subject_kind == "treatment-session", MessageItem.subject_id),
            else_=Appointment.treatment_session_id))
        .where(MessageItem.message_id.in_(message_ids)).order_by(MessageItem.id)).all()
    kinds: dict[int, dict[str, None]] = {}
    about: dict[int, set[tuple[int | None, bool]]] = {}
    for row in rows:
        kinds.setdefault(row.message_id, {})[row.kind] = None
        about.setdefault(row.message_id, set()).add((row.number, row.plan_id is not None))
    return {ident: (tuple(said), *(min(about[ident]) if len(about[ident]) == 1 else (None, False)))
            for ident, said in kinds.items()}


def _titles(entry: Entry, protocols: Mapping[int, Protocol]) -> Mapping[str, str]:
    protocol = protocols.get(entry.ref or 0)
    return {each.code: each.title for each in protocol.contraindications} if protocol else {}


def _answers(entry: Entry, protocols: Mapping[int, Protocol]) -> list[str]:
    titles = _titles(entry, protocols)
    applies = [titles.get(code, code) for code in entry.facts.get("applies", {})]
    cleared = [f"{titles.get(code, code)}: over" for code in entry.facts.get("cleared", {})]
    return [*applies, *cleared]


def _passed(entry: Entry, protocols: Mapping[int, Protocol]) -> str:
    return str(entry.facts.get("finding") or _titles(entry, protocols).get(entry.what, entry.what))
