"""Writes the coming days of each clinic, encrypted, into a folder: what the desk opens when power or network fails."""
from __future__ import annotations

import os
import re
import secrets
import unicodedata
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import ResourceKind
from clinic.interchange.day_sheets.sealed import NONCE_BYTES, SALT_BYTES, Salt, sealed_page, what_is_wrong_with
from clinic.interchange.day_sheets.sheets import DaySheets, SheetDay, SheetVisit
from clinic.planning.findings import Finding, Weight
from clinic.planning.local import DAY, day_of, local_of, zone
from clinic.planning.words import MONTHS, WEEKDAYS, clock_words, day_words
from clinic.queries.away import away_words
from clinic.queries.day_lists import DayLists, ListedBy, day_lists
from clinic.queries.diary import DiaryVisit
from clinic.services.work import Done, Refused, UnitOfWork, record
from clinic.store.clinics import Clinic

DAYS = 4
"""Today and the next three days: what is written on a Friday night still helps on a Monday."""
LISTED = {ResourceKind.PRACTITIONER: "Practitioners", ResourceKind.ROOM: "Rooms"}
_OURS = re.compile(r"day-sheets-(?P<clinic>\d+)(-[a-z0-9-]+)?\.html|\.day-sheets-(?P<draft>\d+)\.[0-9a-f]{8}\.part")
"""What we have written into a folder, or had begun to."""


def write_day_sheets(
    db: Session, folder: Path, passphrase: str, *, clinics: Collection[int], now: datetime
) -> Done[Mapping[int, Path]] | Refused:
    """Writes one file for each of these clinics, readable by its owner only, in place of the one before; which ones.

    Every file is whole or not there: it gets its name when all are complete. Files of clinics that there are no more,
    and what a crash left behind, go. Anything else in the folder stays. OSError where it cannot be written.
    The database session must have read nothing yet: all files tell of one instant.
    """
    wrong = what_is_wrong_with(passphrase)
    if wrong:
        return Refused((Finding("weak-passphrase", Weight.BLOCKS, wrong),))
    if folder.exists() and not folder.is_dir():
        return Refused((Finding("no-folder", Weight.BLOCKS, f"{folder} is a file: name a folder"),))
    rows = db.execute(sa.select(Clinic.id, Clinic.name, Clinic.zone).order_by(Clinic.id)).all()
    folder.mkdir(mode=0o700, exist_ok=True)
    asked = [row for row in rows if row.id in clinics]
    written = {row.id: folder / _file_name(row.id, row.name) for row in asked}
    drafts = {row.id: folder / f".day-sheets-{row.id}.{secrets.token_hex(4)}.part" for row in asked}
    try:
        for row in asked:
            _write(drafts[row.id], sealed_page(_sheets(db, row, now), passphrase, _fresh()))
        for clinic_id, draft in drafts.items():
            os.replace(draft, written[clinic_id])
    except BaseException:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
        raise
    _clear(folder, written.values(), kept={row.id for row in rows} - set(clinics))
    _flush(folder)
    return Done(written)


def note_day_sheets(work: UnitOfWork, clinics: Collection[int]) -> None:
    """Writes down whose sheets left the database, and when."""
    for clinic_id in clinics:
        record(work, "day-sheets-written", "clinic", clinic_id, clinic_id=clinic_id, days=DAYS)
    work.commit()


def _sheets(db: Session, clinic: Any, now: datetime) -> DaySheets:
    where = zone(clinic.zone)
    first_on = day_of(now, where)
    whose: dict[ResourceKind, set[str]] = {kind: set() for kind in LISTED}
    days = []
    for on in (first_on + after * DAY for after in range(DAYS)):
        lists = day_lists(db, clinic.id, on, by=ListedBy.CLINIC, where=where, now=now)
        [whole] = lists.sheets
        for kind, names in whose.items():
            names.update(name for visit in whole.visits for name in visit.names(kind))
        visits = tuple(_visit(each, lists) for each in whole.visits)
        days.append(SheetDay(on, day_words(on), f"{WEEKDAYS[on.weekday()][:3]} {_date(on)}", visits))
    as_of = f"{WEEKDAYS[first_on.weekday()]} {_date(first_on)} {first_on.year}, {clock_words(local_of(now, where))}"
    return DaySheets(
        clinic.name, as_of, first_on, tuple(days),
        tuple((LISTED[kind], tuple(sorted(names))) for kind, names in whose.items()))


def _visit(visit: DiaryVisit, lists: DayLists) -> SheetVisit:
    """As the printed list of the day has it."""
    expected = visit.expected and clock_words(visit.expected.begins_at.astimezone(visit.local_start.tzinfo))
    return SheetVisit(
        time=clock_words(visit.local_start), ends=clock_words(visit.local_end), expected=expected or "",
        patient=visit.patient, phone=lists.phones.get(visit.patient_id, ""), what=visit.treatment, mark=visit.mark,
        alerts=visit.alerts, notes=tuple(note.text for note in lists.notes.get(visit.patient_id, ())),
        held=tuple(name for kind in ResourceKind for name in visit.names(kind)),
        away=away_words(visit.away))


def _date(on: date) -> str:
    return f"{on.day} {MONTHS[on.month - 1][:3]}"


def _fresh() -> Salt:
    return Salt(secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES))


def _file_name(clinic_id: int, name: str) -> str:
    """Such as `day-sheets-1-harbour-street.html`; the number keeps apart what no plain letters tell apart."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-")
    return f"day-sheets-{clinic_id}-{words}.html" if words else f"day-sheets-{clinic_id}.html"


def _write(path: Path, page: str) -> None:
    """A new file of ours alone, on the disk to its last byte."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="") as file:
        file.write(page)
        file.flush()
        os.fsync(file.fileno())


def _clear(folder: Path, written: Collection[Path], *, kept: Collection[int]) -> None:
    for path in folder.iterdir():
        ours = _OURS.fullmatch(path.name)
        if ours and path not in written and int(ours["clinic"] or ours["draft"]) not in kept:
            path.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Brings the new names to the disk too, for a stick is pulled out without a word; not every kind of disk can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
