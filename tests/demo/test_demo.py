"""The demo as a newcomer starts it: one command, a believable clinic, nothing left behind."""
from __future__ import annotations

import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Running:
    """A demo that answers, what it printed, and where its database lies."""

    process: subprocess.Popen[str]
    printed: str
    address: str
    folder: Path

    def ask(self, sql: str) -> dict[str, int]:
        """The counts by their names."""
        with closing(sqlite3.connect(f"file:{self.folder / 'clinic.sqlite3'}?mode=ro", uri=True)) as db:
            return dict(db.execute(sql).fetchall())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    where = tmp_path_factory.mktemp("demo")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "clinic.cli", "demo", "--port", str(port)], stdout=subprocess.PIPE, text=True,
            env={"TMPDIR": str(where), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"})
        printed = _until(process, "Stop with Ctrl+C")
    address = re.search(r"http://localhost:\d+", printed)
    assert address is not None
    assert str(port) not in address[0]
    with urllib.request.urlopen(f"{address[0]}/sign-in", timeout=30) as answer:
        assert answer.status == 200
    yield Running(process, printed, address[0], next(where.glob("clinic-demo-*")))
    process.kill()
    process.communicate()


def _until(process: subprocess.Popen[str], words: str) -> str:
    printed = ""
    assert process.stdout is not None
    for line in process.stdout:
        printed += line
        if words in line:
            return printed
    raise AssertionError(f"the demo ended: {printed}")


def test_it_prints_its_address_and_accounts(demo: Running) -> None:
    assert "reception@atlantic-skin.example" in demo.printed
    assert "atlantic-demo" in demo.printed


def test_it_is_a_clinic_of_two_sites_in_two_zones(demo: Running) -> None:
    zones = demo.ask("SELECT zone, count(*) FROM clinic GROUP BY 1")
    resources = demo.ask("SELECT kind, count(*) FROM resource GROUP BY 1")

    assert zones == {"Europe/Lisbon": 1, "Europe/Madrid": 1}
    assert resources == {"practitioner": 6, "room": 5, "device": 4, "patient": 60}


def test_its_courses_and_appointments_are_in_every_state_that_the_desk_reaches(demo: Running) -> None:
    courses = demo.ask("SELECT state, count(*) FROM course GROUP BY 1")
    appointments = demo.ask("SELECT state, count(*) FROM appointment GROUP BY 1")
    upkeep = demo.ask("SELECT state, count(*) FROM treatment_session WHERE maintenance_plan_id IS NOT NULL GROUP BY 1")

    assert set(courses) == {"active", "completed", "revoked"}
    assert {"booked", "fulfilled", "cancelled", "noshow"} <= set(appointments)
    assert "booked" in upkeep


def test_visits_ended_in_every_way(demo: Running) -> None:
    causes = demo.ask("SELECT ended_cause, count(*) FROM appointment WHERE ended_cause IS NOT NULL GROUP BY 1")
    outcomes = demo.ask("SELECT outcome, count(*) FROM treatment_session WHERE outcome IS NOT NULL GROUP BY 1")

    assert {"forgot", "ill", "prevented", "tan"} <= set(causes)
    assert set(outcomes) == {"treated", "partly-treated"}


def test_messages_were_sent_and_some_are_due_within_minutes(demo: Running) -> None:
    states = demo.ask("SELECT state, count(*) FROM message GROUP BY 1")
    soon = demo.ask(
        "SELECT 'soon', count(*) FROM message WHERE abs(coalesce(settled_at, due_at) - strftime('%s', 'now')) < 900")

    assert states["sent"] > 100
    assert states["pending"] > 50
    assert soon["soon"] >= 1


def test_nothing_overlaps(demo: Running) -> None:
    overlaps = demo.ask(
        "SELECT 'overlaps', count(*) FROM resource_booking a JOIN resource_booking b ON a.resource_id = b.resource_id"
        " AND a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at")

    assert overlaps == {"overlaps": 0}


def test_stopped_it_leaves_nothing_behind(demo: Running) -> None:
    demo.process.send_signal(signal.SIGTERM)

    assert demo.process.wait(30) == 0
    assert not demo.folder.exists()
