"""Moving in: a folder of CSV files from another system, all of it or nothing, safe to repeat."""
from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from clinic.interchange.moving_in import Fault, Listed, Report
from clinic.interchange.moving_in.folder import Folder
from clinic.interchange.moving_in.forms import APPOINTMENTS, COURSES
from clinic.interchange.tables import Limits
from clinic.services.moving.appointments import Appointments
from clinic.services.moving.course_rows import CourseRows
from clinic.services.moving.courses import Courses
from clinic.services.moving.diary import Diary
from clinic.services.moving.people import move_absences, move_patients, move_practitioners, move_rota
from clinic.services.moving.places import move_clinics, move_devices, move_rooms
from clinic.services.moving.state import Moving, Progress
from clinic.services.work import UnitOfWork, record
from clinic.store.clinics import Business
from clinic.store.locks import is_overlap

_SPEAK = (COURSES.file, APPOINTMENTS.file)
"""The files whose rows make messages owed."""
_FASTER = Fault(APPOINTMENTS.file, 0, "", "somebody has booked one of these times while the folder was read: try again")


def move_in(
    work: UnitOfWork, folder: Path, *, dry_run: bool = False, progress: Progress = lambda done, total, what: None,
    limits: Limits | None = None,
) -> Report:
    """Reads every file of the folder and adds what is new, in one commit; with a fault, or as a dry run, nothing.

    A row that came in before is left alone. Where courses or appointments came in, messages are held from then on
    until a person releases them.
    """
    faults, warnings = Listed(), Listed()
    found = Folder(folder, faults, warnings, limits)
    moving = Moving(work, found, progress)
    try:
        _move(moving)
        is_kept = moving.is_good and not dry_run
        holds = is_kept and _settle(moving)
        if is_kept:
            work.commit()
        else:
            work.db.rollback()
    except DBAPIError as error:
        work.db.rollback()
        if not is_overlap(error):
            raise
        return Report(moving.counts(), faults=(_FASTER,), is_dry_run=dry_run)
    moving.finish("Done")
    return Report(moving.counts(), tuple(warnings.kept), warnings.more, tuple(faults.kept), faults.more, dry_run, holds)


def _move(moving: Moving) -> None:
    """Every file in its order: what is named before what names it."""
    present = {form.file for form in moving.folder.forms}
    for form, move in (
        ("clinics.csv", move_clinics), ("practitioners.csv", move_practitioners), ("rota.csv", move_rota),
        ("rooms.csv", move_rooms), ("devices.csv", move_devices), ("absences.csv", move_absences),
        ("patients.csv", move_patients),
    ):
        if form in present:
            move(moving)
    courses = Courses(moving)
    courses.look_round()
    with closing(Appointments(moving, courses)) as appointments:
        if COURSES.file in present:
            courses.read()
        if APPOINTMENTS.file in present:
            appointments.read()
        rows, diary = CourseRows(moving, courses), Diary(moving, courses, appointments)
        rows.judge()
        diary.judge()
        if not moving.is_good:
            return
        rows.write()
        rows.book_earlier_ones()
        appointments.write()
        diary.write()
        rows.refresh_earlier_ones()


def _settle(moving: Moving) -> bool:
    """Puts on record what came in, and holds messages where some will be owed; whether it does."""
    counts = {count.file: count.new for count in moving.counts() if count.new}
    if not counts:
        return False
    record(moving.work, "moved-in", "business", 1, counts=counts)
    if not any(file in counts for file in _SPEAK):
        return False
    business = moving.db.get(Business, 1)
    if business is not None and business.held_since is None:
        business.held_since = moving.now
    return True
