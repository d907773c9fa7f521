"""Brings the large demo to life: its files are written, moved in as a real clinic's would be, and today is lived."""
from __future__ import annotations

import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.demo import large_people as people
from clinic.demo.build import Demo, add_accounts, approve
from clinic.demo.large_files import Files
from clinic.interchange.moving_in import Report
from clinic.planning.local import day_of, instant, zone
from clinic.services import attendance, clinics, closures, completion
from clinic.services.mail import switch_mail_on
from clinic.services.move_in import move_in
from clinic.services.work import Refused
from clinic.store.clinics import Clinic
from clinic.store.diary import Appointment

_PLACES = ("clinics.csv", "practitioners.csv", "rota.csv", "rooms.csv", "devices.csv", "absences.csv")
_PATIENTS = ("patients.csv", "courses.csv", "appointments.csv")


def build_large(engine: Engine, *, now: datetime) -> Demo:
    """Fills a migrated, empty database: three sites, 20 practitioners, 400 patients, a year back and a year ahead.

    Today's diary is moved in as it stood in the morning, and lived until `now`. Messages are held, as after every
    move-in, until someone releases them.
    """
    demo = Demo(engine, now)
    today = day_of(now, zone(people.SITES[0].zone))
    demo.now = min(instant(today, 5 * 60, zone(people.SITES[0].zone)), now)
    files = Files(today)
    files.places()
    files.patients()
    with tempfile.TemporaryDirectory(prefix="clinic-demo-files-") as name:
        files.write(Path(name) / "places", of=_PLACES)
        files.write(Path(name) / "patients", of=_PATIENTS)
        _name(demo)
        _move(demo, Path(name) / "places")
        with Session(engine) as db:
            demo.sites = dict(db.execute(sa.select(Clinic.name, Clinic.id)).all())
        _close_on_holidays(demo, today)
        add_accounts(demo)
        approve(demo, sorted({course.protocol for course in people.COURSES}))
        _move(demo, Path(name) / "patients")
    _live_today(demo)
    demo.now = now
    return demo


def _name(demo: Demo) -> None:
    with demo.work() as work:
        clinics.name_business(work, people.BUSINESS)
    with demo.work() as work:
        switch_mail_on(work)


def _move(demo: Demo, folder: Path) -> Report:
    with demo.work() as work:
        report = move_in(work, folder)
    if not report.was_kept:
        raise RuntimeError("\n".join(report.lines))
    return report


def _close_on_holidays(demo: Demo, today: date) -> None:
    for clinic_id in demo.sites.values():
        for year in (today.year, today.year + 1):
            for month, day, reason in people.HOLIDAYS:
                with demo.work() as work:
                    closures.close_clinic(
                        work, clinic_id, from_on=date(year, month, day), to_on=date(year, month, day), reason=reason)


def _live_today(demo: Demo) -> None:
    """Who was due until now has been treated, and who is due now is here."""
    with Session(demo.engine) as db:
        begun = db.scalars(
            sa.select(Appointment)
            .where(Appointment.state == "booked", Appointment.starts_at <= demo.until,
                   Appointment.treatment_session_id.is_not(None))
            .order_by(Appointment.starts_at, Appointment.id)).all()
    for each in begun:
        with demo.work() as work:
            work.now = demo.now = max(demo.now, min(each.ends_at, demo.until) - timedelta(minutes=1))
            if each.ends_at <= demo.until:
                work.now = demo.now = max(demo.now, each.ends_at)
                outcome = completion.complete_appointment(work, each.id, lock_version=each.lock_version)
            else:
                outcome = attendance.mark_arrived(work, each.id, lock_version=each.lock_version)
            if isinstance(outcome, Refused):
                raise RuntimeError("; ".join(finding.text for finding in outcome.findings))
