"""The page of figures and its files: who sees what, what is asked for, and what never leaves."""
from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.care.catalogue import load_catalogue
from clinic.care.figures.counted import Column
from clinic.care.figures.definitions import COLUMNS, TOPICS
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.web.figure_sheets import SHEETS
from clinic.web.figure_words import counts_over_columns, over_columns
from tests.web import seed
from tests.web.conftest import SignedIn, World
from tests.web.counting import own_statements


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database: what the figures read is tried on both in `tests/queries`."""
    return sqlite_url


def given(db: Session, clinic_id: int, version: int, who: int, patients: int, *, late: int = 2) -> list[str]:
    """A session of February 2027 for each of so many new patients, so many days after its ideal date; their names."""
    names = []
    for number in range(patients):
        names.append(f"Secret{clinic_id}x{number}")
        patient = seed.add_patient(db, names[-1], "Person", email=None)
        course, sessions = seed.add_course(db, patient, clinic_id, version, sessions=3)
        on = date(2027, 2, 1 + number)
        starts = datetime(2027, 2, 1 + number, 10 + late % 4, tzinfo=UTC)
        row = db.get_one(TreatmentSession, sessions[1])
        row.state, row.performed_on, row.performed_at = "completed", on, starts
        ideal = on - timedelta(days=late)
        row.earliest_on, row.ideal_on, row.latest_on = ideal - timedelta(days=7), ideal, ideal + timedelta(days=7)
        visit = seed.add_appointment(db, patient, clinic_id, starts, state="fulfilled", treatment_session_id=row.id,
                                     resources=(who,))
        db.get_one(Appointment, visit).practitioner_id = who
        db.get_one(Course, course).state = "active"
    return names


@pytest.fixture
def patients(world: World, rows: Callable[[], Session]) -> list[str]:
    """Seven patients of a practitioner at the first clinic, and three at the second."""
    with rows() as db:
        version = seed.add_protocol(db, next(iter(load_catalogue())).to_document())
        who = seed.add_practitioner(db, "=cmd|Dr Ada")
        names = [*given(db, world.harbour, version, who, 7), *given(db, world.hill, version, who, 3, late=9)]
        db.commit()
    return names


def test_the_page_shows_each_figure_with_its_definition_and_nobodys_name(
    signed_in: SignedIn, patients: list[str], kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)

    statements, page = own_statements(kit, browser, "/figures")

    assert "December 2026 to February 2027, beside September to November 2026" in page
    assert "7 of 7 sessions lay in their window." in page
    assert 'figure-number">+2 days<' in page
    text = page.replace("&#39;", "'")
    for each in (*COLUMNS.values(), *TOPICS.values()):
        assert each.counts in text
    assert "without asking. That is 24 hours.</p>" in text
    assert not [name for name in patients if name in page]
    assert statements <= 11


def test_months_clinic_and_person_are_asked_for_in_the_address_and_faults_are_said(
    signed_in: SignedIn, patients: list[str], world: World
) -> None:
    alone, everywhere = signed_in(Role.MANAGER), signed_in(Role.MANAGER, clinics=(world.harbour, world.hill))

    pages = {query: alone.get(f"/figures?{query}") for query in (
        "from=2027-02&to=2027-02", "from=2027-02&to=2027-01", "from=2025-01&to=2027-01", "from=x&to=y",
        f"clinic={world.hill}", "practitioner=999", "from=2027-01&to=2027-09",
        "from=0002-01&to=0002-03", f"practitioner={10**20}")}

    assert {query: page.status_code for query, page in pages.items()} == {
        "from=2027-02&to=2027-02": 200, "from=2027-02&to=2027-01": 422, "from=2025-01&to=2027-01": 422,
        "from=x&to=y": 422, f"clinic={world.hill}": 404, "practitioner=999": 200, "from=2027-01&to=2027-09": 422,
        "from=0002-01&to=0002-03": 422, f"practitioner={10**20}": 200}
    assert "7 of 7 sessions" in pages["from=2027-02&to=2027-02"].get_data(as_text=True)
    assert "At most 12 months are shown" in pages["from=2025-01&to=2027-01"].get_data(as_text=True)
    both = everywhere.get("/figures?clinic=all").get_data(as_text=True)
    assert "7 of 10 sessions lay in their window. 3 too late." in both
    assert "Too few sessions" in everywhere.get(f"/figures?clinic={world.hill}").get_data(as_text=True)
    assert alone.get("/figures/patients.csv").status_code == 404
    march, february = (
        alone.get(f"/figures?from={each}&to={each}").get_data(as_text=True) for each in ("2027-03", "2027-02"))
    assert ("not over" in march, "not over" in february) == (True, False)


def test_every_table_comes_as_a_file_that_no_spreadsheet_runs_and_that_gives_nobody_away(
    signed_in: SignedIn, patients: list[str], world: World
) -> None:
    browser = signed_in(Role.MANAGER, clinics=(world.harbour, world.hill))
    files = {name: browser.get(f"/figures/{name}.csv?clinic=all") for name in SHEETS}
    read = {name: list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
            for name, answer in files.items()}

    assert all(answer.headers["Content-Disposition"] == f'attachment; filename="{name}-2026-12-2027-02.csv"'
               for name, answer in files.items())
    everything = "".join(answer.get_data(as_text=True) for answer in files.values())
    assert not [name for name in patients if name in everything]
    assert not [cell for rows in read.values() for row in rows for cell in row if cell[:1] in ("=", "@")]
    head = next(row for row in read["figures-by-clinic"] if row[:1] == ["Clinic"])
    place = head.index(COLUMNS[Column.IN_WINDOW].name)
    inside = {row[0]: row[place] for row in read["figures-by-clinic"] if len(row) == len(head)}
    # Three patients are too few, and the other clinic is what is left of the total without them.
    assert inside == {"Clinic": "In their window", "Harbour Clinic": "", "Hill Clinic": "", "All together": "7"}
    february = next(row for row in read["figures-by-month"] if row[:1] == ["February 2027"])
    assert february[place] == "7"
    assert any("'=cmd|Dr Ada" in row for row in read["figures-by-practitioner"])


def test_numbers_above_many_columns_are_written_short() -> None:
    few, many = over_columns(6), over_columns(12)

    assert [few(value) for value in (0, 0.2, 41.6, 99.8)] == ["0 %", "under 1 %", "42 %", "over 99 %"]
    assert [many(value) for value in (0, 0.2, 41.6, 99.8)] == ["0", "<1", "42", ">99"]
    assert [counts_over_columns(12)(value) for value in (999, 1204, 9949, 9951, 12_345)] == [
        "999", "1.2k", "9.9k", "10k", "12k"]
