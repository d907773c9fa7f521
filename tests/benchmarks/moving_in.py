"""How fast a large clinic moves in, and in how much memory: `python -m tests.benchmarks.moving_in [patients]`.

50,000 patients (unless another number is given), two courses for every second one, and four appointments for each:
200,000 in all, over 250 practitioners at ten clinics. A process of its own moves them in, on SQLite and on PostgreSQL;
its greatest memory is what the system says of it in the end. Rows are those of the files.
"""
from __future__ import annotations

import csv
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from clinic.services.move_in import move_in
from clinic.services.work import Actor, UnitOfWork
from clinic.store import migrate
from clinic.store.engine import open_engine
from tests.postgres import Postgres
from tests.small_clinic import MONDAY, small_clinic

CLINICS = 10
EACH = 25
SESSIONS = 5
SLOTS = tuple(f"{9 + at // 60:02}:{at % 60:02}" for at in range(0, 540, 60))
PROTOCOL = "peel_superficial"


@dataclass(frozen=True)
class Figures:
    """What one move has taken; `own` are the seconds in which it, and the server for it, were really at work."""

    rows: int
    seconds: float
    own: float
    megabytes: float
    steps: int

    @property
    def rows_a_second(self) -> float:
        """Rows of the files by seconds."""
        return self.rows / self.seconds

    def __str__(self) -> str:
        return (f"{self.rows:,} rows in {self.seconds:.1f} s ({self.own:.1f} s of them at work): "
                f"{self.rows_a_second:,.0f} rows a second, at most "
                f"{self.megabytes:.0f} MB, progress told {self.steps} times")


def write_folder(folder: Path, patients: int) -> int:
    """Writes the files; how many rows they have. Every fourth session of a course is done, the others are booked."""
    folder.mkdir()
    rows = _write(folder / "clinics.csv", ("id", "name", "zone", "address", "phone", "sender_email", "hours"), (
        (f"C{at}", f"Clinic {at}", "Europe/London", f"{at} High Street", "+44 20 7946 0000", "desk@mail.example",
         "Mon-Sun 09:00-18:00") for at in range(CLINICS)))
    rows += _write(folder / "practitioners.csv", ("id", "name", "qualifications"), (
        (f"P{clinic}-{at}", f"Practitioner {clinic} {at}", PROTOCOL.replace("peel_", "peel-"))
        for clinic in range(CLINICS) for at in range(EACH)))
    rows += _write(folder / "rooms.csv", ("id", "clinic", "name"), (
        (f"R{clinic}-{at}", f"C{clinic}", f"Room {at}") for clinic in range(CLINICS) for at in range(EACH)))
    rows += _write(folder / "patients.csv", ("id", "given_name", "family_name", "birth_on", "email", "phone"), (
        (f"K{at}", f"Given{at % 977}", f"Family{at % 3301}", date(1950, 1, 1) + timedelta(days=at % 20000),
         f"patient{at}@mail.example", f"+44 7700 {900000 + at}") for at in range(patients)))
    rows += _write(folder / "courses.csv", ("id", "patient", "clinic", "protocol", "sessions", "done_on"), (
        (f"T{at}", f"K{at}", f"C{at % CLINICS}", PROTOCOL, SESSIONS, date(2027, 2, 1) + timedelta(days=at % 27))
        for at in range(patients)))
    return rows + _write(
        folder / "appointments.csv", ("id", "patient", "clinic", "start", "course", "number", "practitioner", "room"),
        _appointments(patients))


def _appointments(patients: int) -> Iterable[Sequence[object]]:
    """Four for each patient, four weeks apart; a diary of one room and one practitioner after the other."""
    places = itertools.product(range(-(-patients // (CLINICS * EACH * len(SLOTS)))), range(len(SLOTS)), range(EACH))
    for at, (day, slot, seat) in zip(range(0, patients, CLINICS), places, strict=False):
        for clinic in range(min(CLINICS, patients - at)):
            for number in range(2, SESSIONS + 1):
                on = date(2027, 3, 2) + timedelta(days=day + 28 * (number - 2))
                yield (f"V{at + clinic}-{number}", f"K{at + clinic}", f"C{clinic}", f"{on} {SLOTS[slot]}",
                       f"T{at + clinic}", number, f"P{clinic}-{seat}", f"R{clinic}-{seat}")


def _write(path: Path, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(heading)
        count = 0
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def measured(url: str, folder: Path, rows: int) -> Figures:
    """Moves the folder into an empty, migrated database, in a process of its own."""
    engine = open_engine(url)
    small_clinic(engine)
    engine.dispose()
    told = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.moving_in", "--child", url, str(folder)], check=True,
        capture_output=True, text=True)
    seconds, own, kilobytes, steps = told.stdout.split()[-4:]
    return Figures(rows, float(seconds), float(own), int(kilobytes) / 1024, int(steps))


def child(url: str, folder: Path) -> None:
    """Moves in and says how long it took, how much memory, and how often progress was told."""
    engine = open_engine(url)
    steps: list[int] = []
    before, own = time.perf_counter(), time.process_time()
    with UnitOfWork(engine, lambda: MONDAY, Actor("benchmark")) as work:
        server = served_by(work)
        report = move_in(work, folder, progress=lambda done, total, what: steps.append(done))
        own -= server_seconds(server)
    took = time.perf_counter() - before
    assert report.was_kept, "\n".join(report.lines)
    say(f"{took} {time.process_time() - own} {most_kilobytes()} {len(steps)}")


def most_kilobytes() -> int:
    """The greatest memory of this process itself: where the system tells, without what it was forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def served_by(work: UnitOfWork) -> int | None:
    """The process of the server that works for us."""
    if work.db.get_bind().dialect.name == "sqlite":
        return None
    process: int | None = work.db.scalar(sa.text("SELECT pg_backend_pid()"))
    return process


def server_seconds(process: int | None) -> float:
    """How long that process has been at work, where the system tells."""
    if process is None or not Path("/proc/self/stat").exists():
        return 0.0
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def say(text: str) -> None:
    """Writes a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(patients: int) -> None:
    """Prints the figures of both databases."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "folder"
        rows = write_folder(folder, patients)
        url = f"sqlite:///{Path(name) / 'clinic.db'}"
        engine = open_engine(url)
        migrate.upgrade(engine)
        engine.dispose()
        say(f"SQLite: {measured(url, folder, rows)}")
        server = Postgres()
        try:
            url = server.create("moving")
            engine = open_engine(url)
            migrate.upgrade(engine)
            engine.dispose()
            say(f"PostgreSQL: {measured(url, folder, rows)}")
        finally:
            server.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 50_000)
