"""`clinic import` at the command line: what it says, what it changes, and how it ends."""
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from clinic.cli import main
from clinic.store.engine import open_engine
from tests.services.moving import EXAMPLE
from tests.small_clinic import small_clinic
from tests.test_cli import no_settings

__all__ = ["no_settings"]


class Mover:
    """Someone who moves folders into one installation, whose protocols are approved."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder / "files"
        shutil.copytree(EXAMPLE, self.folder)
        # The example's dates are those of the tests' own present; the command line lives in the real one.
        (self.folder / "appointments.csv").unlink()
        (self.folder / "courses.csv").unlink()
        self.environ = {"CLINIC_DATABASE_URL": url, "CLINIC_DATA_DIR": str(folder / "data")}
        engine = open_engine(url)
        small_clinic(engine)
        engine.dispose()

    def __call__(self, *words: str) -> Result:
        return CliRunner(env=self.environ).invoke(main, ["import", str(self.folder), *words])

    def patients(self) -> int:
        engine = open_engine(self.url)
        with engine.connect() as connection:
            found: int = connection.execute(sa.text("SELECT count(*) FROM patient")).scalar_one()
        engine.dispose()
        return found


@pytest.fixture
def mover(database_url: str, tmp_path: Path, no_settings: None) -> Mover:
    return Mover(database_url, tmp_path)


def test_a_dry_run_keeps_nothing_and_the_move_does(mover: Mover) -> None:
    dry = mover("--dry-run")
    between = mover.patients()
    wet = mover()
    again = mover()

    assert [result.exit_code for result in (dry, wet, again)] == [0, 0, 0]
    assert "Nothing was moved in: this was a dry run. The folder is ready." in dry.stdout
    assert "patients.csv: 4 new" in wet.stdout
    assert "100 % Done" in wet.stderr
    assert "patients.csv: 4 unchanged\nNothing was new." in again.stdout
    assert (between, mover.patients()) == (3, 7)


def test_faults_are_listed_and_end_with_two(mover: Mover) -> None:
    (mover.folder / "rooms.csv").write_text("id;clinic;name\nR1;C9;Room\n")

    result = mover()

    assert result.exit_code == 2
    assert "fault: rooms.csv, line 2, column clinic: there is no clinic 'C9': neither in clinics.csv nor moved in " \
        "before\n" in result.stdout
    assert result.stdout.endswith("Nothing was moved in: mend the faults and try again.\n")
    assert mover.patients() == 3


def test_a_folder_with_nothing_of_ours_is_told_what_is_looked_for(mover: Mover) -> None:
    for path in mover.folder.iterdir():
        path.unlink()
    (mover.folder / "Patients.CSV.txt").write_text("id\n")

    result = mover()

    assert result.exit_code == 2
    assert "has none of the files that can be moved in: clinics.csv" in result.stdout


def test_an_export_has_no_dry_run(mover: Mover) -> None:
    (mover.folder / "manifest.json").write_text("{}")

    result = mover("--dry-run")

    assert result.exit_code == 1
    assert "there is no dry run of it" in result.stderr
