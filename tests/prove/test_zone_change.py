"""A country moves to another zone overnight: two workers and an operator start with the new rules at the same time."""
from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from clinic.clock import system_clock
from clinic.services.reconcile import sweep
from clinic.services.zones import follow_zones
from tests.booking import booked
from tests.databases import is_full
from tests.prove.audit import audit
from tests.prove.audit_pages import page_faults
from tests.prove.mail_pack import begun, wait_until
from tests.prove.mail_worker import Place, run_worker
from tests.prove.plain_rows import Rows, Tables, changes
from tests.sink import Sink
from tests.small_clinic import SmallClinic, small_clinic
from tests.zone_rules import rules_of, tzpath, write_zone

COURSES, SESSIONS = (34, 6) if is_full() else (5, 6)
THREE_HOURS_AHEAD = "<+03>-3"


def run_worker_by(rules: Path, place: Place) -> None:
    """A worker of a machine with these rules."""
    with rules_of(rules):
        run_worker(place)


def check_zones(url: str, folder: Path, rules: Path) -> subprocess.CompletedProcess[str]:
    """`clinic check-zones` on a machine with these rules."""
    environ = {"PATH": os.environ["PATH"], "CLINIC_DATABASE_URL": url, "CLINIC_DATA_DIR": str(folder),
               "PYTHONTZPATH": os.pathsep.join(tzpath(rules))}
    return subprocess.run([sys.executable, "-m", "clinic.cli", "check-zones"], env=environ, text=True,
                          capture_output=True, timeout=300, check=False)


@pytest.mark.prove
def test_every_visit_keeps_its_local_time_whoever_follows_the_zone_first(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    made = small_clinic(engine, patients=COURSES)
    made.now = system_clock()
    for patient_id in made.patients:
        booked(made, sessions=SESSIONS, patient_id=patient_id)
    before = Tables(engine).read()
    rules = write_zone(tmp_path / "zones", "Europe/London", THREE_HOURS_AHEAD)

    with Sink(tmp_path / "sink.log") as sink:
        workers = [begun(run_worker_by, rules, Place(database_url, sink.port)) for _ in range(2)]
        try:
            operator = check_zones(database_url, tmp_path, rules)
            wait_until(lambda: followed(Tables(engine).read()) == Counter(row.id for row in before["appointment"]))
        finally:
            for worker in workers:
                worker.terminate()
                worker.join(60)

    with rules_of(rules):
        after = Tables(engine).read()
        faults = audit(engine) + page_faults(after)
        with made.work() as work:
            again = follow_zones(work)
        owed_again = changed_by_a_sweep(made)
    assert len(before["appointment"]) == COURSES * SESSIONS
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (operator.returncode, again) == (0, ()), operator.stderr
    assert promised(after) == promised(before)
    assert {(row.starts_at - was.starts_at).total_seconds() / 3600 for row, was in zip(
        after["appointment"], before["appointment"], strict=True)} <= {-3.0, -2.0}
    assert faults == []
    assert said(after) == said(before)
    assert due(after) != due(before)
    assert owed_again == []


def followed(rows: Rows) -> Counter[int]:
    """How often each visit was given a new instant."""
    return Counter(row.subject_id for row in rows["audit"] if row.action == "appointment-rederived")


def promised(rows: Rows) -> list[tuple[object, ...]]:
    """What the patients know."""
    return [(row.id, row.local_start, row.zone, row.fold, row.revision, row.minutes) for row in rows["appointment"]]


def said(rows: Rows) -> list[tuple[object, ...]]:
    """What is or will be said."""
    return [(row.kind, row.subject_kind, row.subject_id, row.revision, row.generation) for row in rows["message_item"]]


def due(rows: Rows) -> list[object]:
    """When."""
    return [row.due_at for row in rows["message"]]


def changed_by_a_sweep(made: SmallClinic) -> list[str]:
    """What there was left to do for the messages."""
    tables = Tables(made.engine)
    before = tables.read()
    with made.work() as work:
        sweep(work, limit=1000)
    return changes(before, tables.read())
