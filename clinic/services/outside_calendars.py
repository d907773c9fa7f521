"""Practitioners' outside calendars: their busy times kept as absences, replaced when read again, and taken back."""
from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from clinic.interchange.outside_calendar import MOST_SPANS, OutsideCalendar, Unreadable, read_calendar
from clinic.planning.findings import Finding, Weight
from clinic.queries.outside_calendars import CalendarFacts, calendar_facts
from clinic.services.work import Done, NotFound, Refused, UnitOfWork, record
from clinic.store.resources import Absence, Practitioner

REASON = "busy (outside calendar)"
"""Titles are not kept: what somebody does elsewhere is private."""
LONGEST_NAME = 60
MOST_CALENDARS = 5


def read_for(facts: CalendarFacts, data: bytes, *, now: datetime) -> OutsideCalendar | Refused:
    """The busy times that a file says, from now to the end of the diary; or why it cannot be taken."""
    found = read_calendar(data, zone=facts.zone, from_at=now, to_at=facts.until)
    if isinstance(found, Unreadable):
        return Refused((_wrong("unreadable", found.words, "file"),))
    return found


def import_calendar(work: UnitOfWork, practitioner_id: int, *, source: str, data: bytes) -> Done[int] | Refused:
    """Reads a file and keeps its busy times; answers how many they are."""
    facts = calendar_facts(work.db, practitioner_id, now=work.now)
    if facts is None:
        raise NotFound(f"practitioner {practitioner_id}")
    found = read_for(facts, data, now=work.now)
    if isinstance(found, Refused):
        return found
    spans = [(each.starts_at, each.ends_at) for each in found.spans]
    return keep_calendar(work, practitioner_id, source=source, spans=spans)


def keep_calendar(
    work: UnitOfWork, practitioner_id: int, *, source: str, spans: Sequence[tuple[datetime, datetime]]
) -> Done[int] | Refused:
    """Keeps these busy times as those of that calendar, instead of what was read of it before."""
    row = work.db.get(Practitioner, practitioner_id, with_for_update=True)
    facts = calendar_facts(work.db, practitioner_id, now=work.now)
    if row is None or facts is None:
        raise NotFound(f"practitioner {practitioner_id}")
    name = " ".join(unicodedata.normalize("NFC", source).split())
    findings = _judge(name, spans, facts, work.now)
    if findings:
        return Refused(findings)
    _forget(work, practitioner_id, name)
    if spans:
        work.db.execute(sa.insert(Absence), [
            {"resource_id": practitioner_id, "starts_at": starts, "ends_at": ends, "reason": REASON, "source": name}
            for starts, ends in spans])
    record(work, "calendar-read", "practitioner", practitioner_id, spans=len(spans))
    work.commit()
    return Done(len(spans))


def remove_calendar(work: UnitOfWork, practitioner_id: int, *, source: str) -> Done[int]:
    """Takes back everything that was read from a calendar; answers how much it was."""
    if work.db.get(Practitioner, practitioner_id, with_for_update=True) is None:
        raise NotFound(f"practitioner {practitioner_id}")
    count = _forget(work, practitioner_id, source)
    if count:
        record(work, "calendar-removed", "practitioner", practitioner_id, spans=count)
    work.commit()
    return Done(count)


def _forget(work: UnitOfWork, practitioner_id: int, source: str) -> int:
    of_it = sa.and_(Absence.resource_id == practitioner_id, Absence.source == source)
    count = work.db.scalar(sa.select(sa.func.count()).select_from(Absence).where(of_it)) or 0
    work.db.execute(sa.delete(Absence).where(of_it))
    return count


def _judge(
    name: str, spans: Sequence[tuple[datetime, datetime]], facts: CalendarFacts, now: datetime
) -> tuple[Finding, ...]:
    if not name or len(name) > LONGEST_NAME:
        return (_wrong("name", f"Give the calendar a name of at most {LONGEST_NAME} characters, such as Private.",
                       "source"),)
    known = {each.name for each in facts.sources}
    if name not in known and len(known) >= MOST_CALENDARS:
        return (_wrong("calendars", f"{facts.name} has {MOST_CALENDARS} calendars already. Remove one first.",
                       "source"),)
    # A page may have stood open for an hour since it was read.
    edge = now - timedelta(days=1)
    in_order = all(starts < ends for starts, ends in spans) and all(
        earlier[1] < later[0] for earlier, later in zip(spans, spans[1:], strict=False))
    if len(spans) > MOST_SPANS or not in_order or (spans and not edge <= spans[0][0] <= spans[-1][1] <= facts.until):
        return (_wrong("out-of-date", "What was read is out of date. Choose the file again.", "file"),)
    return ()


def _wrong(code: str, words: str, place: str) -> Finding:
    return Finding(code, Weight.BLOCKS, words, place)
