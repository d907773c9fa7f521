"""How fast the diary is read and written: `python -m tests.benchmarks.diary [--growth]`.

The data set is that of `tests.benchmarks.planner`: 20 practitioners, 18 rooms, 6 devices, a year of working days, about
49,500 bookings. Read typical and wide is `problem_of` on a connection of its own, nothing of the diary kept between
two runs. Wall-clock time is counted, as a database is another process; figures are medians in milliseconds.
"""
from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.catalogue import load_catalogue
from clinic.care.parts import QUALIFICATIONS
from clinic.planning import Gap, Kind, Need, Problem, Step, plan
from clinic.queries.offers import offer_course
from clinic.queries.problems import Asked, problem_of
from clinic.queries.visit_choice import parse_choice
from clinic.services.courses import book_course
from clinic.services.work import Done
from clinic.store import Row, migrate
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing, open_engine
from clinic.store.expressions import epoch
from clinic.store.occupancy import merge_changes
from clinic.store.resources import Device, Patient, Practitioner, Qualification, Room, Rota, RotaSpan
from tests.benchmarks.planner import FIRST_ON, GAP, STAY, Diary, diary
from tests.booking import asked as asked_course
from tests.booking import healthy
from tests.postgres import Postgres
from tests.small_clinic import SmallClinic, small_clinic

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
MORNINGS = [{"weekdays": [0, 2, 4], "begins": 540, "ends": 810}]
RUNS = 40
PROTOCOL = load_catalogue()[0]


@dataclass(frozen=True)
class Filled:
    """The data set in a database."""

    made: SmallClinic
    days: int
    bookings: int
    resources: tuple[int, ...]


def fill(engine: Engine, *, months: int = 12, practitioners: int = 20, past_months: int = 0) -> Filled:
    """Writes the data set, of another size where that is asked for, into a migrated, empty database."""
    made = small_clinic(engine, horizon=months * 365 // 12, patients=3)
    made.now = NOW
    spans = diary(months, practitioners)
    with Session(for_writing(engine)) as db:
        db.execute(sa.delete(RotaSpan).where(RotaSpan.break_minutes.is_not(None)))
        add_people(db, made, practitioners)
        add_things(db, made, practitioners, rooms=practitioners * 9 // 10)
        db.get_one(Patient, made.patients[0]).only_times = MORNINGS
        db.commit()
    ids = {f"{kind.value}-{at}": ident for kind, idents in (
        (Kind.PRACTITIONER, made.practitioners), (Kind.ROOM, made.rooms), (Kind.DEVICE, made.devices),
    ) for at, ident in enumerate(idents)}
    rows = sum(_book(engine, made, spans, ids, timedelta(days=-each)) for each in range(0, past_months * 31 + 1, 371))
    with Session(for_writing(engine)) as db:
        while merge_changes(db):
            pass
        db.commit()
    return Filled(made, months * 365 // 12, rows, tuple(ids.values()))


def add_people(db: Session, made: SmallClinic, count: int) -> None:
    """Practitioners until there are so many; three of five may use lasers."""
    for at in range(len(made.practitioners), count):
        person = Practitioner(name=f"Practitioner {at}")
        rota = Rota(starts_on=date(2026, 1, 5))
        db.add(person)
        db.flush()
        made.practitioners.append(person.id)
        rota.practitioner_id = person.id
        codes = [code for code in QUALIFICATIONS if code != "laser" or at % 5 < 3]
        db.add_all([rota, *(
            Qualification(practitioner_id=person.id, code=code, valid_from=date(2020, 1, 1)) for code in codes)])
        db.flush()
        db.add_all(RotaSpan(rota_id=rota.id, weekday=day, opens=540, closes=1080, clinic_id=made.clinic_id)
                   for day in range(5))


def add_things(db: Session, made: SmallClinic, practitioners: int, *, rooms: int) -> None:
    """Rooms until there are so many, and devices for so many practitioners."""
    features = ["numbing-chair", "laser-safe"]
    more = [Room(clinic_id=made.clinic_id, name=f"Room {at + 1}", features=features) for at in range(2, rooms)]
    devices = [Device(clinic_id=made.clinic_id, name=f"Device {at}", device_type="needling-pen")
               for at in range(5, practitioners * 3 // 10)]
    db.add_all([*more, *devices])
    db.flush()
    made.rooms += [each.id for each in more]
    made.devices += [each.id for each in devices]


def _book(engine: Engine, made: SmallClinic, spans: Diary, ids: dict[str, int], shift: timedelta) -> int:
    """Raw rows, three to an appointment, so many days on."""
    rows = [
        (ids[name], FIRST_ON + timedelta(days=day) + shift, begins, ends)
        for name, days in spans.spans.items() if name in ids for day, each in days.items() for begins, ends in each]
    visits, held = [], []
    with engine.connect() as connection:
        first = (connection.scalar(sa.select(sa.func.max(Appointment.id))) or 0) + 1
    for at, (ident, on, begins, ends) in enumerate(rows):
        starts = datetime(on.year, on.month, on.day, tzinfo=UTC) + timedelta(minutes=begins)
        stops = starts + timedelta(minutes=ends - begins)
        if at % 3 == 0:
            visits.append({
                "id": first + at // 3, "clinic_id": made.clinic_id, "patient_id": made.patients[1], "kind": "other",
                "treatment_code": "other", "state": "booked", "uid": str(uuid4()), "zone": "Europe/London", "fold": 0,
                "local_start": starts.replace(tzinfo=None), "minutes": ends - begins, "starts_at": starts,
                "ends_at": stops, "scheduled_at": NOW, "created_at": NOW, "lock_version": 1, "revision": 0})
        held.append({"appointment_id": first + at // 3, "resource_id": ident, "clinic_id": made.clinic_id,
                     "need": at % 3 + 1, "starts_at": starts, "ends_at": stops})
    with Session(for_writing(engine)) as db:
        db.execute(sa.insert(Appointment), visits)
        db.execute(sa.insert(ResourceBooking), held)
        if engine.dialect.name == "postgresql":
            db.execute(sa.text("SELECT setval('appointment_id_seq', (SELECT max(id) FROM appointment))"))
        db.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    return len(held)


def request(filled: Filled, *, typical: bool) -> Asked:
    """The six sessions of the planner's benchmark; the first patient comes on three mornings only."""
    needs = (
        Need(Kind.PRACTITIONER, STAY, frozenset({"laser"}) if typical else frozenset()), Need(Kind.ROOM, STAY),
        Need(Kind.DEVICE, STAY))
    first = Step("laser", STAY, needs)
    rest = replace(first, gap=Gap(GAP.min, GAP.ideal, GAP.max))
    return Asked(
        clinic_id=filled.made.clinic_id, patient_id=filled.made.patients[0 if typical else 2], protocol=PROTOCOL,
        steps=(first, *[rest] * 5), not_before=NOW)


def read(engine: Engine, asked: Asked) -> Problem:
    """What a request does before it can search."""
    with Session(engine) as db:
        return problem_of(db, asked, now=NOW)


def scan(engine: Engine, filled: Filled) -> object:
    """A bare range scan: the database looks at every row that bears on a wide request, and hands over one number."""
    row = ResourceBooking.__table__
    ends = NOW + timedelta(days=filled.days)
    with Session(engine) as db:
        return db.scalar(sa.select(sa.func.sum(epoch(row.c.ends_at) - epoch(row.c.starts_at))).where(
            row.c.resource_id.in_(filled.resources), row.c.ends_at > NOW, row.c.starts_at < ends))


def timed(act: Callable[[], object], runs: int = RUNS, pick: Callable[[list[float]], float] = median) -> float:
    """The median of so many runs, in milliseconds, or another pick of them; the first two are not counted."""
    found = []
    for _ in range(runs + 2):
        begun = time.perf_counter()
        act()
        found.append((time.perf_counter() - begun) * 1000)
    return pick(found[2:])


def figures(engine_url: str) -> dict[str, float]:
    """Medians in milliseconds on an empty database at that address, which is migrated and filled first."""
    engine = open_engine(engine_url)
    migrate.upgrade(engine)
    filled = fill(engine)
    found = {"bookings": float(filled.bookings), "scan": timed(lambda: scan(engine, filled))}
    for name in ("typical", "wide"):
        asked = request(filled, typical=name == "typical")
        problem = read(engine, asked)
        found[f"read {name}"] = timed(lambda asked=asked: read(engine, asked))  # type: ignore[misc]
        found[f"search {name}"] = timed(lambda problem=problem: plan(problem))  # type: ignore[misc]
    found |= _booking(engine, filled)
    found["read typical with movable breaks"] = _with_breaks(engine, filled)
    engine.dispose()
    return found


def _with_breaks(engine: Engine, filled: Filled) -> float:
    with Session(for_writing(engine)) as db:
        for rota_id in db.scalars(sa.select(Rota.id)).all():
            db.add_all(RotaSpan(rota_id=rota_id, weekday=day, opens=720, closes=840, break_minutes=30)
                       for day in range(5))
        db.commit()
    asked = request(filled, typical=True)
    return timed(lambda: read(engine, asked))


def _booking(engine: Engine, filled: Filled) -> dict[str, float]:
    """Booking courses of six sessions, against a bare commit of as many rows as one of them writes."""
    with Session(for_writing(engine)) as db:
        # Room for all of them: the data set leaves few times for six sessions with one device type.
        db.execute(sa.delete(ResourceBooking).where(ResourceBooking.resource_id.in_(filled.made.devices)))
        patients = [Patient(given_name="Pat", family_name=str(at), search_text=f"pat {at}", created_at=NOW)
                    for at in range(RUNS // 2)]
        db.add_all(patients)
        db.flush()
        while merge_changes(db):
            pass
        filled.made.patients += [each.id for each in patients]
        db.commit()
    took, before = [], _rows(engine)
    courses = filled.made.patients[3:]
    for patient_id in courses:
        wanted = asked_course(
            filled.made, "mn_acne_scar", 6, patient_id=patient_id, answers=healthy(indication="acne_scars"))
        with Session(engine) as db:
            offer = offer_course(db, wanted, now=NOW).offers[0]
        begun = time.perf_counter()
        with filled.made.work() as work:
            outcome = book_course(work, wanted, [parse_choice(visit.choice) for visit in offer.visits])
        took.append((time.perf_counter() - begun) * 1000)
        assert isinstance(outcome, Done), outcome
    rows = (_rows(engine) - before) // len(courses)
    return {"book": median(took), "rows of a booking": float(rows), "bare commit": _bare(engine, rows)}


def _rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return sum(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                   for table in Row.metadata.sorted_tables)


def _bare(engine: Engine, rows: int) -> float:
    table = sa.Table("bare", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text),
                     sa.Column("one", sa.Integer, index=True), sa.Column("other", sa.Integer))
    table.create(for_writing(engine))

    def commit() -> None:
        with Session(for_writing(engine)) as db:
            for at in range(rows):
                db.execute(sa.insert(table), {"text": "a row of usual length, as many a table has it", "one": at,
                                              "other": 1})
            db.commit()

    found = timed(commit, RUNS // 2)
    table.drop(for_writing(engine))
    return found


@contextmanager
def sqlite_url() -> Iterator[str]:
    """The address of a new SQLite file, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'diary.db'}"


@contextmanager
def postgresql_url() -> Iterator[str]:
    """The address of a new PostgreSQL database on a server of its own, gone afterwards."""
    server = Postgres()
    try:
        yield server.create("diary")
    finally:
        server.stop()


def growth(address: Callable[[], object]) -> None:
    """Prints how reading grows in months, practitioners and history: the least of all runs, as sizes are compared."""
    for name, sizes in (("months", (6, 12, 24, 36)), ("practitioners", (5, 10, 20, 40, 80)), ("past_months", (0, 24))):
        for size in sizes:
            with address() as url:  # type: ignore[attr-defined]
                engine = open_engine(url)
                migrate.upgrade(engine)
                filled = fill(engine, **{name: size})
                asked = request(filled, typical=True)
                took = timed(lambda engine=engine, asked=asked: read(engine, asked), pick=min)  # type: ignore[misc]
                sys.stdout.write(f"  {name} {size:3}: read typical {took:6.2f} ms of {filled.bookings} bookings\n")
                engine.dispose()


def main() -> None:
    """Prints the figures of both databases, with the ratios that are asked for."""
    for name, address, most in (("SQLite", sqlite_url, 3), ("PostgreSQL", postgresql_url, 6)):
        with address() as url:
            found = figures(url)
        sys.stdout.write(f"{name}\n")
        for what, value in found.items():
            sys.stdout.write(f"  {what:34} {value:9.2f}\n")
        for kind in ("typical", "wide"):
            whole, search = found[f"read {kind}"] + found[f"search {kind}"], found[f"search {kind}"]
            sys.stdout.write(
                f"  {kind}: read and search are {whole / search:.1f} of the search (at most {most} for typical), "
                f"{whole / (found['scan'] + search):.2f} of a bare scan and the search (at most 1)\n")
        sys.stdout.write(f"  booking: a bare commit takes {found['bare commit'] / found['book']:.2f} of it\n")
        if "--growth" in sys.argv:
            growth(address)


if __name__ == "__main__":
    main()
